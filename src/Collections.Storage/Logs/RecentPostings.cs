namespace Collections.Storage.Logs;

/// <summary>
/// The postings of a partition that no run holds yet: chains by debtor over flat arrays. They need not be durable, because each record
/// carries its debtor's hash and they are built again on opening. Guarded by the partition's lock.
/// </summary>
internal sealed class RecentPostings
{
    private const int CapacityMin = 256;

    private ulong[] spreads = new ulong[CapacityMin];
    private ulong[] places = new ulong[CapacityMin];
    private int[] next = new int[CapacityMin];
    private int[] heads = NewHeads(CapacityMin);

    public int Count { get; private set; }

    public void Add(ulong debtorHash, Place place)
    {
        if (Count == spreads.Length)
            Grow();
        ulong spread = PostingBucket.Spread(debtorHash);
        spreads[Count] = spread;
        places[Count] = place.Value;
        Link(Count++);
    }

    public void Find(ulong debtorHash, List<Place> into)
    {
        ulong spread = PostingBucket.Spread(debtorHash);
        for (int at = heads[HeadOf(spread)]; at >= 0; at = next[at])
        {
            if (spreads[at] == spread)
                into.Add(new Place(places[at]));
        }
    }

    /// <summary>Copies all postings, sorted by spread hash, then place.</summary>
    public void CopySorted(out ulong[] sortedSpreads, out ulong[] sortedPlaces)
    {
        sortedSpreads = spreads.AsSpan(0, Count).ToArray();
        sortedPlaces = places.AsSpan(0, Count).ToArray();
        Array.Sort(sortedSpreads, sortedPlaces);
    }

    public void Clear()
    {
        Count = 0;
        heads.AsSpan().Fill(-1);
    }

    private void Grow()
    {
        int capacity = spreads.Length * 2;
        Array.Resize(ref spreads, capacity);
        Array.Resize(ref places, capacity);
        Array.Resize(ref next, capacity);
        heads = NewHeads(capacity);
        for (int i = 0; i < Count; i++)
            Link(i);
    }

    private void Link(int at)
    {
        ref int head = ref heads[HeadOf(spreads[at])];
        next[at] = head;
        head = at;
    }

    // The heads are a power of two in number, so their index is the top bits of the spread hash.
    private int HeadOf(ulong spread) => (int)((spread >> 32) * (ulong)heads.Length >> 32);

    private static int[] NewHeads(int count)
    {
        int[] heads = new int[count];
        heads.AsSpan().Fill(-1);
        return heads;
    }
}
