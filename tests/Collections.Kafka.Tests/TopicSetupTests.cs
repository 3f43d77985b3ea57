using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Kafka.Topics;

namespace Collections.Kafka.Tests;

public sealed class TopicSetupTests
{
    private static readonly KafkaLogOptions Options = new("broker:9092") { Prefix = "col" };
    private static readonly TopicPlan Plan = new(Partitions: null, Replication: 3, TopicPlan.RetentionMsDefault);

    [Fact]
    public void Missing_topics_are_created_alike_and_those_that_are_there_stay()
    {
        var admin = new MemoryAdmin(Topic("col.payments", 6));
        Assert.Equal(["col.invoices", "col.activity", "col.decisions", "col.dead-letter"], TopicSetup.Create(admin, Options, Plan));
        Assert.All(admin.Topics, topic => Assert.Equal(6, topic.Partitions));
        Assert.Equal(6, TopicSetup.PartitionsOf(admin, Options));
        Assert.Empty(TopicSetup.Create(admin, Options, Plan));
        TopicFindings findings = TopicSetup.Check(admin, Options, Plan);
        Assert.Empty(findings.Errors);
    }

    [Fact]
    public void Without_a_count_new_topics_get_the_default_one_and_safe_settings()
    {
        var admin = new MemoryAdmin();
        TopicSetup.Create(admin, Options, Plan);
        Assert.All(admin.Topics, topic =>
        {
            Assert.Equal((TopicPlan.PartitionsDefault, 3, "delete"), (topic.Partitions, topic.Replication, topic.Settings!["cleanup.policy"]));
            Assert.Equal("2592000000", topic.Settings["retention.ms"]);
            Assert.Equal(("LogAppendTime", "2", "false"), (topic.Settings["message.timestamp.type"], topic.Settings["min.insync.replicas"], topic.Settings["unclean.leader.election.enable"]));
        });
    }

    [Theory]
    [InlineData("min.insync.replicas", "1", "acknowledged by one broker")]
    [InlineData("unclean.leader.election.enable", "true", "may become the leader")]
    [InlineData("message.timestamp.type", "CreateTime", "retention goes by the times of producers")]
    public void Settings_that_may_lose_what_was_acknowledged_are_warned_of(string key, string value, string said)
    {
        var admin = new MemoryAdmin([.. Options.Topics.Concat(Options.Outgoing).Select(name => Topic(name, 4, (key, value)))]);
        TopicFindings findings = TopicSetup.Check(admin, Options, Plan);
        Assert.Empty(findings.Errors);
        Assert.Equal(5, findings.Warnings.Count);
        Assert.All(findings.Warnings, warning => Assert.Contains(said, warning, StringComparison.Ordinal));
    }

    [Fact]
    public void One_copy_alone_can_not_be_asked_for_two()
    {
        var admin = new MemoryAdmin();
        TopicSetup.Create(admin, Options, Plan with { Replication = 1 });
        Assert.All(admin.Topics, static topic => Assert.DoesNotContain("min.insync.replicas", topic.Settings!.Keys));
    }

    [Fact]
    public void What_leaves_has_topics_of_the_logs_count_and_a_retention_of_their_own()
    {
        var admin = new MemoryAdmin();
        TopicSetup.Create(admin, Options, Plan with { Partitions = 5, OutgoingRetentionMs = 3_600_000 });
        Assert.Equal(["col.decisions 5 3600000", "col.dead-letter 5 3600000"], admin.Topics.Skip(3).Select(topic => $"{topic.Name} {topic.Partitions} {topic.Settings!["retention.ms"]}"));
        TopicFindings findings = TopicSetup.Check(admin, Options, Plan);
        Assert.Empty(findings.Errors);
        Assert.Empty(findings.Warnings);
    }

    [Fact]
    public void Topics_of_what_leaves_that_are_missing_compacted_or_of_another_count_are_told_of()
    {
        TopicDescription[] events = [.. Options.Topics.Select(static name => Topic(name, 4))];
        var admin = new MemoryAdmin([.. events, Topic("col.decisions", 6, ("cleanup.policy", "compact"))]);
        string message = Assert.Throws<KafkaRefusedException>(() => TopicSetup.PartitionsOf(admin, Options)).Message;
        Assert.Contains("topic col.dead-letter is missing: nothing could leave. `collections kafka init --kafka broker:9092 --prefix col --partitions 4`", message, StringComparison.Ordinal);
        TopicFindings findings = TopicSetup.Check(admin, Options, Plan);
        Assert.Equal(2, findings.Errors.Count);
        Assert.Contains(findings.Errors, error => error.Contains("col.decisions has cleanup.policy=compact", StringComparison.Ordinal));
        Assert.Contains("col.decisions has 6 partitions, and the log 4", Assert.Single(findings.Warnings), StringComparison.Ordinal);
        Assert.Equal(["col.dead-letter"], TopicSetup.Create(admin, Options, Plan));
        Assert.Equal(4, TopicSetup.PartitionsOf(admin, Options));
    }

    [Fact]
    public void A_topic_of_another_count_stops_creation_before_anything_is_created()
    {
        var admin = new MemoryAdmin(Topic("col.payments", 6));
        KafkaRefusedException refused = Assert.Throws<KafkaRefusedException>(() => TopicSetup.Create(admin, Options, Plan with { Partitions = 8 }));
        Assert.Contains("col.payments is there with 6 partitions, and 8 are wanted", refused.Message, StringComparison.Ordinal);
        Assert.Single(admin.Topics);
    }

    [Fact]
    public void Unequal_and_missing_topics_are_named_with_the_command_that_creates_them_right()
    {
        var admin = new MemoryAdmin(Topic("col.invoices", 4), Topic("col.payments", 6), Topic("col.activity", 4));
        string message = Assert.Throws<KafkaRefusedException>(() => TopicSetup.PartitionsOf(admin, Options)).Message;
        Assert.Contains("col.invoices 4, col.payments 6, col.activity 4", message, StringComparison.Ordinal);
        Assert.Contains("collections kafka init --kafka broker:9092 --prefix col --partitions 6", message, StringComparison.Ordinal);
        message = Assert.Throws<KafkaRefusedException>(() => TopicSetup.PartitionsOf(new MemoryAdmin(Topic("col.invoices", 4)), Options)).Message;
        Assert.Contains("topics col.payments, col.activity are missing", message, StringComparison.Ordinal);
        Assert.Contains("--partitions 4", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cleanup.policy", "compact", "compaction deletes")]
    [InlineData("cleanup.policy", "compact,delete", "compaction deletes")]
    [InlineData("retention.ms", "3600000", "longer than 1 hours loses events")]
    public void Settings_that_lose_events_are_errors(string key, string value, string said)
    {
        var admin = new MemoryAdmin([.. Options.Topics.Select(name => Topic(name, 4, (key, value))), .. Options.Outgoing.Select(name => Topic(name, 4))]);
        TopicFindings findings = TopicSetup.Check(admin, Options, Plan);
        Assert.Equal(3, findings.Errors.Count);
        Assert.All(findings.Errors, error => Assert.Contains(said, error, StringComparison.Ordinal));
    }

    [Fact]
    public void Settings_that_are_not_told_and_single_copies_are_warned_of()
    {
        var admin = new MemoryAdmin([.. Options.Topics.Select(static name => new TopicDescription(name, 4, 1, null)), .. Options.Outgoing.Select(static name => Topic(name, 4))]);
        TopicFindings findings = TopicSetup.Check(admin, Options, Plan);
        Assert.Empty(findings.Errors);
        Assert.Equal(6, findings.Warnings.Count);
    }

    [Theory]
    [InlineData("acks", "1")]
    [InlineData("Enable.Auto.Commit", "true")]
    public void Settings_that_the_engine_relies_on_are_refused(string key, string value)
    {
        KafkaLogOptions options = Options with { Settings = new Dictionary<string, string> { [key] = value } };
        Assert.Contains(key, Assert.Throws<KafkaRefusedException>(options.Check).Message, StringComparison.Ordinal);
    }

    [KafkaFact]
    public void A_setting_that_librdkafka_does_not_know_is_named()
    {
        KafkaLogOptions options = Options with { Settings = new Dictionary<string, string> { ["sasl.mechanismo"] = "PLAIN" } };
        Assert.Contains("sasl.mechanismo", Assert.Throws<KafkaRefusedException>(() => new KafkaTopicAdmin(options)).Message, StringComparison.Ordinal);
    }

    [KafkaFact]
    public void Brokers_that_can_not_be_reached_are_named_and_worth_another_try()
    {
        using var admin = new KafkaTopicAdmin(new KafkaLogOptions("127.0.0.1:1"));
        Assert.Contains("127.0.0.1:1", Assert.Throws<LogUnavailableException>(() => TopicSetup.PartitionsOf(admin, Options)).Message, StringComparison.Ordinal);
    }

    [KafkaFact]
    public void The_counts_of_a_cluster_are_read_and_missing_topics_are_not_created_by_looking()
    {
        using var cluster = new MockCluster(brokers: 1);
        cluster.CreateTopics("there", 5);
        KafkaLogOptions there = new(cluster.Bootstrap) { Prefix = "there" };
        using var admin = new KafkaTopicAdmin(there);
        Assert.Equal(5, TopicSetup.PartitionsOf(admin, there));
        for (int i = 0; i < 2; i++)
            Assert.Contains("missing", Assert.Throws<KafkaRefusedException>(() => TopicSetup.PartitionsOf(admin, there with { Prefix = "gone" })).Message, StringComparison.Ordinal);
    }

    [KafkaFact]
    public async Task A_sample_counts_records_on_wrong_partitions()
    {
        using var cluster = new MockCluster(brokers: 1);
        cluster.CreateTopics("sample", 4);
        KafkaLogOptions options = Samples.Options(cluster, "sample");
        using (var log = new KafkaEventLog(options, new MemoryArchive(4), Samples.NoJson, TimeProvider.System, static _ => { }))
        {
            var batch = new AppendBatch();
            var writer = new EventWriter();
            // The debtor's own partition, and every other one.
            for (int partition = 0; partition < 4; partition++)
                batch.Add(partition, EventStream.Payments, 1, 1_700_000_000_000, history: false, writer.ItemCancelled(new EventAddress { Debtor = "D-1"u8, Id = "1"u8, Effective = new Day(20_000) }, "i"u8));
            batch.Add(1, EventStream.Payments, 1, 1_700_000_000_000, history: false, "no event"u8);
            await log.AppendAsync(batch, CancellationToken.None);
        }
        IReadOnlyList<KeySample> samples = KeySample.Take(options, 4, Samples.NoJson, TimeProvider.System);
        Assert.Equal([new("sample.invoices", 0, 0, 0), new("sample.payments", 5, 3, 1), new("sample.activity", 0, 0, 0)], samples);
    }

    private static TopicDescription Topic(string name, int partitions, params (string Key, string Value)[] settings) =>
        new(name, partitions, 3, settings.ToDictionary(static s => s.Key, static s => s.Value));

    private sealed class MemoryAdmin(params TopicDescription[] topics) : ITopicAdmin
    {
        public List<TopicDescription> Topics { get; } = [.. topics];

        public IReadOnlyList<TopicDescription> Describe(IReadOnlyList<string> topics, bool withSettings) => Topics.FindAll(topic => topics.Contains(topic.Name));

        public void Create(TopicDescription topic) => Topics.Add(topic);

        public void Dispose()
        {
        }
    }
}
