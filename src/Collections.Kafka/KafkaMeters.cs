using System.Diagnostics.Metrics;
using System.Globalization;
using Collections.Domain.Events;

namespace Collections.Kafka;

/// <summary>
/// What a Kafka log tells its operators, as instruments of <c>System.Diagnostics.Metrics</c>; everything is read when somebody looks, from librdkafka's statistics,
/// which are at most a second old. Labels are bounded: partitions and streams by the log, brokers by the cluster.
/// </summary>
internal sealed class KafkaMeters : IDisposable
{
    private readonly Meter meter;
    private readonly Func<KafkaStatistics> read;

    /// <param name="scope">The log, so that a listener in a process of several can tell whose instruments it has.</param>
    public KafkaMeters(object scope, Func<KafkaStatistics> read)
    {
        this.read = read;
        meter = new Meter(new MeterOptions(KafkaEventLog.MeterName) { Scope = scope });
        meter.CreateObservableGauge("collections.kafka.fetch.lag.records", ReadLags, "{record}", "Records of a stream that Kafka has and this node's archive has not");
        meter.CreateObservableCounter("collections.kafka.consumed", () => read().Consumed.Records, "{record}", "Records fetched from the topics");
        meter.CreateObservableCounter("collections.kafka.consumed.size", () => read().Consumed.Bytes, "By", "Bytes of the records fetched");
        meter.CreateObservableCounter("collections.kafka.produced", () => read().Produced.Records, "{record}", "Events appended to the topics");
        meter.CreateObservableCounter("collections.kafka.produced.size", () => read().Produced.Bytes, "By", "Bytes of the events appended");
        meter.CreateObservableGauge("collections.kafka.queue.records", ReadQueues, "{record}", "Records fetched and not yet taken; events appended and not yet acknowledged");
        meter.CreateObservableGauge("collections.kafka.broker.up", () => EachBroker(broker => broker.State == "UP" ? 1 : 0), null, "1 while the broker answers, else 0");
        meter.CreateObservableGauge("collections.kafka.broker.rtt", () => EachBroker(broker => broker.RttMeanMicros / 1e6), "s", "Mean round trip of a request to the broker");
        meter.CreateObservableCounter("collections.kafka.broker.errors", () => EachBroker(broker => broker.Errors), "{error}", "Requests to the broker that failed, answers that came broken, and connections that were lost");
    }

    public void Dispose() => meter.Dispose();

    private IEnumerable<Measurement<long>> ReadLags() => read().Lags.Select(static lag => new Measurement<long>(
        lag.Unfetched, new("partition", lag.Partition.ToString(CultureInfo.InvariantCulture)), new("stream", NameOf(lag.Stream))));

    private IEnumerable<Measurement<long>> ReadQueues()
    {
        KafkaStatistics now = read();
        return [new(now.FetchedQueueRecords, new KeyValuePair<string, object?>("queue", "fetched")), new(now.ProduceQueueRecords, new KeyValuePair<string, object?>("queue", "produced"))];
    }

    private IEnumerable<Measurement<double>> EachBroker(Func<BrokerStatistics, double> figure) =>
        read().Brokers.Select(broker => new Measurement<double>(figure(broker), new KeyValuePair<string, object?>("broker", broker.Name)));

    private static string NameOf(EventStream stream) => stream switch
    {
        EventStream.Invoices => "invoices",
        EventStream.Payments => "payments",
        _ => "activity",
    };
}
