using Collections.Engine.Partitions;

namespace Collections.Engine.Queues;

/// <summary>A waiting entry, with what it is ordered by.</summary>
internal readonly record struct RankedEntry(double Value, long EligibleSinceMs, int Slot);

/// <summary>
/// Keeps the best of the entries that it is offered: a heap of as many as are wanted, the worst on top, so that most of a large bucket costs one
/// comparison each and nothing is fetched from the table but where two are equal in value and moment.
/// </summary>
internal sealed class BestEntries(DebtorTable table)
{
    private RankedEntry[] heap = new RankedEntry[16];
    private int wanted;
    private int count;

    /// <summary>Whether as many have been offered as are wanted; better ones still come in.</summary>
    public bool IsFull => count >= wanted;

    /// <param name="most">How many are wanted, 1 or more.</param>
    public void Begin(int most)
    {
        wanted = most;
        count = 0;
    }

    public void Offer(in RankedEntry entry)
    {
        if (count < wanted)
        {
            if (count == heap.Length)
                Array.Resize(ref heap, heap.Length * 2);
            Rise(count++, entry);
        }
        else if (Compare(entry, heap[0]) < 0)
        {
            Sink(entry);
        }
    }

    /// <summary>The entries, best first; valid until the next <see cref="Begin"/>.</summary>
    public ReadOnlySpan<RankedEntry> End()
    {
        Span<RankedEntry> all = heap.AsSpan(0, count);
        all.Sort(new Order(this));
        return all;
    }

    private void Rise(int at, in RankedEntry entry)
    {
        for (int parent = (at - 1) / 2; at > 0 && Compare(heap[parent], entry) < 0; parent = (at - 1) / 2)
        {
            heap[at] = heap[parent];
            at = parent;
        }
        heap[at] = entry;
    }

    /// <summary>Takes the place of the worst.</summary>
    private void Sink(in RankedEntry entry)
    {
        int at = 0;
        for (int child = 1; child < count; child = 2 * at + 1)
        {
            if (child + 1 < count && Compare(heap[child + 1], heap[child]) > 0)
                child++;
            if (Compare(heap[child], entry) <= 0)
                break;
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = entry;
    }

    /// <summary>Negative when the first comes first: value from high to low, then eligible longest, then key.</summary>
    private int Compare(in RankedEntry a, in RankedEntry b)
    {
        if (a.Value != b.Value)
            return a.Value > b.Value ? -1 : 1;
        if (a.EligibleSinceMs != b.EligibleSinceMs)
            return a.EligibleSinceMs < b.EligibleSinceMs ? -1 : 1;
        return a.Slot == b.Slot ? 0 : table.Debtor(a.Slot).Name.SequenceCompareTo(table.Debtor(b.Slot).Name);
    }

    private readonly struct Order(BestEntries of) : IComparer<RankedEntry>
    {
        public int Compare(RankedEntry x, RankedEntry y) => of.Compare(x, y);
    }
}
