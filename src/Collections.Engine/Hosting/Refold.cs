using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;

namespace Collections.Engine.Hosting;

/// <summary>
/// A partition that is folded anew from the log is held to the checkpoint that it replaces: up to where that stands, the log must have as many events
/// as were counted there. An archive may have fewer, where retention has deleted what its node missed. Until it is through nothing is kept, so that
/// the checkpoint is still there for a node that has the whole log, or for the version that wrote it.
/// </summary>
/// <param name="before">The checkpoint that can't be taken over.</param>
internal sealed class Refold(PartitionCheckpoints before)
{
    private readonly StreamPositions until = before.StoredNext;
    private readonly long expected = before.StoredEvents;
    private long counted;

    /// <summary>Events that the log lacks, if nothing comes any more; below zero never, unless an event was counted twice.</summary>
    public long Missing => expected - counted;

    /// <summary>Events that a slice is about to apply.</summary>
    public void Count(RecordBatch records)
    {
        for (int i = 0; i < records.Count; i++)
        {
            LogRecord record = records[i];
            if (record.Offset < until[record.Stream] && !IsImportEnded(record))
                counted++;
        }
    }

    /// <summary>Whether everything that the checkpoint had read has been read again.</summary>
    /// <exception cref="LogCorruptException">The log has less.</exception>
    public bool IsOver(int partition, StreamPositions read)
    {
        if (!read.Covers(until))
            return false;
        if (Missing > 0)
            throw new LogCorruptException($"partition {partition} can't be folded anew: up to {until} the log here has {counted} events, and {expected} had been applied; the others have been deleted. The stored checkpoint is as it was: run it with the version that wrote it, or copy the partition's log from the node or backup that has all of it into this node's data directory");
        return true;
    }

    private static bool IsImportEnded(in LogRecord record) =>
        EventReader.TryRead(record.Content, record.KnownMs, record.History, out Event e, out _) && e.Head.Kind == EventKind.ImportEnded;
}
