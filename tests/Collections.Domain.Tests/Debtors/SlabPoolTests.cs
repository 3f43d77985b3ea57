using Collections.Domain.Debtors;

namespace Collections.Domain.Tests.Debtors;

public class SlabPoolTests
{
    [Fact]
    public unsafe void Blocks_never_overlap_and_are_as_large_as_asked()
    {
        using var pool = new SlabPool();
        var random = new Random(3);
        var held = new List<(uint Handle, int Bytes, byte Mark)>();
        for (int turn = 0; turn < 20_000; turn++)
        {
            if (held.Count > 0 && random.Next(5) < 2)
            {
                int index = random.Next(held.Count);
                (uint handle, int bytes, byte mark) = held[index];
                Assert.True(new ReadOnlySpan<byte>(pool.Pointer(handle), bytes).IndexOfAnyExcept(mark) < 0);
                pool.Release(handle);
                held[index] = held[^1];
                held.RemoveAt(held.Count - 1);
                continue;
            }
            int wanted = turn % 100 == 0 ? random.Next(Limits.BlockBytesMax) + 1 : random.Next(2_000) + 1;
            uint taken = pool.Allocate(wanted);
            Assert.NotEqual(0u, taken);
            Assert.InRange(pool.Capacity(taken), wanted, Math.Max(Limits.BlockBytesMin, wanted * 5 / 4 + 16));
            new Span<byte>(pool.Pointer(taken), wanted).Fill((byte)turn);
            held.Add((taken, wanted, (byte)turn));
        }
        foreach ((uint handle, _, _) in held)
            pool.Release(handle);
        Assert.Equal(0, pool.BytesUsed);
    }

    [Fact]
    public void Slabs_that_became_empty_serve_other_sizes()
    {
        using var pool = new SlabPool();
        for (int bytes = 64; bytes <= 4_096; bytes += 64)
        {
            uint[] blocks = [.. Enumerable.Range(0, 5_000).Select(_ => pool.Allocate(bytes))];
            foreach (uint block in blocks)
                pool.Release(block);
        }
        Assert.InRange(pool.BytesReserved, 1, 30L * Limits.SlabBytes);
    }

    [Fact]
    public void Freed_debtors_leave_nothing_behind()
    {
        using var pool = new SlabPool();
        var names = new NameTable();
        var records = new DebtorRecord[1_000];
        for (int i = 0; i < records.Length; i++)
            Debtor.Create(ref records[i], pool, names, "default"u8, "debtor"u8);
        Assert.True(pool.BytesUsed > 0);
        for (int i = 0; i < records.Length; i++)
            new Debtor(ref records[i], pool, names).Free();
        Assert.Equal(0, pool.BytesUsed);
        Assert.All(records, static record => Assert.True(record.IsFree));
    }

    [Fact]
    public void Names_keep_their_ids_and_load_in_order()
    {
        var names = new NameTable();
        Assert.Equal(1, names.Intern("a"u8));
        Assert.Equal(2, names.Intern("b"u8));
        Assert.Equal(1, names.Intern("a"u8));
        Assert.Equal(0, names.Intern(""u8));
        var loaded = new NameTable();
        for (ushort id = 1; id <= names.Count; id++)
            loaded.Load(id, names[id]);
        Assert.Equal(2, loaded.Intern("b"u8));
        Assert.Throws<InvariantBrokenException>(() => loaded.Load(7, "z"u8));
    }
}
