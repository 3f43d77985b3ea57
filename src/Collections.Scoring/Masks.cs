using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Collections.Scoring;

/// <summary>Folding of whole vectors into masks of 64 or 128 bits, several at a time, so that a shuffle serves two of them.</summary>
internal static class Masks
{
    /// <summary>Per vector, the union of its eight 64-bit parts; the result holds those of the eight vectors in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> FoldToQuads(
        Vector512<byte> c0, Vector512<byte> c1, Vector512<byte> c2, Vector512<byte> c3,
        Vector512<byte> c4, Vector512<byte> c5, Vector512<byte> c6, Vector512<byte> c7) =>
        FoldToPairs(Interleave(c0, c1), Interleave(c2, c3), Interleave(c4, c5), Interleave(c6, c7));

    /// <summary>Per vector, the union of its four 128-bit parts; the result holds those of the four vectors in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> FoldToPairs(Vector512<byte> c0, Vector512<byte> c1, Vector512<byte> c2, Vector512<byte> c3)
    {
        const byte EvenParts = 0b10_00_10_00;
        const byte OddParts = 0b11_01_11_01;
        Vector512<ulong> first = FoldHalves(c0.AsUInt64(), c1.AsUInt64());
        Vector512<ulong> second = FoldHalves(c2.AsUInt64(), c3.AsUInt64());
        return Avx512F.Shuffle4x128(first, second, EvenParts) | Avx512F.Shuffle4x128(first, second, OddParts);
    }

    /// <summary>The number of the lowest bit that is 0 in each, where there is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<long> LowestZero(Vector512<ulong> masks)
    {
        Vector512<ulong> lowest = ~masks & (masks + Vector512<ulong>.One);
        return Vector512.Create(63L) - Avx512CD.LeadingZeroCount(lowest).AsInt64();
    }

    /// <summary>In each 128-bit part, the union of the first vector's two halves, then that of the second's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Interleave(Vector512<byte> a, Vector512<byte> b) =>
        (Avx512F.UnpackLow(a.AsUInt64(), b.AsUInt64()) | Avx512F.UnpackHigh(a.AsUInt64(), b.AsUInt64())).AsByte();

    /// <summary>Two 128-bit parts of the first vector, halves united, then two of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> FoldHalves(Vector512<ulong> a, Vector512<ulong> b)
    {
        const byte LowHalves = 0b01_00_01_00;
        const byte HighHalves = 0b11_10_11_10;
        return Avx512F.Shuffle4x128(a, b, LowHalves) | Avx512F.Shuffle4x128(a, b, HighHalves);
    }
}
