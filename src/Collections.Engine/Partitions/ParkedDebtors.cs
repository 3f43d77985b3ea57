using Collections.Engine.Logs;

namespace Collections.Engine.Partitions;

/// <summary>Debtors that wait for their history, with the events held for each, in order. Rare, so plain objects.</summary>
internal sealed class ParkedDebtors
{
    private readonly SortedDictionary<int, RecordBatch> heldBySlot = [];

    public int Count => heldBySlot.Count;

    /// <summary>Events held, all debtors together.</summary>
    public int HeldCount { get; private set; }

    public IEnumerable<KeyValuePair<int, RecordBatch>> All => heldBySlot;

    public RecordBatch Park(int slot)
    {
        var held = new RecordBatch();
        heldBySlot.Add(slot, held);
        return held;
    }

    public void Hold(int slot, in LogRecord record)
    {
        heldBySlot[slot].Add(record);
        HeldCount++;
    }

    public RecordBatch Release(int slot)
    {
        heldBySlot.Remove(slot, out RecordBatch? held);
        Domain.Invariant.Require(held is not null, $"slot {slot} is not parked");
        HeldCount -= held!.Count;
        return held;
    }
}
