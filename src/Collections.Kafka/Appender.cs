using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Confluent.Kafka;

namespace Collections.Kafka;

/// <summary>Appends the engine's events to the topics: to the partition that they name, acknowledged by all replicas, in order within a stream.</summary>
internal sealed class Appender : IDisposable
{
    private static readonly Headers ProtobufHeaders = new() { { "content-type", "application/x-protobuf"u8.ToArray() } };

    private readonly KafkaLogOptions options;
    private readonly string[] topics;
    private readonly Action<string> onStatistics;
    private readonly Action<Error> onError;
    private readonly Action<int, EventStream, long> onDurable;
    private readonly AppendGate admission = new(Limits.InFlightEventsMax, Limits.InFlightBytesMax);

    // Guards the producer, which is built anew when librdkafka says that it can't go on.
    private readonly Lock gate = new();
    private IProducer<byte[], byte[]> producer;

    /// <param name="onDurable">Called with partition, stream and offset of each event that is durable; on librdkafka's thread.</param>
    public Appender(KafkaLogOptions options, Action<string> onStatistics, Action<Error> onError, Action<int, EventStream, long> onDurable)
    {
        this.options = options;
        this.onStatistics = onStatistics;
        this.onError = onError;
        this.onDurable = onDurable;
        topics = options.Topics;
        producer = Build();
    }

    public async Task AppendAsync(AppendBatch batch, CancellationToken cancellation)
    {
        await admission.EnterAsync(batch.Count, batch.ByteCount, cancellation);
        var pending = new PendingBatch(batch.Count);
        try
        {
            IProducer<byte[], byte[]> current;
            lock (gate)
                current = producer;
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
        lock (gate)
        {
            producer.Flush(TimeSpan.FromMilliseconds(options.AppendTimeoutMs + 1_000));
            producer.Dispose();
        }
    }

    private void Produce(IProducer<byte[], byte[]> current, AppendBatch batch, int index, PendingBatch pending)
    {
        (int partition, EventStream stream) = (batch.PartitionOf(index), batch.StreamOf(index));
        var message = new Message<byte[], byte[]>
        {
            Key = KeyOf(batch.ContentOf(index)),
            Value = DeliveryFields.Restore(batch.ContentOf(index), batch.KnownMsOf(index), batch.IsHistory(index)),
            Headers = ProtobufHeaders,
            Timestamp = batch.KnownMsOf(index) is >= 0 and < 253_402_300_800_000 and var known ? new Timestamp(known, TimestampType.CreateTime) : default,
        };
        try
        {
            current.Produce(new TopicPartition(topics[(int)stream], partition), message, report =>
            {
                if (!report.Error.IsError)
                {
                    batch.SetOffset(index, report.Offset.Value);
                    onDurable(partition, stream, report.Offset.Value);
                    pending.CountDown(null);
                    return;
                }
                if (report.Error.IsFatal)
                    _ = Task.Run(() => Replace(current));
                pending.CountDown($"{topics[(int)stream]} [{partition}]: {report.Error.Reason}");
            });
        }
        catch (KafkaException refused)
        {
            if (refused.Error.IsFatal)
                _ = Task.Run(() => Replace(current));
            pending.CountDown($"{topics[(int)stream]} [{partition}]: {refused.Error.Reason}");
        }
    }

    /// <summary>An idempotent producer that lost its place can't be mended; the next one begins with a new identity.</summary>
    private void Replace(IProducer<byte[], byte[]> broken)
    {
        lock (gate)
        {
            if (!ReferenceEquals(producer, broken))
                return;
            producer = Build();
        }
        broken.Flush(TimeSpan.FromMilliseconds(options.AppendTimeoutMs));
        broken.Dispose();
    }

    private IProducer<byte[], byte[]> Build()
    {
        try
        {
            return new ProducerBuilder<byte[], byte[]>(options.ForProducer())
                .SetStatisticsHandler((_, json) => onStatistics(json))
                .SetErrorHandler((_, error) => onError(error))
                .SetLogHandler(static (_, _) => { })
                .Build();
        }
        catch (Exception refused) when (refused is InvalidOperationException or ArgumentException or KafkaException)
        {
            throw KafkaClient.Refused(refused);
        }
    }

    /// <summary>The key by which others find a debtor's records: "tenant/debtor".</summary>
    private static byte[] KeyOf(ReadOnlySpan<byte> content) =>
        EventReader.TryRead(content, 0, history: false, out Event e, out _) ? DebtorKey.Of(e.Head.Tenant, e.Head.Debtor) : [];

    /// <summary>An append under way. Counted down by librdkafka's thread, and by the caller's for what was refused at once.</summary>
    private sealed class PendingBatch(int count)
    {
        private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int remaining = count;
        private string? failure;

        public Task Task => done.Task;

        public void CountDown(string? failed)
        {
            if (failed is not null)
                Interlocked.CompareExchange(ref failure, failed, null);
            if (Interlocked.Decrement(ref remaining) > 0)
                return;
            if (failure is null)
                done.TrySetResult();
            else
                done.TrySetException(new LogUnavailableException($"Kafka did not take an append: {failure}. Part of it may be durable; trying again is harmless, as events carry ids."));
        }
    }
}
