using System.Globalization;

namespace Collections.Scoring.Registry;

/// <summary>What a model predicts; the registry keeps one active model a target. The names are those of manifests.</summary>
public enum ModelTarget : byte
{
    /// <summary>The probability that an overdue debtor pays within the horizon.</summary>
    Propensity = 1,

    /// <summary>The probability that an item not yet due becomes past due within the horizon.</summary>
    PreDueRisk = 2,
}

/// <summary>Reads and writes a target's name as manifests and commands have it.</summary>
public static class ModelTargets
{
    public static string NameOf(ModelTarget target) => target == ModelTarget.PreDueRisk ? "pre-due-risk" : "propensity";

    public static bool TryParse(string name, out ModelTarget target)
    {
        target = name == "pre-due-risk" ? ModelTarget.PreDueRisk : ModelTarget.Propensity;
        return name == NameOf(target);
    }
}

/// <summary>
/// What is known of a model beside its trees: what it predicts, what it was trained on, how good it was, how its scores become
/// probabilities. It stands as JSON beside the model file; <see cref="ManifestReader"/> reads it.
/// </summary>
public sealed record ModelManifest
{
    public required string Name { get; init; }

    /// <summary>Unique within the name.</summary>
    public required string Version { get; init; }

    public required ModelTarget Target { get; init; }

    /// <summary>Days after the decision within which the label comes true, 1 to <see cref="Limits.HorizonDaysMax"/>.</summary>
    public required int HorizonDays { get; init; }

    /// <summary>What 1 means, in plain words.</summary>
    public string Label { get; init; } = "";

    /// <summary>
    /// What has to come true, as training sets name it: any-payment, or paid:SHARE of what was overdue. Predictions of models with another outcome are
    /// not held against what was paid. Empty: any-payment.
    /// </summary>
    public string Outcome { get; init; } = "";

    /// <summary>The share of what was overdue that has to be paid; 0: any payment will do; NaN: the outcome is no payment.</summary>
    public double PaidShare =>
        Target != ModelTarget.Propensity ? double.NaN
        : Outcome is "" or "any-payment" ? 0
        : Outcome.StartsWith("paid:", StringComparison.Ordinal)
            && double.TryParse(Outcome.AsSpan(5), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double share) && share is > 0 and <= 1 ? share
        : double.NaN;

    /// <summary>SHA-256 of the model file's bytes in lower-case hexadecimal; empty: not checked.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>The model's columns in order; empty: as the model file says.</summary>
    public IReadOnlyList<string> Features { get; init; } = [];

    /// <summary>For each categorical feature the codes of its text values; integers stand for themselves.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> CategoryCodes { get; init; } = new Dictionary<string, IReadOnlyDictionary<string, int>>();

    public TrainingWindow Training { get; init; } = new("", "", "", 0, 0, 0);

    /// <summary>Measured when it was trained, by name: auc, log_loss, ks, …; nested names are joined by a dot.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>How raw scores become probabilities; null: by the model's own transform.</summary>
    public Calibration? Calibration { get; init; }

    /// <summary>How the raw scores of the training rows were distributed; null: unknown, drift can't be watched.</summary>
    public BinnedShares? ScoreShares { get; init; }

    /// <summary>How each feature was distributed among the training rows.</summary>
    public IReadOnlyDictionary<string, BinnedShares> FeatureShares { get; init; } = new Dictionary<string, BinnedShares>();
}

/// <summary>What a model was trained on.</summary>
/// <param name="From">First as-of date, YYYY-MM-DD, or empty.</param>
/// <param name="To">Last as-of date.</param>
public sealed record TrainingWindow(string Source, string From, string To, long Rows, long Debtors, long Positives);
