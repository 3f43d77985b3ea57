using Collections.Kafka.Tests;

namespace Collections.Storage.Tests;

/// <summary>A test of the log's contract over Kafka.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LogFactAttribute : FactAttribute
{
    public LogFactAttribute() => Skip = KafkaFactAttribute.Missing;
}
