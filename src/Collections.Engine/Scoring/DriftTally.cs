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

/// <summary>What a <see cref="DriftTally"/> has counted, in the order of the model's columns.</summary>
/// <param name="Scores">By the score's bins; empty: the manifest does not tell its distribution.</param>
public sealed record DriftCounts(long Debtors, IReadOnlyList<long> Scores, IReadOnlyList<FeatureCounts> Features);

/// <param name="Counts">By the feature's bins.</param>
public readonly record struct FeatureCounts(string Feature, IReadOnlyList<long> Counts);

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

    /// <summary>What has been counted so far.</summary>
    public DriftCounts Counts => new(debtors, [.. scores], [.. features.Select(static f => new FeatureCounts(f.Name, [.. f.Counts]))]);

    /// <summary>Adds what was counted of other debtors by the same model.</summary>
    /// <exception cref="FormatException">It was counted into other bins.</exception>
    public void Add(DriftCounts other)
    {
        bool fits = other.Scores.Count == scores.Length && other.Features.Count == features.Length
            && features.Zip(other.Features).All(static pair => pair.First.Name == pair.Second.Feature && pair.First.Counts.Length == pair.Second.Counts.Count);
        if (!fits)
            throw new FormatException($"counts of {other.Features.Count} features do not fit the bins of {model}, which tells {features.Length}");
        debtors += other.Debtors;
        Add(other.Scores, scores);
        for (int i = 0; i < features.Length; i++)
            Add(other.Features[i].Counts, features[i].Counts);
    }

    private static void Add(IReadOnlyList<long> counts, long[] to)
    {
        for (int i = 0; i < to.Length; i++)
            to[i] += counts[i];
    }

    public ModelDrift Result() => new(
        debtors,
        model.Manifest.ScoreShares?.StabilityIndex(scores) ?? double.NaN,
        [.. features.Select(f => new FeatureDrift(f.Name, f.Shares.StabilityIndex(f.Counts), debtors == 0 ? double.NaN : (double)f.Counts[^1] / debtors, f.Shares.Missing))]);
}
