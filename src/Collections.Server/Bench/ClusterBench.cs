using System.Diagnostics;
using System.Net;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;
using Collections.Kafka;
using Collections.Server.Demo.Portfolio;
using Collections.Server.Hosting;
using Collections.Server.Kafka;
using Collections.V1;
using Grpc.Net.Client;

namespace Collections.Server.Bench;

/// <summary>What was measured of several nodes. Times are wall-clock, with all nodes, the brokers and the database on the machine that is named.</summary>
/// <param name="PullP50Ms">Of pulls of 100 actions over gRPC, merged over three nodes.</param>
/// <param name="HandOverDebtors">Of the one partition that is handed over.</param>
/// <param name="GiveUpSeconds">Draining, the last checkpoint, and the release.</param>
/// <param name="RebalanceSeconds">Until the group has told the other node.</param>
/// <param name="TakeSeconds">Loading the partition, and reading the log to its end.</param>
public sealed record ClusterBenchResult(
    int Pulls, double PullP50Ms, double PullP99Ms, int HandOverDebtors, double GiveUpSeconds, double RebalanceSeconds, double TakeSeconds);

/// <summary>Three nodes of this process that share a Kafka log and a store: pulls merged over them, and a partition that goes from one to another.</summary>
/// <param name="kafka">Its topics have the book of a <see cref="BenchRun"/> before; those of <c>PREFIX-handover</c> have one partition and are empty.</param>
internal sealed class ClusterBench(BenchOptions options, KafkaLogOptions kafka, DataDirectory directory, int handOverDebtors, Action<string> say)
{
    /// <summary>Events that are appended before they are waited for: what a small broker keeps.</summary>
    private const int ChunkEvents = 20_000;

    private const int PullActions = 100;

    /// <summary>Pulls before those that count: connections, compiled code and prepared statements of three nodes.</summary>
    private const int WarmPulls = 200;

    /// <summary>As many as a p99 needs to be five of them.</summary>
    private const int MeasuredPulls = 500;
    private const string HandOverSchema = "collections_bench_handover";
    private static readonly string[] Queues = ["cards/sms", "cards/email", "cards/voice", "cards/letter"];

    public async Task<ClusterBenchResult> RunAsync()
    {
        Latencies pulls = await PullAsync();
        (double giveUp, double rebalance, double take, int debtors) = await HandOverAsync();
        return new ClusterBenchResult(pulls.Count, pulls.At(0.5), pulls.At(0.99), debtors, Math.Round(giveUp, 2), Math.Round(rebalance, 2), Math.Round(take, 2));
    }

    private async Task<Latencies> PullAsync()
    {
        say("starting three nodes");
        var portfolio = new SimulatedPortfolio(options.Debtors, options.Months, options.Seed, Day.Of(new DateOnly(2026, 1, 5)));
        var clock = new VirtualClock(portfolio.FirstLiveDay.Plus(options.LiveDays).StartMs);
        ClusterNode[] nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => ClusterNode.StartAsync($"pull-{i}", kafka, directory, clock, say)));
        await UntilAsync(() => nodes.Sum(static node => node.Serving) == nodes[0].Server.Node.PartitionCount && nodes.All(static node => node.Serving > 0));
        say("their archives are being completed");
        await UntilAsync(() => nodes.All(static node => node.Source.IsWhole));
        await Task.Delay(TimeSpan.FromSeconds(2));
        say("pulling, merged over three nodes");
        var pulls = new Latencies();
        using (GrpcChannel channel = GrpcChannel.ForAddress(nodes[0].Server.Address))
        {
            var client = new V1.Queues.QueuesClient(channel);
            await PullAsync(client, WarmPulls, new Latencies());
            await PullAsync(client, MeasuredPulls, pulls);
        }
        foreach (ClusterNode node in nodes)
            await node.DisposeAsync();
        return pulls;
    }

    /// <summary>Pulls one after another from all queues in turn. What was given goes back before the next one, so that the queues stay as they are.</summary>
    private static async Task PullAsync(V1.Queues.QueuesClient client, int count, Latencies pulls)
    {
        int empty = 0;
        for (int i = 0; pulls.Count < count && empty < Queues.Length; i++)
        {
            long began = Stopwatch.GetTimestamp();
            PullResponse given = await client.PullAsync(new PullRequest { Queue = Queues[i % Queues.Length], Count = PullActions, Caller = "bench", LeaseSeconds = Engine.Limits.LeaseSecondsMax, WithoutReasons = true });
            empty = given.Actions.Count == 0 ? empty + 1 : 0;
            if (given.Actions.Count > 0)
                pulls.Add(Stopwatch.GetElapsedTime(began));
            await Task.WhenAll(given.Actions.Select(action => client.ReleaseAsync(new ReleaseRequest { Lease = action.Lease }).ResponseAsync));
        }
    }

    private async Task<(double GiveUp, double Rebalance, double Take, int Debtors)> HandOverAsync()
    {
        KafkaLogOptions own = kafka with { Prefix = $"{kafka.Prefix}-handover", Group = $"{kafka.Group}-handover" };
        var portfolio = new SimulatedPortfolio(handOverDebtors, 1, options.Seed, Day.Of(new DateOnly(2026, 1, 5)));
        var clock = new VirtualClock(portfolio.FirstLiveDay.StartMs);
        // A schema of its own: its partition 0 is another.
        string store = directory.Store!;
        DataDirectory place = directory with
        {
            Store = store.Contains("://", StringComparison.Ordinal) ? $"{store}{(store.Contains('?', StringComparison.Ordinal) ? '&' : '?')}search_path={HandOverSchema}" : $"{store};Search Path={HandOverSchema}",
        };
        say($"filling a partition with {handOverDebtors:N0} debtors");
        await using ClusterNode first = await ClusterNode.StartAsync("first", own, place, clock, say);
        await UntilAsync(() => first.Serving == 1);
        await FillAsync(first.Server.Node, portfolio, clock);
        await using ClusterNode second = await ClusterNode.StartAsync("second", own, place, clock, say);
        await Task.Delay(TimeSpan.FromSeconds(15));
        int debtors = await first.Server.Node.Ask(0, static p => p.View.DebtorCount);
        say("handing it over");
        long began = Stopwatch.GetTimestamp();
        Task leaving = first.Server.Node.LeaveAsync();
        await UntilAsync(() => first.State == PartitionState.Elsewhere);
        double giveUp = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await UntilAsync(() => second.State != PartitionState.Elsewhere);
        double rebalanced = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await UntilAsync(() => second.Serving == 1);
        double served = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await leaving;
        return (giveUp, rebalanced - giveUp, served - rebalanced, debtors);
    }

    private static async Task FillAsync(Node node, SimulatedPortfolio portfolio, VirtualClock clock)
    {
        var batch = new AppendBatch();
        void Add(in SimulatedEvent e)
        {
            ReadOnlySpan<byte> tenant = EventReader.DefaultTenant;
            batch.Add(DebtorKey.PartitionOf(tenant, e.DebtorName, node.PartitionCount), e.Stream, DebtorKey.HashOf(tenant, e.DebtorName), e.KnownMs, history: true, e.Content);
        }
        async Task PutAsync()
        {
            await node.Log.AppendAsync(batch, CancellationToken.None);
            batch = new AppendBatch();
            await node.WaitAppliedAsync(0, node.Log.End(0), CancellationToken.None);
        }
        for (Day day = portfolio.FirstDay; day < portfolio.FirstLiveDay; day = day.Plus(1))
        {
            portfolio.WriteHistoryDay(day, Add);
            if (batch.Count >= ChunkEvents)
                await PutAsync();
        }
        await PutAsync();
        await node.Log.AppendAsync(ImportEnd.Of(node.PartitionCount, clock.NowMs), CancellationToken.None);
        await node.SettleAsync();
        await node.CheckpointAsync();
    }

    private static async Task UntilAsync(Func<bool> done)
    {
        while (!done())
            await Task.Delay(1);
    }

    /// <summary>A node of this process with all that it needs of its own.</summary>
    private sealed class ClusterNode(KafkaSource source, IStore store, NodeServer server) : IAsyncDisposable
    {
        public KafkaSource Source => source;

        public NodeServer Server => server;

        public int Serving => server.Node.Owned.Count(number => server.Node.StateOf(number) == PartitionState.Serving);

        public PartitionState State => server.Node.StateOf(0);

        public static async Task<ClusterNode> StartAsync(string name, KafkaLogOptions kafka, DataDirectory directory, VirtualClock clock, Action<string> say)
        {
            var place = new DataDirectory(Path.Combine(directory.Path, name)) { Store = directory.Store };
            KafkaSource source = await KafkaSource.OpenAsync(kafka, place, partitions: null, TimeProvider.System, say, CancellationToken.None);
            IStore store = place.OpenStore();
            var engine = new EngineOptions { Model = ShippedModel.Propensity(), Workers = 1 };
            return new ClusterNode(source, store, await NodeServer.StartAsync(source.Log, store, engine, clock, new IPEndPoint(IPAddress.Loopback, 0), say));
        }

        public async ValueTask DisposeAsync()
        {
            await server.DisposeAsync();
            store.Dispose();
            source.Dispose();
        }
    }
}
