using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>
/// The ledger as a fold: state(t) = cash application of every event effective by t in the order (effective date, kind, id), payments
/// reversed by t left out. An event that comes last is applied to the state as it is; anything else marks the state stale, and it is folded
/// anew from the base when it is next read.
/// </summary>
internal static class LedgerFold
{
    /// <summary>Brings the state up to date where that is due.</summary>
    public static void Ensure(ref HotState s)
    {
        if ((s.R.Flags & RecordFlags.Stale) != 0)
            Fold(ref s, until: s.R.FoldedDay, reversalsUntil: s.R.FoldedDay);
    }

    /// <summary>Takes an entry that was just appended: at once when it comes last, else when the state is next read.</summary>
    public static void Offer(ref HotState s, LedgerOrder order, int index, Day day)
    {
        if (day > s.R.FoldedDay)
        {
            Timers.Add(ref s, day);
            return;
        }
        if ((s.R.Flags & RecordFlags.Stale) != 0)
            return;
        if (IsLast(s, order, index, day))
            Take(ref s, order, index, day);
        else
            s.R.Flags |= RecordFlags.Stale;
    }

    /// <summary>Folds the window from the base.</summary>
    /// <param name="until">Events effective by this day count.</param>
    /// <param name="reversalsUntil">Payments reversed by this day are left out: they are for good, whatever the state is wanted for.</param>
    public static void Fold(ref HotState s, Day until, Day reversalsUntil)
    {
        Reset(ref s, until, reversalsUntil);
        ulong[] order = s.Scratch.Order(s.ItemCount + s.PaymentCount + s.Count(ListId.Amendments));
        int count = Collect(s, order, until);
        new EntryOrder(s).Sort(order.AsSpan(0, count));
        for (int i = 0; i < count; i++)
        {
            uint number = (uint)(order[i] >> 32);
            Take(ref s, (LedgerOrder)(number & 0xff), EntryOrder.IndexOf(order[i]), new Day((ushort)(number >> 8)));
        }
        s.R.Flags &= ~RecordFlags.Stale;
    }

    private static void Take(ref HotState s, LedgerOrder order, int index, Day day)
    {
        switch (order)
        {
            case LedgerOrder.Issue:
                SetBaseCurrency(ref s, s.Item(index).Currency);
                CashApplication.Issue(ref s, index);
                break;
            case LedgerOrder.Payment:
                SetBaseCurrency(ref s, s.Payment(index).Currency);
                CashApplication.Pay(ref s, index);
                break;
            case LedgerOrder.Adjust: CashApplication.Adjust(ref s, Copy(s, index)); break;
            case LedgerOrder.Redate: CashApplication.Redate(ref s, Copy(s, index)); break;
            default: CashApplication.Cancel(ref s, Copy(s, index)); break;
        }
        s.R.LastDay = day;
        s.R.LastOrder = order;
        s.R.LastIndex = (ushort)index;
    }

    /// <summary>A copy, because allocations made on the way may move the list.</summary>
    private static AmendmentEntry Copy(in HotState s, int index) => s.Amendments[index];

    private static void SetBaseCurrency(ref HotState s, int currency)
    {
        if (s.R.BaseCurrency == 0)
            s.R.BaseCurrency = (byte)(currency + 1);
    }

    private static void Reset(ref HotState s, Day until, Day reversalsUntil)
    {
        s.R.Totals = s.HasBase ? s.Base.Totals : default;
        s.R.LastOrder = LedgerOrder.None;
        s.R.LastDay = Day.None;
        Settlements.Reset(ref s);
        foreach (ref ItemEntry item in s.Items)
            Reset(ref s, ref item);
        foreach (ref PaymentEntry payment in s.Payments)
        {
            payment.Bits &= unchecked((ushort)~(PaymentEntry.Taken | PaymentEntry.Reversed | PaymentEntry.Allocated));
            bool inBase = payment.Has(PaymentEntry.InBase);
            payment.Credit = inBase ? payment.Amount : 0;
            payment.Bits |= payment.Has(PaymentEntry.BaseAllocated) ? PaymentEntry.Allocated : (ushort)0;
        }
        foreach (ref InstructionEntry instruction in s.Instructions)
            instruction.Held = (instruction.Bits & InstructionEntry.InBase) != 0 ? instruction.Amount : 0;
        int carried = s.Count(ListId.BaseAllocations);
        s.Grow(ListId.Allocations, carried, 16);
        s.BaseAllocations.CopyTo(s.Allocations);
        PromiseBook.Reset(ref s);
        MarkReversed(ref s, until, reversalsUntil);
        s.R.BaseCurrency = s.HasBase && s.Base.Currency != 0 ? s.Base.Currency : FirstCurrency(s, until);
    }

    private static void Reset(ref HotState s, ref ItemEntry item)
    {
        item.Bits &= unchecked((ushort)~(ItemEntry.Issued | ItemEntry.Cancelled | ItemEntry.Settled));
        item.Due = item.BaseDue;
        item.Open = 0;
        item.SettledOn = Day.None;
        item.SettledDue = Day.None;
        if (!item.Has(ItemEntry.InBase))
            return;
        item.Bits |= ItemEntry.Issued;
        if (item.Has(ItemEntry.BaseCancelled))
        {
            item.Bits |= ItemEntry.Cancelled;
        }
        else if (item.Has(ItemEntry.BaseSettled))
        {
            item.Bits |= ItemEntry.Settled;
            item.SettledOn = new Day((ushort)(item.BaseOpen >> 16));
            item.SettledDue = new Day((ushort)item.BaseOpen);
            if (!item.Has(ItemEntry.BaseCounted))
                s.R.Flags |= RecordFlags.SettlementsStale;
        }
        else
        {
            item.Open = item.BaseOpen;
        }
    }

    private static void MarkReversed(ref HotState s, Day until, Day reversalsUntil)
    {
        foreach (ref readonly AmendmentEntry amendment in s.Amendments)
        {
            if (amendment.Kind != EventKind.PaymentReversed || amendment.On > reversalsUntil)
                continue;
            int index = s.FindPayment(s.Text(amendment.Text));
            if (index < 0)
                continue;
            ref PaymentEntry payment = ref s.Payment(index);
            if (payment.On > until || payment.Has(PaymentEntry.Reversed))
                continue;
            Invariant.Require(!payment.Has(PaymentEntry.InBase), "a payment in the base is reversed from the history only");
            payment.Bits |= PaymentEntry.Reversed;
            s.R.Totals.Reversed++;
        }
    }

    private static int Collect(in HotState s, ulong[] order, Day until)
    {
        int count = 0;
        Span<ItemEntry> items = s.Items;
        for (int i = 0; i < items.Length; i++)
        {
            if (!items[i].Has(ItemEntry.InBase) && items[i].IssuedOn <= until)
                order[count++] = Key(items[i].IssuedOn, LedgerOrder.Issue, OrderedBy.ItemEvent, i);
        }
        Span<PaymentEntry> payments = s.Payments;
        for (int i = 0; i < payments.Length; i++)
        {
            if ((payments[i].Bits & (PaymentEntry.InBase | PaymentEntry.Reversed)) == 0 && payments[i].On <= until)
                order[count++] = Key(payments[i].On, LedgerOrder.Payment, OrderedBy.Payment, i);
        }
        Span<AmendmentEntry> amendments = s.Amendments;
        for (int i = 0; i < amendments.Length; i++)
        {
            LedgerOrder kind = OrderOf(amendments[i].Kind);
            if (kind != LedgerOrder.None && amendments[i].On <= until)
                order[count++] = Key(amendments[i].On, kind, OrderedBy.Amendment, i);
        }
        return count;
    }

    /// <summary>Where an amendment stands among the ledger's events of its day; none when the ledger does not take it as one.</summary>
    public static LedgerOrder OrderOf(EventKind kind) => kind switch
    {
        EventKind.ItemAdjusted => LedgerOrder.Adjust,
        EventKind.DueDateChanged => LedgerOrder.Redate,
        EventKind.ItemCancelled => LedgerOrder.Cancel,
        _ => LedgerOrder.None,
    };

    private static ulong Key(Day day, LedgerOrder order, OrderedBy by, int index) => EntryOrder.Key((uint)day.Number << 8 | (uint)order, by, index);

    private static bool IsLast(in HotState s, LedgerOrder order, int index, Day day)
    {
        ref readonly DebtorRecord r = ref s.R;
        if (day != r.LastDay || r.LastOrder == LedgerOrder.None)
            return day > r.LastDay || r.LastOrder == LedgerOrder.None;
        if (order != r.LastOrder)
            return order > r.LastOrder;
        OrderedBy by = order switch { LedgerOrder.Issue => OrderedBy.ItemEvent, LedgerOrder.Payment => OrderedBy.Payment, _ => OrderedBy.Amendment };
        return new EntryOrder(s).Compare(Key(day, order, by, index), Key(day, order, by, r.LastIndex)) > 0;
    }

    /// <summary>The currency of the first item or payment, reversed ones included, so that a reversal never changes it.</summary>
    private static byte FirstCurrency(in HotState s, Day until)
    {
        var compare = new EntryOrder(s);
        ulong first = ulong.MaxValue;
        int currency = -1;
        for (int i = 0; i < s.ItemCount; i++)
        {
            ref readonly ItemEntry item = ref s.Item(i);
            ulong key = Key(item.IssuedOn, LedgerOrder.Issue, OrderedBy.ItemEvent, i);
            if (item.IssuedOn <= until && (currency < 0 || compare.Compare(key, first) < 0))
                (first, currency) = (key, item.Currency);
        }
        for (int i = 0; i < s.PaymentCount; i++)
        {
            ref readonly PaymentEntry payment = ref s.Payment(i);
            ulong key = Key(payment.On, LedgerOrder.Payment, OrderedBy.Payment, i);
            if (payment.On <= until && (currency < 0 || compare.Compare(key, first) < 0))
                (first, currency) = (key, payment.Currency);
        }
        return (byte)(currency + 1);
    }
}
