using System.Text.Json;
using System.Text.Json.Serialization;
using Collections.Engine.Hosting;
using Collections.Engine.Partitions;
using Collections.Engine.Scoring;
using Collections.Engine.Tests;
using Collections.Server.Cluster;
using Collections.V1;
using Google.Protobuf;
using SilentPartition = Collections.Engine.Hosting.SilentPartition;

namespace Collections.Server.Tests.Cluster;

/// <summary>What nodes add up of their partitions, sent to one of them and merged there, is what one node adds up that runs them all: to the last bit.</summary>
public sealed class SurveyTallyTests
{
    private static readonly JsonSerializerOptions Exact = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    [Fact]
    public void A_comparison_does_not_depend_on_who_has_looked_at_which_partition()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            int head = 1 + random.Next(20);
            ComparisonTally[] partitions = [.. Enumerable.Range(0, 1 + random.Next(12)).Select(number => Partition(random, number, head))];
            ComparisonTally alone = Merged(head, partitions), together = new(head);
            foreach ((int[] numbers, ComparisonTally node) in Split(random, partitions.Length).Select(numbers => (numbers, Merged(head, numbers.Select(number => partitions[number])))))
            {
                var silent = new List<SilentPartition>();
                var received = new ComparisonTally(head);
                foreach (PeerComparisonPart part in SurveyMessages.Write(node, numbers, []))
                    SurveyMessages.Read(PeerComparisonPart.Parser.ParseFrom(part.ToByteArray()), received, silent);
                Assert.Empty(silent);
                together.Merge(received);
            }
            Assert.True(Text(alone.Result()) == Text(together.Result()), $"seed {seed}:\n{Text(alone.Result())}\n{Text(together.Result())}");
        }
    }

    [Fact]
    public void The_head_over_all_partitions_is_that_of_one_sorted_list()
    {
        var random = new Random(1);
        ComparisonTally[] partitions = [.. Enumerable.Range(0, 9).Select(number => Partition(random, number, head: 500))];
        ComparedEntry[] all = [.. partitions.SelectMany(static partition => partition.Queues).Where(static queue => queue.Queue == "q0/voice").SelectMany(static queue => queue.Best)];
        Engine.Scoring.QueueComparison queue = Merged(7, partitions).Result().Queues[0];
        ComparedEntry[] best = [.. all.OrderByDescending(static e => e.ActiveValue).ThenBy(static e => e.EligibleSinceMs).ThenBy(static e => e.Debtor, StringComparer.Ordinal).Take(7)];
        ComparedEntry[] other = [.. all.OrderByDescending(static e => e.ShadowValue).ThenBy(static e => e.EligibleSinceMs).ThenBy(static e => e.Debtor, StringComparer.Ordinal).Take(7)];
        Assert.Equal(("q0/voice", all.Length, 7, best.Intersect(other).Count()), (queue.Queue, queue.Waiting, queue.Head, queue.Overlap));
        Assert.Equal(best.Sum(static e => e.ShadowValue), queue.ActiveHead.ByShadow);
        Assert.Equal(other.Except(best).Select(static e => e.Debtor), queue.Entering);
    }

    [Fact]
    public void How_a_model_does_does_not_depend_on_who_has_looked_at_which_partition()
    {
        ScoringModel model = Model();
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            HealthTally[] partitions = [.. Enumerable.Range(0, 1 + random.Next(12)).Select(number => Partition(random, number, model))];
            HealthTally alone = Merged(model, partitions), together = new(model);
            foreach (HealthTally node in Split(random, partitions.Length).Select(numbers => Merged(model, numbers.Select(number => partitions[number]))))
            {
                var silent = new List<SilentPartition>();
                var received = new HealthTally(model);
                foreach (PeerHealthPart part in SurveyMessages.Write(node, [new SilentPartition(99, "away", IsPassing: true)]))
                    SurveyMessages.Read(PeerHealthPart.Parser.ParseFrom(part.ToByteArray()), received, silent);
                Assert.Equal(new SilentPartition(99, "away", IsPassing: true), Assert.Single(silent));
                together.Merge(received);
            }
            Assert.True(Text(alone.Result()) == Text(together.Result()), $"seed {seed}:\n{Text(alone.Result())}\n{Text(together.Result())}");
        }
    }

    [Fact]
    public void The_largest_head_goes_in_messages_that_every_peer_takes()
    {
        var tally = new ComparisonTally(Engine.Limits.ComparedHeadMax);
        string longest = new('d', 120);
        tally.AddQueue("portfolio/voice", 25_000, Enumerable.Range(0, 25_000).Select(i => new ComparedEntry($"{longest}{i:00000}", i + 0.1, 25_000 - i, 1_700_000_000_000 + i)));
        PeerComparisonPart[] parts = [.. SurveyMessages.Write(tally, [3], [])];
        Assert.Equal([0, 25_000, 0], parts.Select(static part => part.Queue?.Waiting ?? 0));
        Assert.Equal(2 * Engine.Limits.ComparedHeadMax, parts.Sum(static part => part.Queue?.Best.Count ?? 0));
        Assert.All(parts, static part => Assert.InRange(part.CalculateSize(), 1, Collections.Grpc.GrpcLimits.ReceiveMessageBytesMax / 2));
    }

    [Fact]
    public void Counts_of_another_models_bins_are_refused()
    {
        var counts = new DriftCounts(1, [1, 0], [new FeatureCounts("overdue_balance", [1, 0, 0])]);
        Assert.Throws<FormatException>(() => new DriftTally(Model()).Add(counts));
    }

    private static ComparisonTally Partition(Random random, int number, int head)
    {
        var tally = new ComparisonTally(head);
        for (int i = random.Next(60); i > 0; i--)
        {
            double active = random.Next(4) == 0 ? random.Next(11) / 10.0 : random.NextDouble(), shadow = random.Next(10) == 0 ? double.NaN : random.NextDouble();
            tally.Add(number, ComparisonSums.Of(active, shadow));
            // Values that meet, in and across partitions.
            var entry = new ComparedEntry($"d{number}-{i}", random.Next(3) == 0 ? random.Next(5) : active * 100, random.Next(3) == 0 ? random.Next(5) : random.NextDouble() * 100, random.Next(3));
            if (random.Next(4) > 0)
                tally.AddQueue($"q{random.Next(3)}/voice", 1, [entry]);
        }
        return tally;
    }

    private static HealthTally Partition(Random random, int number, ScoringModel model)
    {
        var tally = new HealthTally(model);
        long[] scores = [random.Next(100), random.Next(100), 0];
        tally.Drift.Add(new DriftCounts(scores.Sum(), scores, [new FeatureCounts("overdue_balance", [random.Next(100), random.Next(100), random.Next(100), random.Next(100)])]));
        IEnumerable<string> groups = ((string[])["north", "south", "east", "west"]).Where(_ => random.Next(2) == 0);
        tally.Add(number, groups.Select(group => KeyValuePair.Create(new OutcomeKey(model.Number, "region", group), new OutcomeSums(1 + random.Next(500), random.NextDouble() * 300, random.Next(300)))));
        return tally;
    }

    private static ComparisonTally Merged(int head, IEnumerable<ComparisonTally> parts)
    {
        var merged = new ComparisonTally(head);
        foreach (ComparisonTally part in parts)
            merged.Merge(part);
        return merged;
    }

    private static HealthTally Merged(ScoringModel model, IEnumerable<HealthTally> parts)
    {
        var merged = new HealthTally(model);
        foreach (HealthTally part in parts)
            merged.Merge(part);
        return merged;
    }

    /// <summary>Which of up to four nodes run which partitions; the nodes answer in any order.</summary>
    private static int[][] Split(Random random, int count)
    {
        int[] numbers = [.. Enumerable.Range(0, count)];
        random.Shuffle(numbers);
        return [.. numbers.GroupBy(_ => random.Next(4)).Select(static node => node.ToArray())];
    }

    private static ScoringModel Model()
    {
        const string more = """
            "distribution": {"score": {"edges": [0], "shares": [0.5, 0.5], "missing": 0},
              "features": {"overdue_balance": {"edges": [50, 150], "shares": [0.25, 0.25, 0.25], "missing": 0.25}}}
            """;
        var files = new ModelFiles(StumpModel.Text("overdue_balance", 150, 0.75, 0.25), StumpModel.Manifest("stump", "1", more: more));
        return ScoringModel.Create("stump", files, out string error, number: 7) ?? throw new InvalidOperationException(error);
    }

    private static string Text<T>(T result) => JsonSerializer.Serialize(result, Exact);
}
