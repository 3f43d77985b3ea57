using System.CommandLine;
using System.Globalization;
using Collections.Engine.Logs;
using Collections.Kafka;
using Collections.Kafka.Topics;
using Collections.Server.Hosting;
using Collections.Server.Kafka;

namespace Collections.Server.Commands;

/// <summary><c>collections kafka</c>: creates and checks the topics of a Kafka log, fills them from others, and archives them.</summary>
internal static class KafkaCommand
{
    private const string RetentionDefault = "30d";

    public static Command Build() => new Command("kafka", "Create and check the topics of a Kafka log, fill them from others, and archive them") { Init(), Check(), RepartitionCommand.Build(), ArchiveCommand.Build() };

    private static Command Init()
    {
        (KafkaSettings kafka, Option<int?> partitions) = (new KafkaSettings(), Partitions());
        var retention = new Option<string>("--retention") { Description = "How long new topics keep events: hours or days such as 30d, or forever", DefaultValueFactory = _ => RetentionDefault };
        var outgoing = new Option<string>("--outgoing-retention") { Description = "The same for new topics of decisions and dead letters", DefaultValueFactory = _ => RetentionDefault };
        var replication = new Option<int>("--replication") { Description = "Copies of each partition of new topics", DefaultValueFactory = _ => 3 };
        var command = new Command("init", "Create the topics that are missing; those that are there stay as they are") { partitions, retention, outgoing, replication };
        kafka.AddTo(command);
        command.SetAction(arguments => Guarded(kafka, arguments, options =>
        {
            if (!TryRetention(arguments, retention, out long retentionMs, out string problem) || !TryRetention(arguments, outgoing, out long outgoingMs, out problem))
                return Output.Fail(problem);
            if (arguments.GetValue(replication) is < 1 or > short.MaxValue)
                return Output.Fail("--replication must be at least 1");
            var plan = new TopicPlan(arguments.GetValue(partitions), arguments.GetValue(replication), retentionMs) { OutgoingRetentionMs = outgoingMs };
            using var admin = new KafkaTopicAdmin(options);
            IReadOnlyList<string> created = TopicSetup.Create(admin, options, plan);
            foreach (string topic in created)
                Console.Out.WriteLine($"created {topic}");
            if (created.Count == 0)
                Console.Out.WriteLine("nothing to create: the topics are there");
            return 0;
        }));
        return command;
    }

    private static Command Check()
    {
        (KafkaSettings kafka, Option<int?> partitions) = (new KafkaSettings(), Partitions());
        var command = new Command("check", "Check partition counts, retention, and whether producers find the right partitions") { partitions };
        kafka.AddTo(command);
        command.SetAction(arguments => Guarded(kafka, arguments, options =>
        {
            using var admin = new KafkaTopicAdmin(options);
            TopicFindings findings = TopicSetup.Check(admin, options, new TopicPlan(arguments.GetValue(partitions), Replication: 0, RetentionMs: 0));
            foreach (string warning in findings.Warnings)
                Output.Warn(warning);
            foreach (string error in findings.Errors)
                Console.Out.WriteLine($"wrong: {error}");
            if (findings.Errors.Count > 0)
                return 1;
            Console.Out.WriteLine($"{findings.Partitions} partitions in each topic");
            return Sample(options, findings.Partitions);
        }));
        return command;
    }

    private static int Sample(KafkaLogOptions options, int partitions)
    {
        bool good = true;
        foreach (KeySample sample in KeySample.Take(options, partitions, EventJson.TryToWire, TimeProvider.System))
        {
            Console.Out.WriteLine($"{sample.Topic}: {sample.Records} of the last records looked at, {sample.Misplaced} on a wrong partition, {sample.Undecodable} no events");
            good &= sample.Misplaced + sample.Undecodable == 0;
        }
        if (!good)
            Console.Out.WriteLine("wrong: misplaced records are re-routed, which costs an append each; set partitioner=murmur2_random in producers that build on librdkafka, and tenant/debtor as the key");
        return good ? 0 : 1;
    }

    private static Option<int?> Partitions() => new("--partitions")
    {
        Description = $"Partitions of each topic; what is there if not given, {TopicPlan.PartitionsDefault} for new ones. It can't be changed later",
    };

    internal static int Guarded(KafkaSettings kafka, ParseResult arguments, Func<KafkaLogOptions, int> act)
    {
        try
        {
            return kafka.Read(arguments) is { } options ? act(options) : Output.Fail("--kafka is missing: name a broker, such as kafka-1:9092");
        }
        catch (Exception failure) when (DataDirectory.IsExpected(failure) || failure is LogUnavailableException)
        {
            return Output.Fail(failure.Message);
        }
    }

    private static bool TryRetention(ParseResult arguments, Option<string> option, out long retentionMs, out string problem)
    {
        string text = arguments.GetValue(option)!;
        problem = $"{option.Name}: '{text}' is no number of hours or days such as {RetentionDefault}, nor forever";
        return TryRetention(text, out retentionMs);
    }

    private static bool TryRetention(string text, out long retentionMs)
    {
        retentionMs = -1;
        if (text == "forever")
            return true;
        long unitMs = text.Length < 2 ? 0 : text[^1] switch { 'h' => 3_600_000, 'd' => 86_400_000, _ => 0 };
        if (unitMs == 0 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count == 0)
            return false;
        retentionMs = count * unitMs;
        return true;
    }
}
