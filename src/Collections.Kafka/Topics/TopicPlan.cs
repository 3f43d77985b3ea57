using System.Globalization;
using Collections.Engine.Logs;

namespace Collections.Kafka.Topics;

/// <summary>What the topics are to be.</summary>
/// <param name="Partitions">Of each of the three; null: what they have, if that is the same.</param>
/// <param name="Replication">Copies of each partition, for topics that are created.</param>
/// <param name="RetentionMs">For topics of events that are created; -1: for ever.</param>
public sealed record TopicPlan(int? Partitions, int Replication, long RetentionMs)
{
    /// <summary>For topics of what leaves; -1: for ever.</summary>
    public long OutgoingRetentionMs { get; init; } = RetentionMsDefault;

    /// <summary>Partitions of new topics without --partitions: what a handful of nodes with several cores each can share.</summary>
    public const int PartitionsDefault = 24;

    /// <summary>A node must come back, with its archive, within the retention: a week is a holiday's outage.</summary>
    public const long RetentionMsMin = 7L * 86_400_000;

    public const long RetentionMsDefault = 30L * 86_400_000;
}

/// <summary>What was found about the topics.</summary>
/// <param name="Errors">The engine can't run on them; each says what to do.</param>
/// <param name="Warnings">It can, at a risk.</param>
public sealed record TopicFindings(int Partitions, IReadOnlyList<string> Errors, IReadOnlyList<string> Warnings);

/// <summary>Creates and checks the topics: three of events, and those of what leaves, decisions and dead letters.</summary>
public static class TopicSetup
{
    /// <summary>With so many copies two can be required of every write while one broker is away.</summary>
    private const int CopiesForTwo = 3;

    /// <summary>Creates the topics that are missing; those that are there are left as they are.</summary>
    /// <returns>The names of those created.</returns>
    /// <exception cref="KafkaRefusedException">Those that are there don't fit; nothing was created.</exception>
    public static IReadOnlyList<string> Create(ITopicAdmin admin, KafkaLogOptions options, TopicPlan plan)
    {
        IReadOnlyList<TopicDescription> found = admin.Describe(options.Topics, withSettings: false);
        int partitions = plan.Partitions ?? (found.Count > 0 ? found[0].Partitions : TopicPlan.PartitionsDefault);
        if (partitions is < 1 or > Limits.PartitionsMax)
            throw new KafkaRefusedException($"a topic can't have {partitions} partitions here: 1 to {Limits.PartitionsMax}");
        if (found.FirstOrDefault(topic => topic.Partitions != partitions) is { } other)
            throw new KafkaRefusedException($"{other.Name} is there with {other.Partitions} partitions, and {partitions} are wanted. {Remedy(options, partitions)}");
        string[] missing = [.. options.Topics.Except(found.Select(static topic => topic.Name), StringComparer.Ordinal)];
        string[] outgoing = [.. options.Outgoing.Except(admin.Describe(options.Outgoing, withSettings: false).Select(static topic => topic.Name), StringComparer.Ordinal)];
        foreach (string topic in missing)
            Create(admin, topic, partitions, plan.Replication, plan.RetentionMs);
        foreach (string topic in outgoing)
            Create(admin, topic, partitions, plan.Replication, plan.OutgoingRetentionMs);
        return [.. missing, .. outgoing];
    }

    /// <summary>How many partitions the topics have.</summary>
    /// <exception cref="KafkaRefusedException">Topics are missing, or differ: the message says how to create them right.</exception>
    /// <exception cref="LogUnavailableException">Brokers can't be reached; try again.</exception>
    public static int PartitionsOf(ITopicAdmin admin, KafkaLogOptions options)
    {
        IReadOnlyList<TopicDescription> found = admin.Describe(options.Topics, withSettings: false);
        string fault = CountFault(found, options, wanted: null);
        if (fault.Length == 0)
            fault = OutgoingFault(admin.Describe(options.Outgoing, withSettings: false), options, found[0].Partitions);
        return fault.Length > 0 ? throw new KafkaRefusedException(fault) : found[0].Partitions;
    }

    /// <summary>Looks at what is there; changes nothing.</summary>
    public static TopicFindings Check(ITopicAdmin admin, KafkaLogOptions options, TopicPlan plan)
    {
        IReadOnlyList<TopicDescription> found = admin.Describe(options.Topics, withSettings: true);
        var errors = new List<string>();
        var warnings = new List<string>();
        if (CountFault(found, options, plan.Partitions) is { Length: > 0 } fault)
            errors.Add(fault);
        foreach (TopicDescription topic in found)
            CheckSettings(topic, errors, warnings);
        if (found.Count > 0)
            CheckOutgoing(admin, options, found[0].Partitions, errors, warnings);
        return new TopicFindings(found.Count > 0 ? found[0].Partitions : 0, errors, warnings);
    }

    private static void Create(ITopicAdmin admin, string topic, int partitions, int replication, long retentionMs)
    {
        var settings = new Dictionary<string, string>
        {
            ["cleanup.policy"] = "delete",
            ["retention.ms"] = retentionMs.ToString(CultureInfo.InvariantCulture),
            // Retention goes by a record's time: a producer's own would have old events deleted as soon as they are there.
            ["message.timestamp.type"] = "LogAppendTime",
            ["unclean.leader.election.enable"] = "false",
        };
        if (replication >= CopiesForTwo)
            settings["min.insync.replicas"] = "2";
        admin.Create(new TopicDescription(topic, partitions, replication, settings));
    }

    /// <summary>What leaves may be kept for as short a time as its readers like; all of it has to come to them.</summary>
    private static void CheckOutgoing(ITopicAdmin admin, KafkaLogOptions options, int partitions, List<string> errors, List<string> warnings)
    {
        IReadOnlyList<TopicDescription> found = admin.Describe(options.Outgoing, withSettings: true);
        if (OutgoingFault(found, options, partitions) is { Length: > 0 } fault)
            errors.Add(fault);
        foreach (TopicDescription topic in found)
        {
            if (topic.Partitions != partitions)
                warnings.Add($"{topic.Name} has {topic.Partitions} partitions, and the log {partitions}: messages are spread by their keys then, and readers have to remember what they have seen by both partitions (docs/decisions.md)");
            if (topic.Settings is not null && topic.Settings.TryGetValue("cleanup.policy", out string? policy) && policy.Contains("compact", StringComparison.Ordinal))
                errors.Add($"{topic.Name} has cleanup.policy={policy}: compaction deletes all but the last message of each debtor. Set cleanup.policy=delete");
            CheckCopies(topic, "messages", warnings);
        }
    }

    private static string OutgoingFault(IReadOnlyList<TopicDescription> found, KafkaLogOptions options, int partitions)
    {
        string[] missing = [.. options.Outgoing.Except(found.Select(static topic => topic.Name), StringComparer.Ordinal)];
        return missing.Length == 0 ? "" : $"{(missing.Length == 1 ? "topic" : "topics")} {string.Join(", ", missing)} {(missing.Length == 1 ? "is" : "are")} missing: nothing could leave. {Remedy(options, partitions)}";
    }

    private static void CheckSettings(TopicDescription topic, List<string> errors, List<string> warnings)
    {
        CheckCopies(topic, "events", warnings);
        if (topic.Settings is null)
        {
            warnings.Add($"the cluster does not tell the configuration of {topic.Name}: retention.ms and cleanup.policy are not checked");
            return;
        }
        if (topic.Settings.TryGetValue("cleanup.policy", out string? policy) && policy.Contains("compact", StringComparison.Ordinal))
            errors.Add($"{topic.Name} has cleanup.policy={policy}: compaction deletes all but the last event of each debtor. Set cleanup.policy=delete");
        if (topic.Settings.TryGetValue("retention.ms", out string? text) && long.TryParse(text, CultureInfo.InvariantCulture, out long retentionMs)
            && retentionMs is >= 0 and < TopicPlan.RetentionMsMin)
        {
            errors.Add($"{topic.Name} has retention.ms={retentionMs}: an outage longer than {retentionMs / 3_600_000.0:0.#} hours loses events. Set it to {TopicPlan.RetentionMsMin} or more, or -1");
        }
    }

    /// <summary>Whether what is acknowledged survives the loss of a broker.</summary>
    private static void CheckCopies(TopicDescription topic, string content, List<string> warnings)
    {
        if (topic.Replication == 1)
            warnings.Add($"{topic.Name} has one copy of each partition: when its broker's disk is lost, so are {content}. Production wants 3");
        if (topic.Settings is null)
            return;
        if (topic.Replication > 1 && topic.Settings.TryGetValue("min.insync.replicas", out string? text) && text == "1")
            warnings.Add($"{topic.Name} has min.insync.replicas=1: while other copies are away, as in a rolling restart, a write is acknowledged by one broker, and lost with its disk. Set it to 2, with 3 copies");
        if (topic.Settings.TryGetValue("unclean.leader.election.enable", out string? unclean) && unclean == "true")
            warnings.Add($"{topic.Name} has unclean.leader.election.enable=true: a copy that lags may become the leader, and acknowledged {content} are cut off. Set it to false");
        if (topic.Settings.TryGetValue("message.timestamp.type", out string? type) && type == "CreateTime")
            warnings.Add($"{topic.Name} has message.timestamp.type=CreateTime: retention goes by the times of producers, so what is produced with an old one is deleted soon after. Set it to LogAppendTime");
    }

    /// <summary>What is wrong with the topics' presence and counts; empty if nothing is.</summary>
    private static string CountFault(IReadOnlyList<TopicDescription> found, KafkaLogOptions options, int? wanted)
    {
        string[] missing = [.. options.Topics.Except(found.Select(static topic => topic.Name), StringComparer.Ordinal)];
        int partitions = wanted ?? (found.Count > 0 ? found.Max(static topic => topic.Partitions) : TopicPlan.PartitionsDefault);
        if (missing.Length > 0)
            return $"{(missing.Length == 1 ? "topic" : "topics")} {string.Join(", ", missing)} {(missing.Length == 1 ? "is" : "are")} missing. {Remedy(options, partitions)}";
        if (found.Any(topic => topic.Partitions != partitions))
        {
            string counts = string.Join(", ", found.Select(static topic => $"{topic.Name} {topic.Partitions}"));
            return $"the topics must have the same number of partitions{(wanted is null ? "" : $", {wanted}")}, but have: {counts}. A debtor's partition follows from the count. {Remedy(options, partitions)}";
        }
        return partitions > Limits.PartitionsMax ? $"the topics have {partitions} partitions, at most {Limits.PartitionsMax} are served" : "";
    }

    internal static string Remedy(KafkaLogOptions options, int partitions) =>
        $"`collections kafka init --kafka {options.Bootstrap} --prefix {options.Prefix} --partitions {partitions}` creates what is missing; a topic with another count has to be deleted first, or another --prefix chosen";
}
