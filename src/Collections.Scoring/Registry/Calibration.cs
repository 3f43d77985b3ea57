namespace Collections.Scoring.Registry;

/// <summary>
/// Maps raw scores to probabilities by points: linear in the raw score between two of them, constant outside. An isotonic regression
/// (pool adjacent violators) ends in such points; a spline is given as enough of its points.
/// </summary>
public sealed class Calibration
{
    private readonly double[] raw;
    private readonly double[] probability;

    private Calibration(string method, double[] raw, double[] probability)
    {
        Method = method;
        this.raw = raw;
        this.probability = probability;
    }

    /// <summary>How the points were found: "isotonic" or "spline".</summary>
    public string Method { get; }

    public ReadOnlySpan<double> Raw => raw;

    public ReadOnlySpan<double> Probability => probability;

    /// <summary>Checks the points.</summary>
    /// <returns>The calibration, or null and what is wrong.</returns>
    public static Calibration? Create(string method, double[] raw, double[] probability, out string error)
    {
        error = "";
        if (method is not ("isotonic" or "spline"))
            error = $"calibration.method: must be isotonic or spline, but is '{method}'";
        else if (raw.Length is 0 or > Limits.CalibrationPointsMax)
            error = $"calibration.raw: has {raw.Length} points; 1 to {Limits.CalibrationPointsMax} are taken";
        else if (raw.Length != probability.Length)
            error = $"calibration: has {raw.Length} raw scores and {probability.Length} probabilities; each point has both";
        for (int i = 0; error.Length == 0 && i < raw.Length; i++)
        {
            if (!double.IsFinite(raw[i]) || (i > 0 && raw[i] <= raw[i - 1]))
                error = $"calibration.raw[{i}]: must be finite and more than the one before, but is '{raw[i]:R}'";
            else if (probability[i] is not (>= 0 and <= 1) || (i > 0 && probability[i] < probability[i - 1]))
                error = $"calibration.probability[{i}]: must be 0 to 1 and not less than the one before, but is '{probability[i]:R}'";
        }
        return error.Length == 0 ? new Calibration(method, raw, probability) : null;
    }

    /// <summary>The probability of a raw score; NaN of NaN.</summary>
    public double Of(double score)
    {
        if (double.IsNaN(score))
            return double.NaN;
        if (score <= raw[0])
            return probability[0];
        if (score >= raw[^1])
            return probability[^1];
        int at = Array.BinarySearch(raw, score);
        if (at >= 0)
            return probability[at];
        int above = ~at;
        double share = (score - raw[above - 1]) / (raw[above] - raw[above - 1]);
        return probability[above - 1] + share * (probability[above] - probability[above - 1]);
    }
}
