using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Collections.Kafka;

namespace Collections.Load;

/// <summary>
/// <c>broker</c>: librdkafka's mock of a Kafka cluster as a process of its own, for those who want to measure on a machine without one. It speaks Kafka's
/// protocol, keeps about 5 MiB or 100,000 messages of a partition in memory, and nothing on a disk.
/// </summary>
internal static partial class MockBroker
{
    private const string Library = "librdkafka.so.1";
    private const int Producer = 0;
    private static readonly string[] Topics = ["invoices", "payments", "activity", "decisions", "dead-letter"];

    public static Command Build()
    {
        var topics = new Option<string[]>("--topics") { Description = "Topics of an engine by their prefix and partitions, such as collections:24; may be given several times", DefaultValueFactory = static _ => ["collections:24"] };
        var brokers = new Option<int>("--brokers") { Description = "Brokers of the cluster", DefaultValueFactory = static _ => 1 };
        var command = new Command("broker", "Run librdkafka's mock of a Kafka cluster until Ctrl+C: small, in memory, for measurements on one machine") { topics, brokers };
        command.SetAction((arguments, cancellation) => RunAsync(arguments.GetValue(topics)!, arguments.GetValue(brokers), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string[] topics, int brokers, CancellationToken cancellation)
    {
        if (RdKafkaLibrary.Problem.Length > 0)
            return Fail(RdKafkaLibrary.Problem);
        if (brokers is < 1 or > 10)
            return Fail($"--brokers must be 1 to 10, but is {brokers}");
        byte[] error = new byte[512];
        IntPtr configuration = rd_kafka_conf_new();
        // Errors alone: that this client has no brokers of its own is as it should be.
        _ = rd_kafka_conf_set(configuration, "log_level", "3", error, (nuint)error.Length);
        IntPtr client = rd_kafka_new(Producer, configuration, error, (nuint)error.Length);
        IntPtr cluster = rd_kafka_mock_cluster_new(client, brokers);
        foreach (string topic in topics)
        {
            string[] parts = topic.Split(':');
            if (parts.Length != 2 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int partitions) || partitions is < 1 or > 1024)
                return Fail($"--topics: '{topic}' is no prefix and number of partitions, such as collections:24");
            foreach (string name in Topics)
                _ = rd_kafka_mock_topic_create(cluster, $"{parts[0]}.{name}", partitions, Math.Min(brokers, 3));
        }
        Console.Out.WriteLine($"brokers on {Marshal.PtrToStringUTF8(rd_kafka_mock_cluster_bootstraps(cluster))}; Ctrl+C stops");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
        }
        catch (OperationCanceledException)
        {
            rd_kafka_mock_cluster_destroy(cluster);
        }
        return 0;
    }

    private static int Fail(string problem)
    {
        Console.Error.WriteLine($"error: {problem}");
        return 2;
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
}
