namespace Collections.Engine.Partitions;

/// <summary>
/// Due times of slots in the order (due, key): a binary heap whose outdated entries are passed over when they come up. The key is the
/// debtor's hash, so that the order is total and the same whatever the order of arrival was.
/// </summary>
internal sealed class TimerHeap
{
    private Entry[] heap = new Entry[64];

    public int Count { get; private set; }

    public long NextMs => Count == 0 ? long.MaxValue : heap[0].DueMs;

    public void Add(long dueMs, ulong key, int slot)
    {
        if (Count == heap.Length)
            Array.Resize(ref heap, heap.Length * 2);
        int i = Count++;
        var entry = new Entry(dueMs, key, slot);
        while (i > 0 && entry.Before(heap[(i - 1) / 2]))
        {
            heap[i] = heap[(i - 1) / 2];
            i = (i - 1) / 2;
        }
        heap[i] = entry;
    }

    public (long DueMs, int Slot) Take()
    {
        Entry first = heap[0];
        Entry last = heap[--Count];
        int i = 0;
        while (true)
        {
            int child = 2 * i + 1;
            if (child >= Count)
                break;
            if (child + 1 < Count && heap[child + 1].Before(heap[child]))
                child++;
            if (!heap[child].Before(last))
                break;
            heap[i] = heap[child];
            i = child;
        }
        heap[i] = last;
        return (first.DueMs, first.Slot);
    }

    public void Clear() => Count = 0;

    private readonly record struct Entry(long DueMs, ulong Key, int Slot)
    {
        public bool Before(in Entry other) =>
            DueMs != other.DueMs ? DueMs < other.DueMs : Key != other.Key ? Key < other.Key : Slot < other.Slot;
    }
}
