using System.Buffers.Binary;
using Collections.Engine.Logs;
using Collections.Engine.Stores;

namespace Collections.Storage.Stores;

/// <summary>
/// The stored form of a checkpoint's header, little-endian: checksum 4, version 4, next offsets 3 × 8, clock 8, next lease sequence 4, layout
/// version 4, swept day 4, quiet 4, counters 5 × 8. Fields are only ever added at the end, with a new version.
/// </summary>
internal static class CheckpointHeaderForm
{
    public const int Version = 1;
    public const int Bytes = 96;

    public static void Write(Span<byte> to, CheckpointHeader header)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], Version);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], header.Next.Invoices);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], header.Next.Payments);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], header.Next.Activity);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], header.ClockMs);
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], header.NextLeaseSequence);
        BinaryPrimitives.WriteInt32LittleEndian(to[44..], header.LayoutVersion);
        BinaryPrimitives.WriteInt32LittleEndian(to[48..], header.SweptDay);
        BinaryPrimitives.WriteInt32LittleEndian(to[52..], header.Quiet ? 1 : 0);
        BinaryPrimitives.WriteInt64LittleEndian(to[56..], header.Counters.Applied);
        BinaryPrimitives.WriteInt64LittleEndian(to[64..], header.Counters.Duplicates);
        BinaryPrimitives.WriteInt64LittleEndian(to[72..], header.Counters.DeadLetters);
        BinaryPrimitives.WriteInt64LittleEndian(to[80..], header.Counters.Parked);
        BinaryPrimitives.WriteInt64LittleEndian(to[88..], header.Counters.Misplaced);
        BinaryPrimitives.WriteUInt32LittleEndian(to, Checksum.Of(to[4..Bytes]));
    }

    /// <returns>What is wrong with it, or null.</returns>
    public static string? TryRead(ReadOnlySpan<byte> from, out CheckpointHeader header)
    {
        header = default;
        if (from.Length != Bytes || BinaryPrimitives.ReadUInt32LittleEndian(from) != Checksum.Of(from[4..]))
            return "the checkpoint's header doesn't match its checksum";
        int version = BinaryPrimitives.ReadInt32LittleEndian(from[4..]);
        if (version != Version)
            return $"the checkpoint's header has version {version}, and this program reads version {Version}";
        header = new CheckpointHeader(
            Next: new StreamPositions(
                BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
                BinaryPrimitives.ReadInt64LittleEndian(from[24..])),
            ClockMs: BinaryPrimitives.ReadInt64LittleEndian(from[32..]),
            NextLeaseSequence: BinaryPrimitives.ReadUInt32LittleEndian(from[40..]),
            LayoutVersion: BinaryPrimitives.ReadInt32LittleEndian(from[44..]),
            SweptDay: BinaryPrimitives.ReadInt32LittleEndian(from[48..]),
            Quiet: BinaryPrimitives.ReadInt32LittleEndian(from[52..]) != 0,
            Counters: new PartitionCounters(
                Applied: BinaryPrimitives.ReadInt64LittleEndian(from[56..]),
                Duplicates: BinaryPrimitives.ReadInt64LittleEndian(from[64..]),
                DeadLetters: BinaryPrimitives.ReadInt64LittleEndian(from[72..]),
                Parked: BinaryPrimitives.ReadInt64LittleEndian(from[80..]),
                Misplaced: BinaryPrimitives.ReadInt64LittleEndian(from[88..])));
        return null;
    }
}
