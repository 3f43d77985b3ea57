using System.Globalization;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Logs;

/// <summary>
/// One partition of a log or of an archive. A log has one chapter. An archive begins a new one when its node gets a partition that others have run
/// meanwhile: what it missed lies between the end of one chapter and the start of the next, and is filled in behind its back by appending to the
/// earlier one. A chapter is read up to where the next one starts, so that nothing comes twice.
/// </summary>
internal sealed class ChapteredLog : IDisposable
{
    private readonly string directory;
    private readonly int partition;
    private readonly Func<string, StreamPositions, PartitionLog> open;

    // Replaced whole; the last one is the one that is appended to.
    private volatile Chapter[] chapters;

    // Replaced whole, by who keeps the archive.
    private volatile ArchiveNote? note;

    /// <param name="open">Opens, or begins, a chapter in a directory; one that has nothing yet starts at the given positions.</param>
    public ChapteredLog(string directory, int partition, Func<string, StreamPositions, PartitionLog> open)
    {
        this.directory = directory;
        this.partition = partition;
        this.open = open;
        var found = new List<Chapter>();
        try
        {
            found.Add(Open(directory, 0, StreamPositions.Start));
            for (int number = 1; Directory.Exists(DirectoryOf(number)); number++)
                found.Add(Open(DirectoryOf(number), number, StreamPositions.Start));
        }
        catch
        {
            found.ForEach(static chapter => chapter.Log.Dispose());
            throw;
        }
        chapters = [.. found];
        note = NoteFile.Find(directory);
        if (note is not null)
            PassOver(note.Through);
        // Only the last one is appended to; however many there are, the others take no files.
        foreach (Chapter earlier in found.SkipLast(1))
            earlier.Log.Rest();
    }

    public StreamPositions End => chapters[^1].Log.End;

    /// <summary>What was noted of it; null: nothing.</summary>
    public ArchiveNote? Note
    {
        get => note;
        set
        {
            NoteFile.Write(directory, value!);
            note = value;
        }
    }

    /// <summary>What is missing before the positions will not come: reading goes on behind it.</summary>
    public void PassOver(StreamPositions until)
    {
        Chapter[] all = chapters;
        for (int i = 0; i + 1 < all.Length; i++)
        {
            if (until.Covers(all[i + 1].Start))
                all[i].FilledTo = all[i + 1].Start;
        }
    }

    /// <summary>The first piece that is missing; null: everything is there.</summary>
    public ArchiveGap? Gap
    {
        get
        {
            Chapter[] all = chapters;
            for (int i = 0; i + 1 < all.Length; i++)
            {
                if (!all[i].FilledTo.Covers(all[i + 1].Start))
                    return new ArchiveGap(i, all[i].FilledTo, all[i + 1].Start);
            }
            return null;
        }
    }

    /// <summary>Appending goes on at these positions: where the last chapter does not reach, a new one begins. Nobody may append meanwhile.</summary>
    public void Begin(StreamPositions at)
    {
        Chapter[] all = chapters;
        // Behind the last record there may be offsets without one, which were read through.
        bool reaches = (note is null || Gap is not null ? all[^1].Log.End : all[^1].Log.End.Max(note.Through)).Covers(at);
        // A new chapter is nothing on the disk until something is written into it.
        bool isBehind = !reaches || Gap is not null;
        if (note is null || note.IsBehind != isBehind)
            Note = (note ?? ArchiveNote.New) with { IsBehind = isBehind };
        if (reaches)
            return;
        // One in which nothing was ever written takes no place.
        if (all.Length > 1 && all[^1].Log.IsEmpty)
        {
            all[^1].Log.Dispose();
            all = all[..^1];
        }
        all[^1].Log.Rest();
        chapters = [.. all, Open(DirectoryOf(all.Length), all.Length, at)];
    }

    public void Append(List<AppendItem>[] streams) => chapters[^1].Log.Append(streams);

    /// <summary>Adds what was missing; one thread at a time.</summary>
    /// <param name="reached">How far the source has been read: what lies before it is here, or nowhere any more.</param>
    public void Fill(ArchiveGap gap, List<AppendItem>[] streams, StreamPositions reached)
    {
        Chapter chapter = chapters[gap.Chapter];
        if (streams[0].Count + streams[1].Count + streams[2].Count > 0)
            chapter.Log.Append(streams);
        chapter.FilledTo = reached;
        if (!chapter.FilledTo.Covers(gap.To))
            return;
        chapter.Log.Rest();
        ArchiveNote before = note ?? ArchiveNote.New;
        Note = before with { Through = before.Through.Max(gap.To), IsBehind = Gap is not null };
    }

    /// <param name="sourceEnd">As in <see cref="PartitionCursor.Read"/>.</param>
    public int Read(ref StreamPositions from, StreamPositions sourceEnd, int maxCount, RecordBatch into)
    {
        Chapter[] all = chapters;
        int count = 0;
        int at = all.Length - 1;
        while (at > 0 && !from.Covers(all[at].Start))
            at--;
        for (; at < all.Length - 1; at++)
        {
            // The next chapter starts where an owner had come to when it kept a checkpoint: reading up to there, and no further, is what it did, too.
            StreamPositions until = all[at + 1].Start;
            count += all[at].Log.Read(ref from, until, maxCount - count, into, until);
            if (!from.Covers(until) && from.Covers(all[at].Log.End.Min(until)) && all[at].FilledTo.Covers(until))
                from = from.Max(until);
            if (!from.Covers(until) || count == maxCount)
                return count;
        }
        return count + all[^1].Log.Read(ref from, sourceEnd, maxCount - count, into, null);
    }

    /// <exception cref="LogUnavailableException">A piece before <paramref name="until"/> is missing yet.</exception>
    /// <exception cref="HistoryLostException">A piece before it is missing for good.</exception>
    public void ReadHistory(ulong debtorHash, StreamPositions until, RecordBatch into)
    {
        Chapter[] all = chapters;
        for (int i = 0; i < all.Length; i++)
        {
            StreamPositions end = i + 1 < all.Length ? until.Min(all[i + 1].Start) : until;
            if (i + 1 < all.Length && !all[i].FilledTo.Covers(end))
                throw new LogUnavailableException($"the archive of partition {partition} is being completed from {all[i].FilledTo} to {all[i + 1].Start}, which this node missed while others ran the partition; it is tried again");
            all[i].Log.ReadHistory(debtorHash, end, into);
        }
        LostPiece[] lost = [.. (note?.Lost ?? []).Where(piece => piece.From < until[piece.Stream])];
        if (lost.Length > 0)
            throw new HistoryLostException($"the archive of partition {partition} is without {string.Join(", ", lost)}, which retention had deleted before this node could fetch them. Bring the partition's folder from a node or an archive that has them (docs/operations.md, backup), start the node again, and replay what was refused (collections dead-letter replay)");
    }

    /// <summary>As <see cref="IRecordArchive.ReadPiece"/> says.</summary>
    public ArchivePart ReadPiece(LostPiece piece, int bytesMax, AppendBatch into)
    {
        Chapter[] all = chapters;
        long reached = piece.From;
        while (reached < piece.To && into.ByteCount < bytesMax && Find(all, piece with { From = reached }) is { } held)
        {
            if (held.Part.From > reached)
                return reached > piece.From ? new ArchivePart(piece.From, reached) : new ArchivePart(held.Part.From, held.Part.From);
            reached = held.Log.ReadPiece(held.Part, bytesMax, into);
        }
        return reached > piece.From ? new ArchivePart(piece.From, reached) : new ArchivePart(piece.To, piece.To);
    }

    /// <summary>The first part of a piece that is in one chapter and without a hole; null: there is none.</summary>
    private (PartitionLog Log, LostPiece Part)? Find(Chapter[] all, LostPiece piece)
    {
        EventStream stream = piece.Stream;
        LostPiece[] lost = [.. (note?.Lost ?? []).Where(l => l.Stream == stream).OrderBy(static l => l.From)];
        for (int i = 0; i < all.Length; i++)
        {
            long from = Math.Max(piece.From, BeginningOf(all[i], stream)), to = Math.Max(all[i].FilledTo[stream], note?.Through[stream] ?? 0);
            if (i + 1 < all.Length)
                to = Math.Min(to, all[i + 1].Start[stream]);
            foreach (LostPiece hole in lost)
            {
                if (hole.From <= from)
                    from = Math.Max(from, hole.To);
                else
                    to = Math.Min(to, hole.From);
            }
            to = Math.Min(to, piece.To);
            if (from < to)
                return (all[i].Log, new LostPiece(stream, from, to));
        }
        return null;
    }

    /// <summary>
    /// From where on a chapter is known to have everything of a stream. What its source did not have when its first owner began with it was never anything;
    /// what later ones could not get is noted as lost. A stream of which the first chapter has nothing, and of which nothing was noted, may be another's.
    /// </summary>
    private long BeginningOf(Chapter chapter, EventStream stream) =>
        chapter.Start[stream] > 0 || chapter.Log.End[stream] > 0 || note is { } known && known.Through[stream] > 0 ? chapter.Start[stream] : long.MaxValue;

    public void Dispose()
    {
        foreach (Chapter chapter in chapters)
            chapter.Log.Dispose();
    }

    private Chapter Open(string path, int number, StreamPositions start)
    {
        PartitionLog log = open(path, start);
        return new Chapter(log, number == 0 ? StreamPositions.Start : log.Start) { FilledTo = log.End };
    }

    private string DirectoryOf(int number) => number == 0 ? directory : string.Create(CultureInfo.InvariantCulture, $"{directory}-{number}");

    private sealed class Chapter(PartitionLog log, StreamPositions start)
    {
        private readonly Lock gate = new();
        private StreamPositions filledTo;

        public PartitionLog Log => log;

        public StreamPositions Start => start;

        /// <summary>How far the source is known to have been read into it, where records have gone from the source included.</summary>
        public StreamPositions FilledTo
        {
            get
            {
                lock (gate)
                    return filledTo.Max(log.End);
            }
            set
            {
                lock (gate)
                    filledTo = filledTo.Max(value);
            }
        }
    }
}
