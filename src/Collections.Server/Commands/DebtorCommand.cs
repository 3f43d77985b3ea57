using System.CommandLine;
using System.Globalization;
using Collections.V1;
using Google.Protobuf;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary><c>collections debtor</c>: one debtor in full.</summary>
internal static class DebtorCommand
{
    public static Command Build()
    {
        var id = new Argument<string>("id") { Description = "The debtor's id" };
        var events = new Option<int>("--events") { Description = "How many of the last events to show", DefaultValueFactory = _ => 10 };
        var language = ReasonOutput.Language();
        var contributions = new Option<bool>("--contributions") { Description = "Also show what every single feature adds to the score" };
        var client = new ClientOptions();
        var command = new Command("debtor", "Show one debtor of a running node: ledger, score and what speaks for and against, features, queue entry, last events") { id, events, language, contributions };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) => ClientOptions.CallAsync(arguments.GetValue(client.Address)!, async channel =>
        {
            DebtorView view = await new Debtors.DebtorsClient(channel).GetAsync(
                new GetDebtorRequest
                {
                    Tenant = arguments.GetValue(client.Tenant)!,
                    Debtor = arguments.GetValue(id)!,
                    LastEvents = arguments.GetValue(events),
                    Language = arguments.GetValue(language)!,
                    Contributions = arguments.GetValue(contributions) || arguments.GetValue(client.Json),
                },
                cancellationToken: cancellation);
            if (arguments.GetValue(client.Json))
                Console.Out.WriteLine(JsonFormatter.Default.Format(view));
            else
                Show(view);
        }));
        return command;
    }

    private static void Show(DebtorView view)
    {
        Output.Results.MarkupLineInterpolated($"[bold]{view.Debtor}[/] of tenant {view.Tenant}, portfolio {view.Portfolio}{(view.Parked ? ", parked" : "")}");
        Output.Results.MarkupLineInterpolated(
            $"open {ClientOptions.Amount(view.OpenMinor, view.Currency)}, overdue {ClientOptions.Amount(view.OverdueMinor, view.Currency)}, credit {ClientOptions.Amount(view.UnappliedCreditMinor, view.Currency)}");
        if (view.ScoredAt is not null)
            Output.Results.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"propensity {view.Propensity:P1} by model {view.Model} {view.ModelVersion}, scored {view.ScoredAt.ToDateTime():yyyy-MM-dd HH:mm:ss} UTC, stage {view.Stage}");
        if (!double.IsNaN(view.PreDueRisk))
            Output.Results.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"risk that what is due next becomes past due {view.PreDueRisk:P1} by model {view.RiskModel} {view.RiskModelVersion}");
        if (view.QueueEntry is { } entry)
            Output.Results.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{(entry.Lease.Length > 0 ? $"under lease {entry.Lease} of" : "waits in")} queue {entry.Queue} with value {entry.Value:N2}");
        else
            Output.Results.MarkupLineInterpolated($"in no queue: {view.NotQueuedBecause}");
        ReasonOutput.Show(view);
        ShowItems(view);
        ShowPromises(view);
        ShowFeatures(view);
        ShowEvents(view);
    }

    private static void ShowItems(DebtorView view)
    {
        Table table = new Table().Border(TableBorder.Simple).Title("items").AddColumns("item", "component", "amount", "open", "issued", "due", "dpd");
        foreach (ItemView item in view.Items)
        {
            table.AddRow(
                Markup.Escape(item.Item), item.Component.ToString().ToLowerInvariant(), ClientOptions.Amount(item.Amount.MinorUnits, item.Amount.Currency),
                ClientOptions.Amount(item.OpenMinor, item.Amount.Currency), item.IssueDate, item.DueDate, item.DaysPastDue.ToString(CultureInfo.InvariantCulture));
        }
        Output.Results.Write(table);
    }

    private static void ShowPromises(DebtorView view)
    {
        if (view.Promises.Count == 0)
            return;
        Table table = new Table().Border(TableBorder.Simple).Title("promises").AddColumns("promise", "amount", "paid", "made", "due", "state");
        foreach (PromiseView promise in view.Promises)
        {
            table.AddRow(
                Markup.Escape(promise.Promise), ClientOptions.Amount(promise.AmountMinor, view.Currency), ClientOptions.Amount(promise.PaidMinor, view.Currency),
                promise.Made, promise.DueDate, promise.State);
        }
        Output.Results.Write(table);
    }

    private static void ShowFeatures(DebtorView view)
    {
        Table table = new Table().Border(TableBorder.Simple).Title("features").AddColumns("feature", "value");
        foreach (FeatureValue feature in view.Features.Where(f => !double.IsNaN(f.Value)))
            table.AddRow(feature.Name, feature.Value.ToString("R", CultureInfo.InvariantCulture));
        Output.Results.Write(table);
    }

    private static void ShowEvents(DebtorView view)
    {
        Table table = new Table().Border(TableBorder.Simple).Title("last events").AddColumns("known", "stream", "event", "id", "effective");
        foreach (EventView e in view.LastEvents)
        {
            string effective = e.Event.EffectiveCase == Event.EffectiveOneofCase.EffectiveAt
                ? e.Event.EffectiveAt.ToDateTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : e.Event.EffectiveDate;
            table.AddRow(
                e.Event.Known.ToDateTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), e.Stream, e.Event.BodyCase.ToString(), Markup.Escape(e.Event.Id), effective);
        }
        Output.Results.Write(table);
        if (view.EventsMissing.Length > 0)
            Output.Warn(view.EventsMissing);
    }
}
