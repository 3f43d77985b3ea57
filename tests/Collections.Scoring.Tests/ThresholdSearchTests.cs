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
    public void A_search_of_many_levels_counts_right()
    {
        double[] thresholds = [.. Enumerable.Range(0, 40_000).Select(static i => (double)i)];
        ThresholdSearch search = new(thresholds);
        Assert.Equal(6, search.LevelCount);
        for (int count = 0; count <= 40_000; count += 7) Assert.Equal(count, Count(search, count - 0.5));
        Assert.Equal(40_000, Count(search, double.PositiveInfinity));
    }

    [Fact]
    public void Infinite_thresholds_are_thresholds()
    {
        ThresholdSearch search = new([double.NegativeInfinity, 0, double.PositiveInfinity]);
        Assert.Equal([0, 1, 1, 2, 2], new[] { double.NegativeInfinity, -1, 0, 1, double.PositiveInfinity }.Select(value => Count(search, value)));
    }

    private static int Count(ThresholdSearch search, double value)
    {
        ThresholdSearch.View view = search.Open();
        int count = search.LevelCount switch
        {
            1 => view.CountBelow<ThresholdSearch.OneLevel>(value),
            2 => view.CountBelow<ThresholdSearch.TwoLevels>(value),
            3 => view.CountBelow<ThresholdSearch.ThreeLevels>(value),
            _ => view.CountBelow<ThresholdSearch.ManyLevels>(value),
        };
        GC.KeepAlive(search);
        return count;
    }
}
