using System.Globalization;
using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Publishing;
using Collections.Engine.Stores;
using Collections.Simulation.Fakes;

namespace Collections.Engine.Tests.Hosting;

/// <summary>What leaves a node: everything that was kept, at least once, in order, under ids that never change, whatever happens in between.</summary>
public sealed class OutboxTests : IAsyncDisposable
{
    private const int Partitions = 3;
    private readonly MemoryPublisher topics = new();
    private readonly NodeScene scene;

    public OutboxTests() => scene = new NodeScene(Partitions, topics: topics);

    public async ValueTask DisposeAsync()
    {
        topics.LetGo();
        await scene.DisposeAsync();
    }

    [Fact]
    public async Task Every_act_of_the_trail_leaves_as_a_decision_in_the_trails_order()
    {
        await ActAsync();
        await KeepAsync();
        Drained();
        Judge();
        Assert.Equal(
            [AuditKind.LeaseGranted, AuditKind.LeaseReported, AuditKind.LeaseReleased, AuditKind.LeaseExpired, AuditKind.LeaseVoided],
            Trail().Select(act => act.Kind).Distinct().Order());
    }

    [Fact]
    public async Task A_crash_after_the_commit_and_before_anything_was_published_loses_and_changes_nothing()
    {
        topics.Hold();
        await ActAsync();
        await KeepAsync();
        Assert.Empty(topics.Messages);
        scene.Restart();
        // What the dead process had sent arrives late, together with what the new one sends.
        topics.LetGo();
        Drained();
        Judge();
    }

    [Fact]
    public async Task A_crash_after_the_acknowledgement_and_before_the_removal_only_repeats()
    {
        Node dies = scene.Node;
        scene.Store.At = moment =>
        {
            if (moment == StoreMoment.BeforeRemoval && ReferenceEquals(scene.Node, dies))
                throw new StoreUnavailableException("the simulated store is away", new IOException());
        };
        await ActAsync();
        await KeepAsync();
        Await(() => MemoryPublisher.WithoutRepeats(topics.Messages, OutboxKind.Decision).Count == Trail().Count);
        Assert.NotEqual(0, Waiting());
        scene.Restart();
        Drained();
        Assert.True(topics.Messages.Count > Trail().Count, "nothing was repeated");
        Judge();
    }

    [Fact]
    public async Task A_crash_in_the_middle_of_a_batch_goes_on_from_its_beginning()
    {
        topics.Fails = message => message.Sequence > 2;
        await ActAsync();
        await KeepAsync();
        Await(() => scene.Warnings.Count >= 2);
        scene.Restart();
        Await(() => topics.Messages.Count(message => message.Sequence == 1) > Partitions);
        topics.Fails = null;
        Drained();
        Judge();
    }

    [Fact]
    public async Task Answers_that_are_lost_with_the_process_are_asked_for_again()
    {
        topics.LosesAnswers = true;
        await ActAsync();
        await KeepAsync();
        Await(() => topics.Messages.Count >= Trail().Count);
        topics.LosesAnswers = false;
        scene.Restart();
        Drained();
        Judge();
    }

    [Fact]
    public async Task A_process_that_dies_again_and_again_at_chance_moments_loses_and_changes_nothing()
    {
        var random = new Random(11);
        for (int round = 0; round < 12; round++)
        {
            topics.Fails = round % 3 == 1 ? message => message.Sequence % 5 == 4 : null;
            topics.LosesAnswers = round % 4 == 2;
            await ActAsync(round);
            await KeepAsync();
            if (topics is { Fails: null, LosesAnswers: false } && random.Next(2) == 0)
                Await(() => MemoryPublisher.WithoutRepeats(topics.Messages, OutboxKind.Decision).Count == Trail().Count);
            topics.LosesAnswers = false;
            scene.Restart();
        }
        topics.Fails = null;
        scene.Restart();
        Drained();
        Judge();
    }

    [Fact]
    public async Task Brokers_that_are_away_stop_nothing_and_what_waits_is_seen()
    {
        topics.Hold();
        using var meters = new MeterScene(scene.Node);
        for (int round = 0; round < 3; round++)
        {
            await ActAsync(round);
            await KeepAsync();
        }
        IReadOnlyDictionary<string, double> seen = await meters.LookAsync();
        Assert.Equal(Trail().Count, Enumerable.Range(0, Partitions).Sum(p => seen[$"collections.outbox.waiting{{partition={p},kind=decision}}"]));
        Assert.Equal(0, seen["collections.outbox.published{kind=decision}"]);
        topics.LetGo();
        Drained();
        Judge();
        seen = await meters.LookAsync();
        Assert.Equal(0, Enumerable.Range(0, Partitions).Sum(p => seen[$"collections.outbox.waiting{{partition={p},kind=decision}}"]));
        Assert.Equal(Trail().Count, seen["collections.outbox.published{kind=decision}"]);
    }

    [Fact]
    public async Task What_an_owner_before_has_left_is_published_by_the_next_one_whose_outbox_the_old_one_can_not_empty()
    {
        topics.Hold();
        await ActAsync();
        await KeepAsync();
        for (int partition = 0; partition < Partitions; partition++)
            scene.Store.TakeOwnership(partition, "another node");
        topics.LetGo();
        Await(() => topics.Messages.Count >= Trail().Count);
        await scene.SettleAsync();
        Assert.Equal(Trail().Count, Waiting());
        scene.Restart();
        Drained();
        Judge();
    }

    [Fact]
    public async Task A_record_that_can_not_be_applied_leaves_with_its_reason_place_and_bytes()
    {
        byte[] broken = new EventWriter().ItemIssued(scene.At("a"), "x"u8, Component.Principal, amountMinor: -5, Currency.Parse("EUR"), Day.OfMs(scene.Time.NowMs)).ToArray();
        byte[] large = new byte[Limits.DeadLetterBytesMax + 7];
        int place = DebtorKey.PartitionOf("bank"u8, "a"u8, Partitions);
        var batch = new AppendBatch();
        batch.Add(place, EventStream.Invoices, 1, scene.Time.NowMs, history: false, broken);
        batch.Add(place, EventStream.Payments, 1, scene.Time.NowMs, history: false, UndecodedRecord.Of("is no JSON", "{"u8));
        batch.Add(place, EventStream.Payments, 1, scene.Time.NowMs, history: false, UndecodedRecord.Of("is too long", large));
        await scene.Log.AppendAsync(batch, CancellationToken.None);
        await scene.SettleAsync();
        await KeepAsync();
        Drained();
        OutboxMessage[] letters = [.. topics.Messages.Where(message => message.Kind == OutboxKind.DeadLetter).Select(message => message.Message)];
        Assert.Equal(3, letters.Length);
        string at = scene.Time.NowMs.ToString(CultureInfo.InvariantCulture);
        OutboxMessage issued = Assert.Single(letters, letter => letter.Key is not null);
        Assert.Equal("bank/a", Encoding.UTF8.GetString(issued.Key!));
        Assert.Equal(broken, issued.Value);
        Assert.StartsWith("id=" + place + "-", HeadersOf(issued), StringComparison.Ordinal);
        Assert.Contains($"stream=invoices partition={place} offset=0 at={at} content-type=application/x-protobuf", HeadersOf(issued), StringComparison.Ordinal);
        OutboxMessage text = Assert.Single(letters, letter => letter.Value.AsSpan().SequenceEqual("{"u8));
        Assert.Contains($"is no JSON stream=payments partition={place} offset=0 at={at} content-type=application/octet-stream", HeadersOf(text), StringComparison.Ordinal);
        OutboxMessage cut = Assert.Single(letters, letter => letter.Value.Length == Limits.DeadLetterBytesMax);
        Assert.EndsWith($"full-length={large.Length}", HeadersOf(cut), StringComparison.Ordinal);
        Assert.Contains(scene.Store.LoadDeadLetters(place, 0, 10), stored => stored.Letter.Content.Length == large.Length);
    }

    [Fact]
    public async Task A_log_that_nobody_follows_keeps_nothing_for_anybody()
    {
        await using var alone = new NodeScene();
        await alone.OweAsync(("a", 300));
        Assert.Single((await alone.PullAsync(1)).Leases);
        await alone.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        Assert.NotEmpty(Enumerable.Range(0, 4).SelectMany(alone.Store.LoadAudit));
        Assert.All(Enumerable.Range(0, 4), p => Assert.Equal(0, alone.Store.LoadOutbox(p, OutboxKind.Decision, 0, 10, 1_000).Last));
    }

    /// <summary>One of every act, on several debtors.</summary>
    private async Task ActAsync(int round = 0)
    {
        await scene.SettleAsync();
        await scene.OweAsync([.. Enumerable.Range(0, 10).Select(i => ($"r{round}-{i}", 1_000L * (10 - i)))]);
        List<string> leases = NodeScene.Ids(await scene.PullAsync(10));
        Assert.Equal(10, leases.Count);
        await scene.ReportAsync(leases[0], AttemptOutcome.RightParty);
        await scene.ReportAsync(leases[1], AttemptOutcome.NoAnswer);
        await scene.Node.Actions.ReleaseAsync(leases[2]).WaitAsync(NodeScene.Patience);
        await scene.PayAsync($"r{round}-3", 7_000);
        scene.Time.Add(3_600_001);
        await scene.SettleAsync();
    }

    private Task KeepAsync() => scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);

    private List<(int Partition, AuditKind Kind, string Debtor, string Detail)> Trail() =>
    [
        .. from partition in Enumerable.Range(0, Partitions)
           from row in scene.Store.LoadAudit(partition)
           where row.Kind <= AuditKind.LeaseVoided
           select (partition, row.Kind, row.Debtor, row.Detail),
    ];

    private int Waiting() => Enumerable.Range(0, Partitions).Sum(p => OutboxRow.Kinds.Sum(kind => scene.Store.LoadOutbox(p, kind, 0, 10_000, long.MaxValue).Rows.Count));

    private void Drained() => Await(() => Waiting() == 0);

    private void Await(Func<bool> done) => Assert.True(
        SpinWait.SpinUntil(done, NodeScene.Patience),
        $"what was waited for did not happen: {Trail().Count} acts, {topics.Messages.Count} messages, {Waiting()} waiting; {string.Join("; ", scene.Warnings.TakeLast(5))}");

    /// <summary>A consumer that drops repeats has seen the trail: nothing else, nothing twice, each partition in its order; and repeats were repeats.</summary>
    private void Judge()
    {
        List<MemoryPublisher.Published> kept = MemoryPublisher.WithoutRepeats(topics.Messages, OutboxKind.Decision);
        for (int partition = 0; partition < Partitions; partition++)
        {
            List<MemoryPublisher.Published> own = kept.FindAll(message => message.Partition == partition);
            Assert.Equal(Enumerable.Range(1, own.Count).Select(number => (long)number), own.Select(message => message.Sequence));
            Assert.Equal(
                Trail().Where(act => act.Partition == partition).Select(act => $"{(int)act.Kind + 19} bank/{act.Debtor} {act.Detail.Split(':')[0]["lease ".Length..]}"),
                own.Select(message => $"{ActOf(message.Message.Value, out string lease)} {Encoding.UTF8.GetString(message.Message.Key!)} {lease}"));
        }
        foreach (IGrouping<(int, OutboxKind, long), MemoryPublisher.Published> same in topics.Messages.GroupBy(message => (message.Partition, message.Kind, message.Sequence)))
            Assert.Single(same.Select(message => Convert.ToHexString(message.Message.Value) + HeadersOf(message.Message)).Distinct());
    }

    private static string HeadersOf(OutboxMessage message) => string.Join(' ', message.Headers.Select(header => $"{header.Name}={Encoding.UTF8.GetString(header.Value)}"));

    /// <summary>The number of the act's field.</summary>
    private static int ActOf(byte[] decision, out string lease)
    {
        (int act, lease) = (0, "");
        var wire = new WireReader(decision);
        while (wire.Next(out int field, out int type))
        {
            if (field >= 20)
                act = field;
            if (field == 6)
                lease = Encoding.UTF8.GetString(wire.ReadBytes());
            else
                wire.Skip(type);
        }
        Assert.False(wire.Failed);
        return act;
    }
}
