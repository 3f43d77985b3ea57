using Collections.Engine.Logs;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Collections.Kafka.Topics;

/// <summary>The cluster's own admin protocol.</summary>
public sealed class KafkaTopicAdmin : ITopicAdmin
{
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(Limits.RequestMs);

    private readonly string bootstrap;
    private readonly IAdminClient admin;
    private volatile string lastError = "";

    /// <exception cref="KafkaRefusedException">librdkafka is missing, or refuses a setting.</exception>
    public KafkaTopicAdmin(KafkaLogOptions options)
    {
        options.Check();
        RdKafkaLibrary.Require();
        bootstrap = options.Bootstrap;
        try
        {
            admin = new AdminClientBuilder(options.ForAdmin())
                .SetErrorHandler((_, error) => lastError = error.Code == ErrorCode.Local_AllBrokersDown && lastError.Length > 0 ? lastError : error.Reason)
                .SetLogHandler(static (_, _) => { })
                .Build();
        }
        catch (Exception refused) when (refused is InvalidOperationException or ArgumentException or KafkaException)
        {
            throw KafkaClient.Refused(refused);
        }
    }

    public IReadOnlyList<TopicDescription> Describe(IReadOnlyList<string> topics, bool withSettings)
    {
        // Of all topics: to ask for one that is not there would create it where the cluster allows that.
        Metadata metadata = Ask(() => admin.GetMetadata(Wait));
        return
        [
            .. from topic in metadata.Topics
               where topics.Contains(topic.Topic, StringComparer.Ordinal) && !topic.Error.IsError
               select new TopicDescription(topic.Topic, topic.Partitions.Count, topic.Partitions.Count == 0 ? 0 : topic.Partitions.Min(static p => p.Replicas.Length), withSettings ? SettingsOf(topic.Topic) : null),
        ];
    }

    public void Create(TopicDescription topic)
    {
        var specification = new TopicSpecification
        {
            Name = topic.Name,
            NumPartitions = topic.Partitions,
            ReplicationFactor = (short)topic.Replication,
            Configs = topic.Settings?.ToDictionary(static s => s.Key, static s => s.Value),
        };
        Ask(() =>
        {
            admin.CreateTopicsAsync([specification], new CreateTopicsOptions { RequestTimeout = Wait }).GetAwaiter().GetResult();
            return true;
        });
    }

    public void Dispose() => admin.Dispose();

    /// <summary>Null where the cluster does not tell: not every one does, nor everybody may ask.</summary>
    private Dictionary<string, string>? SettingsOf(string topic)
    {
        try
        {
            List<DescribeConfigsResult> found = admin
                .DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = topic }], new DescribeConfigsOptions { RequestTimeout = Wait })
                .GetAwaiter().GetResult();
            return found[0].Entries.ToDictionary(static e => e.Key, static e => e.Value.Value);
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    private T Ask<T>(Func<T> question)
    {
        try
        {
            return question();
        }
        catch (CreateTopicsException refused)
        {
            throw new KafkaRefusedException($"Kafka at {bootstrap} does not create {refused.Results[0].Topic}: {refused.Results[0].Error.Reason}", refused);
        }
        catch (KafkaException failure) when (failure.Error.IsLocalError)
        {
            string why = lastError.Length > 0 ? lastError : failure.Error.Reason;
            throw new LogUnavailableException($"Kafka at {bootstrap} can't be reached: {why}. Check the address, that the broker runs, and the security settings (security.protocol, sasl.*, ssl.*)", failure);
        }
        catch (KafkaException failure)
        {
            throw new KafkaRefusedException($"Kafka at {bootstrap} refuses: {failure.Error.Reason}", failure);
        }
    }
}
