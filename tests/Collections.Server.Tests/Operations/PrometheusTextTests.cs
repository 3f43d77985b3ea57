using System.Diagnostics.Metrics;
using System.Text;
using Collections.Server.Operations;

namespace Collections.Server.Tests.Operations;

/// <summary>Names, labels and numbers as Prometheus' text format wants them.</summary>
public sealed class PrometheusTextTests
{
    [Theory]
    [InlineData("collections.pull.duration", "s", "Histogram", "collections_pull_duration_seconds")]
    [InlineData("collections.checkpoint.size", "By", "Histogram", "collections_checkpoint_size_bytes")]
    [InlineData("collections.scores", "{score}", "Counter", "collections_scores_total")]
    [InlineData("dotnet.gc.pause.time", "s", "Counter", "dotnet_gc_pause_time_seconds_total")]
    [InlineData("a.seconds", "s", "Gauge", "a_seconds")]
    [InlineData("things_total", null, "Counter", "things_total")]
    [InlineData("dotnet.timer.count", "{timer}", "Gauge", "dotnet_timer_number")]
    [InlineData("queue.sum", "By", "Gauge", "queue_number_bytes")]
    [InlineData("9 lives/é", null, "Gauge", "_9_lives__")]
    public void A_family_is_named_by_its_instrument_its_unit_and_what_it_is(string instrument, string? unit, string type, string expected) =>
        Assert.Equal(expected, PrometheusText.NameOf(instrument, unit, Enum.Parse<FamilyType>(type)));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(-1.5, "-1.5")]
    [InlineData(0.1, "0.1")]
    [InlineData(1e300, "1E+300")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    public void A_number_is_written_so_that_it_reads_the_same(double value, string expected) => Assert.Equal(expected, PrometheusText.Number(value));

    [Fact]
    public void Labels_are_in_order_escaped_and_each_is_there_once()
    {
        KeyValuePair<string, object?>[] tags = [new("queue.name", "a\"b\\c\nd"), new("flag", true), new("count", 1.5), new("none", null), new("queue_name", "lost"), new("0", "ü")];
        Assert.Equal("""_0="ü",count="1.5",flag="true",none="",queue_name="a\"b\\c\nd" """.TrimEnd(), PrometheusText.Labels(tags));
    }

    [Fact]
    public void What_is_written_is_what_is_read()
    {
        var page = new StringBuilder();
        const string hostile = "back\\slash \"quote\" new\nline {brace} , = # end";
        PrometheusText.Head(page, "a_total", "help with \\ and\nnew line and \"quotes\"", FamilyType.Counter);
        PrometheusText.Sample(page, "a_total", PrometheusText.Labels([new("x", hostile)]), 3);
        PrometheusText.Sample(page, "a_total", "", 4);
        PrometheusPage read = PrometheusPage.Read(page.ToString());
        Assert.Equal(3, read.Samples[$"a_total{{x=\"{hostile}\"}}"]);
        Assert.Equal(4, read.Samples["a_total{}"]);
    }

    [Fact]
    public void A_histogram_counts_a_value_in_the_first_bucket_that_holds_it()
    {
        using var meter = new Meter("test");
        Histogram<double> histogram = meter.CreateHistogram("h", "s", "h", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2] });
        var family = new MeterFamily(histogram);
        foreach (double value in (double[])[0.5, 1, 1.5, 2, 99])
            family.Record(value, []);
        var page = new StringBuilder();
        family.Write(page);
        PrometheusPage read = PrometheusPage.Read(page.ToString());
        Assert.Equal((2, 4, 5), (read.Samples["h_seconds_bucket{le=\"1\"}"], read.Samples["h_seconds_bucket{le=\"2\"}"], read.Samples["h_seconds_bucket{le=\"+Inf\"}"]));
        Assert.Equal((104, 5), (read.Samples["h_seconds_sum{}"], read.Samples["h_seconds_count{}"]));
    }

    [Fact]
    public void Counters_add_up_gauges_tell_the_last_and_series_beyond_the_limit_are_counted()
    {
        using var meter = new Meter("test");
        var counter = new MeterFamily(meter.CreateCounter<long>("c"));
        var upDown = new MeterFamily(meter.CreateUpDownCounter<long>("u"));
        var gauge = new MeterFamily(meter.CreateGauge<long>("g"));
        foreach (MeterFamily family in (MeterFamily[])[counter, upDown, gauge])
        {
            family.Record(2, []);
            family.Record(3, []);
        }
        for (int i = 0; i < OperationsLimits.SeriesMax + 5; i++)
            gauge.Record(i, [new("i", i)]);
        Assert.Equal(6, gauge.LeftOut);
        var page = new StringBuilder();
        counter.Write(page);
        upDown.Write(page);
        gauge.Write(page);
        PrometheusPage read = PrometheusPage.Read(page.ToString());
        Assert.Equal((5, 5, 3), (read.Samples["c_total{}"], read.Samples["u{}"], read.Samples["g{}"]));
        Assert.Equal(OperationsLimits.SeriesMax + 2, read.Samples.Count);
    }

    [Fact]
    public void What_is_observed_no_more_is_not_shown_any_more()
    {
        using var meter = new Meter("test");
        var family = new MeterFamily(meter.CreateObservableGauge("g", () => 1));
        family.Record(1, [new("version", "old")]);
        family.BeginLook();
        family.Record(1, [new("version", "new")]);
        var page = new StringBuilder();
        family.Write(page);
        Assert.Equal(["g{version=\"new\"}"], PrometheusPage.Read(page.ToString()).Samples.Keys);
    }
}
