using Collections.Domain.Events;

namespace Collections.Engine.Logs;

/// <summary>
/// Events to be appended together. Filled by one thread, then handed to <see cref="IEventLog.AppendAsync"/>, which sets
/// <see cref="OffsetOf"/>; after that it may be cleared and used again.
/// </summary>
public sealed class AppendBatch
{
    private readonly List<Entry> entries = [];
    private byte[] bytes = new byte[4096];
    private int used;

    public int Count => entries.Count;

    public int ByteCount => used;

    public void Clear()
    {
        entries.Clear();
        used = 0;
    }

    /// <param name="content">The event in wire form, without delivery fields (<see cref="EventReader.StripDelivery"/>).</param>
    public void Add(int partition, EventStream stream, ulong debtorHash, long knownMs, bool history, ReadOnlySpan<byte> content)
    {
        if (used + content.Length > bytes.Length)
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, used + content.Length));
        content.CopyTo(bytes.AsSpan(used));
        entries.Add(new Entry(debtorHash, knownMs, -1, partition, used, content.Length, stream, history));
        used += content.Length;
    }

    public int PartitionOf(int index) => entries[index].Partition;

    public EventStream StreamOf(int index) => entries[index].Stream;

    public ulong DebtorHashOf(int index) => entries[index].DebtorHash;

    public long KnownMsOf(int index) => entries[index].KnownMs;

    public bool IsHistory(int index) => entries[index].History;

    public ReadOnlySpan<byte> ContentOf(int index) => bytes.AsSpan(entries[index].Start, entries[index].Length);

    /// <summary>Where it was appended; -1 before that.</summary>
    public long OffsetOf(int index) => entries[index].Offset;

    /// <summary>For the log alone, or for who hands over to an archive what has its offset already.</summary>
    public void SetOffset(int index, long offset) => entries[index] = entries[index] with { Offset = offset };

    private readonly record struct Entry(
        ulong DebtorHash, long KnownMs, long Offset, int Partition, int Start, int Length, EventStream Stream, bool History);
}
