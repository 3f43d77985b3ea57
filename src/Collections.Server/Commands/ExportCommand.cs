using System.CommandLine;
using System.Globalization;
using Collections.Domain;
using Collections.Engine.History;
using Collections.Engine.Logs;
using Collections.Engine.Training;
using Collections.Server.Hosting;
using Collections.Server.Training;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary><c>collections export</c>: what a node's log holds, for others to work with.</summary>
internal static class ExportCommand
{
    private const string CsvEnding = ".csv", CardEnding = ".card.json";

    public static Command Build() => new Command("export", "Write what the log holds for others to work with") { BuildTrainingSet() };

    private static Command BuildTrainingSet()
    {
        var options = new TrainingSetOptions();
        var command = new Command("training-set", "Write rows of features as they were known at each as-of date, with what came of them: a CSV and its data card");
        options.AddTo(command);
        // On a thread of its own, so that Ctrl-C reaches it.
        command.SetAction((arguments, cancellation) => Task.Run(
            () => options.TryRead(arguments, out TrainingSetOrder? order, out string error) ? Run(order!, cancellation) : Output.Fail(error), CancellationToken.None));
        return command;
    }

    private static int Run(TrainingSetOrder order, CancellationToken cancellation)
    {
        try
        {
            var directory = new DataDirectory(order.Data);
            if (!directory.HasLog)
                return Output.Fail($"--data: there is no log in {Path.GetFullPath(order.Data)}");
            using IEventLog log = directory.OpenPast(TimeProvider.System, order.Incomplete, out string? missing);
            if (missing is not null)
                Output.Warn($"the archive is not complete: {missing}");
            return Output.Notes.Progress().Start(bars => Write(order, log, missing, bars.AddTask("reading the log", maxValue: 2 * log.PartitionCount), cancellation));
        }
        catch (Exception failure) when (DataDirectory.IsExpected(failure))
        {
            return Output.Fail(failure.Message);
        }
        catch (OperationCanceledException)
        {
            return Output.Fail("stopped; nothing was written");
        }
    }

    private static int Write(TrainingSetOrder order, IEventLog log, string? missing, ProgressTask bar, CancellationToken cancellation)
    {
        LogSurvey survey = LogSurvey.Of(log, order.Selection, partition =>
        {
            cancellation.ThrowIfCancellationRequested();
            bar.Value = partition + 1;
        });
        if (survey.LastKnownMs == 0)
            return Output.Fail($"--data: the log in {Path.GetFullPath(order.Data)} holds no events");
        Day completeThrough = order.CompleteThrough.IsNone ? Day.OfMs(survey.LastKnownMs).Plus(-1) : order.CompleteThrough;
        var plan = new TrainingPlan(order.Dates, order.HorizonDays, order.Label, completeThrough, order.Selection);
        (string csv, string cardPath) = Places(order.Out);
        Directory.CreateDirectory(Path.GetDirectoryName(csv)!);
        bar.Description = "folding the past";
        using var export = new TrainingSetExport(log, survey, plan, csv);
        export.Run(done => bar.Value = log.PartitionCount + done, cancellation);
        if (export.Tally.Rows == 0)
            return Output.Fail(WhyEmpty(plan, survey, export.Tally));
        DataCard card = DataCard.Of(Path.GetFileName(csv), order.CommandLine, plan, order.EveryDays, survey, missing, export.Tally);
        File.WriteAllText(cardPath, card.ToJson());
        if (order.Json)
            Output.WriteJson(card);
        else
            Show(card, csv, cardPath);
        return 0;
    }

    private static (string Csv, string Card) Places(string target)
    {
        string csv = Path.GetFullPath(target.EndsWith(CsvEnding, StringComparison.OrdinalIgnoreCase) ? target : Path.Combine(target, "training-set" + CsvEnding));
        return (csv, csv[..^CsvEnding.Length] + CardEnding);
    }

    private static string WhyEmpty(TrainingPlan plan, LogSurvey survey, TrainingSetTally tally)
    {
        string range = plan.Dates.Count == 1 ? $"on {plan.Dates[0]}" : $"on any of {plan.Dates.Count} dates from {plan.Dates[0]} to {plan.Dates[^1]}";
        string known = $"the first event became known on {Day.OfMs(survey.FirstKnownMs)}, the last on {Day.OfMs(survey.LastKnownMs)}";
        if (tally.OnBook == 0)
        {
            string hint = plan.Selection.ImportedKnownWhenEffective ? "" : "; history that was imported without known_date is known from the import on, and --known-as effective takes it as known when it was effective";
            return $"--from, --to: there is nobody {range}: {known}{hint}";
        }
        IEnumerable<string> reasons = DataCard.Reasons(plan.Label).Where(reason => tally.Excluded(reason) > 0)
            .Select(reason => string.Create(CultureInfo.InvariantCulture, $"{DataCard.NameOf(reason)} {tally.Excluded(reason):N0}"));
        return $"--from, --to: there is no row {range}; left out: {string.Join(", ", reasons)}. {char.ToUpperInvariant(known[0])}{known[1..]}, and all counts as told through {plan.CompleteThrough} (--complete-through)";
    }

    private static void Show(DataCard card, string csv, string cardPath)
    {
        Output.Results.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"{card.Rows:N0} rows of {card.Debtors:N0} debtors on {card.Dates.Count:N0} dates, {card.Positives:N0} positive ({100.0 * card.Positives / card.Rows:F1} %), label {card.Label.Name}");
        foreach (ExclusionCount excluded in card.Excluded.Where(static e => e.Rows > 0))
            Output.Results.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"  left out {excluded.Rows:N0}: {excluded.Meaning}");
        if (card.KnownAs.Rule != "log")
            Output.Warn(card.KnownAs.Meaning);
        Console.Out.WriteLine(csv);
        Console.Out.WriteLine(cardPath);
    }
}
