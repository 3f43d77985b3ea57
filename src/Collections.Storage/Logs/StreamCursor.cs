using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Logs;

/// <summary>A place in one stream, over blocks read ahead: the next record is at hand without a query most of the time.</summary>
internal sealed class StreamCursor(int partition, EventStream stream)
{
    private readonly BlockBuffer blocks = new();
    private int block = -1;
    private int headAt;
    private int contentAt;
    private int remaining;

    /// <summary>The offset at which it stands.</summary>
    public long Next { get; private set; }

    public EventStream Stream => stream;

    /// <summary>Whether the record at <see cref="Next"/> is in memory.</summary>
    public bool HasRecord => remaining > 0;

    public long KnownMs => ReadHead<long>(0);

    public ulong DebtorHash => ReadHead<ulong>(LogBlock.HashAt);

    public LogRecord Record
    {
        get
        {
            uint lengthAndFlag = ReadHead<uint>(LogBlock.LengthAt);
            int length = (int)(lengthAndFlag & ~LogBlock.HistoryBit);
            return new LogRecord(stream, Next, KnownMs, (lengthAndFlag & LogBlock.HistoryBit) != 0, blocks.Bytes.AsSpan(contentAt, length));
        }
    }

    /// <summary>Forgets what was read ahead and stands at an offset.</summary>
    public void Seek(long offset)
    {
        blocks.Clear();
        block = -1;
        remaining = 0;
        Next = offset;
    }

    /// <summary>Stands at an offset, without forgetting the block at hand if that is where it lies.</summary>
    public void MoveTo(long offset)
    {
        if (offset < Next || offset >= Next + remaining)
            Seek(offset);
        while (Next < offset)
            Advance();
    }

    /// <summary>Gets the record at <see cref="Next"/> into memory, which must be in the segment.</summary>
    public void Fill(SegmentReader segment, int readAheadBytes)
    {
        if (block + 1 >= blocks.Count)
        {
            segment.ReadBlocks(stream, Next, readAheadBytes, blocks);
            block = -1;
        }
        if (blocks.Count == 0)
            throw segment.Corrupt(stream, Next, "is missing");
        Enter(segment, block + 1);
    }

    public void Advance()
    {
        contentAt += (int)(ReadHead<uint>(LogBlock.LengthAt) & ~LogBlock.HistoryBit);
        headAt += LogBlock.HeadBytes;
        remaining--;
        Next++;
    }

    private void Enter(SegmentReader segment, int index)
    {
        ReadOnlySpan<byte> entered = blocks[index];
        // Reading on, a block begins where the last one ended; the first one after a seek may begin before.
        long first = index > 0 || entered.Length < LogBlock.HeaderBytes ? Next : Math.Min(Next, LogBlock.FirstOf(entered));
        string? fault = LogBlock.FindFault(entered, partition, stream, first);
        if (fault == null && first + LogBlock.CountOf(entered) <= Next)
            fault = $"is missing: the block before it, at offset {first}, has {LogBlock.CountOf(entered)} records";
        if (fault != null)
        {
            blocks.Clear();
            block = -1;
            throw segment.Corrupt(stream, Next, fault);
        }
        block = index;
        int count = LogBlock.CountOf(entered);
        long next = Next;
        headAt = blocks.StartOf(index) + LogBlock.HeaderBytes;
        contentAt = headAt + LogBlock.HeadBytes * count;
        remaining = count;
        Next = first;
        while (Next < next)
            Advance();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private T ReadHead<T>(int at)
        where T : unmanaged =>
        Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(blocks.Bytes), headAt + at));
}
