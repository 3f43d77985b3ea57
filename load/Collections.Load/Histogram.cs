using System.Numerics;

namespace Collections.Load;

/// <summary>
/// Durations counted in log-linear buckets, as HdrHistogram does: microseconds up to 2,047 exactly, and from there on each doubling is divided into
/// 1,024 equal parts, so that any value is told to three significant digits (less than 1/1,024 too much). Recording allocates nothing.
/// For one thread at a time.
/// </summary>
internal sealed class Histogram
{
    /// <summary>One hour; what takes longer counts as that.</summary>
    public const long MicrosMax = 3_600_000_000;

    private const int PartBits = 10;
    private const int Parts = 1 << PartBits;

    private readonly long[] counts = new long[IndexOf(MicrosMax) + 1];

    public long Count { get; private set; }

    /// <summary>The largest value recorded; exact.</summary>
    public long Max { get; private set; }

    public void Record(long micros)
    {
        long value = Math.Clamp(micros, 0, MicrosMax);
        counts[IndexOf(value)]++;
        Count++;
        Max = Math.Max(Max, value);
    }

    /// <summary>Adds what another has recorded.</summary>
    public void Merge(Histogram other)
    {
        for (int i = 0; i < counts.Length; i++)
            counts[i] += other.counts[i];
        Count += other.Count;
        Max = Math.Max(Max, other.Max);
    }

    /// <summary>The smallest bucket's upper end that at least this share of the values does not exceed; 0 without values.</summary>
    /// <param name="share">0 to 1.</param>
    public long At(double share) => At(share, out _);

    /// <summary>The percentiles as HdrHistogram writes them (<c>.hgrm</c>, values in milliseconds), five between each halving of what is left.</summary>
    public void Write(TextWriter into)
    {
        into.WriteLine("       Value     Percentile TotalCount 1/(1-Percentile)");
        into.WriteLine();
        for (double percent = 0; Count > 0; percent += 100 / (5 * Math.Pow(2, Math.Floor(Math.Log2(100 / (100 - percent))) + 1)))
        {
            long value = At(percent / 100, out long through);
            bool last = through == Count;
            double share = last ? 1 : percent / 100;
            into.WriteLine(FormattableString.Invariant($"{value / 1000.0,12:F3} {share,2:F12} {through,10} {(last ? "inf" : (1 / (1 - share)).ToString("F2", System.Globalization.CultureInfo.InvariantCulture)),14}"));
            if (last)
                break;
        }
        (double mean, double deviation) = Moments();
        into.WriteLine(FormattableString.Invariant($"#[Mean    = {mean / 1000,12:F3}, StdDeviation   = {deviation / 1000,12:F3}]"));
        into.WriteLine(FormattableString.Invariant($"#[Max     = {Max / 1000.0,12:F3}, Total count    = {Count,12}]"));
        into.WriteLine(FormattableString.Invariant($"#[Buckets = {BitOperations.Log2((ulong)MicrosMax) - PartBits + 1,12}, SubBuckets     = {2 * Parts,12}]"));
    }

    private long At(double share, out long through)
    {
        long rank = Math.Clamp((long)Math.Ceiling(share * Count), 1, Math.Max(1, Count));
        through = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            through += counts[i];
            if (through >= rank)
                return Math.Min(UpperEndOf(i), Max);
        }
        return 0;
    }

    /// <summary>From the middles of the buckets.</summary>
    private (double Mean, double Deviation) Moments()
    {
        double sum = 0, squares = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            double middle = (LowerEndOf(i) + UpperEndOf(i)) / 2.0;
            sum += counts[i] * middle;
            squares += counts[i] * middle * middle;
        }
        double mean = sum / Math.Max(1, Count);
        return (mean, Math.Sqrt(Math.Max(0, squares / Math.Max(1, Count) - mean * mean)));
    }

    // Up to 2 × Parts − 1 a value is its own index; then each doubling drops one bit more and takes Parts indexes.
    private static int IndexOf(long value)
    {
        int dropped = Math.Max(0, BitOperations.Log2((ulong)value) - PartBits);
        return (dropped << PartBits) + (int)(value >> dropped);
    }

    private static int DroppedAt(int index) => Math.Max(0, (index >> PartBits) - 1);

    private static long LowerEndOf(int index) => (long)(index - (DroppedAt(index) << PartBits)) << DroppedAt(index);

    private static long UpperEndOf(int index) => LowerEndOf(index) + (1L << DroppedAt(index)) - 1;
}
