using Xunit;

namespace Collections.Scoring.Tests;

/// <summary>The search by blocks of eight against counting one by one.</summary>
public sealed class ThresholdSearchTests
{
    [Fact]
    public void Counts_the_thresholds_below_a_value_for_every_number_of_thresholds()
    {
        for (int count = 0; count <= 600; count++)
        {
            double[] thresholds = [.. Enumerable.Range(0, count).Select(static i => (double)i)];
            ThresholdSearch search = new(thresholds);
            for (double value = -1; value <= count + 1; value += 0.5)
            {
                Assert.Equal(thresholds.Count(threshold => threshold < value), Count(search, value));
            }

            Assert.Equal(0, Count(search, double.NegativeInfinity));
            Assert.Equal(count, Count(search, double.PositiveInfinity));
        }
    }

    [Fact]
    public void Infinite_thresholds_are_thresholds()
    {
        ThresholdSearch search = new([double.NegativeInfinity, 0, double.PositiveInfinity]);
        Assert.Equal([0, 1, 1, 2, 2], new[] { double.NegativeInfinity, -1, 0, 1, double.PositiveInfinity }.Select(value => Count(search, value)));
    }

    private static unsafe int Count(ThresholdSearch search, double value)
    {
        fixed (double* separators = search.Separators)
        fixed (int* levels = search.LevelStart)
        {
            return ThresholdSearch.CountBelow(separators, levels, search.LevelStart.Length, value);
        }
    }
}
