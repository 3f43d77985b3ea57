using System.CommandLine;
using System.Globalization;
using Collections.Scoring.Reasons;
using Collections.V1;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary>What speaks for and against a debtor, on the terminal.</summary>
internal static class ReasonOutput
{
    public static Option<string> Language() => new("--language")
    {
        Description = $"Of the reasons: {string.Join(", ", ReasonCatalogue.Shipped.Languages)}",
        DefaultValueFactory = _ => ReasonCatalogue.DefaultLanguage,
    };

    /// <summary>The heaviest reasons in a few words, each with a plus if it speaks for a payment and a minus if against; empty if there are none.</summary>
    public static string InBrief(IEnumerable<V1.Reason> reasons, int count) =>
        string.Join(", ", reasons.Take(count).Select(r => $"{(r.Contribution < 0 ? '-' : '+')} {r.Title}"));

    public static void Show(DebtorView view)
    {
        if (view.Reasons.Count == 0)
        {
            Output.Results.MarkupLineInterpolated($"nothing is known to speak for or against: {view.NoReasonsBecause}");
            return;
        }
        Show("what speaks for a payment", view.Reasons.Where(r => r.Contribution >= 0));
        Show("what speaks against", view.Reasons.Where(r => r.Contribution < 0));
        ShowContributions(view.Explanation);
    }

    private static void Show(string title, IEnumerable<V1.Reason> reasons)
    {
        V1.Reason[] shown = [.. reasons];
        if (shown.Length == 0)
            return;
        Output.Results.MarkupLineInterpolated($"{title}:");
        foreach (V1.Reason reason in shown)
            Output.Results.MarkupLineInterpolated($"  {Signed(reason.Contribution, "0.00")}  {reason.Text}");
    }

    private static void ShowContributions(ScoreExplanation? explanation)
    {
        if (explanation is null)
            return;
        Table table = new Table().Border(TableBorder.Simple).Title("contributions to the score, in log-odds").AddColumns("feature", "value", "contribution", "reason");
        foreach (FeatureContribution feature in explanation.Contributions)
        {
            table.AddRow(
                feature.Name, double.IsNaN(feature.Value) ? "–" : feature.Value.ToString("R", CultureInfo.InvariantCulture), Signed(feature.Contribution, "0.0000"),
                ReasonCatalogue.Shipped.Find(feature.Reason)?.Id ?? "");
        }
        table.AddRow("expected of everybody", "", Signed(explanation.ExpectedScore, "0.0000"), "");
        table.AddRow("score", "", Signed(explanation.RawScore, "0.0000"), "");
        Output.Results.Write(table);
    }

    private static string Signed(double value, string digits) => value.ToString($"+{digits};-{digits};{digits}", CultureInfo.InvariantCulture);
}
