using System.Runtime.CompilerServices;

namespace Collections.Scoring;

/// <summary>
/// Numbers at a fixed address that is a multiple of 64, so that a vector of 64 bytes never straddles two cache lines. Immutable.
/// Whoever works on <see cref="Start"/> keeps this object alive until it is done.
/// </summary>
/// <typeparam name="T">A plain number.</typeparam>
internal sealed unsafe class AlignedArray<T>
    where T : unmanaged
{
    private const int Alignment = 64;

    /// <summary>On the pinned heap, so that the address holds as long as this object does.</summary>
    private readonly byte[] _memory;

    /// <param name="values">Copied.</param>
    public AlignedArray(ReadOnlySpan<T> values)
    {
        Length = values.Length;
        _memory = GC.AllocateArray<byte>(checked((values.Length * sizeof(T)) + Alignment), pinned: true);
        nuint first = (nuint)Unsafe.AsPointer(ref _memory[0]);
        Start = (T*)((first + Alignment - 1) & ~(nuint)(Alignment - 1));
        values.CopyTo(new Span<T>(Start, values.Length));
    }

    /// <summary>The first value.</summary>
    public T* Start { get; }

    /// <summary>Values.</summary>
    public int Length { get; }
}
