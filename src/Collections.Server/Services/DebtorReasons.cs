using Collections.Domain.Debtors;
using Collections.Engine.Partitions;
using Collections.Engine.Scoring;
using Collections.Scoring.Reasons;
using Collections.V1;

namespace Collections.Server.Services;

/// <summary>What speaks for and against one debtor's score, found when somebody looks at it.</summary>
internal static class DebtorReasons
{
    /// <param name="contributions">Whether to add what every single feature contributes.</param>
    public static void Add(DebtorView view, DebtorSnapshot snapshot, string language, bool contributions)
    {
        if (snapshot.Scored is not { } scored)
        {
            view.NoReasonsBecause = snapshot.Acted.ScoredAtMs == 0 ? "not scored yet"
                : snapshot.Acted.ModelVersion == 0 ? "scored without a model" : "the model that gave the score is not loaded any more";
            return;
        }
        ScoreExplainer explainer = scored.Model.Explainer;
        if (explainer.Contributions(scored) is not { } found)
        {
            view.NoReasonsBecause = explainer.WhyNot.Length > 0 ? explainer.WhyNot : "the debtor is being scored again";
            return;
        }
        view.Reasons.Add(ReasonTexts.Describe(explainer.Top(found), language));
        if (contributions)
            view.Explanation = Explain(scored, found);
    }

    private static ScoreExplanation Explain(ScoredRow scored, double[] contributions)
    {
        ReadOnlySpan<int> columns = scored.Model.Columns;
        var explanation = new ScoreExplanation { RawScore = scored.Score, ExpectedScore = contributions[^1] };
        var features = new List<FeatureContribution>(columns.Length);
        for (int i = 0; i < columns.Length; i++)
        {
            features.Add(new FeatureContribution
            {
                Name = FeatureCatalogue.Names[columns[i]],
                Value = scored.Values[i],
                Contribution = contributions[i],
                Reason = ReasonCatalogue.Shipped.Reasons[ReasonCatalogue.Shipped.PlaceOf(columns[i])].Code,
            });
        }
        explanation.Contributions.AddRange(features.OrderByDescending(f => Math.Abs(f.Contribution)).ThenBy(f => f.Name, StringComparer.Ordinal));
        return explanation;
    }
}
