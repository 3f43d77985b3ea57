using Collections.Domain.Debtors;

namespace Collections.Engine.Scoring;

/// <summary>Rows of one model that are scored together, and their scores. One thread.</summary>
internal sealed class ScoringBatch(ScoringModel model)
{
    private readonly int width = model.Ensemble.FeatureCount;
    private readonly double[] rows = new double[Limits.EvaluationBatch * model.Ensemble.FeatureCount];
    private readonly double[] raw = new double[Limits.EvaluationBatch];
    private readonly double[] probability = new double[Limits.EvaluationBatch];

    public ScoringModel Model { get; } = model;

    public ReadOnlySpan<double> Raw => raw;

    public ReadOnlySpan<double> Probability => probability;

    /// <summary>Takes a debtor's features as row <paramref name="index"/>.</summary>
    public void Put(int index, ReadOnlySpan<double> catalogue, in Debtor debtor) => Model.Gather(catalogue, debtor, rows.AsSpan(index * width, width));

    /// <summary>Scores the first rows.</summary>
    public void Run(int count)
    {
        Model.Ensemble.PredictRaw(rows.AsSpan(0, count * width), count, raw);
        Model.Probabilities(raw, count, probability);
    }
}
