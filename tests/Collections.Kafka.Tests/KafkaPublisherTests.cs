using System.Globalization;
using System.Text;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Publishing;
using Collections.Engine.Stores;

namespace Collections.Kafka.Tests;

/// <summary>Messages in topics: in order, on the partition of their debtor, whatever the brokers do meanwhile.</summary>
public sealed class KafkaPublisherTests : IDisposable
{
    private const int Partitions = 3;

    // Of Kafka's protocol.
    private const int NotLeader = 6, TimedOut = 7, TooLarge = 10, NotEnoughReplicas = 19, OutOfOrder = 45;
    private readonly MockCluster cluster = new(brokers: 3);

    public KafkaPublisherTests() => cluster.CreateTopics("out", Partitions);

    [KafkaFact]
    public async Task Decisions_are_on_the_logs_partition_in_their_order_with_key_id_and_type()
    {
        using KafkaPublisher publisher = Open();
        await Task.WhenAll(Enumerable.Range(0, Partitions).Select(partition => publisher.PublishAsync(partition, OutboxKind.Decision, Rows(1, 200))));
        await publisher.PublishAsync(1, OutboxKind.Decision, Rows(201, 3));
        List<SeenMessage> seen = TopicReader.ReadAll(cluster.Bootstrap, "out.decisions", Partitions);
        Assert.Equal(603, seen.Count);
        for (int partition = 0; partition < Partitions; partition++)
            Assert.Equal(Enumerable.Range(1, partition == 1 ? 203 : 200).Select(number => $"{partition}-{number}"), seen.Where(m => m.Partition == partition).Select(m => m.Id));
        Assert.All(seen, message => Assert.Equal(("bank/d", "application/x-protobuf"), (message.Key, message.Headers["content-type"])));
    }

    [KafkaFact]
    public async Task Dead_letters_bring_their_bytes_reason_and_place()
    {
        using KafkaPublisher publisher = Open();
        var letter = new DeadLetter(AtMs: 1_700_000_000_123, (byte)EventStream.Payments, Offset: 77, "amount: must be more than 0, but is '–5'", [0, 255, 3]);
        await publisher.PublishAsync(2, OutboxKind.DeadLetter, [new OutboxRow(9, OutboxKind.DeadLetter, DeadLetterForm.Write(letter, "bank/d"u8, isEvent: true))]);
        await publisher.PublishAsync(2, OutboxKind.DeadLetter, [new OutboxRow(10, OutboxKind.DeadLetter, DeadLetterForm.Write(letter with { Content = [] }, key: default, isEvent: false))]);
        List<SeenMessage> seen = TopicReader.ReadAll(cluster.Bootstrap, "out.dead-letter", Partitions);
        Assert.Equal(["bank/d", null], seen.Select(message => message.Key));
        Assert.Equal([0, 255, 3], seen[0].Value);
        Assert.Empty(seen[1].Value);
        Assert.Equal(
            "id=2-9; reason=amount: must be more than 0, but is '–5'; stream=payments; partition=2; offset=77; at=1700000000123; content-type=application/x-protobuf",
            string.Join("; ", seen[0].Headers.Select(header => $"{header.Key}={header.Value}")));
        Assert.Equal("application/octet-stream", seen[1].Headers["content-type"]);
        Assert.All(seen, message => Assert.Equal(2, message.Partition));
    }

    [KafkaFact]
    public async Task Brokers_that_go_down_and_come_up_leave_no_gap_and_nothing_out_of_order()
    {
        using KafkaPublisher publisher = Open();
        for (int broker = 1; broker <= 3; broker++)
            cluster.SetDown(broker);
        Task[] under = [.. Enumerable.Range(0, Partitions).Select(partition => publisher.PublishAsync(partition, OutboxKind.Decision, Rows(1, 500)))];
        for (int broker = 1; broker <= 3; broker++)
            cluster.SetUp(broker);
        await CompletedAsync(publisher, under, Rows(1, 500));
        for (int broker = 1; broker <= 3; broker++)
        {
            int first = 501 + 500 * (broker - 1);
            under = [.. Enumerable.Range(0, Partitions).Select(partition => publisher.PublishAsync(partition, OutboxKind.Decision, Rows(first, 500)))];
            cluster.SetDown(broker);
            cluster.SetUp(broker);
            await CompletedAsync(publisher, under, Rows(first, 500));
        }
        Judge(2_000);
    }

    [KafkaTheory]
    [InlineData(NotLeader, TimedOut, NotEnoughReplicas)]
    [InlineData(TooLarge)]
    [InlineData(NotLeader, TooLarge, TimedOut)]
    [InlineData(OutOfOrder)]
    public async Task Answers_with_errors_that_pass_or_do_not_leave_no_gap_and_nothing_out_of_order(params int[] errors)
    {
        using KafkaPublisher publisher = Open();
        cluster.PushErrors(MockCluster.Api.Produce, errors);
        await CompletedAsync(publisher, [.. Enumerable.Range(0, Partitions).Select(partition => publisher.PublishAsync(partition, OutboxKind.Decision, Rows(1, 3_000)))], Rows(1, 3_000));
        Judge(3_000);
    }

    [KafkaFact]
    public async Task In_a_topic_of_another_count_a_debtors_messages_keep_together_and_in_order()
    {
        cluster.CreateTopics("many", Partitions);
        cluster.CreateTopic("wide.decisions", 7);
        using var publisher = new KafkaPublisher(Samples.Options(cluster, "wide"), Partitions, static _ => { }, static _ => { });
        await publisher.PublishAsync(1, OutboxKind.Decision, [.. Enumerable.Range(1, 300).Select(number => Row(number, $"d{number % 20}"))]);
        List<SeenMessage> seen = TopicReader.ReadAll(cluster.Bootstrap, "wide.decisions", 7);
        Assert.Equal(300, seen.Count);
        Assert.InRange(seen.Select(message => message.Partition).Distinct().Count(), 2, 7);
        Assert.All(seen.GroupBy(message => message.Key), debtor => Assert.Single(debtor.Select(message => message.Partition).Distinct()));
        Assert.All(seen.GroupBy(message => message.Partition), partition => Assert.Equal(partition.Select(NumberOf).Order(), partition.Select(NumberOf)));
    }

    [KafkaFact]
    public async Task A_topic_that_is_missing_is_named_with_the_command_that_creates_it()
    {
        using var publisher = new KafkaPublisher(Samples.Options(cluster, "none"), Partitions, static _ => { }, static _ => { });
        LogUnavailableException missing = await Assert.ThrowsAsync<LogUnavailableException>(() => publisher.PublishAsync(0, OutboxKind.Decision, Rows(1, 1)));
        Assert.Contains("none.decisions is missing", missing.Message, StringComparison.Ordinal);
        Assert.Contains("kafka init", missing.Message, StringComparison.Ordinal);
        cluster.CreateTopics("none", Partitions);
        await publisher.PublishAsync(0, OutboxKind.Decision, Rows(1, 1));
    }

    public void Dispose() => cluster.Dispose();

    private KafkaPublisher Open() => new(Samples.Options(cluster, "out"), Partitions, static _ => { }, static _ => { });

    private static List<OutboxRow> Rows(int first, int count) => [.. Enumerable.Range(first, count).Select(number => Row(number, "d"))];

    private static OutboxRow Row(int number, string debtor)
    {
        var lease = new LeaseRow(1, (uint)number, "bank", debtor, "q/sms", Channel.Sms, "caller", "", 1, 2, 3, 0.5, 1, default, LeaseState.Open);
        return new OutboxRow(number, OutboxKind.Decision, new DecisionWriter().Write(number, AuditKind.LeaseReleased, lease));
    }

    /// <summary>As the host does: what fails is tried again from the first.</summary>
    private static async Task CompletedAsync(KafkaPublisher publisher, Task[] under, List<OutboxRow> rows)
    {
        for (int partition = 0; partition < under.Length; partition++)
        {
            for (Task publishing = under[partition]; ; publishing = publisher.PublishAsync(partition, OutboxKind.Decision, rows))
            {
                try
                {
                    await publishing.WaitAsync(Patience.Limit);
                    break;
                }
                catch (LogUnavailableException)
                {
                    await Task.Yield();
                }
            }
        }
    }

    /// <summary>Whoever keeps the highest number of each partition sees them all, each once, in order.</summary>
    private void Judge(int count)
    {
        List<SeenMessage> seen = TopicReader.ReadAll(cluster.Bootstrap, "out.decisions", Partitions);
        foreach (IGrouping<int, SeenMessage> partition in seen.GroupBy(message => message.Partition))
        {
            int highest = 0;
            foreach (int number in partition.Select(NumberOf).Where(number => number > highest))
            {
                Assert.Equal(highest + 1, number);
                highest = number;
            }
            Assert.Equal(count, highest);
        }
        Assert.Equal(Partitions, seen.Select(message => message.Partition).Distinct().Count());
    }

    private static int NumberOf(SeenMessage message) => int.Parse(message.Id.Split('-')[1], CultureInfo.InvariantCulture);
}
