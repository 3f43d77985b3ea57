using Collections.Kafka.Tests;
using Collections.Server.Tests.EndToEnd;
using Collections.Server.Tests.Kafka;
using Collections.Storage.Tests;
using Collections.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Collections.Server.Tests.Cluster;

/// <summary>
/// Nodes as processes of their own over one PostgreSQL schema and one Kafka cluster: librdkafka's mock of it, or the one that KAFKA_BOOTSTRAP names. What
/// goes in also goes into an oracle: one node on the embedded default that nothing happens to.
/// </summary>
internal sealed class ClusterScene : ICallLink, IAsyncDisposable
{
    public const int Partitions = 24;
    public const int Brokers = 3;

    private readonly TestFolder folder = new();
    private readonly string store;
    private readonly string prefix;
    private readonly string bootstrap;
    private readonly ForeignProducer producer;
    private readonly List<Event> sent = [];
    private uint calls;
    private Exception? lastFailure;

    /// <summary>A call that is not answered by then has gone to a node that does not run.</summary>
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(20);

    private ServeProcess[] Running
    {
        get
        {
            lock (Nodes)
                return [.. Nodes.Values];
        }
    }

    private ClusterScene(string store, string prefix, string bootstrap, MockCluster? mock)
    {
        this.store = store;
        this.prefix = prefix;
        this.bootstrap = bootstrap;
        Mock = mock;
        producer = new ForeignProducer(bootstrap, prefix, Confluent.Kafka.Partitioner.Murmur2Random);
    }

    /// <summary>Null on a real cluster, whose brokers are nobody's to stop.</summary>
    public MockCluster? Mock { get; }

    public string Store => store;

    public string Prefix => prefix;

    public string Bootstrap => bootstrap;

    /// <summary>The directory of a node, or of anything else by its name.</summary>
    public string DataOf(string name) => folder[name];

    /// <summary>By name; null while it is not running.</summary>
    public SortedDictionary<string, ServeProcess> Nodes { get; } = new(StringComparer.Ordinal);

    public IReadOnlyList<Event> Sent => sent;

    public static async Task<ClusterScene> StartAsync(PostgresCluster postgres, params string[] nodes)
    {
        string prefix = $"t{Guid.NewGuid():N}"[..12];
        ClusterScene scene;
        if (Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP") is { Length: > 0 } real)
        {
            (await CollectionsProcess.RunAsync("kafka", "init", "--kafka", real, "--prefix", prefix, "--partitions", $"{Partitions}", "--replication", "1")).RequireSuccess();
            scene = new ClusterScene(postgres.NewSchema(), prefix, real, null);
        }
        else
        {
            var mock = new MockCluster(Brokers);
            mock.CreateTopics(prefix, Partitions, replication: 3);
            scene = new ClusterScene(postgres.NewSchema(), prefix, mock.Bootstrap, mock);
        }
        await Task.WhenAll(nodes.Select(scene.StartNodeAsync));
        return scene;
    }

    public async Task StartNodeAsync(string name)
    {
        ServeProcess node = await ServeProcess.StartAsync(
            folder[name], "--kafka", bootstrap, "--prefix", prefix, "--group", prefix, "--store", store, "--kafka-config", "fetch.wait.max.ms=5",
            "--kafka-config", "session.timeout.ms=6000", "--kafka-config", "heartbeat.interval.ms=500");
        lock (Nodes)
            Nodes.Add(name, node);
    }

    /// <summary>Calls one node after another until one answers; what a failing node may have done is harmless to do again.</summary>
    public async Task<T> CallAsync<T>(Func<GrpcChannel, Task<T>> call)
    {
        using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            ServeProcess[] running = Running;
            try
            {
                if (running.Length > 0)
                    return await call(running[Interlocked.Increment(ref calls) % (uint)running.Length].Channel).WaitAsync(CallTime);
            }
            catch (Exception failure) when (failure is RpcException or ObjectDisposedException or TimeoutException && !patience.IsCancellationRequested)
            {
                lastFailure = failure;
            }
            Assert.False(patience.IsCancellationRequested, $"no node answers: {lastFailure}");
            await again.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Kills a node without a word, and starts it again.</summary>
    public async Task KillAndRestartAsync(string name)
    {
        ServeProcess node = Take(name);
        await node.KillAsync();
        await node.DisposeAsync();
        await StartNodeAsync(name);
    }

    /// <summary>Stops a node's clockwork until others run its partitions; then it wakes up and knows of nothing.</summary>
    public async Task PauseUntilTakenAsync(string name)
    {
        ServeProcess node = Nodes[name], other = Nodes.First(n => n.Key != name).Value;
        await node.SignalAsync("STOP");
        await UntilAsync(other, status => status.Partitions.Count == Partitions && status.Partitions.All(p => p.State == "serving" && p.Node != node.Authority));
        await node.SignalAsync("CONT");
    }

    public ServeProcess Take(string name)
    {
        lock (Nodes)
        {
            ServeProcess node = Nodes[name];
            Nodes.Remove(name);
            return node;
        }
    }

    public void Send(IEnumerable<(string Stream, Event Event)> events)
    {
        foreach ((string stream, Event e) in events)
        {
            producer.Send(stream, e.ToByteArray(), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            Note([e]);
        }
    }

    public IReadOnlyList<GrpcChannel> Channels => [.. Running.Select(static node => node.Channel)];

    /// <summary>Events that went in before: sending them again changes nothing.</summary>
    public List<Event> SomeSent(int count, int skip)
    {
        lock (sent)
            return [.. sent.Skip(skip).Take(count)];
    }

    /// <summary>Events that have gone in, by whatever way.</summary>
    public void Note(IEnumerable<Event> events)
    {
        lock (sent)
            sent.AddRange(events);
    }

    public void Flush() => producer.Flush();

    /// <summary>Until each node says that every partition is served by somebody.</summary>
    public async Task WaitServingAsync()
    {
        foreach (ServeProcess node in Running)
            await UntilAsync(node, static status => status.Partitions.Count == Partitions && status.Partitions.All(static partition => partition.State == "serving"));
    }

    /// <summary>Asks a node until its answer is as wanted.</summary>
    public static async Task<StatusResponse> UntilAsync(ServeProcess node, Func<StatusResponse, bool> wanted)
    {
        using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        StatusResponse? last = null;
        while (true)
        {
            try
            {
                last = await new V1.Debtors.DebtorsClient(node.Channel).StatusAsync(new StatusRequest(), deadline: DateTime.UtcNow.AddSeconds(5));
                if (wanted(last))
                    return last;
            }
            catch (RpcException) when (!patience.IsCancellationRequested)
            {
                // On its way to being so.
            }
            Assert.False(patience.IsCancellationRequested, $"what was waited for did not happen; last: {last}");
            await again.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Every ledger on every node against an engine that nothing has happened to.</summary>
    public async Task JudgeAsync(IReadOnlyCollection<string> debtors)
    {
        await using ServeProcess oracle = await StartOracleAsync();
        foreach (string debtor in debtors)
            Assert.Equal(await LedgerAsync(oracle.Channel, debtor), await CallAsync(channel => LedgerAsync(channel, debtor)));
    }

    /// <summary>One node on the embedded default that has had everything.</summary>
    public async Task<ServeProcess> StartOracleAsync()
    {
        ServeProcess oracle = await ServeProcess.StartAsync(folder["oracle"], "--partitions", "4");
        await oracle.WaitServingAsync();
        foreach (Event[] part in sent.Chunk(5_000))
        {
            var request = new AppendRequest();
            request.Events.AddRange(part);
            AppendResponse response = await new Ingest.IngestClient(oracle.Channel).AppendAsync(request);
            Assert.All(response.Results, static result => Assert.Equal(AppendStatus.AppendApplied, result.Status));
        }
        return oracle;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServeProcess node in Nodes.Values)
            await node.DisposeAsync();
        producer.Dispose();
        Mock?.Dispose();
        folder.Dispose();
    }

    private static async Task<string> LedgerAsync(GrpcChannel channel, string debtor)
    {
        DebtorView found = await new V1.Debtors.DebtorsClient(channel).GetAsync(new GetDebtorRequest { Debtor = debtor });
        IEnumerable<string> open = found.Items.Where(static item => item.OpenMinor > 0).OrderBy(static item => item.Item, StringComparer.Ordinal).Select(static item => $"{item.Item}={item.OpenMinor} due {item.DueDate}");
        return $"{debtor}: {string.Join(", ", open)} credit {found.UnappliedCreditMinor} open {found.OpenMinor} overdue {found.OverdueMinor}";
    }
}
