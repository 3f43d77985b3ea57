using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>
/// One partition on its way from Kafka into the archive. The fetching thread fills and hands over batches; what other threads see lies under the
/// lock.
/// </summary>
internal sealed class PartitionFeed(int partition, StreamPositions start)
{
    private readonly Lock gate = new();
    private readonly long[] endKnownAt = [long.MinValue, long.MinValue, long.MinValue];

    // Everything before it is in the archive; where Kafka has gaps there is nothing.
    private StreamPositions fed = start;
    private StreamPositions sourceEnd = start;
    private StreamPositions readTo = start;
    private Exception? fault;

    public int Partition => partition;

    /// <summary>What is being gathered. The fetching thread's.</summary>
    public AppendBatch Filling { get; private set; } = new();

    /// <summary>How far Kafka has been read, gaps included. The fetching thread's.</summary>
    public StreamPositions Reached { get; set; } = start;

    /// <summary>The batch on its way into the archive; null when there is none. The fetching thread's.</summary>
    public Task? Writing { get; set; }

    /// <summary>Which streams are paused. The fetching thread's.</summary>
    public bool[] Paused { get; } = new bool[EventKinds.StreamCount];

    /// <summary>When an archive that failed is tried again, by the monotonic clock. The fetching thread's.</summary>
    public long RetryAt { get; set; }

    /// <summary>The batch that the archive has not taken yet. The fetching thread's.</summary>
    public AppendBatch Handed { get; private set; } = new();

    public StreamPositions HandedTo { get; private set; } = start;

    /// <summary>Behind everything that Kafka has, gaps included, as far as is known.</summary>
    public StreamPositions End(IRecordArchive archive)
    {
        lock (gate)
            return archive.End(partition).Max(fed).Max(sourceEnd);
    }

    /// <summary>
    /// Who has read everything that is archived goes on behind the gaps that follow. Otherwise a stream that ends with one would be asked for it again when
    /// retention has taken the records before it, too, and seem to have lost them.
    /// </summary>
    public StreamPositions PassGaps(StreamPositions from, IRecordArchive archive)
    {
        lock (gate)
        {
            StreamPositions archived = archive.End(partition);
            foreach (EventStream stream in Enum.GetValues<EventStream>())
            {
                if (from[stream] >= archived[stream] && from[stream] < fed[stream])
                    from = from.With(stream, fed[stream]);
            }
            return from;
        }
    }

    /// <summary>Everything before it is in the archive, or was never anything.</summary>
    public StreamPositions Fed
    {
        get
        {
            lock (gate)
                return fed;
        }
    }

    /// <summary>Behind the last record, as far as is known; where only gaps are left, the archive's own end.</summary>
    public StreamPositions EndOver(IRecordArchive archive)
    {
        lock (gate)
        {
            // Asked under the lock, so that it is not older than what counts as fed.
            StreamPositions archived = archive.End(partition);
            return new StreamPositions(Of(EventStream.Invoices, archived), Of(EventStream.Payments, archived), Of(EventStream.Activity, archived));
        }

        long Of(EventStream stream, StreamPositions archived) => fed[stream] >= sourceEnd[stream] ? archived[stream] : Math.Max(archived[stream], sourceEnd[stream]);
    }

    /// <summary>Whether the archive has everything before the positions that Kafka had.</summary>
    public bool Covers(StreamPositions until)
    {
        lock (gate)
            return fed.Covers(until);
    }

    /// <summary>Whether everything before the positions can be read from the archive, which may be ahead of what was noted here.</summary>
    public bool Covers(StreamPositions until, IRecordArchive archive)
    {
        StreamPositions archived = archive.End(partition);
        lock (gate)
            return Array.TrueForAll(Enum.GetValues<EventStream>(), stream => Math.Max(fed[stream], archived[stream]) >= until[stream]);
    }

    /// <param name="since">Answers from before it are too old.</param>
    public bool KnowsEnd(long since)
    {
        lock (gate)
            return fault is null && endKnownAt[0] >= since && endKnownAt[1] >= since && endKnownAt[2] >= since;
    }

    public void SetEnd(EventStream stream, long offset, long at)
    {
        lock (gate)
        {
            endKnownAt[(int)stream] = at;
            if (offset > sourceEnd[stream])
                sourceEnd = sourceEnd.With(stream, offset);
        }
    }

    /// <summary>A record of our own is durable in Kafka: its end is at least behind it.</summary>
    public void RaiseEnd(EventStream stream, long offset)
    {
        lock (gate)
        {
            if (offset > sourceEnd[stream])
                sourceEnd = sourceEnd.With(stream, offset);
        }
    }

    /// <summary>How many offsets the reader is behind the archive, and the archive behind Kafka.</summary>
    public (long Lead, long Missing) LagOf(EventStream stream)
    {
        lock (gate)
            return (fed[stream] - readTo[stream], Math.Max(0, sourceEnd[stream] - fed[stream]));
    }

    public void OnRead(StreamPositions to)
    {
        lock (gate)
            readTo = to;
    }

    /// <summary>Hands over what was gathered; the archive keeps it in one transaction.</summary>
    public void Hand()
    {
        (Filling, Handed) = (Handed, Filling);
        HandedTo = Reached;
    }

    /// <summary>The archive has what was handed over.</summary>
    public void OnArchived()
    {
        Handed.Clear();
        Writing = null;
        lock (gate)
            fed = HandedTo;
    }

    /// <summary>Kafka had gaps alone, and nothing is on its way: the archive is as far as that.</summary>
    public void OnGapReached()
    {
        lock (gate)
            fed = Reached;
    }

    /// <summary>It can't go on: whoever reads it learns why.</summary>
    public void Fail(Exception why)
    {
        lock (gate)
            fault ??= why;
    }

    public bool HasFailed
    {
        get
        {
            lock (gate)
                return fault is not null;
        }
    }

    public void ThrowIfFailed()
    {
        lock (gate)
        {
            if (fault is not null)
                throw new LogCorruptException(fault.Message, fault);
        }
    }
}
