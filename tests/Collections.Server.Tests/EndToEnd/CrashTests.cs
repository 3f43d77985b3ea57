using System.Text;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Server.Hosting;
using Collections.Storage.Tests;
using Collections.V1;
using Google.Protobuf;
using Xunit.Abstractions;
using Event = Collections.V1.Event;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>
/// A node that is killed without warning, again and again, while it is fed and pulled from. What it has acknowledged must be there, its ledgers must
/// be those of a node that nothing happened to, and no debtor may be in two hands.
/// </summary>
[Collection(PostgresServer.Name)]
public sealed class CrashTests(ITestOutputHelper output, SharedCluster cluster)
{
    private const int Feeders = 3;
    private const int Hands = 2;

    private static bool IsSoak => Environment.GetEnvironmentVariable("COLLECTIONS_SOAK") == "1";

    [Fact]
    public Task Killed_at_random_moments_a_node_loses_nothing_and_gives_nobody_into_two_hands() => RunAsync(store: null, whileDown: null);

    [PostgresFact]
    public Task The_same_with_its_store_in_postgres_which_crashes_too()
    {
        PostgresCluster server = cluster.Server;
        return RunAsync(server.NewSchema(), () =>
        {
            server.StopServer("immediate");
            server.StartServer();
        });
    }

    private async Task RunAsync(string? store, System.Action? whileDown)
    {
        int kills = IsSoak ? 200 : 4;
        int seed = int.TryParse(Environment.GetEnvironmentVariable("COLLECTIONS_SEED"), out int given) ? given : Random.Shared.Next(1_000_000);
        string name = $"seed {seed} ({kills} kills; COLLECTIONS_SEED={seed} repeats the events and the moments as far as threads allow)";
        Console.WriteLine($"crash test: {name}");
        output.WriteLine(name);

        using var folder = new TestFolder();
        List<Event> events = CrashFeed.Create(seed, debtors: 60 + kills * 10, eventsPerDebtor: 14);
        var acknowledged = new (AppendResult Result, Event Event)[events.Count];
        await using var link = new CrashLink(folder["data"], store, whileDown);
        await link.StartAsync();
        var hands = new CrashHands(link);
        int done = await RunAsync(link, hands, events, acknowledged, new Random(seed), kills);
        Assert.Equal(events.Count, done);
        await hands.CheckHeldAsync();
        string summary = $"{name}: {events.Count} events, {link.Retries} calls made again, {hands.Granted} leases granted, {hands.Reported} reported, {hands.Released} released, {hands.Voided} voided";
        output.WriteLine(summary);
        Assert.True(hands.Violations.Count == 0, $"{summary}\n{string.Join('\n', hands.Violations)}");
        Assert.True(hands.HaveDoneEverything, summary);

        StatusResponse status = await link.CallAsync(async channel => await new V1.Debtors.DebtorsClient(channel).StatusAsync(new StatusRequest()));
        Assert.All(status.Partitions, p => Assert.True(p.State == "serving" && p.Applied.SequenceEqual(p.LogEnd), $"{summary}\npartition {p.Partition}: {p.State} {p.Reason}"));
        CommandResult end = await link.Node.StopAsync();
        Assert.True(end.ExitCode == 0 && end.Errors.Length == 0, $"{summary}\nexit code {end.ExitCode}: {end.Errors}");
        RequireInLog(folder["data"], acknowledged, summary);
        Assert.Equal(await UndisturbedAsync(folder["other"], events), await LedgersAsync(new DataDirectory(folder["data"]) { Store = store }, append: []));
    }

    /// <summary>Feeds and pulls; kills whenever another random number of events has been acknowledged.</summary>
    private static async Task<int> RunAsync(
        CrashLink link, CrashHands hands, List<Event> events, (AppendResult Result, Event Event)[] acknowledged, Random random, int kills)
    {
        using var end = new CancellationTokenSource();
        int next = 0, done = 0;
        var moments = new Queue<(int At, TaskCompletionSource Reached)>();
        foreach (int at in Enumerable.Range(0, kills).Select(_ => random.Next(events.Count * 9 / 10)).Order())
            moments.Enqueue((at, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
        Task[] kill = [.. moments.Select(m => m.Reached.Task)];

        async Task FeedAsync(int size)
        {
            var sizes = new Random(size);
            while (true)
            {
                int count = 1 + sizes.Next(12);
                int start = Interlocked.Add(ref next, count) - count;
                Event[] batch = [.. events.Skip(start).Take(count)];
                if (batch.Length == 0)
                    return;
                foreach (Event e in batch.Where(e => e.BodyCase != Event.BodyOneofCase.DebtorRegistered))
                    hands.Paying(e.Debtor);
                var request = new AppendRequest { Wait = sizes.Next(4) == 0 ? Wait.Durable : Wait.Applied };
                request.Events.AddRange(batch);
                AppendResponse response = await link.CallAsync(async channel => await new Ingest.IngestClient(channel).AppendAsync(request));
                for (int i = 0; i < batch.Length; i++)
                    acknowledged[start + i] = (response.Results[i], batch[i]);
                int sum = Interlocked.Add(ref done, batch.Length);
                lock (moments)
                {
                    while (moments.TryPeek(out (int At, TaskCompletionSource Reached) moment) && moment.At < sum)
                        moments.Dequeue().Reached.SetResult();
                }
            }
        }

        Task[] working = [.. Enumerable.Range(0, Hands).Select(n => hands.WorkAsync(n, new Random(random.Next()), end.Token))];
        Task[] feeding = [.. Enumerable.Range(0, Feeders).Select(n => FeedAsync(random.Next()))];
        foreach (Task moment in kill)
        {
            await Task.WhenAny([moment, Task.WhenAll(feeding), .. working]);
            if (working.Any(w => w.IsFaulted) || feeding.Any(f => f.IsFaulted))
                break;
            await link.KillAndRestartAsync();
        }
        await Task.WhenAll(feeding);
        // On a busy machine everything may be fed before a hand has done each thing once.
        using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!hands.HaveDoneEverything && !working.Any(static w => w.IsFaulted))
            await again.WaitForNextTickAsync(patience.Token);
        await end.CancelAsync();
        await Task.WhenAll(working);
        return done;
    }

    /// <summary>Every acknowledged event lies in the log at the place that was answered.</summary>
    private static void RequireInLog(string data, (AppendResult Result, Event Event)[] acknowledged, string summary)
    {
        using IEventLog log = new DataDirectory(data).OpenLog(null, TimeProvider.System);
        var found = new Dictionary<(int Partition, string Stream, long Offset), string>();
        var records = new RecordBatch();
        for (int partition = 0; partition < log.PartitionCount; partition++)
        {
            StreamPositions from = StreamPositions.Start;
            for (records.Clear(); log.Read(partition, ref from, 1_000, records) > 0; records.Clear())
            {
                for (int i = 0; i < records.Count; i++)
                    found.Add((partition, records[i].Stream.ToString().ToLowerInvariant(), records[i].Offset), Event.Parser.ParseFrom(records[i].Content).Id);
            }
        }
        var differences = new Differences(summary);
        foreach ((AppendResult result, Event e) in acknowledged)
        {
            if (result.Status is not (AppendStatus.AppendApplied or AppendStatus.AppendDurable))
                differences.Add($"{e.Id} was answered {result.Status}: {result.Reason}");
            else if (found.GetValueOrDefault((result.Partition, result.Stream, result.Offset)) != e.Id)
                differences.Add($"{e.Id} was acknowledged at {result.Partition} {result.Stream} {result.Offset}, where '{found.GetValueOrDefault((result.Partition, result.Stream, result.Offset))}' lies");
        }
        differences.RequireNone();
    }

    /// <summary>The ledgers of a node in this process to which the same events came in their order, once, without a disturbance.</summary>
    private static Task<string> UndisturbedAsync(string data, List<Event> events) => LedgersAsync(new DataDirectory(data), events);

    private static async Task<string> LedgersAsync(DataDirectory directory, IReadOnlyList<Event> append)
    {
        using IEventLog log = directory.OpenLog(4, TimeProvider.System);
        using IStore store = directory.OpenStore();
        // Before the node starts: from then on its workers alone read.
        List<string> debtors = append.Count > 0 ? [.. append.Select(e => e.Debtor).Distinct()] : DebtorsIn(log);
        var warnings = new List<string>();
        await using Node node = Node.Start(log, store, new EngineOptions { Model = ShippedModel.Propensity() }, TimeProvider.System, warnings.Add);
        IntakeResult[] results = await node.Intake.AppendAsync([.. append.Select(e => (ReadOnlyMemory<byte>)e.ToByteArray())], waitApplied: true, CancellationToken.None);
        Assert.All(results, r => Assert.Equal(IntakeStatus.Applied, r.Status));
        await Task.WhenAll(Enumerable.Range(0, node.PartitionCount).Select(p => node.WaitAppliedAsync(p, log.End(p), CancellationToken.None)));
        var ledgers = new SortedDictionary<string, string>(StringComparer.Ordinal);
        string tenant = Encoding.UTF8.GetString(EventReader.DefaultTenant);
        foreach (string debtor in debtors)
        {
            byte[] name = Encoding.UTF8.GetBytes(debtor);
            Engine.Partitions.DebtorSnapshot? snapshot = await node.Ask(
                Engine.Partitions.DebtorKey.PartitionOf(Encoding.UTF8.GetBytes(tenant), name, node.PartitionCount), p => p.View.Debtor(Encoding.UTF8.GetBytes(tenant), name));
            ledgers[debtor] = snapshot is null
                ? "missing"
                : $"{snapshot.Facts.UnappliedMinor} {snapshot.Facts.Currency} {string.Join(' ', snapshot.Items.Where(i => i.OpenMinor > 0).OrderBy(i => i.Name, StringComparer.Ordinal).Select(i => $"{i.Name}={i.OpenMinor}"))}";
        }
        Engine.Partitions.BookCheck[] checks = await node.AskAll(p => p.View.Check());
        Assert.All(checks, c => Assert.Equal(new Engine.Partitions.BookCheck(0, 0, 0), c));
        Assert.Empty(warnings);
        ulong[] digests = await node.AskAll(p => p.View.LedgerDigest());
        return $"{string.Join(' ', digests)}\n{string.Join('\n', ledgers.Select(l => $"{l.Key}: {l.Value}"))}";
    }

    private static List<string> DebtorsIn(IEventLog log)
    {
        var names = new HashSet<string>();
        var records = new RecordBatch();
        for (int partition = 0; partition < log.PartitionCount; partition++)
        {
            StreamPositions from = StreamPositions.Start;
            for (records.Clear(); log.Read(partition, ref from, 1_000, records) > 0; records.Clear())
            {
                for (int i = 0; i < records.Count; i++)
                    names.Add(Event.Parser.ParseFrom(records[i].Content).Debtor);
            }
        }
        return [.. names];
    }
}
