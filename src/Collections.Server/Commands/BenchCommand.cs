using System.CommandLine;
using System.Globalization;
using Collections.Server.Bench;
using Collections.Server.Hosting;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary><c>collections bench</c>: the engine measured end to end on this machine.</summary>
internal static class BenchCommand
{
    public static Command Build()
    {
        var debtors = new Option<int>("--debtors") { Description = "Simulated debtors", DefaultValueFactory = _ => 1_000_000 };
        var months = new Option<int>("--months") { Description = "Months of history", DefaultValueFactory = _ => 2 };
        var days = new Option<int>("--live-days") { Description = "Days of live events", DefaultValueFactory = _ => 60 };
        var seconds = new Option<int>("--pull-seconds") { Description = "How long to pull", DefaultValueFactory = _ => 5 };
        var payments = new Option<int>("--payments") { Description = "Payments to time", DefaultValueFactory = _ => 500 };
        var data = new Option<string?>("--data") { Description = "Keep log and store in this empty directory; a temporary one that is deleted if not given" };
        var store = new Option<string?>("--store") { Description = $"{StoreCommand.ConnectionForm}, of a schema that is empty; if not given, SQLite in --data" };
        var handOver = new Option<int>("--handover-debtors") { Description = "With --kafka and --store: debtors of the partition that is handed from node to node; the topics of PREFIX-handover have one partition", DefaultValueFactory = _ => 500_000 };
        var kafka = new KafkaSettings();
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("bench", "Measure the engine end to end on this machine: events, pulls, payments, memory, restart") { debtors, months, days, seconds, payments, data, store, handOver, json };
        kafka.AddTo(command, joins: true);
        command.SetAction(arguments =>
        {
            int count = arguments.GetValue(debtors), span = arguments.GetValue(months), live = arguments.GetValue(days);
            if (count is < 1 or > 4_000_000)
                return Task.FromResult(Output.Fail($"--debtors: must be 1 to 4,000,000, but is {count}"));
            if (span is < 1 or > 24 || live is < 1 or > 365)
                return Task.FromResult(Output.Fail($"--months must be 1 to 24 and --live-days 1 to 365, but they are {span} and {live}"));
            return RunAsync(() => new BenchOptions(count, span, live, Seed: 1, arguments.GetValue(seconds), arguments.GetValue(payments)) { Kafka = kafka.Read(arguments) }, arguments.GetValue(data), arguments.GetValue(store), arguments.GetValue(handOver), arguments.GetValue(json));
        });
        return command;
    }

    private static Task<int> RunAsync(Func<BenchOptions> read, string? data, string? store, int handOverDebtors, bool json) => ScratchDirectory.UseAsync("bench", data, async directory =>
    {
        BenchOptions options = read();
        DataDirectory place = directory with { Store = store };
        void Say(string step) => Console.Error.WriteLine(step);
        BenchResult result = await new BenchRun(options, place, Say).RunAsync();
        if (options.Kafka is { } kafka && store is not null && handOverDebtors > 0)
            result = result with { Cluster = await new ClusterBench(options, kafka, place, handOverDebtors, Say).RunAsync() };
        if (json)
            Output.WriteJson(result);
        else
            Show(result);
        return 0;
    });

    private static void Show(BenchResult result)
    {
        Table table = new Table().Border(TableBorder.Simple).Title(Markup.Escape(result.Hardware)).AddColumns("what", "figure");
        void Row(string what, FormattableString figure) => table.AddRow(what, figure.ToString(CultureInfo.InvariantCulture));
        Row("debtors", $"{result.Debtors:N0}");
        Row("events a second, decode to durable checkpoint, every event scored", $"{result.EventsPerSecond:N0} ({result.LiveEvents:N0} events)");
        Row("scores of those that were known without computing them", $"{result.SkippedShare:P1}");
        Row("events a second, quiet history", $"{result.QuietEventsPerSecond:N0} ({result.HistoryEvents:N0} events)");
        Row("durable appends a second, generator included", $"{result.AppendsPerSecond:N0}");
        Row("debtors scored and ranked a second, whole book", $"{result.BookEvaluationsPerSecond:N0}");
        Row("actions pulled a second, 100 a pull, without reasons", $"{result.ActionsPerSecond:N0}");
        Row("one pull, p50 / p99", $"{result.PullP50Ms:N2} / {result.PullP99Ms:N2} ms");
        Row("actions pulled a second, 100 a pull, with reasons", $"{result.ExplainedActionsPerSecond:N0}");
        Row("one pull, p50 / p99", $"{result.ExplainedPullP50Ms:N2} / {result.ExplainedPullP99Ms:N2} ms");
        Row("payment accepted to debtor out of queue, p50 / p99", $"{result.PaidOutP50Ms:N2} / {result.PaidOutP99Ms:N2} ms");
        Row("bytes a debtor", $"{result.BytesPerDebtor:N0}");
        Row("restart", $"{result.RestartSeconds:N2} s");
        if (result.Cluster is { } cluster)
        {
            Row("pull of 100 over gRPC, merged over three nodes, p50 / p99", $"{cluster.PullP50Ms:N2} / {cluster.PullP99Ms:N2} ms ({cluster.Pulls:N0} pulls)");
            Row("hand-over of a partition", $"{cluster.GiveUpSeconds + cluster.TakeSeconds:N2} s for {cluster.HandOverDebtors:N0} debtors");
            Row("of that: given up, taken; between them the group", $"{cluster.GiveUpSeconds:N2} s, {cluster.TakeSeconds:N2} s; {cluster.RebalanceSeconds:N2} s");
        }
        Output.Results.Write(table);
    }
}
