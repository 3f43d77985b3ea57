using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>
/// One thread that fetches what the archive misses of open partitions: what others fetched while they ran them. One gap after another, in small
/// batches, so that the records of the moment hardly wait for it. What Kafka has of a gap no more comes first, from the archives of other nodes: a
/// chapter takes records in the order of their offsets, so what is passed over can't be filled in later.
/// </summary>
internal sealed class ArchiveBackfill : IDisposable
{
    private readonly KafkaLogOptions options;
    private readonly IRecordArchive archive;
    private readonly Func<int, bool> isOpen;
    private readonly RangeCopy copy;
    private readonly LostSearch search;
    private readonly Action<int> filled;
    private readonly Warnings warnings;
    private readonly AutoResetEvent look = new(false);
    private readonly Thread thread;

    // Held while a gap is worked at; who closes a partition waits for it.
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stopping = new();

    /// <param name="filled">Called with a partition of which something that was missing is there now.</param>
    public ArchiveBackfill(
        KafkaLogOptions options, IRecordArchive archive, Func<int, bool> isOpen, RecordDecoder decoder, TimeProvider time, Action<int> filled, Warnings warnings)
    {
        this.options = options;
        this.archive = archive;
        this.isOpen = isOpen;
        copy = new RangeCopy(options, decoder, time);
        search = new LostSearch(time, options.LostPatience, warnings);
        this.filled = filled;
        this.warnings = warnings;
        thread = new Thread(Run) { IsBackground = true, Name = "archive backfill" };
    }

    /// <inheritdoc cref="IArchivedLog.Others"/>
    public Func<IReadOnlyList<IOtherArchive>>? Others
    {
        get => search.Others;
        set => search.Others = value;
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
        stopping.Cancel();
        look.Set();
        thread.Join();
        look.Dispose();
        stopping.Dispose();
    }

    private void Run()
    {
        while (!stopping.IsCancellationRequested)
        {
            for (int partition = 0; partition < archive.PartitionCount && !stopping.IsCancellationRequested; partition++)
            {
                if (!isOpen(partition))
                    search.Forget(partition);
                while (!stopping.IsCancellationRequested && isOpen(partition) && archive.GapOf(partition) is { } gap && Fill(partition, gap))
                    filled(partition);
            }
            look.WaitOne(Limits.BackfillEveryMs);
        }
    }

    /// <returns>Whether something was done, so that it is worth while to go on at once.</returns>
    private bool Fill(int partition, ArchiveGap gap)
    {
        if (search.IsResting(partition))
            return false;
        try
        {
            using var client = new KafkaClient(options, onStatistics: null, static _ => { });
            StreamPositions begins = copy.PositionsOf(client, [partition], beginning: true)[partition];
            LostPiece[] gone = [.. RangeCopy.LostOf(begins, gap.From, gap.To)];
            if (gone.Length > 0)
                return FindElsewhere(partition, gap, gone);
            copy.Run(client, partition, gap.From.Max(begins), gap.To, (records, reached) => Keep(partition, gap, records, reached));
            return true;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            warnings.Say($"backfill {partition}", $"the archive of partition {partition} can't be completed now, it is tried again: {failure.Message}");
            return false;
        }
    }

    /// <summary>Fills in what other nodes have of the beginning of a gap, and gives up what none of them had for long enough.</summary>
    /// <returns>As <see cref="Fill"/>.</returns>
    private bool FindElsewhere(int partition, ArchiveGap gap, LostPiece[] gone)
    {
        bool moved = false;
        foreach (LostPiece piece in gone)
        {
            bool isNoted = archive.NoteOf(partition) is { } note && note.Lost.Any(lost => lost.Covers(piece));
            Search found = search.Look(partition, piece, isNoted, (records, reached) => Keep(partition, gap, records, piece with { To = reached }), stopping.Token);
            moved |= found.Reached > piece.From;
            if (found.Reached == piece.To || found.Waits)
                continue;
            if (!GiveUp(partition, gap, piece with { From = found.Reached, To = found.Resumes }))
                return false;
            moved = true;
        }
        return moved;
    }

    /// <returns>Whether it was noted: not of one that was closed.</returns>
    private bool GiveUp(int partition, ArchiveGap gap, LostPiece lost)
    {
        lock (gate)
        {
            if (!isOpen(partition))
                return false;
            archive.Note(partition, (archive.NoteOf(partition) ?? ArchiveNote.New).Without([lost]));
            archive.Fill(partition, gap, new AppendBatch(), gap.From.With(lost.Stream, lost.To));
        }
        if (lost.From > 0)
            warnings.Say($"gap {lost.Stream} {partition}", $"{copy.NameOf(lost.Stream, partition)} has the offsets {lost.From} to {lost.To - 1} no more, which this node's archive missed, and no other node has them: they are noted as lost. Histories of debtors in this partition are incomplete here; copy the partition's archive from the node that ran it");
        return true;
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
        return !stopping.IsCancellationRequested;
    }

    /// <summary>The same of what came from another node, in one stream.</summary>
    private bool Keep(int partition, ArchiveGap gap, AppendBatch records, LostPiece found)
    {
        lock (gate)
        {
            if (!isOpen(partition))
                return false;
            archive.Fill(partition, gap, records, gap.From.With(found.Stream, found.To));
            // A process that ended before it went on behind a piece finds the piece noted.
            if (archive.NoteOf(partition) is { } note && note.With(found) is var mended && mended != note)
                archive.Note(partition, mended);
        }
        filled(partition);
        return !stopping.IsCancellationRequested;
    }
}
