using System.Runtime.CompilerServices;

namespace Collections.Domain.Debtors;

/// <summary>Which id decides between two entries whose numbers tie.</summary>
internal enum OrderedBy : uint
{
    ItemName = 0,
    ItemEvent = 1,
    Payment = 2,
    Amendment = 3,
}

/// <summary>
/// Sorts entries by a number and, where that ties, by an id in ordinal order. A key holds the number in its upper 32 bits, then whose id
/// decides, then the place of the entry, so that text is read for ties only.
/// </summary>
internal readonly unsafe struct EntryOrder : IComparer<ulong>
{
    private readonly byte* text;
    private readonly ItemEntry* items;
    private readonly PaymentEntry* payments;
    private readonly AmendmentEntry* amendments;

    public EntryOrder(in HotState state)
    {
        text = state.Pointer(ListId.Text);
        items = (ItemEntry*)state.Pointer(ListId.Items);
        payments = (PaymentEntry*)state.Pointer(ListId.Payments);
        amendments = (AmendmentEntry*)state.Pointer(ListId.Amendments);
    }

    public static ulong Key(uint number, OrderedBy by, int index) => (ulong)number << 32 | (ulong)by << 16 | (uint)index;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int IndexOf(ulong key) => (int)(key & 0xffff);

    public int Compare(ulong x, ulong y)
    {
        int byNumber = (x >> 32).CompareTo(y >> 32);
        return byNumber != 0 ? byNumber : Id(x).SequenceCompareTo(Id(y));
    }

    /// <summary>Exchanges the first key with the smallest one.</summary>
    public void BringFirst(Span<ulong> keys)
    {
        int best = 0;
        for (int i = 1; i < keys.Length; i++)
        {
            if (Compare(keys[i], keys[best]) < 0)
                best = i;
        }
        (keys[0], keys[best]) = (keys[best], keys[0]);
    }

    /// <summary>Sorts few keys by insertion (they mostly come sorted), many by the library.</summary>
    public void Sort(Span<ulong> keys)
    {
        const int few = 24;
        if (keys.Length > few)
        {
            keys.Sort(this);
            return;
        }
        for (int i = 1; i < keys.Length; i++)
        {
            ulong key = keys[i];
            int at = i;
            for (; at > 0 && Compare(keys[at - 1], key) > 0; at--)
                keys[at] = keys[at - 1];
            keys[at] = key;
        }
    }

    private ReadOnlySpan<byte> Id(ulong key)
    {
        int index = IndexOf(key);
        switch ((OrderedBy)(key >> 16 & 0xffff))
        {
            case OrderedBy.ItemName: return First(items[index].Text);
            case OrderedBy.Payment: return First(payments[index].Text);
            case OrderedBy.Amendment: return Second(amendments[index].Text);
            default:
                ReadOnlySpan<byte> issue = Second(items[index].Text);
                return issue.IsEmpty ? First(items[index].Text) : issue;
        }
    }

    private ReadOnlySpan<byte> First(TextRef at)
    {
        byte* start = text + at.Unit * 4;
        return new ReadOnlySpan<byte>(start + 1, *start);
    }

    private ReadOnlySpan<byte> Second(TextRef at)
    {
        byte* start = text + at.Unit * 4;
        start += 1 + *start;
        return new ReadOnlySpan<byte>(start + 1, *start);
    }
}
