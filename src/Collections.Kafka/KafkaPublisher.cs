using Collections.Engine.Logs;
using Collections.Engine.Publishing;
using Collections.Engine.Stores;
using Collections.Kafka.Topics;
using Confluent.Kafka;

namespace Collections.Kafka;

/// <summary>
/// Publishes decisions and dead letters to their topics: acknowledged by all replicas, each partition's in order. Messages never time out, and a producer
/// that would leave a gap stops instead and is replaced: so what can be seen in a topic is a beginning, and repeats.
/// </summary>
internal sealed class KafkaPublisher : IPublisher, IDisposable
{
    private readonly KafkaLogOptions options;
    private readonly int partitions;
    private readonly RenewedProducer producer;
    private readonly AppendGate admission = new(Limits.InFlightEventsMax, Limits.InFlightBytesMax);
    private readonly Lock gate = new();
    private readonly Dictionary<string, Task<int>> counts = new(StringComparer.Ordinal);

    /// <param name="partitions">Of the log.</param>
    /// <exception cref="KafkaRefusedException">librdkafka is missing, or refuses a setting.</exception>
    public KafkaPublisher(KafkaLogOptions options, int partitions, Action<string> onStatistics, Action<Error> onError)
    {
        this.options = options;
        this.partitions = partitions;
        producer = new RenewedProducer(options.ForPublisher, flushMs: 0, onStatistics, onError);
    }

    public async Task PublishAsync(int partition, OutboxKind kind, IReadOnlyList<OutboxRow> rows)
    {
        string topic = options.TopicOf(kind);
        TopicPartition to = await CountOfAsync(topic) == partitions ? new TopicPartition(topic, partition) : new TopicPartition(topic, Partition.Any);
        OutboxMessage[] messages = [.. rows.Select(row => OutboxMessage.Of(partition, row))];
        int bytes = messages.Sum(static message => message.Value.Length);
        await admission.EnterAsync(messages.Length, bytes, CancellationToken.None);
        var pending = new PendingBatch(messages.Length, "A beginning of the messages may be published; they are tried again from the first.");
        try
        {
            IProducer<byte[], byte[]> current = producer.Current;
            bool isTaken = true;
            foreach (OutboxMessage message in messages)
            {
                // Behind one that was not taken none may go.
                if (isTaken)
                    isTaken = producer.Produce(current, to, MessageOf(message), (_, failed) => pending.CountDown(failed is null ? null : $"Kafka did not take a message for {topic}: {failed}"));
                else
                    pending.CountDown("one before it was not taken");
            }
            await pending.Task;
        }
        finally
        {
            admission.Leave(messages.Length, bytes);
        }
    }

    /// <summary>A dead letter that nobody keeps in an outbox: from where records are only passed on.</summary>
    /// <exception cref="LogUnavailableException">It may be published; try again.</exception>
    public async Task PublishAsync(OutboxMessage letter)
    {
        var pending = new PendingBatch(1, "It is tried again.");
        producer.Produce(
            producer.Current, new TopicPartition(options.TopicOf(OutboxKind.DeadLetter), Partition.Any), MessageOf(letter),
            (_, failed) => pending.CountDown(failed is null ? null : $"Kafka did not take a dead letter: {failed}"));
        await pending.Task;
    }

    /// <summary>Does not wait for what is under way: it is still in the outbox.</summary>
    public void Dispose()
    {
        admission.Close();
        producer.Dispose();
    }

    internal static Message<byte[], byte[]> MessageOf(OutboxMessage message)
    {
        var headers = new Headers();
        foreach (OutboxHeader header in message.Headers)
            headers.Add(header.Name, header.Value);
        return new Message<byte[], byte[]> { Key = message.Key!, Value = message.Value, Headers = headers };
    }

    /// <summary>How many partitions a topic has; found out once.</summary>
    private Task<int> CountOfAsync(string topic)
    {
        lock (gate)
        {
            if (!counts.TryGetValue(topic, out Task<int>? found) || found.IsFaulted)
                counts[topic] = found = Task.Run(() => CountOf(topic));
            return found;
        }
    }

    private int CountOf(string topic)
    {
        using var admin = new KafkaTopicAdmin(options);
        return admin.Describe([topic], withSettings: false) is [{ } found]
            ? found.Partitions
            : throw new LogUnavailableException($"topic {topic} is missing at {options.Bootstrap}. {TopicSetup.Remedy(options, partitions)}");
    }
}
