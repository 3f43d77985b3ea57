namespace Collections.Kafka.Topics;

/// <summary>A topic as the cluster has it.</summary>
/// <param name="Replication">Copies of its least copied partition.</param>
/// <param name="Settings">Its configuration, such as <c>retention.ms</c>; null: the cluster does not tell.</param>
public sealed record TopicDescription(string Name, int Partitions, int Replication, IReadOnlyDictionary<string, string>? Settings);

/// <summary>What can be asked of a cluster about topics: of a real one by Kafka's admin protocol, or of one in memory.</summary>
public interface ITopicAdmin : IDisposable
{
    /// <summary>Those of the topics that are there.</summary>
    /// <param name="topics">Their names.</param>
    /// <param name="withSettings">Ask for their configuration too.</param>
    /// <exception cref="Collections.Engine.Logs.LogUnavailableException">Brokers can't be reached; try again.</exception>
    /// <exception cref="KafkaRefusedException">They refuse to tell.</exception>
    IReadOnlyList<TopicDescription> Describe(IReadOnlyList<string> topics, bool withSettings);

    /// <summary>Creates a topic.</summary>
    /// <exception cref="Collections.Engine.Logs.LogUnavailableException">Brokers can't be reached; try again.</exception>
    /// <exception cref="KafkaRefusedException">They refuse to create it: the message says why.</exception>
    void Create(TopicDescription topic);
}
