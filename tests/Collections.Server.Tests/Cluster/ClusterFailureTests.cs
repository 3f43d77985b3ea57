using System.Globalization;
using Collections.Kafka.Tests;
using Collections.Server.Tests.EndToEnd;
using Collections.Storage.Tests;
using Collections.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Npgsql;
using Xunit.Abstractions;

namespace Collections.Server.Tests.Cluster;

/// <summary>
/// Three nodes that are fed and pulled from while one thing after another fails, from a seed: a node is killed, or sleeps beyond its session and wakes up; a
/// broker is away; leaders move; PostgreSQL crashes. At the end every ledger is that of an engine that nothing happened to, every event counts once, no
/// debtor was in two hands, and the trail has no gap. With COLLECTIONS_SOAK=1 it goes on for many more; COLLECTIONS_SEED repeats one.
/// </summary>
[Collection(ClusterServer.Name)]
public sealed class ClusterFailureTests(ITestOutputHelper output, SharedCluster postgres)
{
    private const int Debtors = 120;
    private static readonly string[] Names = ["a", "b", "c"];

    private static bool IsSoak => Environment.GetEnvironmentVariable("COLLECTIONS_SOAK") == "1";

    [ClusterFact]
    public async Task Whatever_fails_no_event_is_lost_or_doubled_and_nobody_is_in_two_hands()
    {
        int failures = IsSoak ? 60 : 5;
        int seed = int.TryParse(Environment.GetEnvironmentVariable("COLLECTIONS_SEED"), out int given) ? given : Random.Shared.Next(1_000_000);
        var random = new Random(seed);
        Console.WriteLine($"cluster failures: seed {seed}");
        List<Event> events = CrashFeed.Create(seed, Debtors, eventsPerDebtor: 4 + 4 * failures);
        await using ClusterScene scene = await ClusterScene.StartAsync(postgres.Server, Names);
        await scene.WaitServingAsync();
        var hands = new CrashHands(scene, isFedBehind: true);
        using var end = new CancellationTokenSource();
        Task[] working = [.. Enumerable.Range(0, 2).Select(n => hands.WorkAsync(n, new Random(seed + n), end.Token))];
        // Each kind of failure once, then any.
        int[] kinds = [.. Enumerable.Range(0, KindsOf(scene))];
        random.Shuffle(kinds);
        var told = new List<string>();
        foreach (Event[] part in events.Chunk((events.Count / (failures + 1)) + 1))
        {
            Task feeding = FeedAsync(scene, hands, part, random.Next());
            if (told.Count < failures)
                told.Add(await FailAsync(scene, random, told.Count < kinds.Length ? kinds[told.Count] : random.Next(kinds.Length)));
            await feeding;
            if (working.Any(static work => work.IsFaulted))
                break;
        }
        await end.CancelAsync();
        await Task.WhenAll(working);
        string summary = $"seed {seed}: {string.Join("; ", told)}: {events.Count} events, {hands.Granted} granted, {hands.Reported} reported, {hands.Released} released, {hands.Voided} voided";
        Console.WriteLine($"cluster failures: {summary}");
        output.WriteLine(summary);
        await scene.WaitServingAsync();
        // Each event once, and each report once, whoever told them how often.
        long applied = events.Count + hands.Reported;
        StatusResponse status = await ClusterScene.UntilAsync(scene.Nodes["a"], s => s.EventsApplied >= applied && s.Partitions.All(static p => p.Applied.SequenceEqual(p.LogEnd)));
        await hands.CheckHeldAsync();
        Assert.True(hands.Violations.Count == 0, $"{summary}\n{string.Join('\n', hands.Violations)}");
        Assert.True(hands.Granted > 0 && hands.Reported > 0, summary);
        Assert.Equal(0, status.DeadLetters);
        // A report whose lease was voided in the same moment counts as an attempt, too, and so does none that was lost.
        Assert.InRange(status.EventsApplied, applied, applied + hands.Voided);
        await scene.JudgeAsync([.. events.Select(static e => e.Debtor).Distinct()]);
        await RequireGaplessTrailAsync(scene.Store);
        await RequireDecisionsAsync(scene);
    }

    /// <summary>Half of the events come over Kafka from a producer of its own, half by calls to the nodes.</summary>
    private static async Task FeedAsync(ClusterScene scene, CrashHands hands, Event[] events, int seed)
    {
        var random = new Random(seed);
        foreach (Event[] batch in events.Chunk(10))
        {
            foreach (Event e in batch.Where(static e => e.BodyCase != Event.BodyOneofCase.DebtorRegistered))
                hands.Paying(e.Debtor);
            if (random.Next(2) == 0)
            {
                scene.Send(batch.Select(static e => (StreamOf(e), e)));
                continue;
            }
            var request = new AppendRequest { Wait = random.Next(2) == 0 ? Wait.Applied : Wait.Durable };
            request.Events.AddRange(batch);
            AppendResponse response = await scene.CallAsync(async channel => await new Ingest.IngestClient(channel).AppendAsync(request, deadline: DateTime.UtcNow.AddSeconds(10)));
            Assert.All(response.Results, static result => Assert.True(result.Status is AppendStatus.AppendApplied or AppendStatus.AppendDurable, result.Reason));
            scene.Note(batch);
        }
        scene.Flush();
    }

    /// <summary>The brokers of a real cluster are nobody's to stop.</summary>
    private static int KindsOf(ClusterScene scene) => scene.Mock is null ? 3 : 5;

    private async Task<string> FailAsync(ClusterScene scene, Random random, int kind)
    {
        string name = Names[random.Next(Names.Length)];
        int broker = 1 + random.Next(ClusterScene.Brokers);
        switch (kind)
        {
            case 0:
                await scene.KillAndRestartAsync(name);
                return $"{name} killed";
            case 1:
                await scene.PauseUntilTakenAsync(name);
                return $"{name} paused";
            case 2:
                string mode = random.Next(2) == 0 ? "fast" : "immediate";
                postgres.Server.StopServer(mode);
                await TryAsync(scene, calls: 3);
                postgres.Server.StartServer();
                return $"PostgreSQL {mode}";
            case 3:
                scene.Mock!.SetDown(broker);
                await TryAsync(scene, calls: 5);
                scene.Mock.SetUp(broker);
                return $"broker {broker} down";
            default:
                foreach (string stream in (string[])["invoices", "payments", "activity"])
                {
                    for (int partition = 0; partition < ClusterScene.Partitions; partition++)
                        scene.Mock!.SetLeader($"{scene.Prefix}.{stream}", partition, 1 + random.Next(ClusterScene.Brokers));
                }
                return "leaders moved";
        }
    }

    /// <summary>Calls that meet the failure: each is answered, or its time is over. The events are ones that went in before.</summary>
    private static async Task TryAsync(ClusterScene scene, int calls)
    {
        for (int i = 0; i < calls; i++)
        {
            var again = new AppendRequest();
            again.Events.AddRange(scene.SomeSent(20, skip: 20 * i));
            await Task.WhenAll(scene.Channels.Select(channel => TryAsync(channel, again)));
        }
    }

    private static async Task TryAsync(GrpcChannel channel, AppendRequest request)
    {
        try
        {
            await new Ingest.IngestClient(channel).AppendAsync(request, deadline: DateTime.UtcNow.AddSeconds(1));
        }
        catch (RpcException)
        {
            // The failure, met.
        }
    }

    private static string StreamOf(Event e) => e.BodyCase switch
    {
        Event.BodyOneofCase.ItemIssued or Event.BodyOneofCase.ItemAdjusted or Event.BodyOneofCase.ItemCancelled or Event.BodyOneofCase.DueDateChanged => "invoices",
        Event.BodyOneofCase.PaymentReceived or Event.BodyOneofCase.PaymentReversed or Event.BodyOneofCase.PaymentFailed => "payments",
        _ => "activity",
    };

    /// <summary>Every act was told under one id, without a gap, in order; what was told twice is the same to the byte.</summary>
    private static async Task RequireDecisionsAsync(ClusterScene scene)
    {
        await using var connection = new NpgsqlConnection(scene.Store);
        await connection.OpenAsync();
        using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        await using var waiting = new NpgsqlCommand("SELECT count(*) FROM outbox", connection);
        while ((long)(await waiting.ExecuteScalarAsync(patience.Token))! > 0)
            await again.WaitForNextTickAsync(patience.Token);
        List<SeenMessage> told = TopicReader.ReadAll(scene.Bootstrap, $"{scene.Prefix}.decisions", ClusterScene.Partitions);
        Assert.NotEmpty(told);
        Assert.All(told.GroupBy(static message => message.Id), static same => Assert.Single(same.Select(static message => Convert.ToHexString(message.Value)).Distinct()));
        foreach (IGrouping<int, SeenMessage> partition in told.DistinctBy(static message => message.Id).GroupBy(static message => message.Partition))
            Assert.Equal(Enumerable.Range(1, partition.Count()).Select(number => $"{partition.Key}-{number}"), partition.Select(static message => message.Id));
    }

    /// <summary>The acts of each partition are numbered without a gap, whoever has written them.</summary>
    private static async Task RequireGaplessTrailAsync(string store)
    {
        await using var connection = new NpgsqlConnection(store);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT partition, count(*), min(sequence), max(sequence) FROM audit GROUP BY partition", connection);
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync();
        int partitions = 0;
        while (await row.ReadAsync())
        {
            partitions++;
            Assert.True(row.GetInt64(2) == 1 && row.GetInt64(3) == row.GetInt64(1), string.Create(CultureInfo.InvariantCulture, $"the trail of partition {row.GetInt32(0)} has {row.GetInt64(1)} rows from {row.GetInt64(2)} to {row.GetInt64(3)}"));
        }
        Assert.True(partitions > 0, "there is no trail");
    }
}
