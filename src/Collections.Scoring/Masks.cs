using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Collections.Scoring;

/// <summary>Folding of eight vectors of lanes into eight masks of 256 bits at once, so that each shuffle serves two of them.</summary>
internal static unsafe class Masks
{
    /// <summary>Numbers of 64 bits in a mask.</summary>
    public const int Words = 4;

    /// <summary>
    /// Per vector, the union of its two halves; transposed, so that word w of all eight masks stands at <paramref name="words"/> + 8 w.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fold(
        Vector512<byte> c0, Vector512<byte> c1, Vector512<byte> c2, Vector512<byte> c3,
        Vector512<byte> c4, Vector512<byte> c5, Vector512<byte> c6, Vector512<byte> c7, ulong* words)
    {
        const byte EvenParts = 0b10_00_10_00;
        const byte OddParts = 0b11_01_11_01;

        // Each of these holds words 0 and 1, then 2 and 3, of one mask, and then of another.
        Vector512<ulong> m02 = FoldHalves(c0, c2);
        Vector512<ulong> m13 = FoldHalves(c1, c3);
        Vector512<ulong> m46 = FoldHalves(c4, c6);
        Vector512<ulong> m57 = FoldHalves(c5, c7);
        Vector512<ulong> even = Avx512F.Shuffle4x128(m02, m46, EvenParts);
        Vector512<ulong> odd = Avx512F.Shuffle4x128(m13, m57, EvenParts);
        Vector512.StoreAligned(Avx512F.UnpackLow(even, odd), words);
        Vector512.StoreAligned(Avx512F.UnpackHigh(even, odd), words + 8);
        even = Avx512F.Shuffle4x128(m02, m46, OddParts);
        odd = Avx512F.Shuffle4x128(m13, m57, OddParts);
        Vector512.StoreAligned(Avx512F.UnpackLow(even, odd), words + 16);
        Vector512.StoreAligned(Avx512F.UnpackHigh(even, odd), words + 24);
    }

    /// <summary>The number of the lowest bit that is 0 in each, where there is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<long> LowestZero(Vector512<ulong> masks)
    {
        Vector512<ulong> lowest = ~masks & (masks + Vector512<ulong>.One);
        return Vector512.Create(63L) - Avx512CD.LeadingZeroCount(lowest).AsInt64();
    }

    /// <summary>The first vector's united halves, then the second's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> FoldHalves(Vector512<byte> a, Vector512<byte> b)
    {
        const byte LowHalves = 0b01_00_01_00;
        const byte HighHalves = 0b11_10_11_10;
        return Avx512F.Shuffle4x128(a.AsUInt64(), b.AsUInt64(), LowHalves) | Avx512F.Shuffle4x128(a.AsUInt64(), b.AsUInt64(), HighHalves);
    }
}
