namespace Collections.Load;

/// <summary>
/// How a load is spread over its time: steps of constant rate, each with a share of the time and a weight. Only the proportions of the weights
/// count; how much there is altogether is the plan's.
/// </summary>
internal sealed class Curve
{
    private readonly (double Length, double Weight)[] steps;
    private readonly double area;

    private Curve((double Length, double Weight)[] steps)
    {
        double whole = steps.Sum(static s => s.Length);
        this.steps = [.. steps.Select(s => (s.Length / whole, s.Weight))];
        area = this.steps.Sum(static s => s.Length * s.Weight);
        if (steps.Any(static s => s.Length < 0 || s.Weight < 0) || !(area > 0))
            throw new ArgumentException("the lengths and weights of a curve are not negative, and something lies under it", nameof(steps));
    }

    /// <summary>The same rate all the time.</summary>
    public static Curve Flat { get; } = Of((1, 1));

    /// <summary>The highest rate as a multiple of the average.</summary>
    public double Peak => steps.Where(static s => s.Length > 0).Max(static s => s.Weight) / area;

    public static Curve Of(params (double Length, double Weight)[] steps) => new(steps);

    /// <summary>Steps of one length.</summary>
    public static Curve Even(params double[] weights) => new([.. weights.Select(static w => (1.0, w))]);

    /// <summary>The share of the time by which this share of the load has come.</summary>
    public double TimeOf(double share)
    {
        double left = share * area, at = 0;
        foreach ((double length, double weight) in steps)
        {
            if (weight > 0 && left <= length * weight)
                return at + left / weight;
            left -= length * weight;
            at += length;
        }
        return 1;
    }

    /// <summary>The share of the load that has come by this share of the time.</summary>
    public double ShareBy(double time)
    {
        double at = 0, sum = 0;
        foreach ((double length, double weight) in steps)
        {
            sum += Math.Clamp(time - at, 0, length) * weight;
            at += length;
        }
        return Math.Min(1, sum / area);
    }

    /// <summary>
    /// The moments of so many arrivals, in order, as independent callers make them: a Poisson process with this curve's rate, given their count.
    /// </summary>
    /// <returns>Microseconds since the start, each at least 0 and at most the duration.</returns>
    public long[] Arrivals(int count, long durationMicros, Random random)
    {
        long[] moments = new long[count];
        for (int i = 0; i < count; i++)
            moments[i] = Math.Clamp((long)(TimeOf(random.NextDouble()) * durationMicros), 0, durationMicros);
        Array.Sort(moments);
        return moments;
    }
}
