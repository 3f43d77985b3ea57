namespace Collections.Domain.Debtors;

/// <summary>
/// The figures over settled items. They depend on the order of settlement (date, due date, name), which is seldom the order in which the
/// allocations were made: a settlement that comes last is added, anything else marks them to be computed anew when they are next read.
/// </summary>
internal static unsafe class Settlements
{
    private const ushort NoItem = ushort.MaxValue;
    private const double EwmaWeight = 0.3;

    /// <summary>Before a fold: nothing has settled since the base.</summary>
    public static void Reset(ref HotState s)
    {
        s.R.LastSettled = NoItem;
        s.R.Flags &= ~RecordFlags.SettlementsStale;
    }

    /// <summary>An allocation has brought an item to 0.</summary>
    public static void Settle(ref HotState s, int index, Day day)
    {
        ref ItemEntry item = ref s.Item(index);
        item.Bits |= ItemEntry.Settled;
        item.SettledOn = day;
        item.SettledDue = item.Due;
        if (s.R.BaseCurrency != item.Currency + 1 || (s.R.Flags & RecordFlags.SettlementsStale) != 0)
            return;
        if (s.R.LastSettled != NoItem && IsBefore(s, item, s.Item(s.R.LastSettled)))
        {
            s.R.Flags |= RecordFlags.SettlementsStale;
            return;
        }
        s.R.LastSettled = (ushort)index;
        Add(ref s.R.Totals, item);
    }

    /// <summary>Computes the figures anew where that is due.</summary>
    public static void Refresh(ref HotState s)
    {
        if ((s.R.Flags & RecordFlags.SettlementsStale) == 0)
            return;
        Reset(ref s);
        ref LedgerTotals totals = ref s.R.Totals;
        Restart(ref totals, s.HasBase ? s.Base.Totals : default);
        ulong[] settled = s.Scratch.Open(s.ItemCount);
        int count = Sorted(s, settled);
        for (int i = 0; i < count; i++)
            Add(ref totals, s.Item(EntryOrder.IndexOf(settled[i])));
        if (count > 0)
            s.R.LastSettled = (ushort)EntryOrder.IndexOf(settled[count - 1]);
    }

    /// <summary>The settled items of the base currency in order of settlement, as far as the base has not counted them.</summary>
    public static int Sorted(in HotState s, ulong[] settled)
    {
        int count = 0;
        Span<ItemEntry> items = s.Items;
        for (int i = 0; i < items.Length; i++)
        {
            ref readonly ItemEntry item = ref items[i];
            if ((item.Bits & (ItemEntry.Settled | ItemEntry.BaseCounted)) == ItemEntry.Settled && s.R.BaseCurrency == item.Currency + 1)
                settled[count++] = EntryOrder.Key((uint)item.SettledOn.Number << 16 | item.SettledDue.Number, OrderedBy.ItemName, i);
        }
        new EntryOrder(s).Sort(settled.AsSpan(0, count));
        return count;
    }

    /// <summary>Takes the settlement figures of other totals and leaves the rest.</summary>
    public static void Restart(ref LedgerTotals totals, in LedgerTotals from)
    {
        totals.Settled = from.Settled;
        totals.SettledLate = from.SettledLate;
        totals.DaysLateSum = from.DaysLateSum;
        totals.DaysLateSquares = from.DaysLateSquares;
        totals.DaysLateMax = from.DaysLateMax;
        totals.DaysLateLast = from.DaysLateLast;
        totals.DaysLateEwma = from.DaysLateEwma;
        totals.DaysToPaySum = from.DaysToPaySum;
    }

    public static void Add(ref LedgerTotals totals, in ItemEntry item)
    {
        int late = item.SettledOn - item.SettledDue;
        bool first = totals.Settled == 0;
        totals.Settled++;
        totals.SettledLate += late > 0 ? 1 : 0;
        totals.DaysLateSum += late;
        totals.DaysLateSquares += (long)late * late;
        totals.DaysLateMax = first ? late : Math.Max(totals.DaysLateMax, late);
        totals.DaysLateLast = late;
        totals.DaysLateEwma = first ? late : EwmaWeight * late + (1 - EwmaWeight) * totals.DaysLateEwma;
        totals.DaysToPaySum += item.SettledOn - item.IssuedOn;
    }

    private static bool IsBefore(in HotState s, in ItemEntry a, in ItemEntry b)
    {
        if (a.SettledOn != b.SettledOn)
            return a.SettledOn < b.SettledOn;
        if (a.SettledDue != b.SettledDue)
            return a.SettledDue < b.SettledDue;
        return s.Text(a.Text).SequenceCompareTo(s.Text(b.Text)) < 0;
    }
}
