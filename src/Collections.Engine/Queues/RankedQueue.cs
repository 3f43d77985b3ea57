using System.Numerics;
using System.Runtime.InteropServices;
using Collections.Engine.Partitions;

namespace Collections.Engine.Queues;

/// <summary>
/// The waiting entries of one queue in one partition, in exact order: value from high to low, then eligible longest, then key. Entries
/// hang in buckets of nearly equal value under a two-level bitmap, so that a re-rank is O(1) and mostly stays in its bucket; the order
/// inside the buckets at the head is made when somebody pulls.
/// </summary>
internal sealed unsafe class RankedQueue : IDisposable
{
    // A bucket is the top 14 bits below the sign of the value as a float: 8 of exponent, 6 of mantissa, so 64 buckets an octave.
    private const int BucketBits = 14;
    private const int BucketCount = 1 << BucketBits;

    private readonly DebtorTable table;
    private readonly int* heads;
    private readonly ulong[] words = new ulong[BucketCount / 64];
    private readonly ulong[] summary = new ulong[BucketCount / 64 / 64];
    private readonly BestEntries best;

    public RankedQueue(DebtorTable table, ushort number, ushort tenant, ushort portfolio, Domain.Events.Channel channel)
    {
        this.table = table;
        Number = number;
        Tenant = tenant;
        Portfolio = portfolio;
        Channel = channel;
        best = new BestEntries(table);
        heads = (int*)NativeMemory.Alloc(BucketCount, sizeof(int));
        new Span<int>(heads, BucketCount).Fill(-1);
    }

    /// <summary>Its number in the partition, from 1.</summary>
    public ushort Number { get; }

    /// <summary>Interned names of the partition.</summary>
    public ushort Tenant { get; }
    public ushort Portfolio { get; }
    public Domain.Events.Channel Channel { get; }

    public int Count { get; private set; }

    public void Dispose() => NativeMemory.Free(heads);

    /// <param name="value">0 or more, finite.</param>
    public void Add(int slot, double value, long eligibleSinceMs)
    {
        ref Standing standing = ref table.Standing(slot);
        int bucket = BucketOf(value);
        int head = heads[bucket];
        standing.Value = value;
        standing.EligibleSinceMs = eligibleSinceMs;
        standing.Queue = Number;
        standing.Previous = -1;
        standing.Next = head;
        if (head >= 0)
            table.Standing(head).Previous = slot;
        else
            Mark(bucket);
        heads[bucket] = slot;
        Count++;
    }

    public void Remove(int slot)
    {
        ref Standing standing = ref table.Standing(slot);
        if (standing.Next >= 0)
            table.Standing(standing.Next).Previous = standing.Previous;
        if (standing.Previous >= 0)
        {
            table.Standing(standing.Previous).Next = standing.Next;
        }
        else
        {
            int bucket = BucketOf(standing.Value);
            heads[bucket] = standing.Next;
            if (standing.Next < 0)
                Unmark(bucket);
        }
        standing.Queue = 0;
        standing.Next = -1;
        standing.Previous = -1;
        Count--;
    }

    /// <summary>A new value for an entry that stays: most re-scores end in the same bucket and touch no list.</summary>
    public void Update(int slot, double value)
    {
        ref Standing standing = ref table.Standing(slot);
        if (BucketOf(value) == BucketOf(standing.Value))
        {
            standing.Value = value;
            return;
        }
        long since = standing.EligibleSinceMs;
        Remove(slot);
        Add(slot, value, since);
    }

    /// <summary>The best <paramref name="count"/> entries in exact order; they stay where they are. Valid until the next call.</summary>
    /// <param name="atLeast">Entries of less value are not wanted: so many better ones have been seen elsewhere.</param>
    public ReadOnlySpan<RankedEntry> Best(int count, double atLeast = 0)
    {
        best.Begin(count);
        int lowest = BucketOf(atLeast);
        for (int bucket = HighestFrom(BucketCount - 1); bucket >= lowest && !best.IsFull; bucket = HighestFrom(bucket - 1))
        {
            for (int slot = heads[bucket]; slot >= 0;)
            {
                ref Standing standing = ref table.Standing(slot);
                if (standing.Value >= atLeast)
                    best.Offer(new RankedEntry(standing.Value, standing.EligibleSinceMs, slot));
                slot = standing.Next;
            }
        }
        return best.End();
    }

    private static int BucketOf(double value) => (int)(BitConverter.SingleToUInt32Bits((float)value) >> (31 - BucketBits)) & (BucketCount - 1);

    private void Mark(int bucket)
    {
        words[bucket >> 6] |= 1UL << (bucket & 63);
        summary[bucket >> 12] |= 1UL << (bucket >> 6 & 63);
    }

    private void Unmark(int bucket)
    {
        words[bucket >> 6] &= ~(1UL << (bucket & 63));
        if (words[bucket >> 6] == 0)
            summary[bucket >> 12] &= ~(1UL << (bucket >> 6 & 63));
    }

    /// <summary>The highest bucket in use that is not above <paramref name="bucket"/>; -1: none.</summary>
    private int HighestFrom(int bucket)
    {
        if (bucket < 0)
            return -1;
        int word = bucket >> 6;
        ulong here = words[word] & (ulong.MaxValue >> (63 - (bucket & 63)));
        if (here != 0)
            return word << 6 | BitOperations.Log2(here);
        for (int top = word >> 6; top >= 0; top--)
        {
            ulong candidates = summary[top];
            if (top == word >> 6)
                candidates &= (1UL << (word & 63)) - 1;
            if (candidates != 0)
            {
                int found = top << 6 | BitOperations.Log2(candidates);
                return found << 6 | BitOperations.Log2(words[found]);
            }
        }
        return -1;
    }
}
