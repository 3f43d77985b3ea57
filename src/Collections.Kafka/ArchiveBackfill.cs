using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>
/// One thread that fetches what the archive misses of open partitions: what others fetched while they ran them. One gap after another, in small
/// batches, so that the records of the moment hardly wait for it.
/// </summary>
internal sealed class ArchiveBackfill : IDisposable
{
    private readonly KafkaLogOptions options;
    private readonly IRecordArchive archive;
    private readonly Func<int, bool> isOpen;
    private readonly RangeCopy copy;
    private readonly Action<int> filled;
    private readonly Warnings warnings;
    private readonly AutoResetEvent look = new(false);
    private readonly Thread thread;

    // Held while a gap is worked at; who closes a partition waits for it.
    private readonly Lock gate = new();
    private volatile bool stopping;

    /// <param name="filled">Called with a partition of which something that was missing is there now.</param>
    public ArchiveBackfill(
        KafkaLogOptions options, IRecordArchive archive, Func<int, bool> isOpen, RecordDecoder decoder, TimeProvider time, Action<int> filled, Warnings warnings)
    {
        this.options = options;
        this.archive = archive;
        this.isOpen = isOpen;
        copy = new RangeCopy(options, decoder, time);
        this.filled = filled;
        this.warnings = warnings;
        thread = new Thread(Run) { IsBackground = true, Name = "archive backfill" };
    }

    public void Start() => thread.Start();

    public void LookAgain() => look.Set();

    /// <summary>The partition has been closed: returns when nothing of it is written any more.</summary>
    public void WaitUntilLeft()
    {
        gate.Enter();
        gate.Exit();
    }

    public void Dispose()
    {
        stopping = true;
        look.Set();
        thread.Join();
        look.Dispose();
    }

    private void Run()
    {
        while (!stopping)
        {
            for (int partition = 0; partition < archive.PartitionCount && !stopping; partition++)
            {
                while (!stopping && isOpen(partition) && archive.GapOf(partition) is { } gap && Fill(partition, gap))
                    filled(partition);
            }
            look.WaitOne(Limits.BackfillEveryMs);
        }
    }

    /// <returns>Whether something was done, so that it is worth while to go on at once.</returns>
    private bool Fill(int partition, ArchiveGap gap)
    {
        try
        {
            using var client = new KafkaClient(options, onStatistics: null, static _ => { });
            StreamPositions begins = copy.PositionsOf(client, [partition], beginning: true)[partition];
            LostPiece[] gone = [.. RangeCopy.LostOf(begins, gap.From, gap.To)];
            if (gone.Length > 0 && !Note(partition, gone))
                return false;
            foreach (LostPiece lost in gone.Where(static lost => lost.From > 0))
                warnings.Say($"gap {lost.Stream} {partition}", $"{copy.NameOf(lost.Stream, partition)} begins at offset {begins[lost.Stream]}, and this node's archive has it up to {lost.From}: retention has deleted what it missed. Histories of debtors in this partition are incomplete here; copy the partition's archive from the node that ran it");
            copy.Run(client, partition, gap.From.Max(begins), gap.To, (records, reached) => Keep(partition, gap, records, reached));
            return true;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            warnings.Say($"backfill {partition}", $"the archive of partition {partition} can't be completed now, it is tried again: {failure.Message}");
            return false;
        }
    }

    /// <returns>Whether it was noted: not of one that was closed.</returns>
    private bool Note(int partition, LostPiece[] lost)
    {
        lock (gate)
        {
            if (!isOpen(partition))
                return false;
            archive.Note(partition, (archive.NoteOf(partition) ?? ArchiveNote.New).Without(lost));
            return true;
        }
    }

    /// <returns>Whether to go on: not in one that was closed.</returns>
    private bool Keep(int partition, ArchiveGap gap, AppendBatch records, StreamPositions reached)
    {
        lock (gate)
        {
            if (!isOpen(partition))
                return false;
            archive.Fill(partition, gap, records, reached);
        }
        filled(partition);
        return !stopping;
    }
}
