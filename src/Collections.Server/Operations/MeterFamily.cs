using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace Collections.Server.Operations;

/// <summary>
/// One instrument as a family of series, one a set of labels. Measurements come from any thread; an observable instrument's series are those
/// of the last look, so that what is gone is not shown.
/// </summary>
internal sealed class MeterFamily
{
    /// <summary>For histograms whose maker advised none: OpenTelemetry's, in seconds.</summary>
    private static readonly double[] BoundsDefault = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    private readonly ConcurrentDictionary<string, Series> series = new();
    private readonly string help;
    private readonly FamilyType type;
    private readonly double[] bounds;
    private readonly bool isObserved;
    private readonly bool addsUp;
    private long leftOut;

    public MeterFamily(Instrument instrument)
    {
        isObserved = instrument.IsObservable;
        string kind = instrument.GetType().Name;
        type = kind.StartsWith("Histogram", StringComparison.Ordinal) ? FamilyType.Histogram
            : kind.StartsWith("Counter", StringComparison.Ordinal) || kind.StartsWith("ObservableCounter", StringComparison.Ordinal) ? FamilyType.Counter
            : FamilyType.Gauge;
        // Counters and up-down counters tell changes; what is observed, and gauges, tell the value itself.
        addsUp = kind.StartsWith("Counter", StringComparison.Ordinal) || kind.StartsWith("UpDownCounter", StringComparison.Ordinal);
        bounds = type == FamilyType.Histogram ? [.. BoundsOf(instrument) ?? BoundsDefault] : [];
        Name = PrometheusText.NameOf(instrument.Name, instrument.Unit, type);
        help = string.IsNullOrWhiteSpace(instrument.Description) ? instrument.Name : instrument.Description;
    }

    public string Name { get; }

    /// <summary>Measurements that had no room; see <see cref="OperationsLimits.SeriesMax"/>.</summary>
    public long LeftOut => Interlocked.Read(ref leftOut);

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = PrometheusText.Labels(tags);
        if (!series.TryGetValue(labels, out Series? one))
        {
            if (series.Count >= OperationsLimits.SeriesMax)
            {
                Interlocked.Increment(ref leftOut);
                return;
            }
            one = series.GetOrAdd(labels, _ => new Series(bounds.Length));
        }
        lock (one)
        {
            if (type == FamilyType.Histogram)
                one.Buckets[BucketOf(value)]++;
            one.Value = addsUp || type == FamilyType.Histogram ? one.Value + value : value;
        }
    }

    /// <summary>Before an observable instrument is looked at.</summary>
    public void BeginLook()
    {
        if (isObserved)
            series.Clear();
    }

    public void Write(StringBuilder page)
    {
        if (series.IsEmpty)
            return;
        PrometheusText.Head(page, Name, help, type);
        foreach ((string labels, Series one) in series.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            lock (one)
            {
                if (type == FamilyType.Histogram)
                    WriteHistogram(page, labels, one);
                else
                    PrometheusText.Sample(page, Name, labels, one.Value);
            }
        }
    }

    private static IReadOnlyList<double>? BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> histogram => histogram.Advice?.HistogramBucketBoundaries,
        Histogram<long> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound).ToArray(),
        Histogram<int> histogram => histogram.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound).ToArray(),
        _ => null,
    };

    /// <summary>The first bucket whose bound is not below the value; the last one has no bound.</summary>
    private int BucketOf(double value)
    {
        int found = Array.BinarySearch(bounds, value);
        return found >= 0 ? found : ~found;
    }

    private void WriteHistogram(StringBuilder page, string labels, Series one)
    {
        long below = 0;
        for (int i = 0; i < one.Buckets.Length; i++)
        {
            below += one.Buckets[i];
            string bound = PrometheusText.Number(i < bounds.Length ? bounds[i] : double.PositiveInfinity);
            PrometheusText.Sample(page, Name + "_bucket", labels, below, $"le=\"{bound}\"");
        }
        PrometheusText.Sample(page, Name + "_sum", labels, one.Value);
        PrometheusText.Sample(page, Name + "_count", labels, below);
    }

    /// <summary>Locked by whoever reads or writes it.</summary>
    private sealed class Series(int bounds)
    {
        /// <summary>The last value; of what adds up, and of histograms, the sum.</summary>
        public double Value { get; set; }

        public long[] Buckets { get; } = new long[bounds + 1];
    }
}
