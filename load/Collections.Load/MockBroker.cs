using System.CommandLine;
using System.Globalization;
using Collections.Kafka;

namespace Collections.Load;

/// <summary>
/// <c>broker</c>: librdkafka's mock of a Kafka cluster as a process of its own, for those who want to measure on a machine without one. It speaks Kafka's
/// protocol, keeps about 5 MiB or 100,000 messages of a partition in memory, and nothing on a disk.
/// </summary>
internal static class MockBroker
{
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
        using var cluster = new MockCluster(brokers);
        foreach (string topic in topics)
        {
            string[] parts = topic.Split(':');
            if (parts.Length != 2 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int partitions) || partitions is < 1 or > 1024)
                return Fail($"--topics: '{topic}' is no prefix and number of partitions, such as collections:24");
            cluster.CreateTopics(parts[0], partitions, Math.Min(brokers, 3));
        }
        Console.Out.WriteLine($"brokers on {cluster.Bootstrap}; Ctrl+C stops");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
        }
        catch (OperationCanceledException)
        {
            // Ctrl+C.
        }
        return 0;
    }

    private static int Fail(string problem)
    {
        Console.Error.WriteLine($"error: {problem}");
        return 2;
    }
}
