namespace Collections.Kafka;

/// <summary>The Kafka log can't be used as asked. The message says what to do; trying again as it is does not help.</summary>
public sealed class KafkaRefusedException : Exception
{
    public KafkaRefusedException()
    {
    }

    public KafkaRefusedException(string message)
        : base(message)
    {
    }

    public KafkaRefusedException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
