using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Queues;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;

namespace Collections.Engine.Tests;

/// <summary>One partition and its hand-made log: a test tells what happens, and asks.</summary>
internal sealed class Scene : IDisposable
{
    public const long Minute = 60_000, Hour = 60 * Minute;
    public static readonly Day Today = Day.Of(new DateOnly(2024, 6, 3));
    public static readonly QueueName Queue = new("default", Channel.Sms);
    private static readonly Currency Eur = Currency.Parse("EUR");

    private readonly EventWriter writer = new();
    private readonly RecordBatch history = new();
    private readonly RecordBatch waiting = new();
    private readonly int partitionCount;
    private StreamPositions end;
    private int ids;

    public Scene(int partitionCount = 1, DebtorOptions? options = null, ModelSet? models = null)
    {
        this.partitionCount = partitionCount;
        Partition = new Partition(0, partitionCount, models, options ?? DebtorOptions.Default);
        Partition.Checkpoints.Own(1, startAnew: true);
        NowMs = Today.StartMs + 9 * Hour;
    }

    public Partition Partition { get; }

    public LeaseDesk Desk => Partition.Desk;

    public long NowMs { get; set; }

    /// <summary>Told to holders, in order.</summary>
    public List<LeaseVoidedNotice> Voided { get; } = [];

    /// <summary>Events that the partition asked to append.</summary>
    public List<string> Appended { get; } = [];

    public List<HistoryRequest> Histories { get; } = [];

    public AppendBatch? Misplaced { get; private set; }

    public void Dispose() => Partition.Dispose();

    /// <summary>An item that has been due for ten days.</summary>
    public Scene Owes(string debtor, long amountMinor = 10_000, string? id = null) =>
        Tell(writer.ItemIssued(At(debtor, id, Today.Plus(-40)), Utf8($"item {debtor} {id ?? ids.ToString(System.Globalization.CultureInfo.InvariantCulture)}"), Component.Principal, amountMinor, Eur, Today.Plus(-10)));

    public Scene OwesFrom(string debtor, Day due) =>
        Tell(writer.ItemIssued(At(debtor, null, Today.Plus(-1)), Utf8($"item {ids}"), Component.Principal, 10_000, Eur, due));

    public Scene Pays(string debtor, long amountMinor = 10_000, string? id = null, bool isHistory = false, Day? on = null) =>
        Tell(writer.PaymentReceived(At(debtor, id, on ?? Day.OfMs(NowMs)), amountMinor, Eur), isHistory);

    public Scene Disputes(string debtor, string id) => Tell(writer.DisputeOpened(At(debtor, id, Day.OfMs(NowMs)), default, 0));

    public Scene Reports(string debtor, string lease, AttemptOutcome outcome = AttemptOutcome.NoAnswer, long? atMs = null) => Tell(writer.AttemptReported(
        new EventAddress { Tenant = "bank"u8, Debtor = Utf8(debtor), Id = LeaseDesk.ReportId(lease), EffectiveMs = atMs ?? NowMs }, Channel.Sms, outcome, Utf8(lease)));

    public Scene Prefers(string debtor, string timeZone) => Tell(writer.PreferencesChanged(At(debtor, null, Day.OfMs(NowMs)), timeZone, "", Channel.None));

    public Scene EndsImport() => Tell(writer.ImportEnded(new EventAddress { Tenant = "bank"u8, Debtor = default, Id = Utf8($"end {ids++}") }));

    public Scene Tell(ReadOnlySpan<byte> content, bool isHistory = false)
    {
        EventStream stream = EventReader.TryRead(content, NowMs, isHistory, out Event e, out _) ? e.Head.Stream : EventStream.Activity;
        waiting.Add(stream, end[stream], NowMs, isHistory, content);
        history.Add(stream, end[stream], NowMs, isHistory, content);
        end = end.With(stream, end[stream] + 1);
        return this;
    }

    /// <summary>Applies what was told, and lets time come up to now.</summary>
    public Scene Run(int sweepMax = Limits.SweepPerSlice)
    {
        Partition.RunOnce(new Slice { Records = waiting, CaughtUp = true, NowMs = NowMs, SweepMax = sweepMax });
        waiting.Clear();
        PartitionEffects effects = Partition.Effects;
        Voided.AddRange(effects.Voided);
        effects.Voided.Clear();
        Histories.AddRange(effects.HistoryRequests);
        effects.HistoryRequests.Clear();
        Misplaced = effects.TakeMisplaced() ?? Misplaced;
        if (effects.TakeEvents() is { } events)
        {
            for (int i = 0; i < events.Count; i++)
            {
                Appended.Add(TextOf(events.ContentOf(i), events.KnownMsOf(i)));
                Tell(events.ContentOf(i));
            }
        }
        return this;
    }

    public Scene After(long ms)
    {
        NowMs += ms;
        return Run();
    }

    public Scene AnswerHistories()
    {
        foreach (HistoryRequest request in Histories.ToList())
        {
            Histories.Remove(request);
            var own = new RecordBatch();
            for (int i = history.Count - 1; i >= 0; i--)
            {
                LogRecord record = history[i];
                if (record.Offset < request.Until[record.Stream])
                    own.Add(record);
            }
            Partition.Resume(request, own);
        }
        return Run();
    }

    /// <summary>What was told, from there on.</summary>
    public RecordBatch From(StreamPositions positions)
    {
        var rest = new RecordBatch();
        for (int i = 0; i < history.Count; i++)
        {
            LogRecord record = history[i];
            if (record.Offset >= positions[record.Stream])
                rest.Add(record);
        }
        return rest;
    }

    /// <summary>Takes the partition over from a checkpoint, without leases.</summary>
    public void Load(Checkpoint checkpoint)
    {
        ICheckpointSink sink = Partition.Checkpoints;
        sink.Header(checkpoint.Header);
        sink.Names(checkpoint.Names);
        for (int i = 0; i < checkpoint.StateCount; i++)
            sink.State(checkpoint.SlotOf(i), checkpoint.ImageOf(i));
        Assert.Equal("", Partition.Checkpoints.RefoldReason);
        Partition.Checkpoints.Own(2, startAnew: false);
        Partition.Checkpoints.Finish([]);
    }

    public PullOrder Order(int count = 1, long leaseMs = Hour, QueueName? queue = null) => new("bank", queue ?? Queue, count, "dialer", "", leaseMs);

    /// <summary>Names at the head of the queue.</summary>
    public List<string> Heads(int count = 100)
    {
        var heads = new QueueHeads();
        Desk.Look(Order(count), heads);
        heads.Sort();
        return [.. Enumerable.Range(0, heads.Count).Select(i => Encoding.UTF8.GetString(heads.KeyOf(heads[i])))];
    }

    /// <summary>The best entry, reserved and not yet confirmed.</summary>
    public LeaseRow Reserve(long leaseMs = Hour)
    {
        var heads = new QueueHeads();
        Desk.Look(Order(), heads);
        heads.Sort();
        return Desk.Reserve(Order(leaseMs: leaseMs), heads[0].Slot, NowMs)!;
    }

    public LeaseRow Pull(long leaseMs = Hour)
    {
        LeaseRow row = Reserve(leaseMs);
        Assert.True(Desk.Confirm(row.Sequence));
        return row;
    }

    public DebtorSnapshot Debtor(string name) => Partition.View.Debtor("bank"u8, Utf8(name))!;

    /// <summary>Dead letters since the start; filling a checkpoint takes them out of the partition.</summary>
    public List<string> DeadLetters()
    {
        var checkpoint = new Checkpoint();
        Partition.Checkpoints.Fill(checkpoint);
        return [.. checkpoint.DeadLetters.Select(letter => letter.Reason)];
    }

    public EventAddress At(string debtor, string? id, Day day) =>
        new() { Tenant = "bank"u8, Debtor = Utf8(debtor), Id = Utf8(id ?? $"event {ids++}"), Effective = day };

    private static string TextOf(ReadOnlySpan<byte> content, long knownMs)
    {
        EventError error = default;
        Assert.True(EventReader.TryRead(content, knownMs, history: false, out Event e, out _));
        Assert.True(BodyReader.TryRead(e.Body, out AttemptReported attempt, ref error));
        return $"{Encoding.UTF8.GetString(e.Head.Id)}: {attempt.Outcome} {attempt.Channel} of {Encoding.UTF8.GetString(e.Head.Debtor)} under {Encoding.UTF8.GetString(attempt.Lease)}";
    }

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public int PartitionOf(string debtor) => DebtorKey.PartitionOf("bank"u8, Utf8(debtor), partitionCount);
}
