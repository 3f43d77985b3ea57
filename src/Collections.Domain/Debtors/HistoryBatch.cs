namespace Collections.Domain.Debtors;

/// <summary>The deliveries of one debtor, in any order, copied into one buffer that is used again.</summary>
public sealed class HistoryBatch
{
    private readonly List<Entry> entries = [];
    private byte[] buffer = new byte[4096];
    private int length;

    public int Count => entries.Count;

    /// <summary>Copies a record of the log.</summary>
    /// <param name="content">The event as the log keeps it.</param>
    /// <param name="knownMs">When the log got it, in Unix milliseconds.</param>
    /// <param name="history">Whether the log marks it as imported history.</param>
    public void Add(ReadOnlySpan<byte> content, long knownMs, bool history)
    {
        if (length + content.Length > buffer.Length)
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + content.Length));
        content.CopyTo(buffer.AsSpan(length));
        entries.Add(new Entry(length, content.Length, knownMs, history));
        length += content.Length;
    }

    public void Clear()
    {
        entries.Clear();
        length = 0;
    }

    /// <summary>The content of one delivery.</summary>
    public ReadOnlySpan<byte> Content(int index) => buffer.AsSpan(entries[index].Offset, entries[index].Length);

    /// <summary>Whether two deliveries say the same, the fields of delivery left out.</summary>
    internal bool IsSameContent(int a, int b)
    {
        if (Content(a).SequenceEqual(Content(b)))
            return true;
        byte[] first = new byte[entries[a].Length], second = new byte[entries[b].Length];
        long known = 0;
        bool imported = false;
        int firstLength = Events.EventReader.StripDelivery(Content(a), first, ref known, ref imported);
        int secondLength = Events.EventReader.StripDelivery(Content(b), second, ref known, ref imported);
        return first.AsSpan(0, firstLength).SequenceEqual(second.AsSpan(0, secondLength));
    }

    internal long KnownMs(int index) => entries[index].KnownMs;

    internal bool History(int index) => entries[index].History;

    private readonly record struct Entry(int Offset, int Length, long KnownMs, bool History);
}
