using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Logs;

/// <summary>Where an append can be made to fail, in tests.</summary>
internal enum LogStep
{
    CreateSegment,
    Begin,
    Write,
    Commit,

    /// <summary>The disk has it, and the answer is lost.</summary>
    Committed,
}

/// <summary>
/// One partition: its segments, the end of its streams, and who may touch what. One append thread writes, the partition's worker reads on,
/// any thread reads history; they meet only in what the lock guards.
/// </summary>
internal sealed class PartitionLog : IDisposable
{
    private readonly string directory;
    private readonly int partition;
    private readonly TimeProvider time;
    private readonly bool isArchive;
    private readonly Action<LogStep, int>? fault;
    private readonly PartitionCursor cursor;
    private readonly HistoryReader history;
    private readonly Lock historyGate = new();

    // Guards the fields below it, which the append thread changes after each commit.
    private readonly Lock gate = new();
    private RecentPostings recent = new();
    private Segment[] segments;
    private StreamPositions end;
    private int openRuns;

    // The append thread's own. Null when there is no segment yet, or when the last write failed and its connection can't be relied on.
    private SegmentWriter? writer;

    /// <param name="start">Where it begins, if nothing has been written yet.</param>
    /// <param name="isArchive">What is appended has its offsets already.</param>
    public PartitionLog(string directory, int partition, StreamPositions start, TimeProvider time, int openSegmentsMax, bool isArchive, Action<LogStep, int>? fault)
    {
        this.isArchive = isArchive;
        this.directory = directory;
        this.partition = partition;
        this.time = time;
        this.fault = fault;
        cursor = new PartitionCursor(partition);
        history = new HistoryReader(partition, openSegmentsMax);
        segments = FindSegments(directory);
        (Start, end) = (start, start);
        try
        {
            if (segments.Length > 0)
            {
                using (var oldest = new SegmentReader(segments[0].Path, partition, segments[0].Day))
                    (Start, end) = (oldest.Start, oldest.Start);
                OpenWriter();
            }
        }
        catch (DatabaseException e)
        {
            Dispose();
            throw Translate(e);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it begins.</summary>
    public StreamPositions Start { get; }

    /// <summary>Whether nothing was ever written.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (gate)
                return segments.Length == 0;
        }
    }

    public StreamPositions End
    {
        get
        {
            lock (gate)
                return end;
        }
    }

    /// <param name="sourceEnd">As in <see cref="PartitionCursor.Read"/>.</param>
    /// <param name="cap">What lies behind it is not read; null: everything is.</param>
    public int Read(ref StreamPositions from, StreamPositions sourceEnd, int maxCount, RecordBatch into, StreamPositions? cap)
    {
        Segment[] all;
        StreamPositions until;
        lock (gate)
        {
            all = segments;
            until = end;
        }
        // What the store has and the archive has not is fetched again from where the archive ends; until then there is nothing to read.
        if (isArchive && !until.Covers(from))
            return 0;
        if (cap is { } most)
            until = until.Min(most.Max(from));
        Invariant.Require(until.Covers(from), $"partition {partition} is read from {from}, but its log ends at {until}: the store is ahead of the log, so one of them was restored or removed alone");
        int before = into.Count;
        try
        {
            return cursor.Read(all, ref from, until, sourceEnd, maxCount, into);
        }
        catch (Exception e) when (e is DatabaseException or LogCorruptException)
        {
            cursor.Close();
            // What was read before the bad place is good; the next call, which begins there, says what is wrong.
            int count = into.Count - before;
            if (count > 0)
                return count;
            if (e is DatabaseException failure)
                throw Translate(failure);
            throw;
        }
    }

    /// <summary>
    /// Adds the records of a piece, until there are <paramref name="bytesMax"/> bytes, over connections of its own: any thread, beside the partition's
    /// worker.
    /// </summary>
    /// <returns>Up to where everything that is here was added.</returns>
    public long ReadPiece(LostPiece piece, int bytesMax, AppendBatch into)
    {
        Segment[] all;
        long until;
        lock (gate)
        {
            all = segments;
            until = Math.Min(end[piece.Stream], piece.To);
        }
        try
        {
            using var readers = new SegmentReaders(partition, Limits.CursorSegmentsMax);
            var at = new StreamCursor(partition, piece.Stream);
            at.Seek(piece.From);
            while (at.Next < until && into.ByteCount < bytesMax)
            {
                if (!at.HasRecord)
                    at.Fill(readers.Of(readers.Locate(all, piece.Stream, at.Next)), Limits.ReadAheadBytes);
                // Behind offsets without a record the next one may lie behind the piece.
                if (at.Next >= until)
                    break;
                LogRecord record = at.Record;
                into.Add(partition, piece.Stream, at.DebtorHash, record.KnownMs, record.History, record.Content);
                into.SetOffset(into.Count - 1, record.Offset);
                at.Advance();
            }
            return at.Next < until ? at.Next : piece.To;
        }
        catch (DatabaseException e)
        {
            throw Translate(e);
        }
    }

    public void ReadHistory(ulong debtorHash, StreamPositions until, RecordBatch into)
    {
        lock (historyGate)
        {
            List<Place> found = [];
            Segment[] all;
            int runs;
            lock (gate)
            {
                all = segments;
                runs = openRuns;
                recent.Find(debtorHash, found);
            }
            try
            {
                history.Read(all, runs, found, debtorHash, until, into);
            }
            catch (DatabaseException e)
            {
                history.Close();
                throw Translate(e);
            }
            catch (LogCorruptException)
            {
                history.Close();
                throw;
            }
        }
    }

    /// <summary>Appends the events of each stream in one transaction; when it returns they are durable and have their offsets.</summary>
    public void Append(List<AppendItem>[] streams)
    {
        try
        {
            SegmentWriter segment = WriterOfToday();
            StreamPositions before = end;
            StreamPositions after = before;
            fault?.Invoke(LogStep.Begin, partition);
            segment.Begin();
            fault?.Invoke(LogStep.Write, partition);
            for (int stream = 0; stream < streams.Length; stream++)
                after = after.With((EventStream)stream, segment.Append((EventStream)stream, after[(EventStream)stream], streams[stream], isArchive));
            bool flush = recent.Count > 0 && recent.Count + streams.Sum(static stream => stream.Count) > Limits.RecentPostingsMax;
            if (flush)
                segment.AddRun(recent, before);
            fault?.Invoke(LogStep.Commit, partition);
            segment.Commit();
            fault?.Invoke(LogStep.Committed, partition);
            Publish(streams, before, after, segment.Index.Runs, flush);
        }
        catch (Exception e)
        {
            AbandonWriter();
            throw e switch
            {
                DatabaseException failure => Translate(failure),
                IOException or UnauthorizedAccessException => new LogUnavailableException($"{directory}: {e.Message}", e),
                _ => e,
            };
        }
    }

    /// <summary>Nothing is appended for a while: the file is closed, and opened again when something is. Nobody may append meanwhile.</summary>
    public void Rest()
    {
        writer?.Dispose();
        writer = null;
    }

    public void Dispose()
    {
        cursor.Dispose();
        lock (historyGate)
            history.Dispose();
        writer?.Dispose();
        writer = null;
    }

    private void Publish(List<AppendItem>[] streams, StreamPositions before, StreamPositions after, int runs, bool flushed)
    {
        lock (gate)
        {
            if (flushed)
                recent.Clear();
            for (int stream = 0; stream < streams.Length; stream++)
            {
                long offset = before[(EventStream)stream];
                foreach (AppendItem item in streams[stream])
                {
                    if (isArchive && item.Offset < offset)
                        continue;
                    if (isArchive)
                        offset = item.Offset;
                    else
                        item.Pending.Batch.SetOffset(item.Index, offset);
                    recent.Add(item.Pending.Batch.DebtorHashOf(item.Index), new Place((EventStream)stream, offset));
                    offset++;
                }
            }
            openRuns = runs;
            end = after;
        }
    }

    /// <summary>The newest segment's writer; at the first append of a later day, that of a new segment.</summary>
    private SegmentWriter WriterOfToday()
    {
        if (writer == null && segments.Length > 0)
            OpenWriter();
        // A clock that was set back doesn't bring an earlier day back: names rise with offsets.
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (writer != null && today <= writer.Day)
            return writer;
        if (writer != null)
            SealNewest(writer);
        writer = null;
        fault?.Invoke(LogStep.CreateSegment, partition);
        DurableFiles.CreateDirectory(directory);
        string path = Path.Combine(directory, SegmentFile.NameOf(today));
        SegmentFile.Create(path, partition, today, end);
        lock (gate)
        {
            segments = [.. segments, new Segment(path, today)];
            openRuns = 0;
        }
        return writer = new SegmentWriter(path, partition, today);
    }

    /// <summary>Writes the postings of a segment that gets no more records, so that its file alone tells a debtor's records.</summary>
    private void SealNewest(SegmentWriter newest)
    {
        if (recent.Count > 0)
        {
            newest.Begin();
            newest.AddRun(recent, end);
            newest.Commit();
            lock (gate)
            {
                recent.Clear();
                openRuns = newest.Index.Runs;
            }
        }
        newest.CopyBack();
        newest.Dispose();
    }

    /// <summary>Opens the newest segment to append, and finds the ends of the streams and the postings that are in no run yet.</summary>
    private void OpenWriter()
    {
        Segment newest = segments[^1];
        writer = new SegmentWriter(newest.Path, partition, newest.Day);
        using var reader = new SegmentReader(newest.Path, partition, newest.Day);
        StreamPositions indexed = writer.Index.Indexed;
        var postings = new RecentPostings();
        StreamPositions found = indexed;
        for (int stream = 0; stream < EventKinds.StreamCount; stream++)
        {
            long streamEnd = reader.ReadEnd((EventStream)stream);
            found = found.With((EventStream)stream, streamEnd);
            AddPostings(reader, (EventStream)stream, indexed[(EventStream)stream], streamEnd, postings);
        }
        if (!found.Covers(end))
            throw SegmentFile.Corrupt(newest.Path, $"it ends at {found}, but {end} had been acknowledged");
        // More than was known may be there: a commit that failed when it was synced can have reached the disk after all.
        lock (gate)
        {
            recent = postings;
            openRuns = writer.Index.Runs;
            end = found;
        }
    }

    private void AddPostings(SegmentReader reader, EventStream stream, long from, long to, RecentPostings into)
    {
        var scan = new StreamCursor(partition, stream);
        scan.Seek(from);
        while (scan.Next < to)
        {
            if (!scan.HasRecord)
                scan.Fill(reader, Limits.ReadAheadBytes);
            into.Add(scan.DebtorHash, new Place(stream, scan.Next));
            scan.Advance();
        }
    }

    /// <summary>After a failed write: what its connection believes is not relied on; the next append asks the file.</summary>
    private void AbandonWriter()
    {
        if (writer == null)
            return;
        writer.RollBack();
        writer.Dispose();
        writer = null;
    }

    private static Segment[] FindSegments(string directory)
    {
        if (!Directory.Exists(directory))
            return [];
        var found = new List<Segment>();
        foreach (string path in Directory.EnumerateFiles(directory, "*" + SegmentFile.Extension))
        {
            if (SegmentFile.DayOf(path) is { } day)
                found.Add(new Segment(path, day));
        }
        return [.. found.OrderBy(segment => segment.Day)];
    }

    private static Exception Translate(DatabaseException e) => e.IsCorrupt
        ? new LogCorruptException($"{e.Message}. The log can't be trusted here: stop, and restore this file (with its -wal, if any) from a copy.", e)
        : new LogUnavailableException($"{e.Message}. Nothing that was acknowledged is lost; it is tried again.", e);
}
