using Confluent.Kafka;

namespace Collections.Kafka;

/// <summary>A producer that is built anew when librdkafka says that it can't go on: an idempotent one that lost its place can't be mended. Any thread.</summary>
internal sealed class RenewedProducer : IDisposable
{
    private readonly Func<ProducerConfig> configure;
    private readonly int flushMs;
    private readonly Action<string> onStatistics;
    private readonly Action<Error> onError;
    private readonly Lock gate = new();
    private IProducer<byte[], byte[]> producer;
    private bool isClosed;

    /// <param name="flushMs">How long what is under way is waited for when the producer is closed.</param>
    /// <exception cref="KafkaRefusedException">librdkafka is missing, or refuses a setting.</exception>
    public RenewedProducer(Func<ProducerConfig> configure, int flushMs, Action<string> onStatistics, Action<Error> onError)
    {
        RdKafkaLibrary.Require();
        this.configure = configure;
        this.flushMs = flushMs;
        this.onStatistics = onStatistics;
        this.onError = onError;
        producer = Build();
    }

    public IProducer<byte[], byte[]> Current
    {
        get
        {
            lock (gate)
            {
                ObjectDisposedException.ThrowIf(isClosed, typeof(KafkaEventLog));
                return producer;
            }
        }
    }

    /// <summary>Produces a message; a report of a broken producer, or its refusal, has it built anew.</summary>
    /// <param name="done">Called once: with where the message is, or with why it is not, on librdkafka's thread or, if it is refused at once, on this one.</param>
    /// <returns>Whether it was taken; otherwise <paramref name="done"/> has been called.</returns>
    public bool Produce(IProducer<byte[], byte[]> current, TopicPartition to, Message<byte[], byte[]> message, Action<long, string?> done)
    {
        try
        {
            current.Produce(to, message, report =>
            {
                if (report.Error.IsError)
                    _ = Task.Run(() => RenewIfBroken(current));
                done(report.Offset.Value, report.Error.IsError ? report.Error.Reason : null);
            });
            return true;
        }
        catch (KafkaException refused)
        {
            _ = Task.Run(() => RenewIfBroken(current));
            done(-1, refused.Error.Reason);
            return false;
        }
        catch (ObjectDisposedException)
        {
            // It has been replaced since the caller took it.
            done(-1, "the producer lost its place and was replaced");
            return false;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (isClosed)
                return;
            isClosed = true;
            if (flushMs > 0)
                producer.Flush(TimeSpan.FromMilliseconds(flushMs));
            producer.Dispose();
        }
    }

    /// <summary>Asks librdkafka itself: what Confluent.Kafka throws and reports of a broken producer is the error that broke it, and is not marked as fatal.</summary>
    private unsafe void RenewIfBroken(IProducer<byte[], byte[]> broken)
    {
        lock (gate)
        {
            if (isClosed || !ReferenceEquals(producer, broken) || Native.rd_kafka_fatal_error(KafkaClient.HandleOf(broken.Handle), null, 0) == Native.NoError)
                return;
            producer = Build();
        }
        // What waits in a broken one to be tried again would wait for ever; until each has been told, it is not closed.
        _ = Native.rd_kafka_purge(KafkaClient.HandleOf(broken.Handle), Native.PurgeAll);
        broken.Flush(TimeSpan.FromMilliseconds(Limits.RequestMs));
        broken.Dispose();
    }

    private IProducer<byte[], byte[]> Build()
    {
        try
        {
            return new ProducerBuilder<byte[], byte[]>(configure())
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
}
