namespace Collections.Server.Bench;

/// <summary>Times of single operations, in milliseconds, and their quantiles. Any thread may add; quantiles are asked for afterwards.</summary>
internal sealed class Latencies
{
    private readonly List<double> samples = [];

    public int Count => samples.Count;

    public void Add(TimeSpan took)
    {
        lock (samples)
            samples.Add(took.TotalMilliseconds);
    }

    /// <param name="quantile">0 to 1.</param>
    public double At(double quantile)
    {
        if (samples.Count == 0)
            return double.NaN;
        samples.Sort();
        return Math.Round(samples[Math.Min(samples.Count - 1, (int)(quantile * samples.Count))], 3);
    }
}
