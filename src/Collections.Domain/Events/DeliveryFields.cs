namespace Collections.Domain.Events;

/// <summary>Puts back into an event what the log keeps beside it, for who carries events from one log to another.</summary>
public static class DeliveryFields
{
    private const int KnownField = 6;
    private const int HistoryField = 7;

    /// <summary>The event with its delivery fields; a <paramref name="knownMs"/> that an event can't say (Unix milliseconds outside of <see cref="Day"/>) is left out.</summary>
    public static byte[] Restore(ReadOnlySpan<byte> content, long knownMs, bool history)
    {
        var known = new WireWriter();
        var fields = new WireWriter();
        if (knownMs >= Day.Min.StartMs && knownMs < Day.Max.EndMs)
        {
            known.Varint(1, (ulong)(knownMs / 1_000));
            known.Varint(2, (ulong)(knownMs % 1_000 * 1_000_000));
            fields.Bytes(KnownField, known.Written);
        }
        if (history)
            fields.Varint(HistoryField, 1);
        byte[] whole = new byte[content.Length + fields.Written.Length];
        content.CopyTo(whole);
        fields.Written.CopyTo(whole.AsSpan(content.Length));
        return whole;
    }
}
