using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Logs;

/// <summary>The connection that appends to the newest segment of a partition. The partition's append thread only.</summary>
internal sealed class SegmentWriter : IDisposable
{
    private readonly Database database;
    private readonly int partition;
    private readonly Statement begin;
    private readonly Statement commit;
    private readonly Statement insertPosting;
    private readonly Statement updateIndex;
    private readonly Statement[] inserts = new Statement[EventKinds.StreamCount];
    private byte[] row = new byte[Limits.SegmentPageBytes];

    public SegmentWriter(string path, int partition, DateOnly day)
    {
        this.partition = partition;
        Day = day;
        database = SegmentFile.Open(path, DatabaseUse.Write);
        try
        {
            SegmentFile.ReadStart(database, partition, day);
            Index = SegmentFile.ReadIndex(database);
            begin = database.Prepare("BEGIN IMMEDIATE");
            commit = database.Prepare("COMMIT");
            insertPosting = database.Prepare("INSERT INTO posting VALUES(?, ?)");
            updateIndex = database.Prepare("UPDATE head SET data = ? WHERE id = 2");
            for (int stream = 0; stream < inserts.Length; stream++)
                inserts[stream] = database.Prepare($"INSERT INTO {SegmentFile.TableOf((EventStream)stream)} VALUES(?, ?)");
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public DateOnly Day { get; }

    /// <summary>How far the runs reach, the ones of the transaction under way included.</summary>
    public SegmentIndex Index { get; private set; }

    public void Begin() => begin.Run();

    public void Commit() => commit.Run();

    /// <summary>Adds blocks of the records, from offset <paramref name="next"/> on; returns the offset behind them.</summary>
    /// <param name="given">
    /// The records have their offsets already, which rise; each gap begins a new block. Those before <paramref name="next"/> are there already, from an
    /// append whose answer was lost, and are left out.
    /// </param>
    public long Append(EventStream stream, long next, List<AppendItem> items, bool given)
    {
        int i = 0;
        while (given && i < items.Count && items[i].Offset < next)
            i++;
        while (i < items.Count)
        {
            long first = given ? items[i].Offset : next;
            int bytes = LogBlock.HeaderBytes;
            int end = i;
            do
            {
                bytes += LogBlock.HeadBytes + items[end].Content.Length;
                end++;
            }
            while (end < items.Count && bytes + LogBlock.HeadBytes + items[end].Content.Length <= Limits.BlockBytesMax
                && (!given || items[end].Offset == first + (end - i)));
            Insert(inserts[(int)stream], first, WriteBlock(stream, first, GapBetween(stream, next, first), items, i, end, bytes));
            next = first + (end - i);
            i = end;
        }
        return next;
    }

    /// <summary>Adds a run of all recent postings, which are the ones of the records before <paramref name="indexed"/>.</summary>
    public void AddRun(RecentPostings recent, StreamPositions indexed)
    {
        recent.CopySorted(out ulong[] spreads, out ulong[] places);
        int i = 0;
        for (int bucket = 0; bucket < PostingBucket.BucketCount; bucket++)
        {
            int end = i;
            while (end < spreads.Length && PostingBucket.BucketOf(spreads[end]) == bucket)
                end++;
            long key = PostingBucket.RowOf(Index.Runs, bucket);
            Span<byte> written = Room(PostingBucket.HeaderBytes + PostingBucket.PostingBytes * (end - i));
            PostingBucket.Write(written, key, spreads.AsSpan(i..end), places.AsSpan(i..end));
            Insert(insertPosting, key, written);
            i = end;
        }
        Index = new SegmentIndex(indexed, Index.Runs + 1);
        SegmentFile.UpdateIndex(updateIndex, Index);
    }

    /// <summary>Copies the WAL back into the file. Readers may still need part of it: then the last connection to close does it.</summary>
    public void CopyBack() => database.Execute("PRAGMA wal_checkpoint(TRUNCATE)");

    public void RollBack() => database.RollBack();

    public void Dispose() => database.Dispose();

    private static void Insert(Statement statement, long key, ReadOnlySpan<byte> data) => statement.Bind(1, key).Bind(2, data).Run();

    private uint GapBetween(EventStream stream, long next, long first) => first - next is >= 0 and <= uint.MaxValue and var gap
        ? (uint)gap
        : throw new LogCorruptException($"{database.Path}: stream {stream} of partition {partition} goes on at offset {first} after {next}: offsets rise, and a gap has at most {uint.MaxValue}. Is it the log that was archived here before?");

    private Span<byte> WriteBlock(EventStream stream, long first, uint gap, List<AppendItem> items, int from, int to, int bytes)
    {
        Span<byte> block = Room(bytes);
        int headAt = LogBlock.HeaderBytes;
        int contentAt = headAt + LogBlock.HeadBytes * (to - from);
        for (int i = from; i < to; i++)
        {
            (AppendBatch batch, int index) = (items[i].Pending.Batch, items[i].Index);
            ReadOnlySpan<byte> content = batch.ContentOf(index);
            LogBlock.WriteHead(block[headAt..], batch.KnownMsOf(index), batch.DebtorHashOf(index), content.Length, batch.IsHistory(index));
            content.CopyTo(block[contentAt..]);
            headAt += LogBlock.HeadBytes;
            contentAt += content.Length;
        }
        LogBlock.Seal(block, partition, stream, first, to - from, gap);
        return block;
    }

    private Span<byte> Room(int bytes)
    {
        if (row.Length < bytes)
            row = new byte[bytes];
        return row.AsSpan(0, bytes);
    }
}

/// <summary>One event of a batch that waits to be appended.</summary>
internal readonly record struct AppendItem(PendingAppend Pending, int Index)
{
    public ReadOnlySpan<byte> Content => Pending.Batch.ContentOf(Index);

    /// <summary>Where it lies in the log that is archived.</summary>
    public long Offset => Pending.Batch.OffsetOf(Index);
}
