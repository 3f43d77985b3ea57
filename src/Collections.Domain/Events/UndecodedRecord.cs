using System.Buffers.Binary;
using System.Text;

namespace Collections.Domain.Events;

/// <summary>
/// What stands in the log for a record that its door could not turn into an event: the reason and the bytes as they came, so that the record
/// keeps its place and becomes a dead letter like any other. It begins with a zero byte, which no event in wire form does.
/// <code>
/// 0  zero    1
/// 1  length  2   of the reason in UTF-8, little-endian
/// 3  reason
///    payload     the rest
/// </code>
/// The form is persisted.
/// </summary>
public static class UndecodedRecord
{
    public const int ReasonBytesMax = 1_000;
    private const int HeaderBytes = 3;

    public static byte[] Of(string reason, ReadOnlySpan<byte> payload)
    {
        byte[] text = Encoding.UTF8.GetBytes(reason);
        int length = Math.Min(text.Length, ReasonBytesMax);
        // Not in the middle of a character.
        while (length < text.Length && (text[length] & 0xc0) == 0x80)
            length--;
        byte[] content = new byte[HeaderBytes + length + payload.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(content.AsSpan(1), (ushort)length);
        text.AsSpan(0, length).CopyTo(content.AsSpan(HeaderBytes));
        payload.CopyTo(content.AsSpan(HeaderBytes + length));
        return content;
    }

    public static bool TryRead(ReadOnlySpan<byte> content, out string reason, out ReadOnlySpan<byte> payload)
    {
        reason = "";
        payload = default;
        if (content.Length < HeaderBytes || content[0] != 0)
            return false;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(content[1..]);
        if (length > content.Length - HeaderBytes)
            return false;
        reason = Encoding.UTF8.GetString(content.Slice(HeaderBytes, length));
        payload = content[(HeaderBytes + length)..];
        return true;
    }
}
