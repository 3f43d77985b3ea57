using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Partitions;
using Collections.Kafka.Bridge;
using Confluent.Kafka;

namespace Collections.Kafka.Tests;

/// <summary>Events in topics that are keyed otherwise come to their debtors' partitions, each at least once.</summary>
public sealed class RepartitionTests : IDisposable
{
    private const int Partitions = 3;
    private static readonly string[] Streams = ["invoices", "payments", "activity"];
    private readonly MockCluster cluster = new(brokers: 2);
    private readonly List<string> warnings = [];

    public RepartitionTests()
    {
        cluster.CreateTopics("log", Partitions);
        cluster.CreateTopic("billing.a", 2);
        cluster.CreateTopic("billing.b", 5);
    }

    [KafkaFact]
    public void Every_event_comes_to_the_topic_of_its_stream_on_its_debtors_partition_under_its_debtors_key()
    {
        Send(0, 300);
        Assert.Equal("300 read: 100 to invoices, 100 to payments, 100 to activity, 0 dead letters", Pass());
        Assert.Equal(Enumerable.Range(0, 300), Numbers());
        // Offsets are committed: nothing comes twice, and what is new comes.
        Assert.Equal("0 read: 0 to invoices, 0 to payments, 0 to activity, 0 dead letters", Pass());
        Send(300, 30);
        Assert.Equal("30 read: 10 to invoices, 10 to payments, 10 to activity, 0 dead letters", Pass());
        Assert.Equal(Enumerable.Range(0, 330), Numbers());
    }

    [KafkaFact]
    public void What_is_no_event_becomes_a_dead_letter_with_its_key_bytes_place_and_reason()
    {
        Send(0, 3);
        using (IProducer<byte[], byte[]> producer = Producer())
        {
            producer.Produce(new TopicPartition("billing.b", 4), new Message<byte[], byte[]> { Key = "account 7"u8.ToArray(), Value = "<e/>"u8.ToArray(), Headers = new Headers { { "content-type", "text/xml"u8.ToArray() } } });
            producer.Produce(new TopicPartition("billing.a", 1), new Message<byte[], byte[]> { Key = "account 8"u8.ToArray(), Value = [0x12, 0x50, 0x01], Headers = new Headers { { "content-type", "application/x-protobuf"u8.ToArray() } } });
            Assert.Equal(0, producer.Flush(TimeSpan.FromMinutes(1)));
        }
        Assert.EndsWith(", 2 dead letters", Pass(), StringComparison.Ordinal);
        List<SeenMessage> letters = TopicReader.ReadAll(cluster.Bootstrap, "log.dead-letter", Partitions);
        SeenMessage xml = Assert.Single(letters, static letter => letter.Key == "account 7");
        Assert.Equal("<e/>", Encoding.UTF8.GetString(xml.Value));
        Assert.Equal(("billing.b", "4", "0", "text/xml"), (xml.Headers["stream"], xml.Headers["partition"], xml.Headers["offset"], xml.Headers["content-type"]));
        Assert.Contains("content-type 'text/xml'", xml.Headers["reason"], StringComparison.Ordinal);
        Assert.Equal([0x12, 0x50, 0x01], Assert.Single(letters, static letter => letter.Key == "account 8").Value);
        Assert.Equal(Enumerable.Range(0, 3), Numbers());
    }

    [KafkaFact]
    public void Brokers_that_answer_with_errors_lose_nothing()
    {
        const int notLeader = 6, tooLarge = 10, outOfOrder = 45;
        Send(0, 500);
        cluster.PushErrors(MockCluster.Api.Produce, notLeader, tooLarge, outOfOrder);
        Pass();
        Assert.Equal(Enumerable.Range(0, 500), Numbers().Distinct());
        Assert.NotEmpty(warnings);
    }

    [KafkaFact]
    public void One_that_is_stopped_before_its_records_are_taken_passes_them_on_the_next_time()
    {
        Send(0, 100);
        using (var stop = new CancellationTokenSource())
        {
            var reader = Task.Run(() => Pass(untilEnd: false, stop.Token));
            stop.Cancel();
            Assert.True(reader.Wait(Patience.Limit));
        }
        Pass();
        Assert.Equal(Enumerable.Range(0, 100), Numbers().Distinct());
    }

    [KafkaTheory]
    [InlineData("", "names no topic")]
    [InlineData("log.payments", "a topic of the engine's own")]
    [InlineData("nowhere", "nowhere is no topic")]
    public void What_can_not_be_done_is_refused(string source, string said)
    {
        KafkaRefusedException refused = Assert.Throws<KafkaRefusedException>(() => Open(new RepartitionPlan([source])).Dispose());
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"customer": 17, "id": "x"}""", """{"debtor":"17","id":"x"}""", "")]
    [InlineData("""{"id": "x", "customer": "C\"1", "debtor": "other", "itemIssued": {"customer": 1}}""", """{"debtor":"C\u00221","id":"x","itemIssued":{"customer":1}}""", "")]
    [InlineData("""{"id": "x"}""", "", "no field 'customer'")]
    [InlineData("""[1]""", "", "no field 'customer'")]
    [InlineData("""{"customer": 1.5}""", "", "a text or an integer")]
    [InlineData("""{"customer": {"id": 1}}""", "", "a text or an integer")]
    [InlineData("""{"customer": """, "", "is no JSON")]
    public void A_field_that_names_the_debtor_becomes_the_debtor(string json, string expected, string said)
    {
        Assert.Equal(said.Length == 0, DebtorField.TryRename(Encoding.UTF8.GetBytes(json), "customer", out byte[] renamed, out string problem));
        Assert.Equal(expected, Encoding.UTF8.GetString(renamed));
        Assert.Contains(said, problem, StringComparison.Ordinal);
    }

    public void Dispose() => cluster.Dispose();

    private Repartition Open(RepartitionPlan plan) => new(
        Samples.Options(cluster, "log", ("session.timeout.ms", "6000")), plan, Samples.NoJson, TimeProvider.System, warnings.Add);

    private string Pass(bool untilEnd = true, CancellationToken cancellation = default)
    {
        using Repartition bridge = Open(new RepartitionPlan(["billing.a", "billing.b"]) { UntilEnd = untilEnd });
        bridge.Run(cancellation);
        return bridge.Tally.ToString();
    }

    private IProducer<byte[], byte[]> Producer()
    {
        RdKafkaLibrary.Require();
        return new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = cluster.Bootstrap }).SetLogHandler(static (_, _) => { }).Build();
    }

    /// <summary>Events whose ids are their numbers, keyed by what has nothing to do with their debtors.</summary>
    private void Send(int first, int count)
    {
        using IProducer<byte[], byte[]> producer = Producer();
        var writer = new EventWriter();
        for (int i = first; i < first + count; i++)
        {
            var address = new EventAddress { Tenant = "bank"u8, Debtor = Encoding.UTF8.GetBytes($"D-{i % 17}"), Id = Encoding.UTF8.GetBytes($"{i}"), Effective = new Day(20_000) };
            byte[] wire = ((i % 3) switch
            {
                0 => writer.ItemCancelled(address, "item"u8),
                1 => writer.PaymentReceived(address, 100, Currency.Parse("EUR")),
                _ => writer.HoldReleased(address, "hold"u8),
            }).ToArray();
            producer.Produce(i % 2 == 0 ? "billing.a" : "billing.b", new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes($"account {i * 7}"), Value = wire, Headers = new Headers { { "content-type", "application/x-protobuf"u8.ToArray() } } });
        }
        Assert.Equal(0, producer.Flush(TimeSpan.FromMinutes(1)));
    }

    /// <summary>The numbers of everything that came to the log, in order; each must be where it belongs.</summary>
    private List<int> Numbers()
    {
        var numbers = new List<int>();
        for (int stream = 0; stream < Streams.Length; stream++)
        {
            foreach (SeenMessage message in TopicReader.ReadAll(cluster.Bootstrap, $"log.{Streams[stream]}", Partitions))
            {
                Assert.True(EventReader.TryRead(message.Value, 0, history: false, out Event e, out EventError error), error.ToString());
                int number = int.Parse(Encoding.UTF8.GetString(e.Head.Id), System.Globalization.CultureInfo.InvariantCulture);
                Assert.Equal((number % 3, DebtorKey.PartitionOf(e.Head.Tenant, e.Head.Debtor, Partitions), $"bank/D-{number % 17}"), (stream, message.Partition, message.Key));
                numbers.Add(number);
            }
        }
        numbers.Sort();
        return numbers;
    }
}
