using System.Runtime.CompilerServices;

namespace Collections.Domain.Events;

/// <summary>
/// Reads protobuf's wire form from a span, field by field, without objects. A malformed message sets <see cref="Failed"/> and ends the
/// reading; it never reads past its span.
/// </summary>
public ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    public const int Varint = 0;
    public const int Fixed64 = 1;
    public const int Bytes = 2;
    public const int Fixed32 = 5;

    private ReadOnlySpan<byte> rest = bytes;

    public bool Failed { get; private set; }

    /// <summary>How much has not been read.</summary>
    public readonly int RestLength => rest.Length;

    /// <summary>Moves to the next field; false at the end or when the message is malformed.</summary>
    public bool Next(out int field, out int wireType)
    {
        field = 0;
        wireType = 0;
        if (rest.IsEmpty || Failed)
            return false;
        ulong tag = ReadVarint();
        field = (int)(tag >> 3);
        wireType = (int)(tag & 7);
        if (field == 0 || tag > uint.MaxValue)
            Failed = true;
        return !Failed;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong ReadVarint()
    {
        if (!rest.IsEmpty && rest[0] < 0x80)
        {
            ulong single = rest[0];
            rest = rest[1..];
            return single;
        }
        return ReadLongVarint();
    }

    public ReadOnlySpan<byte> ReadBytes()
    {
        ulong length = ReadVarint();
        if (Failed || length > (ulong)rest.Length)
        {
            Failed = true;
            return default;
        }
        ReadOnlySpan<byte> bytes = rest[..(int)length];
        rest = rest[(int)length..];
        return bytes;
    }

    public void Skip(int wireType)
    {
        switch (wireType)
        {
            case Varint: ReadVarint(); break;
            case Fixed64: Advance(8); break;
            case Bytes: ReadBytes(); break;
            case Fixed32: Advance(4); break;
            default: Failed = true; break;
        }
    }

    private void Advance(int count)
    {
        if (rest.Length < count)
            Failed = true;
        else
            rest = rest[count..];
    }

    private ulong ReadLongVarint()
    {
        ulong value = 0;
        for (int i = 0; i < 10 && i < rest.Length; i++)
        {
            byte b = rest[i];
            value |= (ulong)(b & 0x7f) << (7 * i);
            if (b < 0x80)
            {
                rest = rest[(i + 1)..];
                return value;
            }
        }
        Failed = true;
        return 0;
    }
}
