namespace Collections.Domain.Debtors;

/// <summary>Working space that a fold uses and forgets; it is owned by a pool, and so used by one thread. Arrays grow to the largest debtor met.</summary>
internal sealed class LedgerScratch
{
    private ulong[] order = new ulong[256];
    private ulong[] open = new ulong[64];
    private ulong[] credits = new ulong[64];

    /// <summary>
    /// While a long history is taken in: what is still to come for an item, by <see cref="ItemFuture.KeyOf"/>, so that items stay which are
    /// still to be changed. Null at all other times.
    /// </summary>
    public Dictionary<ulong, ItemFuture>? Futures { get; set; }

    /// <summary>For the events of a fold.</summary>
    public ulong[] Order(int count) => Sized(ref order, count);

    /// <summary>For the open items of a waterfall, or the settled items of the settlement figures.</summary>
    public ulong[] Open(int count) => Sized(ref open, count);

    /// <summary>For the payments that have credit.</summary>
    public ulong[] Credits(int count) => Sized(ref credits, count);

    private static ulong[] Sized(ref ulong[] array, int count)
    {
        if (array.Length < count)
            array = new ulong[Math.Max(count, array.Length * 2)];
        return array;
    }
}

/// <summary>The last day on which an event names an item, and the last on which one takes a settlement back.</summary>
internal readonly record struct ItemFuture(Day NamedUntil, Day UnsettledUntil)
{
    /// <param name="currency">Of what touches the item in this currency alone; none: of what touches it in any.</param>
    public static ulong KeyOf(ReadOnlySpan<byte> item, Currency currency = default) => Hash64.Of(item, currency.Code);
}
