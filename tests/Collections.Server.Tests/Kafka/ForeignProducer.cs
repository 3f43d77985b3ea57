using System.Text;
using Collections.Kafka;
using Collections.V1;
using Confluent.Kafka;
using Google.Protobuf;

namespace Collections.Server.Tests.Kafka;

/// <summary>A producer that knows nothing of the engine: librdkafka's own partitioner, CRC32 of the key, and events as JSON or protobuf in turn.</summary>
internal sealed class ForeignProducer : IDisposable
{
    private readonly IProducer<byte[], byte[]?> producer;
    private readonly string prefix;
    private int sent;

    public ForeignProducer(string bootstrap, string prefix, Partitioner partitioner = Partitioner.ConsistentRandom)
    {
        RdKafkaLibrary.Require();
        this.prefix = prefix;
        producer = new ProducerBuilder<byte[], byte[]?>(new ProducerConfig { BootstrapServers = bootstrap, Partitioner = partitioner, LingerMs = 5 })
            .SetLogHandler(static (_, _) => { })
            .Build();
    }

    /// <summary>Sends an event in wire form: as it is, as JSON with a header, or as JSON without one.</summary>
    public void Send(string stream, byte[] wire, long timestampMs)
    {
        Event e = Event.Parser.ParseFrom(wire);
        (byte[] value, string? type) = (sent++ % 3) switch
        {
            0 => (wire, "application/x-protobuf"),
            1 => (Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(e)), "application/json; charset=utf-8"),
            _ => (Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(e)), null),
        };
        Send(stream, $"default/{e.Debtor}", value, type, timestampMs);
    }

    public void Send(string stream, string key, byte[]? value, string? contentType, long timestampMs)
    {
        var message = new Message<byte[], byte[]?> { Key = Encoding.UTF8.GetBytes(key), Value = value, Timestamp = new Timestamp(timestampMs, TimestampType.CreateTime) };
        if (contentType is not null)
            message.Headers = new Headers { { "content-type", Encoding.UTF8.GetBytes(contentType) } };
        producer.Produce($"{prefix}.{stream}", message, static report => Assert.False(report.Error.IsError, report.Error.Reason));
    }

    public void Flush() => Assert.Equal(0, producer.Flush(TimeSpan.FromMinutes(1)));

    public void Dispose() => producer.Dispose();
}

/// <summary>As <see cref="Collections.Kafka.Tests.KafkaFactAttribute"/>, on the shared data.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KafkaDataFactAttribute : FactAttribute
{
    public KafkaDataFactAttribute() => Skip = Collections.Kafka.Tests.KafkaFactAttribute.Missing ?? new Import.SharedDataFactAttribute().Skip;
}
