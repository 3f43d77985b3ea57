using System.Buffers.Binary;
using System.Globalization;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Logs;

/// <summary>
/// The form of a segment: an SQLite file that holds what was appended to one partition on one day. A stream is a table of blocks keyed by the
/// offset of their first record, so that appending touches the last page alone; `posting` has runs of (debtor hash, place) in
/// buckets of the hash; `head` names the segment and says how far the runs reach.
/// </summary>
internal static class SegmentFile
{
    public const string Extension = ".segment";
    private const int Version = 1;
    private const int StartBytes = 44;
    private const int IndexBytes = 32;

    private const string Schema = """
        BEGIN;
        CREATE TABLE head(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE invoices(first INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE payments(first INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE activity(first INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE posting(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
        """;

    public static string TableOf(EventStream stream) => stream switch
    {
        EventStream.Invoices => "invoices",
        EventStream.Payments => "payments",
        _ => "activity",
    };

    public static string NameOf(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + Extension;

    public static DateOnly? DayOf(string path) =>
        DateOnly.TryParseExact(Path.GetFileNameWithoutExtension(path), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day)
            ? day
            : null;

    /// <summary>Makes an empty segment under a temporary name and gives it its name when it is whole, so that no crash leaves half of one.</summary>
    public static void Create(string path, int partition, DateOnly day, StreamPositions start)
    {
        string fresh = path + ".new";
        foreach (string leftover in (ReadOnlySpan<string>)[fresh, fresh + "-wal", fresh + "-shm"])
            File.Delete(leftover);
        using (Database database = Open(fresh, DatabaseUse.Create))
        {
            database.Execute(Schema);
            Span<byte> head = stackalloc byte[StartBytes];
            WriteStart(head, partition, day, start);
            database.Prepare("INSERT INTO head VALUES(1, ?)").Bind(1, head).Run();
            Span<byte> index = stackalloc byte[IndexBytes];
            WriteIndex(index, new SegmentIndex(start, 0));
            database.Prepare("INSERT INTO head VALUES(2, ?)").Bind(1, index).Run();
            database.Execute("COMMIT");
        }
        DurableFiles.MoveInto(fresh, path);
    }

    public static Database Open(string path, DatabaseUse use) =>
        Database.Open(path, use, Limits.SegmentPageBytes, Limits.LogWalBytes, Limits.SegmentCacheKiB);

    /// <summary>The positions at which the segment begins; checks that the file is what its name and place say.</summary>
    public static StreamPositions ReadStart(Database database, int partition, DateOnly day)
    {
        Statement statement = database.Prepare("SELECT data FROM head WHERE id = 1");
        ReadOnlySpan<byte> head = statement.Step() ? statement.Blob(0) : default;
        if (head.Length < 8)
            throw Corrupt(database.Path, "it has no head");
        int version = BinaryPrimitives.ReadInt32LittleEndian(head[4..]);
        if (version != Version)
            throw new StorageRefusedException($"{database.Path} has the layout of version {version}, and this program reads version {Version}. Run the program that wrote it, or a newer one.");
        if (head.Length != StartBytes || BinaryPrimitives.ReadUInt32LittleEndian(head) != Checksum.Of(head[4..]))
            throw Corrupt(database.Path, "its head doesn't match its checksum");
        int foundPartition = BinaryPrimitives.ReadInt32LittleEndian(head[8..]);
        int foundDay = BinaryPrimitives.ReadInt32LittleEndian(head[12..]);
        if (foundPartition != partition || foundDay != day.DayNumber)
            throw Corrupt(database.Path, $"it was written as partition {foundPartition}, day {NameOf(DateOnly.FromDayNumber(foundDay))}: a file was moved or renamed");
        StreamPositions start = ReadPositions(head[16..40]);
        statement.Reset();
        return start;
    }

    public static SegmentIndex ReadIndex(Database database)
    {
        Statement statement = database.Prepare("SELECT data FROM head WHERE id = 2");
        ReadOnlySpan<byte> data = statement.Step() ? statement.Blob(0) : default;
        if (data.Length != IndexBytes || BinaryPrimitives.ReadUInt32LittleEndian(data) != Checksum.Of(data[4..]))
            throw Corrupt(database.Path, "the extent of its index doesn't match its checksum");
        var index = new SegmentIndex(ReadPositions(data[8..]), BinaryPrimitives.ReadInt32LittleEndian(data[4..]));
        statement.Reset();
        return index;
    }

    public static void UpdateIndex(Statement update, SegmentIndex index)
    {
        Span<byte> data = stackalloc byte[IndexBytes];
        WriteIndex(data, index);
        update.Bind(1, data).Run();
    }

    public static LogCorruptException Corrupt(string path, string what) =>
        new($"{path}: {what}. The log can't be trusted here: stop, and restore this file (with its -wal, if any) from a copy; nothing was changed.");

    private static void WriteStart(Span<byte> head, int partition, DateOnly day, StreamPositions start)
    {
        head.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(head[8..], partition);
        BinaryPrimitives.WriteInt32LittleEndian(head[12..], day.DayNumber);
        WritePositions(head[16..], start);
        BinaryPrimitives.WriteUInt32LittleEndian(head, Checksum.Of(head[4..]));
    }

    private static void WriteIndex(Span<byte> data, SegmentIndex index)
    {
        BinaryPrimitives.WriteInt32LittleEndian(data[4..], index.Runs);
        WritePositions(data[8..], index.Indexed);
        BinaryPrimitives.WriteUInt32LittleEndian(data, Checksum.Of(data[4..]));
    }

    private static void WritePositions(Span<byte> to, StreamPositions positions)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, positions.Invoices);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], positions.Payments);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], positions.Activity);
    }

    private static StreamPositions ReadPositions(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadInt64LittleEndian(from),
        BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[16..]));
}

/// <summary>How far a segment's runs of postings reach: every record before <paramref name="Indexed"/> is in one of <paramref name="Runs"/>.</summary>
internal readonly record struct SegmentIndex(StreamPositions Indexed, int Runs);
