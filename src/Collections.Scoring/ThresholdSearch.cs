using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Collections.Scoring;

/// <summary>
/// Counts the thresholds below a value with one comparison of eight doubles a level: 254 thresholds take three levels where a
/// binary search takes eight steps, and there is no branch to mispredict. The lowest level holds the thresholds, in blocks of
/// eight; each level above holds the last entry of every block below it; the top is one block. The number of entries below the
/// value in a level's block is the block to look at in the next one. NaN fills the blocks up, for it is below nothing; each
/// level has at least one entry of it at its end, so that a value above all thresholds finds a block to count nothing in.
/// </summary>
internal sealed unsafe class ThresholdSearch
{
    private const int Fan = 8;

    private readonly AlignedArray<double> _separators;

    /// <summary>Where each level starts, in blocks, the top first.</summary>
    private readonly int[] _levelStart;

    private readonly double* _second;
    private readonly double* _third;

    /// <param name="thresholds">Ascending, distinct, without NaN.</param>
    public ThresholdSearch(double[] thresholds)
    {
        List<double[]> levels = [];
        double[] entries = thresholds;
        while (true)
        {
            double[] level = new double[Fan * ((entries.Length / Fan) + 1)];
            Array.Fill(level, double.NaN);
            entries.CopyTo(level, 0);
            levels.Add(level);
            if (level.Length == Fan) break;

            // The last block needs no entry above: what is not within the earlier ones is there.
            entries = new double[(level.Length / Fan) - 1];
            for (int block = 0; block < entries.Length; block++) entries[block] = level[(block * Fan) + Fan - 1];
        }

        levels.Reverse();
        ThresholdCount = thresholds.Length;
        _separators = new AlignedArray<double>([.. levels.SelectMany(static level => level)]);
        _levelStart = new int[levels.Count];
        for (int i = 1; i < levels.Count; i++) _levelStart[i] = _levelStart[i - 1] + (levels[i - 1].Length / Fan);
        _second = _separators.Start + (levels.Count > 1 ? _levelStart[1] * Fan : 0);
        _third = _separators.Start + (levels.Count > 2 ? _levelStart[2] * Fan : 0);
    }

    /// <summary>What a search finds at most.</summary>
    public int ThresholdCount { get; }

    /// <summary>Comparisons a search takes.</summary>
    public int LevelCount => _levelStart.Length;

    /// <summary>A view for a loop of searches, all in registers; this object must be kept alive as long.</summary>
    public View Open() => new(_separators.Start, _second, _third, _levelStart);

    /// <summary>Where to search. The searches for the usual numbers of levels are written out, without a loop.</summary>
    public readonly struct View(double* top, double* second, double* third, int[] levels)
    {
        private readonly double* _top = top;
        private readonly double* _second = second;
        private readonly double* _third = third;
        private readonly int[] _levels = levels;

        /// <summary>The number of thresholds below a value, by the search for <typeparamref name="TLevels"/>; 0 for NaN.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int CountBelow<TLevels>(double given)
            where TLevels : struct, ILevels
        {
            Vector512<double> value = Vector512.Create(given);
            int count = Below(_top, value);
            if (TLevels.Count == 1) return count;
            count *= Fan;
            count += Below(_second + count, value);
            if (TLevels.Count == 2) return count;
            count *= Fan;
            count += Below(_third + count, value);
            if (TLevels.Count == 3) return count;
            foreach (int start in _levels.AsSpan(3))
            {
                count *= Fan;
                count += Below(_top + (start * Fan) + count, value);
            }

            return count;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static int Below(double* block, Vector512<double> value) =>
            BitOperations.PopCount(Vector512.LessThan(Vector512.Load(block), value).ExtractMostSignificantBits());
    }

    /// <summary>How many levels a search has, known to the compiler.</summary>
    public interface ILevels
    {
        static abstract int Count { get; }
    }

    /// <summary>Up to 7 thresholds.</summary>
    public readonly struct OneLevel : ILevels
    {
        public static int Count => 1;
    }

    /// <summary>Up to 63 thresholds.</summary>
    public readonly struct TwoLevels : ILevels
    {
        public static int Count => 2;
    }

    /// <summary>Up to 511 thresholds.</summary>
    public readonly struct ThreeLevels : ILevels
    {
        public static int Count => 3;
    }

    /// <summary>More.</summary>
    public readonly struct ManyLevels : ILevels
    {
        public static int Count => int.MaxValue;
    }
}
