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
        if (remaining == 0)
            EnterBehindGap(segment);
    }

    public void Advance()
    {
        contentAt += (int)(ReadHead<uint>(LogBlock.LengthAt) & ~LogBlock.HistoryBit);
        headAt += LogBlock.HeadBytes;
        remaining--;
        Next++;
    }

    /// <summary>The block at hand ends where we stand, or before: the next one must say that what lies between has no records.</summary>
    private void EnterBehindGap(SegmentReader segment)
    {
        string missing = $"is missing: the block before it, at offset {LogBlock.FirstOf(blocks[block])}, has {LogBlock.CountOf(blocks[block])} records";
        if (block + 1 >= blocks.Count)
        {
            segment.ReadBlockAfter(stream, Next, blocks);
            block = -1;
        }
        if (block + 1 >= blocks.Count || !Continues(blocks[block + 1], mayBeginBefore: false))
            throw Fail(segment, missing);
        Enter(segment, block + 1);
    }

    /// <summary>Whether a block holds <see cref="Next"/>, or says that no record lies between there and its first.</summary>
    private bool Continues(ReadOnlySpan<byte> entered, bool mayBeginBefore)
    {
        if (entered.Length < LogBlock.HeaderBytes)
            return false;
        long first = LogBlock.FirstOf(entered);
        return first < Next ? mayBeginBefore : first - LogBlock.GapOf(entered) <= Next;
    }

    private LogCorruptException Fail(SegmentReader segment, string fault)
    {
        blocks.Clear();
        block = -1;
        return segment.Corrupt(stream, Next, fault);
    }

    private void Enter(SegmentReader segment, int index)
    {
        ReadOnlySpan<byte> entered = blocks[index];
        // Reading on, a block begins where the last one ended, or behind its gap; the first one after a seek may begin before.
        long first = Continues(entered, mayBeginBefore: index == 0) ? LogBlock.FirstOf(entered) : Next;
        if (LogBlock.FindFault(entered, partition, stream, first) is { } fault)
            throw Fail(segment, fault);
        block = index;
        int count = LogBlock.CountOf(entered);
        long next = Math.Max(Next, first);
        if (first + count <= next)
        {
            remaining = 0;
            return;
        }
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
