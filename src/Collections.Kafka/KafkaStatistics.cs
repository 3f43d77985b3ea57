using System.Text;
using System.Text.Json;
using Collections.Domain.Events;

namespace Collections.Kafka;

/// <summary>How far one stream of one partition is behind.</summary>
/// <param name="Unfetched">Offsets that Kafka has and the archive has not.</param>
/// <param name="Unapplied">Offsets that the archive has and the partition has not read.</param>
public readonly record struct StreamLag(int Partition, EventStream Stream, long Unfetched, long Unapplied)
{
    /// <summary>Consumer lag in offsets, gaps included.</summary>
    public long Total => Unfetched + Unapplied;
}

/// <summary>A broker as librdkafka's consumer sees it.</summary>
/// <param name="State">Such as UP, DOWN, CONNECT.</param>
/// <param name="RttMeanMicros">Mean time of a request's round trip in the last window, in microseconds.</param>
/// <param name="RttP99Micros">Its 99th percentile.</param>
/// <param name="Errors">Requests that failed, answers that came broken, and connections that were lost, since the log was opened.</param>
public sealed record BrokerStatistics(string Name, string State, long RttMeanMicros, long RttP99Micros, long Errors);

/// <summary>Records that went over the wire since the log was opened, and their bytes.</summary>
public readonly record struct RecordTraffic(long Records, long Bytes);

/// <summary>How the Kafka log stands. Counts of librdkafka's are at most a second old.</summary>
/// <param name="FetchedQueueRecords">Records fetched and not yet taken.</param>
/// <param name="FetchedQueueBytes">Their bytes.</param>
/// <param name="ProduceQueueRecords">Events appended and not yet acknowledged.</param>
/// <param name="ProduceQueueBytes">Their bytes.</param>
public sealed record KafkaStatistics(
    IReadOnlyList<StreamLag> Lags, IReadOnlyList<BrokerStatistics> Brokers, long FetchedQueueRecords, long FetchedQueueBytes, long ProduceQueueRecords,
    long ProduceQueueBytes)
{
    public RecordTraffic Consumed { get; init; }

    public RecordTraffic Produced { get; init; }
}

/// <summary>Reads librdkafka's statistics as they come, on its threads.</summary>
internal sealed class StatisticsReader
{
    private readonly Lock gate = new();
    private List<BrokerStatistics> brokers = [];
    private (long Records, long Bytes) fetched;
    private (long Records, long Bytes) produced;
    private RecordTraffic consumedTraffic;
    private RecordTraffic producedTraffic;

    public KafkaStatistics Snapshot(IEnumerable<StreamLag> lags)
    {
        lock (gate)
            return new KafkaStatistics([.. lags], brokers, fetched.Records, fetched.Bytes, produced.Records, produced.Bytes) { Consumed = consumedTraffic, Produced = producedTraffic };
    }

    public void ReadConsumer(string json)
    {
        using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetBytes(json));
        var found = new List<BrokerStatistics>();
        foreach (JsonProperty broker in Members(document.RootElement, "brokers"))
        {
            // Others are addresses to begin with, or roles: the same brokers stand here again under their own names.
            if (Number(broker.Value, "nodeid") < 0 || (broker.Value.TryGetProperty("source", out JsonElement source) && source.GetString() == "logical"))
                continue;
            broker.Value.TryGetProperty("rtt", out JsonElement rtt);
            string state = broker.Value.TryGetProperty("state", out JsonElement said) ? said.GetString() ?? "" : "";
            found.Add(new BrokerStatistics(broker.Name, state, Number(rtt, "avg"), Number(rtt, "p99"), Number(broker.Value, "txerrs") + Number(broker.Value, "rxerrs") + Number(broker.Value, "disconnects")));
        }
        (long records, long bytes) = (0, 0);
        foreach (JsonProperty topic in Members(document.RootElement, "topics"))
        {
            foreach (JsonProperty partition in Members(topic.Value, "partitions"))
            {
                records += Number(partition.Value, "fetchq_cnt");
                bytes += Number(partition.Value, "fetchq_size");
            }
        }
        lock (gate)
            (brokers, fetched, consumedTraffic) = (found, (records, bytes), new RecordTraffic(Number(document.RootElement, "rxmsgs"), Number(document.RootElement, "rxmsg_bytes")));
    }

    public void ReadProducer(string json)
    {
        using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetBytes(json));
        lock (gate)
            (produced, producedTraffic) = (
                (Number(document.RootElement, "msg_cnt"), Number(document.RootElement, "msg_size")), new RecordTraffic(Number(document.RootElement, "txmsgs"), Number(document.RootElement, "txmsg_bytes")));
    }

    private static IEnumerable<JsonProperty> Members(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out JsonElement found) && found.ValueKind == JsonValueKind.Object ? found.EnumerateObject() : [];

    private static long Number(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out JsonElement found) && found.TryGetInt64(out long value) ? value : 0;
}
