using Collections.Engine.Logs;
using Collections.Storage.Tests;

namespace Collections.Kafka.Tests;

public sealed class KafkaEventLogContractTests : EventLogContract
{
    private readonly MockCluster cluster = new(brokers: 1);
    private readonly MemoryArchive archive = new(Partitions);

    public KafkaEventLogContractTests() => cluster.CreateTopics("contract", Partitions);

    protected override IEventLog Open() => new OpaqueLog(Samples.OpenAll(new KafkaEventLog(Samples.Options(cluster, "contract"), archive, Samples.NoJson, Clock, static _ => { })));

    public override void Dispose()
    {
        base.Dispose();
        cluster.Dispose();
    }
}

internal static class Samples
{
    private static readonly KeyValuePair<string, string>[] Quick = [new("fetch.wait.max.ms", "5"), new("session.timeout.ms", "6000"), new("heartbeat.interval.ms", "200")];

    /// <summary>Answers to empty fetches come soon, as the mock cluster does not notice what comes while it holds one back; so do rebalances, which wait there for a session to end.</summary>
    public static KafkaLogOptions Options(MockCluster cluster, string prefix, params (string Key, string Value)[] more) => new(cluster.Bootstrap)
    {
        Prefix = prefix,
        Settings = more.Select(static m => KeyValuePair.Create(m.Key, m.Value)).Concat(Quick).DistinctBy(static setting => setting.Key).ToDictionary(),
        AppendTimeoutMs = 60_000,
    };

    /// <summary>As a node does that runs all partitions.</summary>
    public static KafkaEventLog OpenAll(KafkaEventLog log)
    {
        for (int partition = 0; partition < log.PartitionCount; partition++)
            log.Open(partition, StreamPositions.Start);
        return log;
    }

    public static bool NoJson(ReadOnlySpan<byte> json, out byte[] wire, out string problem)
    {
        wire = [];
        problem = "no JSON is expected here";
        return false;
    }
}
