using System.Diagnostics;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Queues;
using Collections.Kafka;
using Collections.Server.Demo.Portfolio;
using Collections.Server.Hosting;

namespace Collections.Server.Bench;

/// <summary>What a benchmark is asked for.</summary>
public sealed record BenchOptions(int Debtors, int Months, int LiveDays, ulong Seed, int PullSeconds, int Payments)
{
    /// <summary>The cluster whose topics are the log; null: the embedded log.</summary>
    public KafkaLogOptions? Kafka { get; init; }
}

/// <summary>What was measured. Times are wall-clock, with everything (log, engine, store, generator) on the machine that is named.</summary>
/// <param name="EventsPerSecond">Decode to durable checkpoint, every event applied and its debtor scored and ranked again.</param>
/// <param name="QuietEventsPerSecond">The same without scores: imported history.</param>
/// <param name="SkippedShare">Of the live scores, those that were known without computing them, because nothing that the model looks at had changed.</param>
/// <param name="ActionsPerSecond">Pulled without reasons, as high-volume senders do; the others are with them.</param>
/// <param name="RestartSeconds">From an opened log and store to every partition loaded, leases open, queues standing.</param>
public sealed record BenchResult(
    string Hardware, int Debtors, long HistoryEvents, double AppendsPerSecond, double QuietEventsPerSecond, double BookEvaluationsPerSecond,
    long LiveEvents, double EventsPerSecond, double SkippedShare, double BytesPerDebtor, double RestartSeconds,
    double ActionsPerSecond, double PullP50Ms, double PullP99Ms,
    double ExplainedActionsPerSecond, double ExplainedPullP50Ms, double ExplainedPullP99Ms, double PaidOutP50Ms, double PaidOutP99Ms, string Model)
{
    /// <summary>Of several nodes, where the log can be shared.</summary>
    public ClusterBenchResult? Cluster { get; init; }
}

/// <summary>
/// The whole engine measured end to end over the simulated portfolio: filling the log, folding history, live events from a log that is already filled,
/// pulls, payments, restart. Each step opens log and store anew, as a restart does.
/// </summary>
internal sealed class BenchRun(BenchOptions options, DataDirectory directory, Action<string> say)
{
    private const int AppendEvents = 16_384;

    /// <summary>
    /// Of the producer that fills Kafka's topics, in milliseconds: batches of some 85 records, as a busy producer's are. librdkafka's mock goes through a
    /// partition's batches one by one at each fetch, and with linger of a millisecond, which the engine's own appends have, that alone took a fifth of the machine.
    /// </summary>
    private const string FillLingerMs = "100";

    private readonly SimulatedPortfolio portfolio = new(options.Debtors, options.Months, options.Seed, Day.Of(new DateOnly(2026, 1, 5)));
    private readonly VirtualClock clock = new(Day.Of(new DateOnly(2026, 1, 5)).StartMs);

    private static EngineOptions Engine { get; } = new() { Model = ShippedModel.Propensity(), Owner = "bench", CheckpointSeconds = Collections.Engine.Limits.CheckpointSecondsMax };

    public async Task<BenchResult> RunAsync()
    {
        say("filling the log with history");
        (long history, double fillSeconds) = await FillAsync(history: true);
        clock.MoveTo(portfolio.FirstLiveDay.StartMs);
        say("folding the history, quietly");
        (double foldSeconds, double evaluateSeconds) = await FoldHistoryAsync();
        say("filling the log with live events");
        (long live, double _) = await FillAsync(history: false);
        clock.MoveTo(portfolio.FirstLiveDay.Plus(options.LiveDays).StartMs);

        say("restarting, and applying the live events");
        BenchBed bed = await BenchBed.OpenAsync(directory, options.Kafka, say);
        BenchNode run = await bed.StartAsync(Engine, clock);
        Node node = run.Node;
        await WaitAppliedAsync(node);
        await node.CheckpointAsync();
        double liveSeconds = Stopwatch.GetElapsedTime(run.BeganAt).TotalSeconds;
        await node.SettleAsync();
        (long Scores, long Skips)[] scored = await node.AskAll(p => (p.View.ScoreCount, p.View.SkipCount));

        say("paying");
        Latencies paidOut = await PayAsync(node);
        say("pulling");
        int half = (await node.AskAll(p => p.View.Queues().Sum(q => q.Waiting))).Sum() / 2;
        (double actions, Latencies pulls) = await PullAsync(node, withReasons: false, most: half);
        say("pulling with reasons");
        (double explained, Latencies explainedPulls) = await PullAsync(node, withReasons: true, most: half / 2);
        (int Debtors, long Bytes)[] parts = await node.AskAll(p => (p.View.DebtorCount, p.View.BytesUsed));
        await node.DisposeAsync();
        bed.Dispose();

        say("restarting once more");
        double restartSeconds = await RestartAsync(run.LoadSeconds);
        int debtors = parts.Sum(p => p.Debtors);
        return new BenchResult(
            Hardware.Describe(), debtors, history, Math.Round(history / fillSeconds), Math.Round(history / foldSeconds), Math.Round(debtors / evaluateSeconds),
            live, Math.Round(live / liveSeconds), Math.Round(scored.Sum(p => p.Skips) / (double)Math.Max(1, scored.Sum(p => p.Scores)), 3),
            Math.Round(parts.Sum(p => p.Bytes) / (double)debtors, 1), Math.Round(restartSeconds, 2),
            Math.Round(actions), pulls.At(0.5), pulls.At(0.99), Math.Round(explained), explainedPulls.At(0.5), explainedPulls.At(0.99),
            paidOut.At(0.5), paidOut.At(0.99), Engine.Model!.Name);
    }

    private async Task<double> RestartAsync(double before)
    {
        using BenchBed bed = await BenchBed.OpenAsync(directory, options.Kafka, say);
        BenchNode again = await bed.StartAsync(Engine, clock);
        again.Node.Abandon();
        return Math.Max(before, again.LoadSeconds);
    }

    private async Task<(long Events, double Seconds)> FillAsync(bool history)
    {
        using BenchBed bed = await BenchBed.OpenAsync(directory, Filling(options.Kafka), say);
        IEventLog log = bed.Log;
        long started = Stopwatch.GetTimestamp(), events = 0;
        var batch = new AppendBatch();
        Task appending = Task.CompletedTask;
        void Add(in SimulatedEvent e)
        {
            ReadOnlySpan<byte> tenant = EventReader.DefaultTenant;
            batch.Add(DebtorKey.PartitionOf(tenant, e.DebtorName, log.PartitionCount), e.Stream, DebtorKey.HashOf(tenant, e.DebtorName), e.KnownMs, history, e.Content);
            events++;
        }
        Day first = history ? portfolio.FirstDay : portfolio.FirstLiveDay;
        Day end = history ? portfolio.FirstLiveDay : portfolio.FirstLiveDay.Plus(options.LiveDays);
        for (Day day = first; day < end; day = day.Plus(1))
        {
            if (history)
                portfolio.WriteHistoryDay(day, Add);
            else
                portfolio.WriteLiveTick(day, 0, 1, Add);
            if (batch.Count < AppendEvents)
                continue;
            await appending;
            appending = log.AppendAsync(batch, CancellationToken.None);
            batch = new AppendBatch();
        }
        await appending;
        await log.AppendAsync(batch, CancellationToken.None);
        return (events, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private static KafkaLogOptions? Filling(KafkaLogOptions? kafka) => kafka is null || kafka.Settings.ContainsKey("linger.ms")
        ? kafka
        : kafka with { Settings = new Dictionary<string, string>(kafka.Settings) { ["linger.ms"] = FillLingerMs } };

    private async Task<(double FoldSeconds, double EvaluateSeconds)> FoldHistoryAsync()
    {
        using BenchBed bed = await BenchBed.OpenAsync(directory, options.Kafka, say);
        BenchNode run = await bed.StartAsync(Engine, clock);
        await WaitAppliedAsync(run.Node);
        await run.Node.CheckpointAsync();
        double folded = Stopwatch.GetElapsedTime(run.BeganAt).TotalSeconds;
        long started = Stopwatch.GetTimestamp();
        await bed.Log.AppendAsync(ImportEnd.Of(bed.Log.PartitionCount, clock.NowMs), CancellationToken.None);
        await WaitAppliedAsync(run.Node);
        await run.Node.SettleAsync();
        double evaluated = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await run.Node.DisposeAsync();
        return (folded, evaluated);
    }

    private static Task WaitAppliedAsync(Node node) =>
        Task.WhenAll(Enumerable.Range(0, node.PartitionCount).Select(number => node.WaitAppliedAsync(number, node.Log.End(number), CancellationToken.None)));

    /// <summary>Several callers pull, each from the queue of its channel, until the time is up, most have been pulled or the queues are empty.</summary>
    private async Task<(double ActionsPerSecond, Latencies Pulls)> PullAsync(Node node, bool withReasons, int most)
    {
        var pulls = new Latencies();
        long started = Stopwatch.GetTimestamp();
        long end = started + options.PullSeconds * Stopwatch.Frequency;
        int left = most;
        bool MayPull() => Stopwatch.GetTimestamp() < end && Interlocked.Add(ref left, -100) >= 0;
        long[] actions = await Task.WhenAll(new[] { Channel.Sms, Channel.Email, Channel.Voice, Channel.Letter }.Select(channel => Task.Run(() => PullAsync(node, Order(channel, 100, withReasons), MayPull, pulls))));
        return (actions.Sum() / Stopwatch.GetElapsedTime(started).TotalSeconds, pulls);
    }

    private static async Task<long> PullAsync(Node node, PullOrder order, Func<bool> mayPull, Latencies pulls)
    {
        long actions = 0;
        while (mayPull())
        {
            long pull = Stopwatch.GetTimestamp();
            PullResult result = await node.Actions.PullAsync(order);
            if (result.Leases.Count == 0)
                break;
            pulls.Add(Stopwatch.GetElapsedTime(pull));
            actions += result.Leases.Count;
        }
        return actions;
    }

    private static PullOrder Order(Channel channel, int count, bool withReasons) =>
        new("default", new QueueName("cards", channel), count, "bench", "", Collections.Engine.Limits.LeaseSecondsMax * 1000L, withReasons);

    /// <summary>Pulls an action each, pays all that is overdue, and waits until the payment is applied: then the lease is void and the debtor in no queue.</summary>
    private async Task<Latencies> PayAsync(Node node)
    {
        var paidOut = new Latencies();
        var writer = new EventWriter();
        PullResult targets = await node.Actions.PullAsync(Order(Channel.Sms, Math.Min(options.Payments, Collections.Engine.Limits.PullMax), withReasons: false));
        int number = 0;
        foreach (LeasedAction target in targets.Leases)
        {
            byte[] debtor = System.Text.Encoding.UTF8.GetBytes(target.Lease.Debtor), id = System.Text.Encoding.UTF8.GetBytes($"bench-payment-{number++}");
            byte[] payment = writer.PaymentReceived(new EventAddress { Debtor = debtor, Id = id, Effective = Day.OfMs(clock.NowMs) }, target.OverdueMinor, target.Currency).ToArray();
            long accepted = Stopwatch.GetTimestamp();
            await node.Intake.AppendAsync([payment], waitApplied: true, CancellationToken.None);
            paidOut.Add(Stopwatch.GetElapsedTime(accepted));
        }
        return paidOut;
    }
}
