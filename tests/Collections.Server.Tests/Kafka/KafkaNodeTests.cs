using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;
using Collections.Kafka;
using Collections.Kafka.Tests;
using Collections.Server.Hosting;
using Collections.Server.Kafka;
using Collections.Server.Tests.EndToEnd;

namespace Collections.Server.Tests.Kafka;

/// <summary>A node on Kafka, fed by producers that are not ours.</summary>
public sealed class KafkaNodeTests : IDisposable
{
    private const string Prefix = "book";
    private readonly MockCluster cluster = new(brokers: 3);
    private readonly TestFolder folder = new();

    public KafkaNodeTests() => cluster.CreateTopics(Prefix, partitions: 4);

    [KafkaDataFact]
    public async Task Whatever_partition_and_form_a_producer_chose_every_ledger_credit_and_feature_is_as_expected()
    {
        string date = AdversarialSet.Dates[^1];
        Assert.True(Day.TryParse(date, out Day day));
        var clock = new VirtualClock(day.EndMs - 1);
        using (var producer = new ForeignProducer(cluster.Bootstrap, Prefix))
        {
            foreach (Dictionary<string, string> row in AdversarialSet.Instance.Deliveries.Where(r => AdversarialSet.KnownMs(r) < day.EndMs))
                producer.Send(row["stream"], AdversarialSet.EventOf(row), AdversarialSet.KnownMs(row));
            producer.Flush();
        }
        var warnings = new List<string>();
        var directory = new DataDirectory(folder["data"]);
        using (KafkaSource source = await OpenAsync(clock, warnings))
        using (IStore store = directory.OpenStore())
        {
            await using Node node = await JoinAsync(Node.Start(source.Log, store, new EngineOptions { SliceRecords = 300 }, clock, warnings.Add));
            await node.SettleAsync().WaitAsync(CollectionsProcess.Patience);
            var states = new Dictionary<string, DebtorState>();
            foreach (string name in AdversarialSet.Instance.Expected(date).Keys)
            {
                byte[] tenant = EventReader.DefaultTenant.ToArray(), debtor = Encoding.UTF8.GetBytes(name);
                if (await node.Ask(DebtorKey.PartitionOf(tenant, debtor, 4), p => p.View.Debtor(tenant, debtor)) is { } found)
                    states.Add(name, new DebtorState(found.Items.Where(i => i.OpenMinor > 0).ToDictionary(i => i.Name, i => i.OpenMinor), found.Facts.UnappliedMinor, AdversarialSet.ByName(found.Features)));
            }
            AdversarialSet.Instance.Judge(date, states, "a node on Kafka", ageTolerance: 1.3 / Day.MsPerDay);
            long misplaced = (await node.AskAll(p => p.Counters.Misplaced)).Sum();
            Assert.InRange(misplaced, AdversarialSet.Instance.Deliveries.Count / 2, AdversarialSet.Instance.Deliveries.Count);
            Assert.Equal(0, (await node.AskAll(p => p.Counters.DeadLetters)).Sum() - AdversarialConflicts(await node.AskAll(p => p.Number), store));
        }
        Assert.Empty(warnings);
        using var past = directory.OpenPast(TimeProvider.System, incomplete: false, out _);
        AdversarialSet.Instance.Judge(date, AdversarialSet.Read(past, date), "the archive");
    }

    [KafkaFact]
    public async Task What_is_no_event_becomes_a_dead_letter_with_its_reason_and_bytes_and_stops_nothing()
    {
        (byte[]? Value, string? Type, string Reason)[] poison =
        [
            ("{\"debtor\": \"D\", \"id\": "u8.ToArray(), null, "is no JSON form"),
            ("{\"debtor\": \"D\", \"id\": \"x\", \"colour\": \"red\"}"u8.ToArray(), "application/json", "colour"),
            ([0xff, 0xfe], "application/json", "is no JSON form"),
            (null, "application/x-protobuf", "body"),
            ([0x12, 0x50, 0x01], "application/x-protobuf", "is no valid protobuf"),
            ([0x00, 0x01, 0x00, 0x41], "application/x-protobuf", "is no valid protobuf"),
            ("<e/>"u8.ToArray(), "text/xml", "content-type 'text/xml'"),
        ];
        var clock = new VirtualClock(new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds());
        using var producer = new ForeignProducer(cluster.Bootstrap, Prefix, Confluent.Kafka.Partitioner.Murmur2Random);
        for (int i = 0; i < poison.Length; i++)
            producer.Send("payments", $"default/P{i}", poison[i].Value, poison[i].Type, clock.NowMs - 1000);
        producer.Send("invoices", EventsOf("D-1"), clock.NowMs - 500);
        producer.Flush();
        using KafkaSource source = await OpenAsync(clock, []);
        using IStore store = new DataDirectory(folder["data"]).OpenStore();
        await using Node node = await JoinAsync(Node.Start(source.Log, store, new EngineOptions(), clock, Assert.Fail));
        await node.SettleAsync().WaitAsync(CollectionsProcess.Patience);
        await node.CheckpointAsync();
        Assert.Equal(1, (await node.AskAll(p => p.View.DebtorCount)).Sum());
        DeadLetter[] letters = [.. Enumerable.Range(0, 4).SelectMany(p => store.LoadDeadLetters(p, after: 0, 100)).Select(static stored => stored.Letter)];
        Assert.Equal(poison.Length, letters.Length);
        foreach ((byte[]? value, _, string reason) in poison)
            Assert.Contains(letters, letter => letter.Content.SequenceEqual(value ?? []) && letter.Reason.Contains(reason, StringComparison.Ordinal));
    }

    public void Dispose()
    {
        cluster.Dispose();
        folder.Dispose();
    }

    private static byte[] EventsOf(string debtor) => Google.Protobuf.MessageExtensions.ToByteArray(new V1.Event
    {
        Debtor = debtor,
        Id = "i-1",
        EffectiveDate = "2026-01-05",
        ItemIssued = new V1.ItemIssued { Item = "i-1", Amount = new V1.Money { MinorUnits = 100, Currency = "EUR" }, DueDate = "2026-02-01" },
    });

    /// <summary>The data repeats some ids with another content; those are dead letters by rule.</summary>
    private static int AdversarialConflicts(int[] partitions, IStore store) =>
        partitions.Sum(p => store.LoadDeadLetters(p, after: 0, 10_000).Count(static stored => stored.Letter.Reason.StartsWith("id:", StringComparison.Ordinal)));

    private static async Task<Node> JoinAsync(Node node)
    {
        node.Join("test:0");
        using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (node.Owned.Count < node.PartitionCount)
            await look.WaitForNextTickAsync(patience.Token);
        return node;
    }

    private Task<KafkaSource> OpenAsync(TimeProvider clock, List<string> warnings) => KafkaSource.OpenAsync(
        new KafkaLogOptions(cluster.Bootstrap) { Prefix = Prefix, Settings = new Dictionary<string, string> { ["fetch.wait.max.ms"] = "5", ["session.timeout.ms"] = "6000", ["heartbeat.interval.ms"] = "200" } },
        new DataDirectory(folder["data"]), partitions: null, clock, warnings.Add, CancellationToken.None);
}
