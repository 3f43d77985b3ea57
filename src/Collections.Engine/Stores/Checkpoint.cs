using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Engine.Stores;

/// <summary>What a checkpoint says of the partition as a whole.</summary>
/// <param name="Next">The next record to apply of each stream: everything before it is in the states.</param>
/// <param name="ClockMs">The partition's clock, in Unix milliseconds.</param>
/// <param name="NextLeaseSequence">Leases with this sequence and later were granted after the checkpoint.</param>
/// <param name="LayoutVersion">Of the state images; another version is folded anew from the log.</param>
/// <param name="SweptDay">The day up to which every debtor has been evaluated.</param>
/// <param name="Quiet">Whether imported history has not been ended.</param>
public readonly record struct CheckpointHeader(
    StreamPositions Next, long ClockMs, uint NextLeaseSequence, int LayoutVersion, int SweptDay, bool Quiet, PartitionCounters Counters);

/// <summary>Counts since the log began; they survive restarts with the checkpoint.</summary>
/// <param name="Parked">Debtors that had to wait for their history; the other counts are of events.</param>
public record struct PartitionCounters(long Applied, long Duplicates, long DeadLetters, long Parked, long Misplaced)
{
    /// <summary>Each event that was read counts once, except <see cref="EventKind.ImportEnded"/>, and those that are held until their debtor's history is there.</summary>
    public readonly long Events => Applied + Duplicates + DeadLetters + Misplaced;
}

/// <summary>
/// A consistent copy of what changed in a partition since its last checkpoint, taken between two slices. The worker fills it; the
/// store's thread commits it while the worker goes on; then it is used again.
/// </summary>
public sealed class Checkpoint
{
    private readonly List<(int Slot, int Start, int Length)> states = [];
    private byte[] images = new byte[1 << 20];
    private int used;

    public int Partition { get; set; }

    public long Epoch { get; set; }

    public CheckpointHeader Header { get; set; }

    /// <summary>All interned names, in order of their ids; empty when none came since the last checkpoint.</summary>
    public byte[] Names { get; set; } = [];

    /// <summary>All events held for parked debtors, in order; replaces what was held before.</summary>
    public RecordBatch Held { get; } = new();

    public List<AuditRow> Audit { get; } = [];

    public List<DeadLetter> DeadLetters { get; } = [];

    /// <summary>What leaves the engine, each kind in its order; the store numbers it.</summary>
    public List<OutboxRow> Outbox { get; } = [];

    /// <summary>Set by the store when it has committed: the numbers that it gave last, in this checkpoint or before.</summary>
    public OutboxNumbers OutboxLast { get; set; }

    /// <summary>What became of watched predictions; empty: unchanged since the last checkpoint.</summary>
    public byte[] Outcomes { get; set; } = [];

    /// <summary>The partition starts anew: states stored before are dropped.</summary>
    public bool Replace { get; set; }

    /// <summary>The readable row of each state, where the store wants them (<see cref="IStore.WantsReadable"/>); null: it does not.</summary>
    public ReadableStates? Readable { get; init; }

    /// <summary>Rises whenever it is emptied to be filled again: as long as it stays, the content is the same.</summary>
    public long Filling { get; private set; }

    public int StateCount => states.Count;

    public long ImageBytes => used;

    public int SlotOf(int index) => states[index].Slot;

    public ReadOnlySpan<byte> ImageOf(int index) => images.AsSpan(states[index].Start, states[index].Length);

    /// <summary>Room for one debtor's image, to be filled before the next call.</summary>
    public Span<byte> AddState(int slot, int length)
    {
        if (used > images.Length - length)
            Array.Resize(ref images, (int)Math.Min(Array.MaxLength, Math.Max(images.Length * 2L, used + (long)length)));
        states.Add((slot, used, length));
        Span<byte> room = images.AsSpan(used, length);
        used += length;
        return room;
    }

    public void Clear()
    {
        Filling++;
        states.Clear();
        Readable?.Clear();
        used = 0;
        Names = [];
        Outcomes = [];
        Held.Clear();
        Audit.Clear();
        DeadLetters.Clear();
        Outbox.Clear();
        OutboxLast = default;
        Replace = false;
    }
}

/// <summary>An act, for the trail.</summary>
/// <param name="Sequence">Counts without gaps in its partition, from 1; 0 lets the store give the next one.</param>
public readonly record struct AuditRow(long Sequence, long AtMs, AuditKind Kind, string Tenant, string Debtor, string Detail);

/// <summary>Kinds of acts; the numbers are persisted.</summary>
public enum AuditKind : byte
{
    LeaseGranted = 1,
    LeaseReported = 2,
    LeaseReleased = 3,
    LeaseExpired = 4,
    LeaseVoided = 5,

    /// <summary>The partition scores with other models from here on.</summary>
    ModelsInstalled = 6,
}

/// <summary>A record that could not be applied, and why.</summary>
public sealed record DeadLetter(long AtMs, byte Stream, long Offset, string Reason, byte[] Content);

/// <summary>A dead letter as it is kept.</summary>
/// <param name="Number">Counts upwards in its partition, from 1.</param>
/// <param name="SettledMs">When it was settled, in Unix milliseconds; 0: it is open.</param>
/// <param name="Settled">What became of it, and by whose word; empty while it is open.</param>
public sealed record StoredDeadLetter(long Number, DeadLetter Letter, long SettledMs, string Settled);
