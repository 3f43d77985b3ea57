using System.Runtime.InteropServices;

namespace Collections.Kafka.Tests;

/// <summary>A test that needs librdkafka of the system.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KafkaFactAttribute : FactAttribute
{
    public KafkaFactAttribute() => Skip = Missing;

    /// <summary>Why Kafka can't be tested here, as eng/test knows it; null if it can.</summary>
    public static string? Missing { get; } = NativeLibrary.TryLoad("librdkafka.so.1", out _) ? null : "librdkafka is not installed: apt-get install librdkafka1";
}

/// <inheritdoc cref="KafkaFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KafkaTheoryAttribute : TheoryAttribute
{
    public KafkaTheoryAttribute() => Skip = KafkaFactAttribute.Missing;
}
