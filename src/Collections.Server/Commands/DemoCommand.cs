using System.CommandLine;
using System.Globalization;
using Collections.Server.Demo;
using Collections.Server.Hosting;
using Collections.V1;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary><c>collections demo</c>: a simulated portfolio through the whole engine, on one machine, with nothing installed.</summary>
internal static class DemoCommand
{
    private const int LiveDays = 5;
    private const int TicksPerDay = 6;

    public static Command Build()
    {
        var debtors = new Option<int>("--debtors") { Description = "Simulated debtors", DefaultValueFactory = _ => 100_000 };
        var months = new Option<int>("--months") { Description = "Months of history", DefaultValueFactory = _ => 6 };
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same result", DefaultValueFactory = _ => 1 };
        var data = new Option<string?>("--data") { Description = "Keep log and store in this empty directory; a temporary one that is deleted if not given" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object at the end instead of tables" };
        var command = new Command("demo", "Simulate a portfolio: history through the log, then live days with dialers over gRPC") { debtors, months, seed, data, json };
        command.SetAction(arguments =>
        {
            int count = arguments.GetValue(debtors), span = arguments.GetValue(months);
            if (count is < 1 or > 10_000_000)
                return Task.FromResult(Output.Fail($"--debtors: must be 1 to 10,000,000, but is {count}"));
            if (span is < 1 or > 24)
                return Task.FromResult(Output.Fail($"--months: must be 1 to 24, but is {span}"));
            var options = new DemoOptions(count, span, arguments.GetValue(seed), LiveDays, TicksPerDay, Math.Clamp(count / 200, 12, 1_200));
            return RunAsync(options, arguments.GetValue(data), arguments.GetValue(json));
        });
        return command;
    }

    private static Task<int> RunAsync(DemoOptions options, string? data, bool json) => ScratchDirectory.UseAsync("demo", data, async directory =>
    {
        await using DemoRun run = await DemoRun.StartAsync(options, directory, Output.Warn);
        await HistoryAsync(run, json);
        await LiveAsync(run, options, json);
        DemoResult result = await run.FinishAsync();
        if (json)
            Output.WriteJson(result);
        else
            await ShowEndAsync(run, result);
        return result is { PaidStillQueued: 0, DoubleLeased: 0, LedgerBalanced: true } ? 0 : 1;
    });

    private static Task HistoryAsync(DemoRun run, bool json) => json
        ? run.WriteHistoryAsync(_ => { })
        : Output.Notes.Progress().StartAsync(async bars =>
        {
            ProgressTask bar = bars.AddTask("history through the log", maxValue: run.HistoryDays);
            await run.WriteHistoryAsync(day =>
            {
                bar.Value = day;
                bar.Description = string.Create(CultureInfo.InvariantCulture, $"history through the log: {run.Figures.HistoryEvents:N0} events");
            });
        });

    private static async Task LiveAsync(DemoRun run, DemoOptions options, bool json)
    {
        int ticks = options.LiveDays * options.TicksPerDay;
        if (json)
        {
            for (int tick = 0; tick < ticks; tick++)
                await run.RunTickAsync(tick);
            return;
        }
        ShowHistory(run);
        Table table = new Table().Border(TableBorder.Simple).Title("live, in virtual time")
            .AddColumns("time", "waiting", "leased", "pulled", "reported", "right party", "voided", "payments", "received");
        async Task RunAsync(System.Action rowAdded)
        {
            for (int tick = 0; tick < ticks; tick++)
            {
                await run.RunTickAsync(tick);
                await AddRowAsync(table, run);
                rowAdded();
            }
        }
        // A table that grows in place needs a terminal.
        if (Console.IsOutputRedirected)
        {
            await RunAsync(() => { });
            Output.Results.Write(table);
        }
        else
        {
            await Output.Results.Live(table).StartAsync(live => RunAsync(live.Refresh));
        }
    }

    private static void ShowHistory(DemoRun run) => Output.Results.MarkupLineInterpolated(
        CultureInfo.InvariantCulture,
        $"{run.Figures.HistoryEvents:N0} events of history in {run.Figures.HistorySeconds:N1} s ({run.Figures.HistoryEvents / run.Figures.HistorySeconds:N0} a second, durable); the book scored and ranked in {run.Figures.EvaluationSeconds:N1} s");

    private static async Task AddRowAsync(Table table, DemoRun run)
    {
        ListQueuesResponse queues = await run.QueuesAsync();
        table.AddRow(
            run.Now.ToString("ddd dd MMM HH:mm", CultureInfo.InvariantCulture), Count(queues.Queues.Sum(q => q.Waiting)), Count(queues.Queues.Sum(q => q.Leased)),
            Count(run.Figures.ActionsPulled), Count(run.Figures.Reported), Count(run.Figures.RightParty), Count(run.Figures.MetVoided), Count(run.Figures.PaymentsLive),
            ClientOptions.Amount(run.Totals.ReceivedMinor, "EUR"));
    }

    private static async Task ShowEndAsync(DemoRun run, DemoResult result)
    {
        Table queues = new Table().Border(TableBorder.Simple).Title("queues").AddColumns("queue", "waiting", "leased", "best value");
        foreach (QueueSummary queue in (await run.QueuesAsync()).Queues)
            queues.AddRow(Markup.Escape(queue.Queue), Count(queue.Waiting), Count(queue.Leased), queue.BestValue.ToString("N2", CultureInfo.InvariantCulture));
        Output.Results.Write(queues);
        Table best = new Table().Border(TableBorder.Simple).Title("best debtors of the last tick, and what speaks for and against them")
            .AddColumns("debtor", "channel", "value", "propensity", "overdue", "dpd", "what speaks most for or against");
        foreach (V1.Action action in run.BestActions.Take(5))
        {
            best.AddRow(
                action.Debtor, action.Channel.ToString().ToLowerInvariant(), action.Value.ToString("N2", CultureInfo.InvariantCulture),
                action.Propensity.ToString("P1", CultureInfo.InvariantCulture), ClientOptions.Amount(action.Overdue.MinorUnits, action.Overdue.Currency),
                action.OldestDaysPastDue.ToString(CultureInfo.InvariantCulture), Markup.Escape(ReasonOutput.InBrief(action.Reasons, 3)));
        }
        Output.Results.Write(best);
        Output.Results.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"{result.Debtors:N0} debtors, {result.Events:N0} events applied, {result.BytesPerDebtor:N0} bytes a debtor; {result.ActionsPulled:N0} actions pulled, {result.PaymentsLive:N0} payments live");
        Output.Results.MarkupLineInterpolated($"paid but still queued: {result.PaidStillQueued}; in two hands: {result.DoubleLeased}; ledgers balanced: {(result.LedgerBalanced ? "yes" : "no")}; result {result.ResultHash} (seed {result.Seed})");
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
