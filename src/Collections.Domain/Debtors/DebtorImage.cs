using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Collections.Domain.Debtors;

/// <summary>
/// The form in which a debtor is kept in a checkpoint: a header of 24 bytes (magic, layout version, size of the record, length, checksum
/// of what follows), the record, the lists. The names' ids in it are those of the partition's <see cref="NameTable"/>.
/// </summary>
public static unsafe class DebtorImage
{
    /// <summary>Raised whenever the layout of record or lists changes; images of another layout are rebuilt from the history.</summary>
    public const ushort LayoutVersion = 2;

    private const uint Magic = 0x54424544; // "DEBT"
    private const int HeaderBytes = 24;

    internal static int LengthOf(in HotState s) => HeaderBytes + sizeof(DebtorRecord) + s.BytesUsed;

    internal static void Write(in HotState s, Span<byte> image)
    {
        Invariant.Require(image.Length == LengthOf(s), "an image is exactly as long as ImageLength says");
        Span<byte> content = image[HeaderBytes..];
        DebtorRecord record = s.R;
        record.Block = 0;
        MemoryMarshal.Write(content, record);
        s.Bytes.CopyTo(content[sizeof(DebtorRecord)..]);
        BinaryPrimitives.WriteUInt32LittleEndian(image, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(image[4..], LayoutVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(image[6..], (ushort)sizeof(DebtorRecord));
        BinaryPrimitives.WriteInt32LittleEndian(image[8..], image.Length);
        BinaryPrimitives.WriteInt32LittleEndian(image[12..], 0);
        BinaryPrimitives.WriteUInt64LittleEndian(image[16..], Hash64.Of(content, (ulong)image.Length));
    }

    internal static ImageStatus Read(ref DebtorRecord record, SlabPool pool, ReadOnlySpan<byte> image)
    {
        Invariant.Require(record.IsFree, "an image is read into a free slot");
        if (image.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(image) != Magic)
            return ImageStatus.Corrupt;
        if (BinaryPrimitives.ReadUInt16LittleEndian(image[4..]) != LayoutVersion || BinaryPrimitives.ReadUInt16LittleEndian(image[6..]) != sizeof(DebtorRecord))
            return ImageStatus.OtherLayout;
        if (BinaryPrimitives.ReadInt32LittleEndian(image[8..]) != image.Length || BinaryPrimitives.ReadInt32LittleEndian(image[12..]) != 0)
            return ImageStatus.Corrupt;
        ReadOnlySpan<byte> content = image[HeaderBytes..];
        if (content.Length < sizeof(DebtorRecord) || BinaryPrimitives.ReadUInt64LittleEndian(image[16..]) != Hash64.Of(content, (ulong)image.Length))
            return ImageStatus.Corrupt;
        ReadOnlySpan<byte> lists = content[sizeof(DebtorRecord)..];
        if (!HotState.IsSound(lists) || lists.Length > Limits.BlockBytesMax)
            return ImageStatus.Corrupt;
        record = MemoryMarshal.Read<DebtorRecord>(content);
        record.Block = pool.Allocate(lists.Length);
        lists.CopyTo(new Span<byte>(pool.Pointer(record.Block), lists.Length));
        return ImageStatus.Read;
    }
}
