namespace Collections.Domain.Events;

/// <summary>Protobuf's wire form into a growing buffer that is used again.</summary>
internal sealed class WireWriter
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
