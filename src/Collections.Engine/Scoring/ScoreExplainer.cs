using System.Buffers;
using System.Collections.Concurrent;
using Collections.Scoring;
using Collections.Scoring.Explanation;
using Collections.Scoring.Reasons;

namespace Collections.Engine.Scoring;

/// <summary>One row as a model scored it.</summary>
/// <param name="Model">The model that gave the score.</param>
/// <param name="Values">The model's features in its order, as of the moment of the score.</param>
/// <param name="Score">The raw score.</param>
public sealed record ScoredRow(ScoringModel Model, double[] Values, double Score);

/// <summary>What speaks for and against the scores of one model, by feature and by reason. Any thread; working memory is lent.</summary>
public sealed class ScoreExplainer
{
    /// <summary>
    /// How far contributions may miss the score that they are to explain, relative to it or to 1. They sum up to 10^-14; a row that differs from the
    /// one that was scored misses by far more.
    /// </summary>
    private const double SumTolerance = 1e-9;

    private readonly Explainer? explainer;
    private readonly int[] reasonOf;
    private readonly int expectedAt;
    private readonly ConcurrentBag<ExplainerScratch> unused = [];

    /// <param name="model">A model of one output.</param>
    /// <param name="columns">The catalogue's feature of each of its columns.</param>
    internal ScoreExplainer(LightGbmModel model, int[] columns)
    {
        explainer = Explainer.TryCompile(model, out string reason);
        WhyNot = reason;
        reasonOf = [.. columns.Select(ReasonCatalogue.Shipped.PlaceOf)];
        expectedAt = columns.Length;
    }

    /// <summary>Why the model's scores can't be explained, and what to do; empty if they can.</summary>
    public string WhyNot { get; }

    /// <summary>
    /// What each feature adds to the score of a row, in log-odds for a model of a probability, in the model's order; then what is expected of
    /// everybody. Null if the model can't be explained, or the row is not the one that was scored.
    /// </summary>
    public double[]? Contributions(ScoredRow row)
    {
        if (explainer is null)
            return null;
        var contributions = new double[explainer.ContributionCount];
        Explain(row.Values, 1, contributions);
        return Explains(contributions, row.Score) ? contributions : null;
    }

    /// <summary>The reasons that weigh most in each row's score; none where <see cref="Contributions"/> has none.</summary>
    /// <param name="rows">Rows of this model, some hundreds at most.</param>
    /// <param name="reasons">Receives as many.</param>
    public void Top(ReadOnlySpan<ScoredRow> rows, Span<TopReasons> reasons)
    {
        reasons[..rows.Length].Clear();
        if (explainer is null)
            return;
        int width = explainer.FeatureCount, outWidth = explainer.ContributionCount;
        double[] values = ArrayPool<double>.Shared.Rent(rows.Length * width), contributions = ArrayPool<double>.Shared.Rent(rows.Length * outWidth);
        try
        {
            for (int i = 0; i < rows.Length; i++)
                rows[i].Values.CopyTo(values.AsSpan(i * width));
            Explain(values, rows.Length, contributions);
            for (int i = 0; i < rows.Length; i++)
            {
                ReadOnlySpan<double> row = contributions.AsSpan(i * outWidth, outWidth);
                if (Explains(row, rows[i].Score))
                    reasons[i] = Top(row);
            }
        }
        finally
        {
            ArrayPool<double>.Shared.Return(values);
            ArrayPool<double>.Shared.Return(contributions);
        }
    }

    /// <summary>The reasons that weigh most.</summary>
    /// <param name="contributions">As <see cref="Contributions"/> gives them.</param>
    public TopReasons Top(ReadOnlySpan<double> contributions)
    {
        Span<double> sums = stackalloc double[ReasonCatalogue.Shipped.Reasons.Count];
        sums.Clear();
        for (int i = 0; i < reasonOf.Length; i++)
            sums[reasonOf[i]] += contributions[i];
        return ReasonCatalogue.Shipped.Top(sums);
    }

    private void Explain(ReadOnlySpan<double> values, int count, Span<double> contributions)
    {
        if (!unused.TryTake(out ExplainerScratch? scratch))
            scratch = explainer!.NewScratch();
        explainer!.Explain(values, count, contributions, scratch);
        unused.Add(scratch);
    }

    private bool Explains(ReadOnlySpan<double> contributions, double score)
    {
        double sum = contributions[expectedAt];
        for (int i = 0; i < expectedAt; i++)
            sum += contributions[i];
        return Math.Abs(sum - score) <= SumTolerance * Math.Max(1, Math.Abs(score));
    }
}
