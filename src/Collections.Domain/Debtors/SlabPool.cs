using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Collections.Domain.Debtors;

/// <summary>
/// Native memory in blocks of a few sizes, cut from slabs of one size each, addressed by 32-bit handles (18 bits of slab, 14 of place;
/// 0: none). The garbage collector never sees it. One pool belongs to one partition, and so to one thread.
/// </summary>
public sealed unsafe class SlabPool : IDisposable
{
    private const int PlaceBits = 14;
    private const int ClassCount = 53;

    private readonly uint[] free = new uint[ClassCount];
    private readonly uint[] next = new uint[ClassCount];
    private readonly uint[] end = new uint[ClassCount];
    private nint[] slabs = new nint[64];
    private byte[] classOfSlab = new byte[64];
    private int slabCount;

    public SlabPool(DebtorOptions? options = null)
    {
        Options = options ?? DebtorOptions.Default;
        Options.Validate();
        Scratch = new LedgerScratch();
    }

    /// <summary>How much of its debtors' past the pool keeps.</summary>
    public DebtorOptions Options { get; }

    /// <summary>Bytes of the blocks handed out.</summary>
    public long BytesUsed { get; private set; }

    /// <summary>Bytes asked of the operating system, which backs them with memory when they are first touched.</summary>
    public long BytesReserved => (long)slabCount * Limits.SlabBytes;

    /// <summary>Working space of the thread that owns the pool.</summary>
    internal LedgerScratch Scratch { get; }

    /// <summary>Gives all memory back; no debtor of the pool may be used afterwards.</summary>
    public void Dispose()
    {
        foreach (nint slab in slabs)
        {
            if (slab != 0)
                NativeMemory.AlignedFree((void*)slab);
        }
        Array.Clear(slabs);
        slabCount = 0;
    }

    /// <summary>A block of at least so many bytes, up to <see cref="Limits.BlockBytesMax"/>; its content is undefined.</summary>
    internal uint Allocate(int bytes)
    {
        int size = ClassOf(bytes);
        uint handle = free[size];
        if (handle != 0)
            free[size] = *(uint*)Pointer(handle);
        else
            handle = Cut(size);
        BytesUsed += SizeOf(size);
        return handle;
    }

    internal void Release(uint handle)
    {
        int size = classOfSlab[handle >> PlaceBits];
        *(uint*)Pointer(handle) = free[size];
        free[size] = handle;
        BytesUsed -= SizeOf(size);
    }

    /// <summary>Bytes of a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Capacity(uint handle) => SizeOf(classOfSlab[handle >> PlaceBits]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* Pointer(uint handle)
    {
        uint slab = handle >> PlaceBits;
        return (byte*)slabs[slab] + (long)(handle & ((1 << PlaceBits) - 1)) * SizeOf(classOfSlab[slab]);
    }

    /// <summary>Sizes go in four steps a doubling: 64, 80, 96, 112, 128, 160 … so that at most a fifth of a block is idle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int SizeOf(int size) => (4 + (size & 3)) << (4 + (size >> 2));

    private static int ClassOf(int bytes)
    {
        Invariant.Require(bytes <= Limits.BlockBytesMax, "a debtor's lists stay below the largest block");
        if (bytes <= Limits.BlockBytesMin)
            return 0;
        int doubling = BitOperations.Log2((uint)(bytes - 1));
        int step = bytes - 1 >> (doubling - 2) & 3;
        return (doubling - 6) * 4 + step + 1;
    }

    private uint Cut(int size)
    {
        if (next[size] == end[size])
            AddSlab(size);
        return next[size]++;
    }

    private void AddSlab(int size)
    {
        // Slab 0 stays empty, so that no handle is 0.
        int slab = slabCount + 1;
        Invariant.Require(slab < Limits.SlabsMax, "a pool holds at most 256 GiB; give the node more partitions or less book");
        if (slab >= slabs.Length)
        {
            Array.Resize(ref slabs, slabs.Length * 2);
            Array.Resize(ref classOfSlab, slabs.Length);
        }
        slabs[slab] = (nint)NativeMemory.AlignedAlloc(Limits.SlabBytes, 64);
        classOfSlab[slab] = (byte)size;
        slabCount = slab;
        next[size] = (uint)slab << PlaceBits;
        end[size] = next[size] + (uint)(Limits.SlabBytes / SizeOf(size));
    }
}
