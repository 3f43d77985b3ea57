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

    // Slabs of each size that have room, as a chain through Slab.Next and Slab.Previous; 0: none.
    private readonly int[] withRoom = new int[ClassCount];
    private readonly Stack<int> empty = [];
    private Slab[] slabs = new Slab[64];
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
        foreach (Slab slab in slabs)
        {
            if (slab.Start != 0)
                NativeMemory.AlignedFree((void*)slab.Start);
        }
        Array.Clear(slabs);
        slabCount = 0;
    }

    /// <summary>A block of at least so many bytes, up to <see cref="Limits.BlockBytesMax"/>; its content is undefined.</summary>
    internal uint Allocate(int bytes)
    {
        int size = ClassOf(bytes);
        int number = withRoom[size];
        if (number == 0)
            number = Open(size);
        ref Slab slab = ref slabs[number];
        uint handle = slab.Free;
        if (handle != 0)
            slab.Free = *(uint*)Pointer(handle);
        else
            handle = (uint)number << PlaceBits | (uint)slab.Cut++;
        if (++slab.Live == Places(size))
            Unchain(number);
        BytesUsed += SizeOf(size);
        return handle;
    }

    internal void Release(uint handle)
    {
        int number = (int)(handle >> PlaceBits);
        ref Slab slab = ref slabs[number];
        BytesUsed -= SizeOf(slab.Size);
        *(uint*)Pointer(handle) = slab.Free;
        slab.Free = handle;
        if (slab.Live-- == Places(slab.Size))
            Chain(number);
        if (slab.Live == 0)
            Close(number);
    }

    /// <summary>Bytes of a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Capacity(uint handle) => SizeOf(slabs[handle >> PlaceBits].Size);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* Pointer(uint handle)
    {
        ref readonly Slab slab = ref slabs[handle >> PlaceBits];
        return (byte*)slab.Start + (long)(handle & ((1 << PlaceBits) - 1)) * SizeOf(slab.Size);
    }

    /// <summary>Sizes go in four steps a doubling: 64, 80, 96, 112, 128, 160 … so that at most a fifth of a block is idle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int SizeOf(int size) => (4 + (size & 3)) << (4 + (size >> 2));

    private static int Places(int size) => Limits.SlabBytes / SizeOf(size);

    private static int ClassOf(int bytes)
    {
        Invariant.Require(bytes <= Limits.BlockBytesMax, "a debtor's lists stay below the largest block");
        if (bytes <= Limits.BlockBytesMin)
            return 0;
        int doubling = BitOperations.Log2((uint)(bytes - 1));
        int step = bytes - 1 >> (doubling - 2) & 3;
        return (doubling - 6) * 4 + step + 1;
    }

    /// <summary>Gives a size a slab: one that became empty, or a new one.</summary>
    private int Open(int size)
    {
        if (!empty.TryPop(out int number))
        {
            // Slab 0 stays unused, so that no handle is 0.
            number = ++slabCount;
            Invariant.Require(number < Limits.SlabsMax, "a pool holds at most 256 GiB; give the node more partitions or less book");
            if (number >= slabs.Length)
                Array.Resize(ref slabs, slabs.Length * 2);
            slabs[number].Start = (nint)NativeMemory.AlignedAlloc(Limits.SlabBytes, 64);
        }
        slabs[number] = new Slab { Start = slabs[number].Start, Size = (byte)size };
        Chain(number);
        return number;
    }

    /// <summary>
    /// Takes an empty slab away from its size. Debtors grow together (a whole book is invoiced on one day), and so leave whole slabs of the
    /// smaller sizes behind; the larger ones take these over.
    /// </summary>
    private void Close(int number)
    {
        Unchain(number);
        empty.Push(number);
    }

    private void Chain(int number)
    {
        ref Slab slab = ref slabs[number];
        slab.Next = withRoom[slab.Size];
        slab.Previous = 0;
        if (slab.Next != 0)
            slabs[slab.Next].Previous = number;
        withRoom[slab.Size] = number;
    }

    private void Unchain(int number)
    {
        ref Slab slab = ref slabs[number];
        if (slab.Next != 0)
            slabs[slab.Next].Previous = slab.Previous;
        if (slab.Previous != 0)
            slabs[slab.Previous].Next = slab.Next;
        else
            withRoom[slab.Size] = slab.Next;
    }

    private struct Slab
    {
        public nint Start;

        /// <summary>First of the blocks given back, each of which begins with the handle of the next; 0: none.</summary>
        public uint Free;

        /// <summary>Blocks cut so far.</summary>
        public int Cut;

        /// <summary>Blocks in use.</summary>
        public int Live;
        public int Next;
        public int Previous;
        public byte Size;
    }
}
