using System.Globalization;
using System.Text;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Scoring.Reasons;

namespace Collections.Storage.Tests;

/// <summary>A loaded checkpoint, as text that two of can be compared by.</summary>
public sealed class LoadedCheckpoint : ICheckpointSink
{
    public CheckpointHeader? Head { get; private set; }

    public string Text { get; private set; } = "";

    public Dictionary<int, byte[]> States { get; } = [];

    public List<SampleRecord> HeldRecords { get; } = [];

    public byte[]? NameBytes { get; private set; }

    public static LoadedCheckpoint? Of(IStore store, int partition)
    {
        var loaded = new LoadedCheckpoint();
        return store.Load(partition, loaded) ? loaded : null;
    }

    public void Header(CheckpointHeader header)
    {
        Assert.Null(Head);
        Head = header;
        Text += $"{header}\n";
    }

    public void Names(ReadOnlySpan<byte> names)
    {
        Assert.NotNull(Head);
        Assert.Null(NameBytes);
        NameBytes = names.ToArray();
        Text += $"names {Convert.ToHexString(names)}\n";
    }

    public void Outcomes(ReadOnlySpan<byte> outcomes)
    {
        Assert.NotNull(NameBytes);
        Assert.Empty(States);
        Text += $"outcomes {Convert.ToHexString(outcomes)}\n";
    }

    public void State(int slot, ReadOnlySpan<byte> image)
    {
        Assert.NotNull(NameBytes);
        Assert.Empty(HeldRecords);
        States.Add(slot, image.ToArray());
        Text += string.Create(CultureInfo.InvariantCulture, $"{slot}: {Convert.ToHexString(image)}\n");
    }

    public void Held(in LogRecord record)
    {
        var held = new SampleRecord(record.Stream, record.Offset, record.KnownMs, record.History, Convert.ToHexString(record.Content));
        HeldRecords.Add(held);
        Text += $"{held}\n";
    }
}

public static class StoreSamples
{
    public static CheckpointHeader Header(long applied) => new(
        new StreamPositions(applied, applied * 2, long.MaxValue - applied), ClockMs: -applied, NextLeaseSequence: uint.MaxValue - (uint)applied, LayoutVersion: 3,
        SweptDay: -7, Quiet: applied % 2 == 1, new PartitionCounters(applied, 1, 2, 3, long.MinValue));

    /// <summary>A checkpoint with something of everything, that follows from its number.</summary>
    public static Checkpoint Full(int partition, long epoch, int number)
    {
        var checkpoint = new Checkpoint { Partition = partition, Epoch = epoch, Header = Header(number), Names = [1, 2, (byte)number] };
        for (int i = 0; i < 40; i++)
            checkpoint.AddState((i * 17 + number) % 97, i * 31 % 700).Fill((byte)(number + i));
        for (int i = 0; i < 3; i++)
            checkpoint.Held.Add((EventStream)i, 1000 - i, -i, i == 1, LogSamples.ContentOf(number * 10 + i));
        checkpoint.Audit.Add(Audit(0));
        checkpoint.DeadLetters.Add(new DeadLetter(number, 2, number, $"reason {number}", LogSamples.ContentOf(number)));
        checkpoint.Outbox.Add(new OutboxRow(0, OutboxKind.Decision, LogSamples.ContentOf(number)));
        return checkpoint;
    }

    /// <summary>A checkpoint of nothing but messages: texts that begin with an L are dead letters, the others decisions.</summary>
    public static Checkpoint Outgoing(int partition, long epoch, params string[] texts)
    {
        var checkpoint = new Checkpoint { Partition = partition, Epoch = epoch };
        checkpoint.Outbox.AddRange(texts.Select(text => new OutboxRow(0, text[0] == 'L' ? OutboxKind.DeadLetter : OutboxKind.Decision, Encoding.UTF8.GetBytes(text))));
        return checkpoint;
    }

    /// <summary>What waits, by number and text.</summary>
    public static List<(long Sequence, string Text)> Outbox(IStore store, int partition, OutboxKind kind) =>
        [.. store.LoadOutbox(partition, kind, after: 0, 1_000, long.MaxValue).Rows.Select(row => (row.Sequence, Encoding.UTF8.GetString(row.Content)))];

    public static AuditRow Audit(long sequence) => new(sequence, 5, AuditKind.LeaseGranted, "bank", "debtor", "detail");

    public static LeaseRow Lease(int partition, uint sequence, LeaseState state = LeaseState.Open, double propensity = 0.25) => new(
        partition, sequence, "bank", $"debtor-{sequence}-ü", "main", Channel.Voice, "dialer", $"request {sequence}", GrantedMs: 100, ExpiresMs: 200, Value: -0.0,
        propensity, ModelVersion: 65535, new StreamPositions(1, 2, long.MaxValue), state)
    { Reasons = sequence % 2 == 1 ? Reasons : default };

    /// <summary>What leases of odd numbers have; those of even ones have none.</summary>
    public static TopReasons Reasons => new([new(6, -0.75), new(65535, double.Epsilon), new(1, 1e-300)]);

    public static LeaseChange Grant(long epoch, LeaseRow row) => new(LeaseChangeKind.Grant, row.Partition, epoch, row.Sequence, 0, row);

    public static LeaseChange Change(LeaseChangeKind kind, int partition, long epoch, uint sequence, long expiresMs = 0) =>
        new(kind, partition, epoch, sequence, expiresMs, Row: null);
}
