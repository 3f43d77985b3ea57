using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Logs;

/// <summary>A connection that reads one segment. Each query is short: an open one would keep the WAL from being used again.</summary>
internal sealed class SegmentReader : IDisposable
{
    private readonly Database database;
    private readonly int partition;
    private readonly Statement?[] scans = new Statement?[EventKinds.StreamCount];
    private readonly Statement?[] afters = new Statement?[EventKinds.StreamCount];
    private Statement? postings;
    private SegmentIndex? index;

    public SegmentReader(string path, int partition, DateOnly day)
    {
        this.partition = partition;
        database = SegmentFile.Open(path, DatabaseUse.Read);
        try
        {
            Start = SegmentFile.ReadStart(database, partition, day);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public StreamPositions Start { get; }

    /// <summary>Read once: asked of a segment that is no longer appended to.</summary>
    public SegmentIndex Index => index ??= SegmentFile.ReadIndex(database);

    /// <summary>
    /// Reads blocks, from the one that holds <paramref name="offset"/> on, until there are <paramref name="bytesMax"/> bytes; at least one if
    /// there is any. They are not checked here.
    /// </summary>
    public void ReadBlocks(EventStream stream, long offset, int bytesMax, BlockBuffer into)
    {
        into.Clear();
        string table = SegmentFile.TableOf(stream);
        Statement scan = scans[(int)stream] ??= database.Prepare(
            $"SELECT data FROM {table} WHERE first >= ifnull((SELECT max(first) FROM {table} WHERE first <= ?1), ?1) ORDER BY first");
        scan.Bind(1, offset);
        while (into.ByteCount < bytesMax && scan.Step())
            into.Add(scan.Blob(0));
        scan.Reset();
    }

    /// <summary>Reads the first block that begins behind an offset, if there is one.</summary>
    public void ReadBlockAfter(EventStream stream, long offset, BlockBuffer into)
    {
        into.Clear();
        Statement after = afters[(int)stream] ??= database.Prepare($"SELECT data FROM {SegmentFile.TableOf(stream)} WHERE first > ?1 ORDER BY first LIMIT 1");
        after.Bind(1, offset);
        if (after.Step())
            into.Add(after.Blob(0));
        after.Reset();
    }

    /// <summary>Behind the last record of a stream; the block that says so has been checked.</summary>
    public long ReadEnd(EventStream stream)
    {
        Statement last = database.Prepare($"SELECT first, data FROM {SegmentFile.TableOf(stream)} ORDER BY first DESC LIMIT 1");
        if (!last.Step())
            return Start[stream];
        long first = last.Int64(0);
        ReadOnlySpan<byte> block = last.Blob(1);
        string? fault = LogBlock.FindFault(block, partition, stream, first);
        if (fault != null)
            throw Corrupt(stream, first, fault);
        long end = first + LogBlock.CountOf(block);
        last.Reset();
        return end;
    }

    /// <summary>Adds the places of a debtor's records that are in the first <paramref name="runs"/> runs.</summary>
    public void FindPlaces(ulong debtorHash, int runs, List<Place> into)
    {
        postings ??= database.Prepare("SELECT data FROM posting WHERE id = ?");
        ulong spread = PostingBucket.Spread(debtorHash);
        for (int run = 0; run < runs; run++)
        {
            long row = PostingBucket.RowOf(run, PostingBucket.BucketOf(spread));
            postings.Bind(1, row);
            if (!postings.Step() || !PostingBucket.TryFind(postings.Blob(0), row, spread, into))
                throw SegmentFile.Corrupt(database.Path, $"row {row} of its index is missing or doesn't match its checksum");
            postings.Reset();
        }
    }

    public LogCorruptException Corrupt(EventStream stream, long offset, string fault) =>
        SegmentFile.Corrupt(database.Path, $"the block of stream {stream} at offset {offset} {fault}");

    public void Dispose() => database.Dispose();
}

/// <summary>Whole blocks in one buffer that is used again.</summary>
internal sealed class BlockBuffer
{
    private byte[] bytes = [];
    private readonly List<int> ends = [];

    public int ByteCount { get; private set; }

    public int Count => ends.Count;

    public ReadOnlySpan<byte> this[int index] => bytes.AsSpan(StartOf(index)..ends[index]);

    public int StartOf(int index) => index == 0 ? 0 : ends[index - 1];

    public byte[] Bytes => bytes;

    public void Clear()
    {
        ByteCount = 0;
        ends.Clear();
    }

    public void Add(ReadOnlySpan<byte> block)
    {
        if (ByteCount + block.Length > bytes.Length)
            Array.Resize(ref bytes, Math.Max(Math.Max(bytes.Length * 2, 4096), ByteCount + block.Length));
        block.CopyTo(bytes.AsSpan(ByteCount));
        ByteCount += block.Length;
        ends.Add(ByteCount);
    }
}
