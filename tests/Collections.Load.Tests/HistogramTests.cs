using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace Collections.Load.Tests;

/// <summary>The histogram against sorted lists.</summary>
public sealed class HistogramTests
{
    private static readonly double[] Shares = [0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1];

    /// <summary>All magnitudes alike: 1 µs to over an hour.</summary>
    private static readonly Arbitrary<long[]> Durations =
        Gen.Choose(0, 1_000_000).SelectMany(static share => Gen.Choose(0, 34).Select(bits => (long)(share / 1e6 * (1L << bits)))).ArrayOf().Where(static values => values.Length > 0).ToArbitrary();

    [Fact]
    public void A_quantile_is_the_exact_one_or_up_to_a_thousandth_more() => Prop.ForAll(Durations, static values =>
    {
        Histogram histogram = Of(values);
        long[] sorted = [.. values.Select(static v => Math.Min(v, Histogram.MicrosMax)).Order()];
        return histogram.Count == values.Length && histogram.Max == sorted[^1] && Shares.All(share =>
        {
            long exact = sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length), 1, sorted.Length) - 1];
            return histogram.At(share) >= exact && histogram.At(share) <= exact + exact / 1024;
        });
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Two_that_are_merged_are_the_one_that_took_the_values_of_both() => Prop.ForAll(Durations, Durations, static (a, b) =>
    {
        (Histogram merged, Histogram whole) = (Of(a), Of([.. a, .. b]));
        merged.Merge(Of(b));
        return merged.Count == whole.Count && merged.Max == whole.Max && Text(merged) == Text(whole);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2_047, 2_047)]
    [InlineData(2_048, 2_048)]
    [InlineData(Histogram.MicrosMax, Histogram.MicrosMax)]
    [InlineData(Histogram.MicrosMax + 1, Histogram.MicrosMax)]
    [InlineData(long.MaxValue, Histogram.MicrosMax)]
    public void A_value_alone_is_told_as_it_is_within_an_hour(long recorded, long told) => Assert.All(Shares, share => Assert.Equal(told, Of([recorded]).At(share)));

    [Fact]
    public void Nothing_recorded_is_zero_and_writes_no_percentile()
    {
        Assert.All(Shares, static share => Assert.Equal(0, new Histogram().At(share)));
        Assert.DoesNotContain("inf", Text(new Histogram()), StringComparison.Ordinal);
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        var histogram = new Histogram();
        histogram.Record(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (long value = 1; value < Histogram.MicrosMax; value += value / 3 + 1)
            histogram.Record(value);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>As HdrHistogram's plotter reads it: percentiles rise to 1, values do not fall, the last line has all.</summary>
    [Fact]
    public void The_text_goes_up_to_all_values_at_the_largest()
    {
        string[] lines = Text(Of([.. Enumerable.Range(1, 10_000).Select(static i => (long)i * i)])).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[][] rows = [.. lines.Skip(1).TakeWhile(static line => line[0] != '#').Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        double[] values = [.. rows.Select(static row => double.Parse(row[0], CultureInfo.InvariantCulture))], shares = [.. rows.Select(static row => double.Parse(row[1], CultureInfo.InvariantCulture))];
        Assert.Equal(values.Order(), values);
        Assert.Equal(shares.Order(), shares);
        Assert.Equal(["100000.000", "1.000000000000", "10000", "inf"], rows[^1]);
        string mean = Assert.Single(lines, static line => line.StartsWith("#[Mean ", StringComparison.Ordinal)).Split('=', ',')[1];
        Assert.Equal(33_338.333, double.Parse(mean, CultureInfo.InvariantCulture), 33.3);
        Assert.Contains("#[Max     =   100000.000, Total count    =        10000]", lines);
    }

    private static Histogram Of(IEnumerable<long> values)
    {
        var histogram = new Histogram();
        foreach (long value in values)
            histogram.Record(value);
        return histogram;
    }

    private static string Text(Histogram histogram)
    {
        using var text = new StringWriter { NewLine = "\n" };
        histogram.Write(text);
        return text.ToString();
    }
}
