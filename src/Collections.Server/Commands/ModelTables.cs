using System.Globalization;
using Collections.V1;
using Google.Protobuf.WellKnownTypes;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary>What the registry answers, as tables for people.</summary>
internal static class ModelTables
{
    public static void Show(ListModelsResponse response)
    {
        Table versions = Simple("name", "version", "number", "target", "role", "trained on", "metrics", "added");
        foreach (ModelVersion version in response.Versions)
        {
            versions.AddRow(
                Markup.Escape(version.Name), Markup.Escape(version.Version), Text($"{version.Number}"), Text($"{version.Target}, {version.HorizonDays} days"),
                version.Calibrated && version.Role.Length > 0 ? $"{version.Role}, calibrated" : version.Role,
                version.TrainingRows == 0 ? "" : Markup.Escape(Text($"{version.TrainingRows:N0} rows, {version.TrainingFrom} to {version.TrainingTo}")),
                Markup.Escape(string.Join(", ", version.Metrics.Where(metric => !metric.Key.Contains('.')).OrderBy(metric => metric.Key, StringComparer.Ordinal).Select(metric => Text($"{metric.Key} {metric.Value:0.###}")))),
                Markup.Escape(Text($"{At(version.Added)} by {version.AddedBy}")));
        }
        Output.Results.Write(versions);
        Table changes = Simple("at", "change", "target", "model", "by");
        foreach (ModelChange change in response.Changes)
            changes.AddRow(At(change.At), change.Change, change.Target, Markup.Escape($"{change.Name} {change.Version}"), Markup.Escape(change.By));
        Output.Results.Write(changes);
        if (response.Rescored < response.ToRescore)
            Output.Results.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"the book is being scored anew: {response.Rescored:N0} of {response.ToRescore:N0} debtors");
        foreach (string silent in response.SilentNodes)
            Output.Results.WriteLine($"without the debtors of {silent}");
    }

    public static void Show(string what, ModelVersion version) => Output.Results.MarkupLineInterpolated(
        CultureInfo.InvariantCulture, $"{what}: {version.Name} {version.Version}, number {version.Number}, target {version.Target}{(version.Note.Length > 0 ? $" ({version.Note})" : "")}");

    public static void Show(ModelComparison comparison)
    {
        Output.Results.MarkupLineInterpolated(
            CultureInfo.InvariantCulture, $"active {comparison.Active.Name} {comparison.Active.Version}, shadow {comparison.Shadow.Name} {comparison.Shadow.Version}: {comparison.Debtors:N0} debtors scored by both, {comparison.Unscored:N0} not yet by the shadow");
        Output.Results.MarkupLineInterpolated(
            CultureInfo.InvariantCulture, $"mean probability {comparison.MeanActive:P1} and {comparison.MeanShadow:P1}; mean difference {comparison.MeanDifference:0.000}, largest {comparison.DifferenceMax:0.000}; correlation {comparison.Correlation:0.000}; {comparison.SameTenth:P1} in the same tenth");
        Table queues = Simple("queue", "waiting", "head", "in both", "rank change", "active head", "shadow head");
        foreach (QueueComparison queue in comparison.Queues)
        {
            queues.AddRow(
                Markup.Escape(queue.Queue), Text($"{queue.Waiting:N0}"), Text($"{queue.Head:N0}"), Text($"{queue.Overlap:N0}"), Text($"{queue.MeanRankChange:0.0}"),
                Recovery(queue.ActiveHead), Recovery(queue.ShadowHead));
        }
        Output.Results.Write(queues);
        Output.Results.WriteLine("heads: expected recovery as the active model / the shadow expects it, in major units");
        ShowCoverage(comparison.PartitionsCovered, comparison.Silent);
    }

    public static void Show(ModelWatch watch)
    {
        Output.Results.MarkupLineInterpolated(
            CultureInfo.InvariantCulture, $"{watch.Model.Name} {watch.Model.Version}: {watch.Debtors:N0} debtors held against the training rows, stability index of the score {watch.ScoreStability:0.000}");
        if (watch.Features.Count > 0)
        {
            Table features = Simple("feature", "stability index", "missing", "missing in training");
            foreach (FeatureStability feature in watch.Features.OrderByDescending(feature => feature.StabilityIndex))
                features.AddRow(feature.Feature, Text($"{feature.StabilityIndex:0.000}"), Text($"{feature.Missing:P1}"), Text($"{feature.MissingInTraining:P1}"));
            Output.Results.Write(features);
        }
        if (watch.Reliability.Count > 0)
        {
            Table bins = Simple("by", "group", "predictions", "predicted", "observed");
            foreach (ReliabilityBin bin in watch.Reliability)
                bins.AddRow(bin.Dimension, Markup.Escape(bin.Group), Text($"{bin.Predictions:N0}"), Text($"{bin.Predicted:P1}"), Text($"{bin.Observed:P1}"));
            Output.Results.Write(bins);
        }
        Output.Results.WriteLine(watch.Alerts.Count == 0 ? "no alerts" : "alerts:");
        foreach (string alert in watch.Alerts)
            Output.Results.WriteLine($"  {alert}");
        ShowCoverage(watch.PartitionsCovered, watch.Silent);
    }

    /// <summary>Says what the figures leave out; of all partitions it says nothing.</summary>
    private static void ShowCoverage(int covered, IReadOnlyCollection<SilentPartition> silent)
    {
        if (silent.Count == 0)
            return;
        Output.Results.WriteLine(Text($"these figures cover {covered} of {covered + silent.Count} partitions; without:"));
        foreach (IGrouping<string, SilentPartition> because in silent.GroupBy(static partition => partition.Reason))
            Output.Results.WriteLine($"  {string.Join(", ", because.Select(static partition => partition.Partition))}: {because.Key}");
    }

    private static Table Simple(params string[] columns) => new Table().Border(TableBorder.Simple).AddColumns(columns);

    private static string Recovery(ExpectedRecovery recovery) => Text($"{recovery.ByActive:N2} / {recovery.ByShadow:N2}");

    private static string At(Timestamp at) => Text($"{at.ToDateTime():yyyy-MM-dd HH:mm:ss}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
