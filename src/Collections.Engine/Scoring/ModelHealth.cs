using System.Globalization;

namespace Collections.Engine.Scoring;

/// <summary>Past predictions of one group against what came of them.</summary>
/// <param name="Dimension">How they are grouped: all, predicted (tenths), stage, portfolio, channel, customer_type, product, region.</param>
/// <param name="Predicted">Mean probability.</param>
/// <param name="Observed">The share that came true.</param>
public readonly record struct ReliabilityBin(string Dimension, string Group, long Predictions, double Predicted, double Observed);

/// <summary>Something about a model is beyond a threshold.</summary>
/// <param name="Subject">What it is about; the same alert has the same subject from day to day.</param>
/// <param name="Text">A sentence with the figures.</param>
public readonly record struct ModelAlert(string Model, string Subject, string Text)
{
    public override string ToString() => $"{Model}: {Text}";
}

/// <summary>How a model does: drift away from its training rows, reliability of its past predictions, and what is beyond a threshold.</summary>
public sealed record ModelHealth(ModelDrift Drift, IReadOnlyList<ReliabilityBin> Reliability, IReadOnlyList<ModelAlert> Alerts)
{
    /// <summary>Stability indexes from here on are another population; the convention of the field.</summary>
    public const double StabilityAlert = 0.25;

    /// <summary>Predictions of a group below which its reliability says nothing.</summary>
    public const long PredictionsMin = 200;

    /// <summary>How far the observed share may be from the predicted one before it matters.</summary>
    public const double ReliabilityGap = 0.05;

    /// <summary>Standard errors that the gap must be beyond, so that chance alone does not alert.</summary>
    private const double StandardErrors = 3;

    /// <summary>Debtors below which drift says nothing: an index of small counts is mostly noise.</summary>
    private const long DebtorsMin = 500;

    /// <summary>Weighs what was found.</summary>
    public static ModelHealth Of(string model, ModelDrift drift, IReadOnlyList<ReliabilityBin> reliability)
    {
        var alerts = new List<ModelAlert>();
        if (drift.Debtors >= DebtorsMin)
        {
            if (drift.Score > StabilityAlert)
                alerts.Add(new ModelAlert(model, "score drift", Text($"its scores have moved away from training: stability index {drift.Score:0.00}, above {StabilityAlert:0.00}")));
            foreach (FeatureDrift feature in drift.Features.Where(f => f.StabilityIndex > StabilityAlert).OrderByDescending(f => f.StabilityIndex))
                alerts.Add(new ModelAlert(model, $"drift of {feature.Feature}", Text($"{feature.Feature} has moved away from training: stability index {feature.StabilityIndex:0.00}, above {StabilityAlert:0.00}; missing {feature.Missing:P0}, then {feature.MissingInTraining:P0}")));
        }
        foreach (ReliabilityBin bin in reliability.Where(IsOff))
            alerts.Add(new ModelAlert(model, $"reliability for {bin.Dimension} {bin.Group}", Text($"predictions don't come true for {bin.Dimension} {bin.Group}: {bin.Predicted:P1} predicted, {bin.Observed:P1} observed, {bin.Predictions} predictions")));
        return new ModelHealth(drift, reliability, alerts);
    }

    private static bool IsOff(ReliabilityBin bin)
    {
        double gap = Math.Abs(bin.Observed - bin.Predicted);
        return bin.Predictions >= PredictionsMin && gap > ReliabilityGap
            && gap > StandardErrors * Math.Sqrt(Math.Max(bin.Predicted * (1 - bin.Predicted), 1e-6) / bin.Predictions);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
