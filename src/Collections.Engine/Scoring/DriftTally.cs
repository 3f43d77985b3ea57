using Collections.Scoring.Registry;

namespace Collections.Engine.Scoring;

/// <summary>How far what a model is fed, and what it says, has moved away from its training rows.</summary>
/// <param name="Debtors">Looked at.</param>
/// <param name="Score">The population stability index of the raw score; NaN: the manifest does not say how it was distributed.</param>
/// <param name="Features">The index of each feature that the manifest tells the distribution of.</param>
public sealed record ModelDrift(long Debtors, double Score, IReadOnlyList<FeatureDrift> Features);

/// <param name="StabilityIndex">Below 0.1 by convention stable, above 0.25 another population; NaN: nobody was looked at.</param>
/// <param name="Missing">The share of debtors for whom it is missing.</param>
/// <param name="MissingInTraining">The share of training rows for which it was missing.</param>
public readonly record struct FeatureDrift(string Feature, double StabilityIndex, double Missing, double MissingInTraining);

/// <summary>Counts the debtors of a book into the bins of a model's training distribution. One thread at a time.</summary>
public sealed class DriftTally
{
    private readonly ScoringModel model;
    private readonly (int Column, string Name, BinnedShares Shares, long[] Counts)[] features;
    private readonly long[] scores;
    private readonly double[] row;
    private readonly double[] raw = new double[1];
    private long debtors;

    public DriftTally(ScoringModel model)
    {
        this.model = model;
        row = new double[model.Ensemble.FeatureCount];
        scores = new long[model.Manifest.ScoreShares?.BinCount ?? 0];
        features =
        [
            .. model.Ensemble.Model.FeatureNames.Index()
                .Where(feature => model.Manifest.FeatureShares.ContainsKey(feature.Item) && !IsOfTheDay(feature.Item))
                .Select(feature => (feature.Index, feature.Item, model.Manifest.FeatureShares[feature.Item], new long[model.Manifest.FeatureShares[feature.Item].BinCount])),
        ];
    }

    /// <summary>Whether the manifest tells any distribution.</summary>
    public bool HasBaseline => scores.Length > 0 || features.Length > 0;

    /// <summary>Features of the calendar are the same for a whole book on a day, and differ from the training days' by nature: they tell no drift.</summary>
    private static bool IsOfTheDay(string feature) => feature.StartsWith("as_of_", StringComparison.Ordinal);

    /// <summary>Counts one debtor.</summary>
    internal void Add(ReadOnlySpan<double> catalogue, in Domain.Debtors.Debtor debtor)
    {
        debtors++;
        model.Gather(catalogue, debtor, row);
        foreach ((int column, string _, BinnedShares shares, long[] counts) in features)
            counts[shares.BinOf(row[column])]++;
        if (model.Manifest.ScoreShares is not { } then)
            return;
        model.Ensemble.PredictRaw(row, 1, raw);
        scores[then.BinOf(raw[0])]++;
    }

    public ModelDrift Result() => new(
        debtors,
        model.Manifest.ScoreShares?.StabilityIndex(scores) ?? double.NaN,
        [.. features.Select(f => new FeatureDrift(f.Name, f.Shares.StabilityIndex(f.Counts), debtors == 0 ? double.NaN : (double)f.Counts[^1] / debtors, f.Shares.Missing))]);
}
