namespace Collections.Scoring.Registry;

/// <summary>
/// How values are spread over bins: bin k holds edges[k − 1] &lt; x ≤ edges[k], the last one what is above the last edge; NaN is counted
/// apart. Shares and the missing share sum to 1.
/// </summary>
public sealed class BinnedShares
{
    private readonly double[] edges;
    private readonly double[] shares;

    private BinnedShares(double[] edges, double[] shares, double missing)
    {
        this.edges = edges;
        this.shares = shares;
        Missing = missing;
    }

    public ReadOnlySpan<double> Edges => edges;

    /// <summary>One more than the edges.</summary>
    public ReadOnlySpan<double> Shares => shares;

    /// <summary>The share of NaN.</summary>
    public double Missing { get; }

    /// <summary>Bins, the one for missing values included.</summary>
    public int BinCount => shares.Length + 1;

    /// <summary>Checks edges and shares.</summary>
    /// <param name="field">Names the place in messages.</param>
    /// <returns>The shares, or null and what is wrong.</returns>
    public static BinnedShares? Create(string field, double[] edges, double[] shares, double missing, out string error)
    {
        error = "";
        if (edges.Length > Limits.BinEdgesMax)
            error = $"{field}.edges: has {edges.Length}; at most {Limits.BinEdgesMax} are taken";
        else if (shares.Length != edges.Length + 1)
            error = $"{field}.shares: has {shares.Length} for {edges.Length} edges; there is one more than edges";
        for (int i = 0; error.Length == 0 && i < edges.Length; i++)
        {
            if (!double.IsFinite(edges[i]) || (i > 0 && edges[i] <= edges[i - 1]))
                error = $"{field}.edges[{i}]: must be finite and more than the one before, but is '{edges[i]:R}'";
        }
        double sum = missing;
        foreach (double share in shares)
            sum += share;
        if (error.Length == 0 && (missing is not (>= 0 and <= 1) || Array.Exists(shares, share => share is not (>= 0 and <= 1)) || Math.Abs(sum - 1) > 1e-6))
            error = $"{field}: shares and missing must be 0 to 1 and sum to 1, but sum to '{sum:R}'";
        return error.Length == 0 ? new BinnedShares(edges, shares, missing) : null;
    }

    /// <summary>The bin of a value, 0 to <see cref="BinCount"/> − 1; the last one is for NaN.</summary>
    public int BinOf(double value)
    {
        if (double.IsNaN(value))
            return shares.Length;
        int at = Array.BinarySearch(edges, value);
        return at >= 0 ? at : ~at;
    }

    /// <summary>
    /// The population stability index of counts against these shares: Σ (a − e) × ln(a ÷ e) over the bins, with a the share now and e the share
    /// then, neither below <see cref="Limits.ShareFloor"/>. By convention below 0.1 is stable, above 0.25 another population. NaN without counts.
    /// </summary>
    /// <param name="counts">One a bin, as <see cref="BinOf"/> numbers them.</param>
    /// <exception cref="ArgumentException">There are not as many counts as bins.</exception>
    public double StabilityIndex(ReadOnlySpan<long> counts)
    {
        if (counts.Length != BinCount)
            throw new ArgumentException($"{counts.Length} counts for {BinCount} bins.", nameof(counts));
        long total = 0;
        foreach (long count in counts)
            total += count;
        if (total == 0)
            return double.NaN;
        double index = 0;
        for (int bin = 0; bin < counts.Length; bin++)
        {
            double now = Math.Max(Limits.ShareFloor, (double)counts[bin] / total);
            double then = Math.Max(Limits.ShareFloor, bin < shares.Length ? shares[bin] : Missing);
            index += (now - then) * Math.Log(now / then);
        }
        return index;
    }
}
