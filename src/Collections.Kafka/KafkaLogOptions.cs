using Collections.Domain.Events;
using Collections.Engine.Stores;
using Confluent.Kafka;

namespace Collections.Kafka;

/// <summary>Which Kafka, which topics, and how it is reached. Immutable; checked when the log is opened.</summary>
/// <param name="Bootstrap">Brokers as librdkafka takes them: <c>host:port</c>, separated by commas.</param>
public sealed record KafkaLogOptions(string Bootstrap)
{
    public const string PrefixDefault = "collections";

    private static readonly string[] StreamNames = ["invoices", "payments", "activity"];

    /// <summary>What the engine relies on, so that nobody may set it otherwise.</summary>
    private static readonly string[] OwnKeys =
    [
        "bootstrap.servers", "metadata.broker.list", "group.id", "enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof",
        "auto.offset.reset", "isolation.level", "acks", "request.required.acks", "enable.idempotence", "enable.gapless.guarantee", "message.timeout.ms",
        "delivery.timeout.ms", "message.send.max.retries", "retries", "partition.assignment.strategy",
    ];

    /// <summary>
    /// The topics are named by it: <c>PREFIX.invoices</c>, <c>PREFIX.payments</c>, <c>PREFIX.activity</c>; and <c>PREFIX.decisions</c>, <c>PREFIX.dead-letter</c>
    /// of what leaves.
    /// </summary>
    public string Prefix { get; init; } = PrefixDefault;

    /// <summary>
    /// The consumer group that the nodes of one engine join: it says which of them runs which partition, and shows lag tools how far they are. Its
    /// offsets decide nothing: reading goes on from the store's.
    /// </summary>
    public string Group { get; init; } = PrefixDefault;

    /// <summary>Further settings of librdkafka by their names, such as <c>sasl.mechanism</c> or <c>ssl.ca.location</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>How long an append is tried before it counts as failed, in milliseconds.</summary>
    public int AppendTimeoutMs { get; init; } = 30_000;

    /// <summary>How long the archive waits for a node that has what the topics have no more, before it notes it as lost.</summary>
    public TimeSpan LostPatience { get; init; } = TimeSpan.FromMilliseconds(Limits.LostPatienceMs);

    public string TopicOf(EventStream stream) => $"{Prefix}.{StreamNames[(int)stream]}";

    public string TopicOf(OutboxKind kind) => kind == OutboxKind.Decision ? $"{Prefix}.decisions" : $"{Prefix}.dead-letter";

    /// <summary>The topics of what leaves.</summary>
    internal string[] Outgoing => [.. OutboxRow.Kinds.Select(TopicOf)];

    /// <summary>The topics in the order of the streams.</summary>
    internal string[] Topics => [TopicOf(EventStream.Invoices), TopicOf(EventStream.Payments), TopicOf(EventStream.Activity)];

    /// <exception cref="KafkaRefusedException">A value is out of range, or a setting is the engine's own: the message names it.</exception>
    internal void Check()
    {
        if (Bootstrap.Length == 0)
            throw new KafkaRefusedException("--kafka needs the address of a broker, such as kafka-1:9092");
        if (Prefix.Length is 0 or > 200 || !Prefix.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            throw new KafkaRefusedException($"the prefix '{Prefix}' can't begin a topic's name: 1 to 200 of letters, digits, '.', '_' and '-'");
        if (Group.Length is 0 or > 249)
            throw new KafkaRefusedException("--group needs a name of 1 to 249 characters");
        if (AppendTimeoutMs is < 100 or > 3_600_000)
            throw new KafkaRefusedException($"AppendTimeoutMs must be 100 to 3,600,000, but is {AppendTimeoutMs}");
        foreach (string key in Settings.Keys)
        {
            if (OwnKeys.Contains(key, StringComparer.OrdinalIgnoreCase))
                throw new KafkaRefusedException($"the setting {key} is the engine's own, which relies on it; leave it out");
        }
    }

    internal ProducerConfig ForProducer()
    {
        var config = new ProducerConfig
        {
            BootstrapServers = Bootstrap,
            Acks = Acks.All,
            EnableIdempotence = true,
            // A group of callers is one request; nobody waits longer than that for the others.
            LingerMs = 1,
            // What is too large is the broker's to say.
            MessageMaxBytes = Limits.RecordBytesMax + 1_048_576,
            MessageTimeoutMs = AppendTimeoutMs,
            QueueBufferingMaxMessages = 2 * Limits.InFlightEventsMax,
            QueueBufferingMaxKbytes = (int)(2 * Limits.InFlightBytesMax / 1024),
            StatisticsIntervalMs = Limits.StatisticsMs,
            // Only what the caller wants to know of a delivery, so that no more objects are made than needed.
            DeliveryReportFields = "none",
        };
        Add(config);
        return config;
    }

    /// <summary>A producer whose topics never show a message while one before it is missing.</summary>
    internal ProducerConfig ForPublisher()
    {
        ProducerConfig config = ForProducer();
        // For ever: a message that timed out would be overtaken by the next one.
        config.MessageTimeoutMs = 0;
        config.EnableGaplessGuarantee = true;
        // Where a topic has another partition count than the log's, a debtor's messages keep together by their key.
        config.Partitioner = Partitioner.Murmur2Random;
        config.StatisticsIntervalMs = 0;
        return config;
    }

    internal ConsumerConfig ForConsumer()
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = Bootstrap,
            GroupId = Group,
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            EnablePartitionEof = true,
            AutoOffsetReset = Confluent.Kafka.AutoOffsetReset.Error,
            IsolationLevel = Confluent.Kafka.IsolationLevel.ReadCommitted,
            // An answer to an empty fetch tells that nothing came; half of librdkafka's default.
            FetchWaitMaxMs = 250,
            FetchErrorBackoffMs = 100,
            // For all partitions together what waits is bounded by this and the pausing of partitions.
            QueuedMaxMessagesKbytes = 65_536,
            StatisticsIntervalMs = Limits.StatisticsMs,
        };
        Add(config);
        return config;
    }

    /// <summary>A member's, that reads nothing. The session may be set otherwise; heartbeats follow it.</summary>
    internal IEnumerable<KeyValuePair<string, string>> ForMember()
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = Bootstrap,
            GroupId = Group,
            PartitionAssignmentStrategy = Confluent.Kafka.PartitionAssignmentStrategy.CooperativeSticky,
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            AutoOffsetReset = Confluent.Kafka.AutoOffsetReset.Latest,
            SessionTimeoutMs = Limits.SessionMs,
            HeartbeatIntervalMs = Limits.HeartbeatMs,
            QueuedMinMessages = 1,
        };
        Add(config);
        return config.Where(static setting => !setting.Key.StartsWith("dotnet.", StringComparison.Ordinal));
    }

    /// <summary>A member of a group that reads topics of others.</summary>
    internal ConsumerConfig ForGroup(string group)
    {
        ConsumerConfig config = ForConsumer();
        config.GroupId = group;
        config.AutoOffsetReset = Confluent.Kafka.AutoOffsetReset.Earliest;
        config.StatisticsIntervalMs = 0;
        return config;
    }

    internal AdminClientConfig ForAdmin()
    {
        var config = new AdminClientConfig { BootstrapServers = Bootstrap };
        Add(config);
        return config;
    }

    private void Add(ClientConfig config)
    {
        config.ClientId = "collections";
        config.TopicMetadataRefreshIntervalMs = 30_000;
        config.ReconnectBackoffMaxMs = 2_000;
        // A small request goes at once instead of waiting up to 40 ms for the answer to the one before.
        config.SocketNagleDisable = true;
        foreach ((string key, string value) in Settings)
            config.Set(key, value);
    }
}
