using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Confluent.Kafka;

namespace Collections.Kafka;

/// <summary>Appends the engine's events to the topics: to the partition that they name, acknowledged by all replicas, in order within a stream.</summary>
internal sealed class Appender : IDisposable
{
    private static readonly Headers ProtobufHeaders = new() { { "content-type", "application/x-protobuf"u8.ToArray() } };

    private readonly string[] topics;
    private readonly Action<int, EventStream, long> onDurable;
    private readonly AppendGate admission = new(Limits.InFlightEventsMax, Limits.InFlightBytesMax);

    private readonly RenewedProducer producer;

    /// <param name="onDurable">Called with partition, stream and offset of each event that is durable; on librdkafka's thread.</param>
    public Appender(KafkaLogOptions options, Action<string> onStatistics, Action<Error> onError, Action<int, EventStream, long> onDurable)
    {
        this.onDurable = onDurable;
        topics = options.Topics;
        producer = new RenewedProducer(options.ForProducer, flushMs: options.AppendTimeoutMs + 1_000, onStatistics, onError);
    }

    public async Task AppendAsync(AppendBatch batch, CancellationToken cancellation)
    {
        await admission.EnterAsync(batch.Count, batch.ByteCount, cancellation);
        var pending = new PendingBatch(batch.Count, "Part of it may be durable; trying again is harmless, as events carry ids.");
        try
        {
            IProducer<byte[], byte[]> current = producer.Current;
            for (int i = 0; i < batch.Count; i++)
                Produce(current, batch, i, pending);
            await pending.Task;
        }
        finally
        {
            admission.Leave(batch.Count, batch.ByteCount);
        }
    }

    /// <summary>Takes nothing more and waits until what was taken is durable or has failed.</summary>
    public void Dispose()
    {
        admission.Close();
        producer.Dispose();
    }

    private void Produce(IProducer<byte[], byte[]> current, AppendBatch batch, int index, PendingBatch pending)
    {
        (int partition, EventStream stream) = (batch.PartitionOf(index), batch.StreamOf(index));
        var message = new Message<byte[], byte[]>
        {
            Key = KeyOf(batch.ContentOf(index)),
            Value = DeliveryFields.Restore(batch.ContentOf(index), batch.KnownMsOf(index), batch.IsHistory(index)),
            // When it became known is in the event. The record's own time is now: retention goes by it, and would delete what is passed on late at once.
            Headers = ProtobufHeaders,
        };
        producer.Produce(current, new TopicPartition(topics[(int)stream], partition), message, (offset, failed) =>
        {
            if (failed is null)
            {
                batch.SetOffset(index, offset);
                onDurable(partition, stream, offset);
            }
            pending.CountDown(failed is null ? null : $"Kafka did not take an append: {topics[(int)stream]} [{partition}]: {failed}");
        });
    }

    /// <summary>The key by which others find a debtor's records: "tenant/debtor".</summary>
    private static byte[] KeyOf(ReadOnlySpan<byte> content) =>
        EventReader.TryRead(content, 0, history: false, out Event e, out _) ? DebtorKey.Of(e.Head.Tenant, e.Head.Debtor) : [];
}
