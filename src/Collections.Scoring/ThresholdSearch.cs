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
internal sealed class ThresholdSearch
{
    private const int Fan = 8;

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
        Separators = [.. levels.SelectMany(static level => level)];
        LevelStart = new int[levels.Count];
        for (int i = 1; i < levels.Count; i++) LevelStart[i] = LevelStart[i - 1] + levels[i - 1].Length;
    }

    /// <summary>All levels, the top first.</summary>
    public double[] Separators { get; }

    /// <summary>Where each level starts.</summary>
    public int[] LevelStart { get; }

    /// <summary>The number of thresholds below a value that is not NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int CountBelow(double* separators, int* levels, int levelCount, double value)
    {
        Vector512<double> values = Vector512.Create(value);
        int count = 0;
        for (int level = 0; level < levelCount; level++)
        {
            Vector512<double> block = Vector512.Load(separators + levels[level] + (count * Fan));
            count = (count * Fan) + BitOperations.PopCount(Vector512.LessThan(block, values).ExtractMostSignificantBits());
        }

        return count;
    }
}
