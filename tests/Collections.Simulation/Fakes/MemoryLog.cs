using System.Collections.Concurrent;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Simulation.Fakes;

/// <summary>
/// A log in memory that keeps the contract, and fails when it is told to. What was appended outlives a crash of whoever appended it: a new
/// handle on the same log finds it again.
/// </summary>
internal sealed class MemoryLog : IEventLog
{
    private readonly List<Stored>[,] streams;
    private readonly StreamPositions[] begins;
    private readonly Lock gate;
    private bool closed;
    private int appendFailures;
    private TaskCompletionSource? held;

    public MemoryLog(int partitions)
    {
        streams = new List<Stored>[partitions, EventKinds.StreamCount];
        for (int i = 0; i < partitions * EventKinds.StreamCount; i++)
            streams[i / EventKinds.StreamCount, i % EventKinds.StreamCount] = [];
        begins = new StreamPositions[partitions];
        gate = new Lock();
    }

    private MemoryLog(MemoryLog before)
    {
        streams = before.streams;
        begins = before.begins;
        gate = before.gate;
        Publisher = before.Publisher;
    }

    public int PartitionCount => streams.GetLength(0);

    public Action<int>? Appended { get; set; }

    /// <summary>Who says which partitions the node of this handle runs; null: all of them.</summary>
    public IPartitionGroup? Group { get; init; }

    /// <summary>Set before a node is started on it.</summary>
    public IPublisher? Publisher { get; init; }

    /// <summary>While true, reading fails as if the log could not be reached.</summary>
    public bool IsUnreachable { get; set; }

    /// <summary>While true, no history can be read, and none ever will be: what is stored is damaged.</summary>
    public bool IsDamaged { get; set; }

    /// <summary>While true, histories are told without their oldest record, and that this is so.</summary>
    public bool HasLostHistory { get; set; }

    /// <summary>While true, nobody says where the log ends, as behind a network that is cut.</summary>
    public bool IsSilent { get; set; }

    /// <summary>What the log was told to be in the store, by partition.</summary>
    public ConcurrentDictionary<int, StreamPositions> Kept { get; } = [];

    /// <summary>A new handle on the same log, as after a restart.</summary>
    public MemoryLog Reopen(IPartitionGroup? group = null) => new(this) { Group = group };

    /// <summary>The next appends fail, and nothing of them is kept.</summary>
    public void FailAppends(int count) => appendFailures = count;

    /// <summary>What lies before the positions is gone, as when retention has deleted it; <see cref="StreamPositions.Start"/> brings it back.</summary>
    public void LoseBefore(int partition, StreamPositions at)
    {
        lock (gate)
            begins[partition] = at;
    }

    /// <summary>Appends wait, unkept, until <see cref="LetGo"/>.</summary>
    public void Hold() => held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void LetGo() => held?.TrySetResult();

    public StreamPositions End(int partition)
    {
        lock (gate)
            return new StreamPositions(streams[partition, 0].Count, streams[partition, 1].Count, streams[partition, 2].Count).Max(begins[partition]);
    }

    public bool KnowsEnd(int partition) => !IsSilent;

    public void OnKept(int partition, StreamPositions next) => Kept[partition] = next;

    public int Read(int partition, ref StreamPositions from, int maxCount, RecordBatch into)
    {
        if (IsUnreachable)
            throw new LogUnavailableException("the simulated log can't be reached");
        lock (gate)
        {
            from = from.Max(begins[partition]);
            int count = 0;
            for (; count < maxCount && Next(partition, from) is { } stream; count++)
            {
                Add(partition, stream, (int)from[stream], into);
                from = from.With(stream, from[stream] + 1);
            }
            return count;
        }
    }

    public async Task AppendAsync(AppendBatch batch, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (held is { } waiting)
            await waiting.Task;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            if (appendFailures > 0)
            {
                appendFailures--;
                throw new LogUnavailableException("the simulated log takes nothing now");
            }
            for (int i = 0; i < batch.Count; i++)
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(batch.PartitionOf(i), PartitionCount);
            for (int i = 0; i < batch.Count; i++)
            {
                List<Stored> stream = streams[batch.PartitionOf(i), (int)batch.StreamOf(i)];
                batch.SetOffset(i, stream.Count);
                stream.Add(new Stored(batch.DebtorHashOf(i), batch.KnownMsOf(i), batch.IsHistory(i), batch.ContentOf(i).ToArray()));
            }
        }
        foreach (int partition in Enumerable.Range(0, batch.Count).Select(batch.PartitionOf).Distinct())
            Appended?.Invoke(partition);
    }

    /// <summary>From the last to the first: the contract allows any order, so nobody may rely on one.</summary>
    public void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into)
    {
        if (IsUnreachable)
            throw new LogUnavailableException("the simulated log can't be reached");
        if (IsDamaged)
            throw new LogCorruptException("the simulated log is damaged");
        lock (gate)
        {
            for (int stream = EventKinds.StreamCount - 1; stream >= 0; stream--)
            {
                List<Stored> records = streams[partition, stream];
                for (int i = (int)Math.Min(records.Count, until[(EventStream)stream]) - 1; i >= (HasLostHistory ? 1 : 0) + begins[partition][(EventStream)stream]; i--)
                {
                    if (records[i].DebtorHash == debtorHash)
                        Add(partition, (EventStream)stream, i, into);
                }
            }
        }
        if (HasLostHistory)
            throw new HistoryLostException("the simulated log has lost the first record of each stream");
    }

    public void Dispose()
    {
        lock (gate)
            closed = true;
    }

    private EventStream? Next(int partition, StreamPositions at)
    {
        EventStream? next = null;
        long known = 0;
        for (int s = 0; s < EventKinds.StreamCount; s++)
        {
            List<Stored> stream = streams[partition, s];
            long offset = at[(EventStream)s];
            if (offset < stream.Count && (next is null || stream[(int)offset].KnownMs < known))
                (next, known) = ((EventStream)s, stream[(int)offset].KnownMs);
        }
        return next;
    }

    private void Add(int partition, EventStream stream, int offset, RecordBatch into)
    {
        Stored record = streams[partition, (int)stream][offset];
        into.Add(stream, offset, record.KnownMs, record.History, record.Content);
    }

    private sealed record Stored(ulong DebtorHash, long KnownMs, bool History, byte[] Content);
}
