using System.Diagnostics;
using Collections.Kafka.Tests;
using Collections.Server.Tests.EndToEnd;

namespace Collections.Server.Tests.Kafka;

/// <summary>A test with Kafka's clients in Python; it says which library is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PythonKafkaFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Reason = new(WhyUnavailable);

    public PythonKafkaFactAttribute() => Skip = KafkaFactAttribute.Missing ?? Reason.Value;

    public static string Python => GrpcioTheoryAttribute.Python;

    private static string? WhyUnavailable()
    {
        if (!File.Exists(Python))
            return "Python's Kafka clients are not available: there is no python3";
        using Process probe = CollectionsProcess.Start(Python, ["-c", "import kafka, confluent_kafka"]);
        string errors = probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0 ? null : $"Python's Kafka clients are not available ({errors.Trim().Split('\n')[^1]}); Debian has them as python3-kafka and python3-confluent-kafka";
    }
}
