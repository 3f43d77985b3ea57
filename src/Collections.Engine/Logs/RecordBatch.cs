using Collections.Domain.Events;

namespace Collections.Engine.Logs;

/// <summary>One record of the log, as it lies in a <see cref="RecordBatch"/>.</summary>
public readonly ref struct LogRecord(EventStream stream, long offset, long knownMs, bool history, ReadOnlySpan<byte> content)
{
    public readonly EventStream Stream = stream;

    /// <summary>Its place in its stream and partition.</summary>
    public readonly long Offset = offset;

    /// <summary>When the engine got to know it, in Unix milliseconds.</summary>
    public readonly long KnownMs = knownMs;

    /// <summary>Imported as history: quiet until ImportEnded.</summary>
    public readonly bool History = history;

    /// <summary>A <c>collections.v1.Event</c> in wire form, without its delivery fields.</summary>
    public readonly ReadOnlySpan<byte> Content = content;
}

/// <summary>Records in one buffer that is used again and again: no object a record. One thread at a time.</summary>
public sealed class RecordBatch
{
    private readonly List<Entry> entries = [];
    private byte[] bytes = new byte[64 * 1024];
    private int used;

    public int Count => entries.Count;

    public int ByteCount => used;

    public LogRecord this[int index]
    {
        get
        {
            Entry e = entries[index];
            return new LogRecord(e.Stream, e.Offset, e.KnownMs, e.History, bytes.AsSpan(e.Start, e.Length));
        }
    }

    public void Clear()
    {
        entries.Clear();
        used = 0;
    }

    public void Add(EventStream stream, long offset, long knownMs, bool history, ReadOnlySpan<byte> content)
    {
        if (used + content.Length > bytes.Length)
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, used + content.Length));
        content.CopyTo(bytes.AsSpan(used));
        entries.Add(new Entry(offset, knownMs, used, content.Length, stream, history));
        used += content.Length;
    }

    public void Add(in LogRecord record) => Add(record.Stream, record.Offset, record.KnownMs, record.History, record.Content);

    private readonly record struct Entry(long Offset, long KnownMs, int Start, int Length, EventStream Stream, bool History);
}
