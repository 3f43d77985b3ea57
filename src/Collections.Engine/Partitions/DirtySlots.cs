using System.Runtime.InteropServices;

namespace Collections.Engine.Partitions;

/// <summary>Debtors that changed since the last checkpoint, each once.</summary>
internal sealed class DirtySlots(DebtorTable table)
{
    private readonly List<int> slots = [];

    public int Count => slots.Count;

    public void Add(int slot)
    {
        ref Standing standing = ref table.Standing(slot);
        if ((standing.Flags & StandingFlags.ToCheckpoint) != 0)
            return;
        standing.Flags |= StandingFlags.ToCheckpoint;
        slots.Add(slot);
    }

    /// <summary>All of them in order of slot, which is the order in which the store writes fastest; the set is empty afterwards.</summary>
    public int[] TakeSorted()
    {
        slots.Sort();
        int[] taken = [.. slots];
        foreach (int slot in CollectionsMarshal.AsSpan(slots))
            table.Standing(slot).Flags &= ~StandingFlags.ToCheckpoint;
        slots.Clear();
        return taken;
    }
}
