using System.Diagnostics;
using System.Globalization;
using System.Text;
using Collections.Kafka.Tests;
using Collections.Server.Tests.EndToEnd;
using Collections.Storage.Tests;
using Collections.V1;
using Confluent.Kafka;
using Grpc.Net.Client;

namespace Collections.Server.Tests.Kafka;

/// <summary>What a node tells the world through Kafka, as processes that are killed in between.</summary>
[Collection(PostgresServer.Name)]
public sealed class DecisionTests(SharedCluster postgres) : IDisposable
{
    private const string Prefix = "told";
    private const int Partitions = 4;
    private readonly MockCluster cluster = new(brokers: 2);
    private readonly TestFolder folder = new();

    public void Dispose()
    {
        cluster.Dispose();
        folder.Dispose();
    }

    [KafkaFact]
    public Task A_node_that_is_killed_again_and_again_tells_every_act_under_one_id_and_in_order() => TellAsync();

    [PostgresFact]
    public Task With_its_store_in_PostgreSQL_too() => TellAsync("--store", postgres.Server.NewSchema());

    private async Task TellAsync(params string[] store)
    {
        cluster.CreateTopics(Prefix, Partitions);
        using (var producer = new ForeignProducer(cluster.Bootstrap, Prefix, Partitioner.Murmur2Random))
        {
            for (int i = 0; i < 120; i++)
                producer.Send("invoices", EventOf($"D-{i}", $"i{i}", e => e.ItemIssued = new ItemIssued { Item = "1", Amount = new Money { MinorUnits = 1_000 + i, Currency = "EUR" }, DueDate = "2026-02-01" }), Now());
            producer.Send("payments", "default/D-1", "{\"debtor\": "u8.ToArray(), "application/json", Now());
            producer.Flush();
        }
        var granted = new HashSet<string>();
        for (int round = 0; round < 5; round++)
        {
            await using ServeProcess node = await StartAsync(store);
            await node.WaitServingAsync();
            await ActAsync(node.Channel, round, granted);
            if (round == 4)
                await WaitToldAsync(granted.Count, reported: 5);
            await node.KillAsync();
        }
        Judge(granted);
        SeenMessage letter = Assert.Single(TopicReader.ReadAll(cluster.Bootstrap, $"{Prefix}.dead-letter", Partitions).DistinctBy(static message => message.Id));
        Assert.Equal("{\"debtor\": ", Encoding.UTF8.GetString(letter.Value));
        Assert.Contains("is no JSON form", letter.Headers["reason"], StringComparison.Ordinal);
        Assert.Equal("payments", letter.Headers["stream"]);
    }

    [PythonKafkaFact]
    public async Task The_sample_consumer_keeps_each_message_once_although_all_of_them_come_again()
    {
        cluster.CreateTopics(Prefix, Partitions);
        string[] arguments = [Path.Combine(Import.Folders.Repository, "samples", "decisions", "follow.py"), cluster.Bootstrap, $"{Prefix}.decisions", folder["seen.db"], "--until-end"];
        using (var producer = new ForeignProducer(cluster.Bootstrap, Prefix, Partitioner.Murmur2Random))
        {
            for (int i = 0; i < 30; i++)
                producer.Send("invoices", EventOf($"D-{i}", $"i{i}", e => e.ItemIssued = new ItemIssued { Item = "1", Amount = new Money { MinorUnits = 1_000 + i, Currency = "EUR" }, DueDate = "2026-02-01" }), Now());
            producer.Flush();
        }
        await using (ServeProcess node = await StartAsync([]))
        {
            await node.WaitServingAsync();
            await PullAsync(node.Channel, 20, "a");
            await WaitToldAsync(20, reported: 0);
        }
        Assert.Equal("20 new, 0 repeats", await FollowAsync(arguments));
        List<SeenMessage> seen = TopicReader.ReadAll(cluster.Bootstrap, $"{Prefix}.decisions", Partitions);
        using (var again = new ProducerBuilder<byte[]?, byte[]>(new ProducerConfig { BootstrapServers = cluster.Bootstrap }).SetLogHandler(static (_, _) => { }).Build())
        {
            foreach (SeenMessage message in seen)
            {
                again.Produce(new TopicPartition($"{Prefix}.decisions", message.Partition), new Message<byte[]?, byte[]>
                {
                    Key = Encoding.UTF8.GetBytes(message.Key!),
                    Value = message.Value,
                    Headers = new Headers { { "id", Encoding.UTF8.GetBytes(message.Id) } },
                });
            }
            Assert.Equal(0, again.Flush(TimeSpan.FromMinutes(1)));
        }
        Assert.Equal($"0 new, {seen.Count} repeats", await FollowAsync(arguments));
        // From the beginning once more, as after the loss of its offsets.
        Assert.Equal($"0 new, {2 * seen.Count} repeats", await FollowAsync(arguments, renamed: folder["seen-again.db"]));
    }

    /// <param name="renamed">The database under another name, which is a group without offsets.</param>
    private static async Task<string> FollowAsync(string[] arguments, string? renamed = null)
    {
        if (renamed is not null)
        {
            File.Move(arguments[3], renamed);
            arguments = [arguments[0], arguments[1], arguments[2], renamed, arguments[4]];
        }
        using Process process = CollectionsProcess.Start(PythonKafkaFactAttribute.Python, arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync().WaitAsync(CollectionsProcess.Patience);
        await process.WaitForExitAsync().WaitAsync(CollectionsProcess.Patience);
        Assert.True(process.ExitCode == 0, await errors);
        return output.Trim();
    }

    private Task<ServeProcess> StartAsync(string[] store) =>
        ServeProcess.StartAsync(folder["data"], ["--kafka", cluster.Bootstrap, "--prefix", Prefix, "--kafka-config", "fetch.wait.max.ms=5", "--kafka-config", "session.timeout.ms=6000", "--kafka-config", "heartbeat.interval.ms=500", .. store]);

    private static async Task ActAsync(GrpcChannel channel, int round, HashSet<string> granted)
    {
        var queues = new V1.Queues.QueuesClient(channel);
        List<string> leases = await PullAsync(channel, 12, $"round {round}");
        granted.UnionWith(leases);
        await queues.ReportAsync(new ReportRequest { Lease = leases[0], Outcome = AttemptOutcome.RightParty });
        await queues.ReleaseAsync(new ReleaseRequest { Lease = leases[1] });
    }

    private static async Task<List<string>> PullAsync(GrpcChannel channel, int count, string request)
    {
        var queues = new V1.Queues.QueuesClient(channel);
        PullResponse pulled = await queues.PullAsync(new PullRequest { Queue = "default/sms", Count = count, Caller = "test", RequestId = request, LeaseSeconds = 3_600 });
        Assert.Equal(count, pulled.Actions.Count);
        return [.. pulled.Actions.Select(static action => action.Lease)];
    }

    /// <summary>Until so many leases have been told of, and what became of some of them.</summary>
    private async Task WaitToldAsync(int count, int reported)
    {
        using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
        while (Count(Decision.ActOneofCase.Granted) < count || Count(Decision.ActOneofCase.Reported) < reported)
        {
            Assert.False(patience.IsCancellationRequested, $"{count} leases were granted, and told was: {string.Join(", ", Decisions().Select(static told => $"{told.Message.Id} {told.Decision.Lease} {told.Decision.ActCase}"))}");
            await Task.Yield();
        }

        int Count(Decision.ActOneofCase act) => Decisions().Count(told => told.Decision.ActCase == act);
    }

    /// <summary>What a consumer that drops repeats has seen.</summary>
    private List<(SeenMessage Message, Decision Decision)> Decisions()
    {
        var highest = new Dictionary<int, long>();
        var kept = new List<(SeenMessage, Decision)>();
        foreach (SeenMessage message in TopicReader.ReadAll(cluster.Bootstrap, $"{Prefix}.decisions", Partitions))
        {
            Decision decision = Decision.Parser.ParseFrom(message.Value);
            if (decision.Sequence <= highest.GetValueOrDefault(decision.Partition))
                continue;
            highest[decision.Partition] = decision.Sequence;
            kept.Add((message, decision));
        }
        return kept;
    }

    private void Judge(HashSet<string> granted)
    {
        List<(SeenMessage Message, Decision Decision)> told = Decisions();
        foreach (IGrouping<int, (SeenMessage Message, Decision Decision)> partition in told.GroupBy(static t => t.Decision.Partition))
            Assert.Equal(Enumerable.Range(1, partition.Count()).Select(static number => (long)number), partition.Select(static t => t.Decision.Sequence));
        Assert.All(told, static t =>
        {
            Assert.Equal(t.Decision.Partition, t.Message.Partition);
            Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{t.Decision.Partition}-{t.Decision.Sequence}"), t.Message.Id);
            Assert.Equal($"{t.Decision.Tenant}/{t.Decision.Debtor}", t.Message.Key);
        });
        // Each lease begins with its grant, and each that a caller has seen was told of.
        Assert.All(told.GroupBy(static t => t.Decision.Lease), static lease => Assert.Equal(Decision.ActOneofCase.Granted, lease.First().Decision.ActCase));
        Assert.Empty(granted.Except(told.Select(static t => t.Decision.Lease)));
        Assert.Equal(5, told.Count(static t => t.Decision.Reported?.Outcome == AttemptOutcome.RightParty));
        // What comes again is the same to the byte.
        Assert.All(
            TopicReader.ReadAll(cluster.Bootstrap, $"{Prefix}.decisions", Partitions).GroupBy(static message => message.Id),
            static same => Assert.Single(same.Select(static message => Convert.ToHexString(message.Value)).Distinct()));
    }

    private static byte[] EventOf(string debtor, string id, Action<Event> body)
    {
        var e = new Event { Debtor = debtor, Id = id, EffectiveDate = "2026-01-05" };
        body(e);
        return Google.Protobuf.MessageExtensions.ToByteArray(e);
    }

    private static long Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
}
