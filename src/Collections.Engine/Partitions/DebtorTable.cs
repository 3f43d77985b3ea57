using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Collections.Domain.Debtors;

namespace Collections.Engine.Partitions;

/// <summary>What the engine keeps of a debtor beside its record: where it stands in a queue, and its next timer. Not persisted; rebuilt.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Standing
{
    /// <summary>What its queue is ranked by.</summary>
    public double Value;

    /// <summary>Tie-break of equal values: eligible longer comes first. Unix milliseconds.</summary>
    public long EligibleSinceMs;

    /// <summary>When the partition must look at it again; <see cref="long.MaxValue"/>: never.</summary>
    public long TimerMs;

    /// <summary>Neighbours in the bucket's list; -1: none.</summary>
    public int Next;
    public int Previous;

    /// <summary>The queue it stands in, by number in the partition; 0: none.</summary>
    public ushort Queue;
    public StandingFlags Flags;
}

[Flags]
internal enum StandingFlags : byte
{
    None = 0,

    /// <summary>In the list of those to be evaluated at the end of the slice.</summary>
    ToEvaluate = 1,

    /// <summary>Changed since the last checkpoint.</summary>
    ToCheckpoint = 2,

    /// <summary>Waits for its history; its events are held.</summary>
    Parked = 4,
}

/// <summary>
/// The debtors of one partition in native memory: fixed-size records in pages addressed by a 32-bit slot, found by open addressing on
/// a 64-bit hash (12 bytes an entry), the full key verified on a hit. Nothing here is seen by the garbage collector.
/// </summary>
internal sealed unsafe class DebtorTable : IDisposable
{
    private const int PageShift = 12;
    private const int PageSlots = 1 << PageShift;

    private readonly List<nint> recordPages = [];
    private readonly List<nint> standingPages = [];
    private DebtorRecord** records;
    private Standing** standings;
    private ulong* hashes;
    private int* slots;
    private int capacity;

    public DebtorTable(DebtorOptions options)
    {
        Pool = new SlabPool(options);
        Resize(1024);
    }

    public SlabPool Pool { get; }

    public NameTable Names { get; private set; } = new();

    /// <summary>Slots in use are 0 to this, exclusive; debtors are never removed.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of records, standings and index; lists are in <see cref="Pool"/>.</summary>
    public long TableBytes => (long)recordPages.Count * PageSlots * (sizeof(DebtorRecord) + sizeof(Standing)) + (long)capacity * 12;

    public void Dispose() => Release();

    public ref DebtorRecord Record(int slot) => ref records[slot >> PageShift][slot & (PageSlots - 1)];

    public ref Standing Standing(int slot) => ref standings[slot >> PageShift][slot & (PageSlots - 1)];

    public Debtor Debtor(int slot) => new(ref Record(slot), Pool, Names);

    /// <summary>The interned tenant of a debtor.</summary>
    public ushort TenantOf(int slot)
    {
        Names.TryFind(Debtor(slot).Tenant, out ushort id);
        return id;
    }

    /// <summary>The slot of a debtor, or -1.</summary>
    public int Find(ulong hash, ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> name)
    {
        int mask = capacity - 1;
        for (int i = (int)hash & mask; slots[i] >= 0; i = (i + 1) & mask)
        {
            if (hashes[i] != hash)
                continue;
            Debtor debtor = Debtor(slots[i]);
            if (debtor.Name.SequenceEqual(name) && debtor.Tenant.SequenceEqual(tenant))
                return slots[i];
        }
        return -1;
    }

    /// <summary>Starts the loads of what <see cref="Find"/> will touch, for a batch of look-ups to overlap their cache misses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchIndex(ulong hash)
    {
        if (!Sse.IsSupported)
            return;
        int i = (int)hash & (capacity - 1);
        Sse.Prefetch0(hashes + i);
        Sse.Prefetch0(slots + i);
    }

    /// <summary>The second step: the record behind the index entry, if the first probe is the hit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchRecord(ulong hash)
    {
        int i = (int)hash & (capacity - 1);
        if (!Sse.IsSupported || slots[i] < 0)
            return;
        byte* record = (byte*)Unsafe.AsPointer(ref Record(slots[i]));
        for (int line = 0; line < sizeof(DebtorRecord); line += 64)
            Sse.Prefetch0(record + line);
        Sse.Prefetch0(Unsafe.AsPointer(ref Standing(slots[i])));
    }

    public int Create(ulong hash, ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> name)
    {
        int slot = Allocate(Count);
        Domain.Debtors.Debtor.Create(ref Record(slot), Pool, Names, tenant, name);
        Index(hash, slot);
        return slot;
    }

    /// <summary>Puts a debtor from a checkpoint back where it was.</summary>
    public ImageStatus Restore(int slot, ReadOnlySpan<byte> image)
    {
        Allocate(slot);
        ImageStatus status = Domain.Debtors.Debtor.ReadImage(ref Record(slot), Pool, image);
        if (status == ImageStatus.Read)
        {
            Debtor debtor = Debtor(slot);
            Index(DebtorKey.HashOf(debtor.Tenant, debtor.Name), slot);
        }
        return status;
    }

    public void RestoreNames(NameTable names) => Names = names;

    private int Allocate(int slot)
    {
        while (slot >= recordPages.Count * PageSlots)
            AddPage();
        Count = Math.Max(Count, slot + 1);
        return slot;
    }

    private void AddPage()
    {
        recordPages.Add((nint)NativeMemory.AlignedAlloc((nuint)(PageSlots * sizeof(DebtorRecord)), 64));
        standingPages.Add((nint)NativeMemory.AlignedAlloc((nuint)(PageSlots * sizeof(Standing)), 64));
        records = (DebtorRecord**)NativeMemory.Realloc(records, (nuint)(recordPages.Count * sizeof(nint)));
        standings = (Standing**)NativeMemory.Realloc(standings, (nuint)(standingPages.Count * sizeof(nint)));
        records[recordPages.Count - 1] = (DebtorRecord*)recordPages[^1];
        standings[standingPages.Count - 1] = (Standing*)standingPages[^1];
        NativeMemory.Clear((void*)recordPages[^1], (nuint)(PageSlots * sizeof(DebtorRecord)));
        var fresh = (Standing*)standingPages[^1];
        for (int i = 0; i < PageSlots; i++)
            fresh[i] = new Standing { Next = -1, Previous = -1, TimerMs = long.MaxValue };
    }

    private void Index(ulong hash, int slot)
    {
        // Linear probing stays short up to 85 % load.
        if ((Count + 1L) * 20 > capacity * 17L)
            Resize(capacity * 2);
        Put(hash, slot);
    }

    private void Put(ulong hash, int slot)
    {
        int mask = capacity - 1;
        int i = (int)hash & mask;
        while (slots[i] >= 0)
            i = (i + 1) & mask;
        hashes[i] = hash;
        slots[i] = slot;
    }

    private void Resize(int newCapacity)
    {
        ulong* oldHashes = hashes;
        int* oldSlots = slots;
        int oldCapacity = capacity;
        capacity = newCapacity;
        hashes = (ulong*)NativeMemory.Alloc((nuint)newCapacity, sizeof(ulong));
        slots = (int*)NativeMemory.Alloc((nuint)newCapacity, sizeof(int));
        new Span<int>(slots, newCapacity).Fill(-1);
        for (int i = 0; i < oldCapacity; i++)
        {
            if (oldSlots[i] >= 0)
                Put(oldHashes[i], oldSlots[i]);
        }
        NativeMemory.Free(oldHashes);
        NativeMemory.Free(oldSlots);
    }

    private void Release()
    {
        foreach (nint page in recordPages)
            NativeMemory.AlignedFree((void*)page);
        foreach (nint page in standingPages)
            NativeMemory.AlignedFree((void*)page);
        recordPages.Clear();
        standingPages.Clear();
        NativeMemory.Free(records);
        NativeMemory.Free(standings);
        NativeMemory.Free(hashes);
        NativeMemory.Free(slots);
        records = null;
        standings = null;
        hashes = null;
        slots = null;
        Pool.Dispose();
    }
}
