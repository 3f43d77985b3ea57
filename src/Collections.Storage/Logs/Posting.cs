using System.Buffers.Binary;
using Collections.Domain.Events;

namespace Collections.Storage.Logs;

/// <summary>Where a record lies: the stream in the top two bits, so that places sort by stream, then offset.</summary>
internal readonly record struct Place(ulong Value) : IComparable<Place>
{
    private const int StreamShift = 62;

    public Place(EventStream stream, long offset)
        : this((ulong)stream << StreamShift | (ulong)offset)
    {
    }

    public EventStream Stream => (EventStream)(Value >> StreamShift);

    public long Offset => (long)(Value & (1UL << StreamShift) - 1);

    public int CompareTo(Place other) => Value.CompareTo(other.Value);

    public static bool operator <(Place left, Place right) => left.Value < right.Value;

    public static bool operator >(Place left, Place right) => left.Value > right.Value;

    public static bool operator <=(Place left, Place right) => left.Value <= right.Value;

    public static bool operator >=(Place left, Place right) => left.Value >= right.Value;
}

/// <summary>
/// The stored form of one bucket of a run: checksum 4 (over its row's key too), count 4, then (spread hash 8, place 8) sorted. A debtor's hash
/// is spread by an odd multiplier first (which loses nothing), so that buckets fill evenly whatever the hashes are. A run has every bucket,
/// empty ones too, so that a row that went missing is seen.
/// </summary>
internal static class PostingBucket
{
    public const int HeaderBytes = 8;
    public const int PostingBytes = 16;
    public const int BucketCount = 1 << BucketBits;

    /// <summary>A full run has 65,536 postings: 128 of 16 bytes in each of 512 buckets, 2 KiB a row.</summary>
    private const int BucketBits = 9;

    public static ulong Spread(ulong debtorHash) => debtorHash * 0x9E3779B97F4A7C15;

    public static int BucketOf(ulong spread) => (int)(spread >> 64 - BucketBits);

    /// <summary>The row of a bucket. Runs count up, so rows are only ever added at the end.</summary>
    public static long RowOf(int run, int bucket) => (long)run << BucketBits | (long)bucket;

    public static void Write(Span<byte> row, long key, ReadOnlySpan<ulong> spread, ReadOnlySpan<ulong> places)
    {
        BinaryPrimitives.WriteInt32LittleEndian(row[4..], spread.Length);
        Span<byte> at = row[HeaderBytes..];
        for (int i = 0; i < spread.Length; i++, at = at[PostingBytes..])
        {
            BinaryPrimitives.WriteUInt64LittleEndian(at, spread[i]);
            BinaryPrimitives.WriteUInt64LittleEndian(at[8..], places[i]);
        }
        BinaryPrimitives.WriteUInt32LittleEndian(row, ChecksumOf(row, key));
    }

    /// <summary>Adds the places of one debtor; false if the bucket can't be trusted.</summary>
    public static bool TryFind(ReadOnlySpan<byte> row, long key, ulong spread, List<Place> into)
    {
        if (row.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(row) != ChecksumOf(row, key))
            return false;
        ReadOnlySpan<byte> postings = row[HeaderBytes..];
        if (postings.Length != (long)BinaryPrimitives.ReadInt32LittleEndian(row[4..]) * PostingBytes)
            return false;
        int low = 0, high = postings.Length / PostingBytes;
        while (low < high)
        {
            int middle = low + high >>> 1;
            if (BinaryPrimitives.ReadUInt64LittleEndian(postings[(middle * PostingBytes)..]) < spread)
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < postings.Length / PostingBytes; low++)
        {
            ReadOnlySpan<byte> posting = postings[(low * PostingBytes)..];
            if (BinaryPrimitives.ReadUInt64LittleEndian(posting) != spread)
                break;
            into.Add(new Place(BinaryPrimitives.ReadUInt64LittleEndian(posting[8..])));
        }
        return true;
    }

    private static uint ChecksumOf(ReadOnlySpan<byte> row, long key) => Checksum.Of(row[4..], Checksum.Of(key, Checksum.Start));
}
