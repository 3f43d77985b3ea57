namespace Collections.Engine.Leases;

/// <summary>The best waiting entries of a queue, as seen by one or several partitions; what they are is checked again when they are reserved.</summary>
public sealed class QueueHeads
{
    private readonly List<Head> heads = [];
    private byte[] keys = new byte[1024];
    private int used;

    public int Count => heads.Count;

    public Head this[int index] => heads[index];

    public ReadOnlySpan<byte> KeyOf(in Head head) => keys.AsSpan(head.KeyStart, head.KeyLength);

    public void Add(int partition, int slot, double value, long eligibleSinceMs, ReadOnlySpan<byte> key)
    {
        if (used + key.Length > keys.Length)
            Array.Resize(ref keys, Math.Max(keys.Length * 2, used + key.Length));
        key.CopyTo(keys.AsSpan(used));
        heads.Add(new Head(partition, slot, value, eligibleSinceMs, used, key.Length));
        used += key.Length;
    }

    /// <param name="source">Where the heads come from, for those who merge several.</param>
    public void AddAll(QueueHeads other, int source = 0)
    {
        foreach (Head head in other.heads)
        {
            Add(head.Partition, head.Slot, head.Value, head.EligibleSinceMs, other.KeyOf(head));
            heads[^1] = heads[^1] with { Source = source };
        }
    }

    /// <summary>What an entry must be worth to matter: after <see cref="Keep"/> has found enough, the value of the last of them.</summary>
    public double LeastValue { get; private set; }

    /// <summary>Keeps the best, in the order of the queue.</summary>
    /// <param name="count">How many are wanted.</param>
    public void Keep(int count)
    {
        if (heads.Count < count)
            return;
        Sort();
        heads.RemoveRange(count, heads.Count - count);
        LeastValue = heads[^1].Value;
    }

    /// <summary>Brings them into the order of the queue: value from high to low, then eligible longest, then key.</summary>
    public void Sort() => heads.Sort((a, b) =>
        a.Value != b.Value ? b.Value.CompareTo(a.Value)
        : a.EligibleSinceMs != b.EligibleSinceMs ? a.EligibleSinceMs.CompareTo(b.EligibleSinceMs)
        : KeyOf(a).SequenceCompareTo(KeyOf(b)));
}

/// <summary>One waiting entry.</summary>
public readonly record struct Head(int Partition, int Slot, double Value, long EligibleSinceMs, int KeyStart, int KeyLength)
{
    /// <summary>Which of several sources it was seen at.</summary>
    public int Source { get; init; }
}
