using System.Buffers.Binary;
using System.Text;

namespace Collections.Storage.Postgres;

/// <summary>
/// Rows in PostgreSQL's binary form of COPY: a signature, then for each row the count of its fields, and each field as its length and bytes, numbers
/// big-endian. Bytes go from the caller's memory into the stream; no object is made for a row.
/// </summary>
internal sealed class BinaryCopyWriter
{
    /// <summary>Microseconds from 1970 to 2000, where PostgreSQL's instants begin.</summary>
    private const long EpochMicroseconds = 946_684_800_000_000;

    private readonly Stream stream;
    private readonly byte[] buffer = new byte[Limits.CopyBufferBytes];
    private int used;

    public BinaryCopyWriter(Stream stream)
    {
        this.stream = stream;
        BinaryCopyReader.Signature.CopyTo(buffer);
        // Flags and the length of an extension: none of either.
        used = BinaryCopyReader.Signature.Length + 2 * sizeof(int);
    }

    public BinaryCopyWriter Row(int fields)
    {
        BinaryPrimitives.WriteInt16BigEndian(Room(sizeof(short)), (short)fields);
        return this;
    }

    public BinaryCopyWriter Null()
    {
        BinaryPrimitives.WriteInt32BigEndian(Room(sizeof(int)), -1);
        return this;
    }

    public BinaryCopyWriter Boolean(bool value)
    {
        Field(sizeof(byte))[0] = value ? (byte)1 : (byte)0;
        return this;
    }

    public BinaryCopyWriter Int16(int value)
    {
        BinaryPrimitives.WriteInt16BigEndian(Field(sizeof(short)), (short)value);
        return this;
    }

    public BinaryCopyWriter Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(Field(sizeof(int)), value);
        return this;
    }

    public BinaryCopyWriter Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(Field(sizeof(long)), value);
        return this;
    }

    public BinaryCopyWriter Double(double value)
    {
        BinaryPrimitives.WriteDoubleBigEndian(Field(sizeof(double)), value);
        return this;
    }

    /// <param name="ms">Unix milliseconds, within the years that PostgreSQL has.</param>
    public BinaryCopyWriter Instant(long ms) => Int64(ms * 1000 - EpochMicroseconds);

    public BinaryCopyWriter Bytes(ReadOnlySpan<byte> value)
    {
        if (value.Length > buffer.Length - sizeof(int))
        {
            BinaryPrimitives.WriteInt32BigEndian(Room(sizeof(int)), value.Length);
            Flush();
            stream.Write(value);
            return this;
        }
        value.CopyTo(Field(value.Length));
        return this;
    }

    public BinaryCopyWriter Text(string value) => Bytes(Encoding.UTF8.GetBytes(value));

    /// <summary>Ends the rows. Without it the server refuses what came.</summary>
    public void Complete()
    {
        BinaryPrimitives.WriteInt16BigEndian(Room(sizeof(short)), -1);
        Flush();
    }

    private Span<byte> Field(int length)
    {
        Span<byte> room = Room(sizeof(int) + length);
        BinaryPrimitives.WriteInt32BigEndian(room, length);
        return room[sizeof(int)..];
    }

    private Span<byte> Room(int length)
    {
        if (used > buffer.Length - length)
            Flush();
        Span<byte> room = buffer.AsSpan(used, length);
        used += length;
        return room;
    }

    private void Flush()
    {
        stream.Write(buffer.AsSpan(0, used));
        used = 0;
    }
}

/// <summary>Reads what <see cref="BinaryCopyWriter"/> describes, row by row; the fields of a row are valid until the next one.</summary>
internal sealed class BinaryCopyReader(Stream stream)
{
    private byte[] buffer = new byte[Limits.CopyBufferBytes];
    private int start;
    private int end;
    private bool hasBegun;

    /// <summary>With a byte above 127, both ends of lines and a zero, so that a channel which changes any of them is noticed.</summary>
    public static ReadOnlySpan<byte> Signature => [(byte)'P', (byte)'G', (byte)'C', (byte)'O', (byte)'P', (byte)'Y', (byte)'\n', 0xff, (byte)'\r', (byte)'\n', 0];

    /// <summary>Whether there is another row; its fields are then to be read one after another.</summary>
    public bool NextRow()
    {
        if (!hasBegun)
        {
            Take(Signature.Length + sizeof(int));
            Take(BinaryPrimitives.ReadInt32BigEndian(Take(sizeof(int))));
            hasBegun = true;
        }
        if (BinaryPrimitives.ReadInt16BigEndian(Take(sizeof(short))) >= 0)
            return true;
        // To the end of the stream, so that the connection can be used again.
        while (stream.Read(buffer) > 0)
        {
        }
        return false;
    }

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Field());

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Field());

    public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Field());

    public bool Boolean() => Field()[0] != 0;

    public ReadOnlySpan<byte> Field() => Take(Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(Take(sizeof(int)))));

    private ReadOnlySpan<byte> Take(int length)
    {
        if (end - start < length)
            Fill(length);
        ReadOnlySpan<byte> taken = buffer.AsSpan(start, length);
        start += length;
        return taken;
    }

    private void Fill(int length)
    {
        byte[] target = buffer.Length >= length ? buffer : new byte[Math.Max(length, buffer.Length * 2)];
        buffer.AsSpan(start, end - start).CopyTo(target);
        (buffer, end, start) = (target, end - start, 0);
        while (end < length)
        {
            int read = stream.Read(buffer.AsSpan(end));
            if (read == 0)
                throw new EndOfStreamException("the rows of COPY ended in the middle");
            end += read;
        }
    }
}
