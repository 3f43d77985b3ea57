using System.Buffers.Binary;
using Collections.Domain.Events;

namespace Collections.Storage.Logs;

/// <summary>
/// The stored form of consecutive records of one stream: one row of a segment. Little-endian.
/// <code>
///  0  checksum   4   over all that follows
///  4  version    2
///  6  stream     1
///  7  zero       1
///  8  first      8   the offset of its first record
/// 16  partition  4
/// 20  count      4
/// 24  content    4   bytes of all contents together
/// 28  gap        4   offsets before the first that no record has; only in an archive of a log that has gaps
/// 32  heads     20 × count: known 8, debtor hash 8, length and (top bit) history 4
///     contents      one after the other
/// </code>
/// It names its own place, so that a block that is whole but lies where it doesn't belong is seen too.
/// </summary>
internal static class LogBlock
{
    public const int HeaderBytes = 32;
    public const int HeadBytes = 20;
    public const int LengthAt = 16;
    public const int HashAt = 8;
    public const uint HistoryBit = 1u << 31;
    private const ushort Version = 1;

    public static int CountOf(ReadOnlySpan<byte> block) => BinaryPrimitives.ReadInt32LittleEndian(block[20..]);

    public static long GapOf(ReadOnlySpan<byte> block) => BinaryPrimitives.ReadUInt32LittleEndian(block[28..]);

    public static long FirstOf(ReadOnlySpan<byte> block) => BinaryPrimitives.ReadInt64LittleEndian(block[8..]);

    public static void WriteHead(Span<byte> head, long knownMs, ulong debtorHash, int length, bool history)
    {
        BinaryPrimitives.WriteInt64LittleEndian(head, knownMs);
        BinaryPrimitives.WriteUInt64LittleEndian(head[HashAt..], debtorHash);
        BinaryPrimitives.WriteUInt32LittleEndian(head[LengthAt..], (uint)length | (history ? HistoryBit : 0));
    }

    /// <summary>Writes the header of a block whose heads and contents are in place.</summary>
    public static void Seal(Span<byte> block, int partition, EventStream stream, long first, int count, uint gap = 0)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block[4..], Version);
        block[6] = (byte)stream;
        block[7] = 0;
        BinaryPrimitives.WriteInt64LittleEndian(block[8..], first);
        BinaryPrimitives.WriteInt32LittleEndian(block[16..], partition);
        BinaryPrimitives.WriteInt32LittleEndian(block[20..], count);
        BinaryPrimitives.WriteInt32LittleEndian(block[24..], block.Length - HeaderBytes - HeadBytes * count);
        BinaryPrimitives.WriteUInt32LittleEndian(block[28..], gap);
        BinaryPrimitives.WriteUInt32LittleEndian(block, Checksum.Of(block[4..]));
    }

    /// <summary>What is wrong with a stored block, or null. After this its header and heads can be relied on.</summary>
    public static string? FindFault(ReadOnlySpan<byte> block, int partition, EventStream stream, long first)
    {
        if (block.Length < HeaderBytes + HeadBytes)
            return $"is cut off after {block.Length} bytes";
        if (BinaryPrimitives.ReadUInt32LittleEndian(block) != Checksum.Of(block[4..]))
            return "doesn't match its checksum";
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(block[4..]);
        if (version != Version)
            return $"has version {version}, and this program reads version {Version}";
        int count = CountOf(block);
        int contentBytes = BinaryPrimitives.ReadInt32LittleEndian(block[24..]);
        bool fits = count > 0 && contentBytes >= 0 && HeaderBytes + (long)HeadBytes * count + contentBytes == block.Length;
        if (!fits)
            return $"says {count} records and {contentBytes} bytes of content, but has {block.Length} bytes";
        if (block[6] != (byte)stream || FirstOf(block) != first || BinaryPrimitives.ReadInt32LittleEndian(block[16..]) != partition)
            return $"belongs to partition {BinaryPrimitives.ReadInt32LittleEndian(block[16..])}, stream {block[6]}, offset {FirstOf(block)}";
        return null;
    }
}
