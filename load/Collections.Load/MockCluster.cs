using System.Runtime.InteropServices;

namespace Collections.Load;

/// <summary>
/// librdkafka's mock cluster: Kafka's protocol over TCP on this machine, with faults on demand. It keeps about 5 MiB or 100,000 messages a partition.
/// It knows no creation or configuration of topics; a topic that nobody created has four partitions.
/// </summary>
internal sealed partial class MockCluster : IDisposable
{
    private const string Library = "librdkafka.so.1";
    private const int Producer = 0;

    private readonly IntPtr client;
    private readonly IntPtr cluster;
    private readonly int brokers;

    /// <param name="brokers">Numbered from 1.</param>
    public MockCluster(int brokers)
    {
        this.brokers = brokers;
        byte[] error = new byte[256];
        IntPtr configuration = rd_kafka_conf_new();
        // Errors alone: that this client has no brokers of its own is as it should be.
        _ = rd_kafka_conf_set(configuration, "log_level", "3", error, (nuint)error.Length);
        client = rd_kafka_new(Producer, configuration, error, (nuint)error.Length);
        cluster = rd_kafka_mock_cluster_new(client, brokers);
        Bootstrap = Marshal.PtrToStringUTF8(rd_kafka_mock_cluster_bootstraps(cluster))!;
    }

    /// <summary>Requests by their number in Kafka's protocol.</summary>
    public enum Api : short
    {
        Produce = 0,
        Fetch = 1,
        ListOffsets = 2,
        Metadata = 3,
    }

    public string Bootstrap { get; }

    public void CreateTopics(string prefix, int partitions, int replication = 1)
    {
        foreach (string stream in (string[])["invoices", "payments", "activity", "decisions", "dead-letter"])
            CreateTopic($"{prefix}.{stream}", partitions, replication);
    }

    /// <summary>Brokers lead its partitions in turn; the mock would draw them by chance.</summary>
    public void CreateTopic(string topic, int partitions, int replication = 1)
    {
        Require(rd_kafka_mock_topic_create(cluster, topic, partitions, replication));
        for (int partition = 0; partition < partitions; partition++)
            SetLeader(topic, partition, 1 + (partition % brokers));
    }

    public void SetDown(int broker) => Require(rd_kafka_mock_broker_set_down(cluster, broker));

    public void SetUp(int broker) => Require(rd_kafka_mock_broker_set_up(cluster, broker));

    public void SetRtt(int broker, int milliseconds) => Require(rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds));

    public void SetLeader(string topic, int partition, int broker) => Require(rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker));

    /// <summary>The next requests of a kind are answered by these errors of Kafka's protocol.</summary>
    public void PushErrors(Api api, params int[] errors) => rd_kafka_mock_push_request_errors_array(cluster, (short)api, (nuint)errors.Length, errors);

    public void Dispose()
    {
        rd_kafka_mock_cluster_destroy(cluster);
        rd_kafka_destroy(client);
    }

    /// <exception cref="InvalidOperationException">The mock refuses: there is no such broker or topic, or the topic is there already.</exception>
    private static void Require(int error)
    {
        if (error != 0)
            throw new InvalidOperationException($"librdkafka's mock cluster refuses with error {error}");
    }

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr rd_kafka_conf_new();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_conf_set(IntPtr configuration, string name, string value, byte[] error, nuint errorLength);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr rd_kafka_new(int type, IntPtr configuration, byte[] error, nuint errorLength);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void rd_kafka_destroy(IntPtr client);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr rd_kafka_mock_cluster_new(IntPtr client, int brokers);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void rd_kafka_mock_cluster_destroy(IntPtr cluster);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr rd_kafka_mock_cluster_bootstraps(IntPtr cluster);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_mock_topic_create(IntPtr cluster, string topic, int partitions, int replication);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_mock_broker_set_down(IntPtr cluster, int broker);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_mock_broker_set_up(IntPtr cluster, int broker);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_mock_broker_set_rtt(IntPtr cluster, int broker, int milliseconds);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_mock_partition_set_leader(IntPtr cluster, string topic, int partition, int broker);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void rd_kafka_mock_push_request_errors_array(IntPtr cluster, short api, nuint count, int[] errors);
}
