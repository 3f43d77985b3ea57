using System.Buffers.Binary;

namespace Collections.Domain.Events;

/// <summary>Protobuf's wire form into a growing buffer that is used again. One thread; what was written is valid until the next call.</summary>
public sealed class WireWriter
{
    private byte[] buffer = new byte[256];
    private int length;

    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, length);

    public void Clear() => length = 0;

    public void Varint(int field, ulong value)
    {
        Reserve(20);
        Raw((uint)field << 3 | WireReader.Varint);
        Raw(value);
    }

    public void Double(int field, double value)
    {
        Reserve(20);
        Raw((uint)field << 3 | WireReader.Fixed64);
        BinaryPrimitives.WriteDoubleLittleEndian(buffer.AsSpan(length), value);
        length += sizeof(double);
    }

    /// <summary>A <c>repeated int64</c>, packed as proto3 has it.</summary>
    public void Packed(int field, params ReadOnlySpan<long> values)
    {
        int bytes = 0;
        foreach (long value in values)
            bytes += SizeOf((ulong)value);
        Reserve(20 + bytes);
        Raw((uint)field << 3 | WireReader.Bytes);
        Raw((uint)bytes);
        foreach (long value in values)
            Raw((ulong)value);
    }

    /// <summary>A <c>google.protobuf.Timestamp</c>.</summary>
    /// <param name="ms">Unix milliseconds.</param>
    public void Instant(int field, long ms)
    {
        long seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
        ulong nanos = (ulong)(ms - seconds * 1000) * 1_000_000;
        int bytes = (seconds == 0 ? 0 : 1 + SizeOf((ulong)seconds)) + (nanos == 0 ? 0 : 1 + SizeOf(nanos));
        Reserve(20 + bytes);
        Raw((uint)field << 3 | WireReader.Bytes);
        Raw((uint)bytes);
        if (seconds != 0)
            Varint(1, (ulong)seconds);
        if (nanos != 0)
            Varint(2, nanos);
    }

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Reserve(20 + value.Length);
        Raw((uint)field << 3 | WireReader.Bytes);
        Raw((uint)value.Length);
        value.CopyTo(buffer.AsSpan(length));
        length += value.Length;
    }

    public void BytesUnlessEmpty(int field, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
            Bytes(field, value);
    }

    public void Text(int field, string value) => Bytes(field, System.Text.Encoding.UTF8.GetBytes(value));

    private static int SizeOf(ulong value) => (70 - System.Numerics.BitOperations.LeadingZeroCount(value | 1)) / 7;

    private void Raw(ulong value)
    {
        while (value >= 0x80)
        {
            buffer[length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        buffer[length++] = (byte)value;
    }

    private void Reserve(int count)
    {
        if (length + count > buffer.Length)
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + count));
    }
}
