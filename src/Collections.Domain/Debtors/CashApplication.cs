using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>
/// What one ledger event does to the open amounts: which items money settles, and where freed money goes. Every method takes its event
/// in the order of effect; nothing here knows how events came in.
/// </summary>
internal static unsafe class CashApplication
{
    /// <summary>An item is owed from now on: money held for it comes first, then free credit; what was held beyond it goes to the others.</summary>
    public static void Issue(ref HotState s, int index)
    {
        ref ItemEntry item = ref s.Item(index);
        item.Bits |= ItemEntry.Issued;
        item.Open = item.Amount;
        item.Due = item.BaseDue;
        Day day = item.IssuedOn;
        int currency = item.Currency;
        if (IsBase(s, currency))
        {
            s.R.Totals.ItemsIssued++;
            s.R.Totals.AmountSum += item.Amount;
        }
        if (s.Count(ListId.Instructions) > 0)
            TakeHeldMoney(ref s, index, day, currency);
        ApplyCredit(ref s, day, currency);
    }

    /// <summary>A credit note frees what was paid beyond the new amount; a correction upwards takes credit as an issue does.</summary>
    public static void Adjust(ref HotState s, in AmendmentEntry amendment)
    {
        int index = s.FindItem(s.Text(amendment.Text));
        if (index < 0)
            return;
        ref ItemEntry item = ref s.Item(index);
        if (!IsOwed(item) || item.Currency != amendment.Currency)
            return;
        Day day = amendment.On;
        item.Open += amendment.Value;
        if (amendment.Value > 0)
        {
            Unsettle(ref s, ref item);
            ApplyCredit(ref s, day, item.Currency);
        }
        else if (item.Open < 0)
        {
            long surplus = -item.Open;
            item.Open = 0;
            Free(ref s, index, surplus);
            ApplyCredit(ref s, day, amendment.Currency);
        }
    }

    public static void Redate(ref HotState s, in AmendmentEntry amendment)
    {
        int index = s.FindItem(s.Text(amendment.Text));
        if (index >= 0 && IsOwed(s.Item(index)))
            s.Item(index).Due = new Day((ushort)amendment.Value);
    }

    /// <summary>The item counts as never issued from now on; all that was paid on it is free again.</summary>
    public static void Cancel(ref HotState s, in AmendmentEntry amendment)
    {
        int index = s.FindItem(s.Text(amendment.Text));
        if (index < 0 || !IsOwed(s.Item(index)))
            return;
        ref ItemEntry item = ref s.Item(index);
        int currency = item.Currency;
        if (IsBase(s, currency))
        {
            s.R.Totals.ItemsIssued--;
            s.R.Totals.AmountSum -= item.Amount;
        }
        Unsettle(ref s, ref item);
        item.Bits |= ItemEntry.Cancelled;
        item.Open = 0;
        Free(ref s, index, long.MaxValue);
        ApplyCredit(ref s, amendment.On, currency);
    }

    /// <summary>Money came in: explicit allocations first; without any an item that it pays exactly; the rest by the waterfall.</summary>
    public static void Pay(ref HotState s, int index)
    {
        ref PaymentEntry payment = ref s.Payment(index);
        payment.Bits |= PaymentEntry.Taken;
        payment.Credit = payment.Amount;
        int currency = payment.Currency;
        Day day = payment.On;
        bool instructed = payment.Has(PaymentEntry.Instructed);
        if (IsBase(s, currency))
            CountPayment(ref s, payment);
        PromiseBook.Count(ref s, payment);
        if (instructed)
            FollowInstructions(ref s, index, day, currency);
        else if (PayExactly(ref s, index, day, currency))
            return;
        if (s.Payment(index).Credit == 0)
            return;
        ulong[] open = s.Scratch.Open(s.ItemCount);
        int count = OpenItems(ref s, open, day, currency);
        int next = 0;
        PourOver(ref s, index, day, open.AsSpan(0, count), ref next);
    }

    /// <summary>Whether an item has been issued and not been cancelled.</summary>
    private static bool IsOwed(in ItemEntry item) => (item.Bits & (ItemEntry.Issued | ItemEntry.Cancelled)) == ItemEntry.Issued;

    private static bool IsBase(in HotState s, int currency) => s.R.BaseCurrency == currency + 1;

    private static void CountPayment(ref HotState s, in PaymentEntry payment)
    {
        long open = 0;
        foreach (ref readonly ItemEntry item in s.Items)
            open += item.Currency == payment.Currency ? item.Open : 0;
        ref LedgerTotals totals = ref s.R.Totals;
        totals.Payments++;
        totals.LastPaymentOn = payment.On;
        totals.LastPaymentMinor = payment.Amount;
        totals.LastPaymentOpenBefore = open;
    }

    private static void FollowInstructions(ref HotState s, int payment, Day day, int currency)
    {
        int count = s.Count(ListId.Instructions);
        for (int i = 0; i < count; i++)
        {
            InstructionEntry instruction = s.Instructions[i];
            if (instruction.Payment != payment)
                continue;
            int index = s.FindItem(s.Text(instruction.Item));
            if (index < 0 || !s.Item(index).Has(ItemEntry.Issued))
            {
                s.Instructions[i].Held = instruction.Amount;
                s.Payment(payment).Credit -= instruction.Amount;
            }
            else if (s.Item(index).Open > 0 && s.Item(index).Currency == currency)
            {
                Allocate(ref s, index, payment, Math.Min(instruction.Amount, s.Item(index).Open), day);
            }
        }
    }

    private static void TakeHeldMoney(ref HotState s, int index, Day day, int currency)
    {
        ReadOnlySpan<byte> name = s.Text(s.Item(index).Text);
        ushort hash = s.Item(index).Text.Hash;
        ulong[] holders = s.Scratch.Credits(s.Count(ListId.Instructions));
        int count = 0;
        Span<InstructionEntry> instructions = s.Instructions;
        for (int i = 0; i < instructions.Length; i++)
        {
            ref readonly InstructionEntry held = ref instructions[i];
            if (held.Held > 0 && held.Item.Hash == hash && s.Text(held.Item).SequenceEqual(name) && s.Payment(held.Payment).Currency == currency)
                holders[count++] = EntryOrder.Key(s.Payment(held.Payment).On.Number, OrderedBy.Payment, held.Payment);
        }
        new EntryOrder(s).Sort(holders.AsSpan(0, count));
        for (int h = 0; h < count; h++)
        {
            int payment = EntryOrder.IndexOf(holders[h]);
            for (int i = 0; i < s.Count(ListId.Instructions); i++)
            {
                InstructionEntry held = s.Instructions[i];
                if (held.Payment != payment || held.Held == 0 || held.Item.Hash != hash || !s.Text(held.Item).SequenceEqual(s.Text(s.Item(index).Text)))
                    continue;
                s.Instructions[i].Held = 0;
                s.Payment(payment).Credit += held.Held;
                if (s.Item(index).Open > 0)
                    Allocate(ref s, index, payment, Math.Min(held.Held, s.Item(index).Open), day);
            }
        }
    }

    /// <summary>Free credit of one currency, oldest first, over its open items by the waterfall.</summary>
    private static void ApplyCredit(ref HotState s, Day day, int currency)
    {
        ulong[] credits = s.Scratch.Credits(s.PaymentCount);
        int count = 0;
        Span<PaymentEntry> payments = s.Payments;
        for (int i = 0; i < payments.Length; i++)
        {
            if (payments[i].Credit > 0 && payments[i].Currency == currency)
                credits[count++] = EntryOrder.Key(payments[i].On.Number, OrderedBy.Payment, i);
        }
        if (count == 0)
            return;
        new EntryOrder(s).Sort(credits.AsSpan(0, count));
        ulong[] open = s.Scratch.Open(s.ItemCount);
        int openCount = OpenItems(ref s, open, day, currency);
        int next = 0;
        for (int i = 0; i < count && next < openCount; i++)
            PourOver(ref s, EntryOrder.IndexOf(credits[i]), day, open.AsSpan(0, openCount), ref next);
    }

    /// <summary>The open items of a currency as keys of the waterfall (bucket, component, due date, name), not yet sorted.</summary>
    private static int OpenItems(ref HotState s, ulong[] open, Day day, int currency)
    {
        int count = 0;
        Span<ItemEntry> items = s.Items;
        for (int i = 0; i < items.Length; i++)
        {
            ref readonly ItemEntry item = ref items[i];
            if (item.Open == 0 || item.Currency != currency)
                continue;
            uint bucket = item.Due < day ? 0u : item.Due == day ? 1u : 2u;
            open[count++] = EntryOrder.Key(bucket << 18 | (uint)item.Component << 16 | item.Due.Number, OrderedBy.ItemName, i);
        }
        return count;
    }

    /// <summary>
    /// Pays items in the order of the waterfall until the payment is spent. The next item is sought when it is needed: most payments end
    /// at their first or second; one that goes on has the rest sorted.
    /// </summary>
    private static void PourOver(ref HotState s, int payment, Day day, Span<ulong> open, ref int next)
    {
        const int soughtOneByOne = 8;
        for (int taken = 0; next < open.Length && s.Payment(payment).Credit > 0; taken++)
        {
            if (taken == soughtOneByOne)
                new EntryOrder(s).Sort(open[next..]);
            else if (taken < soughtOneByOne)
                new EntryOrder(s).BringFirst(open[next..]);
            int index = EntryOrder.IndexOf(open[next]);
            Allocate(ref s, index, payment, Math.Min(s.Payment(payment).Credit, s.Item(index).Open), day);
            if (s.Item(index).Open == 0)
                next++;
        }
    }

    private static bool PayExactly(ref HotState s, int payment, Day day, int currency)
    {
        long amount = s.Payment(payment).Amount;
        int best = -1;
        Span<ItemEntry> items = s.Items;
        for (int i = 0; i < items.Length; i++)
        {
            ref readonly ItemEntry item = ref items[i];
            if (item.Open != amount || item.Currency != currency)
                continue;
            if (best < 0 || item.Due < items[best].Due
                || (item.Due == items[best].Due && s.Text(item.Text).SequenceCompareTo(s.Text(items[best].Text)) < 0))
                best = i;
        }
        if (best >= 0)
            Allocate(ref s, best, payment, amount, day);
        return best >= 0;
    }

    private static void Allocate(ref HotState s, int index, int paymentIndex, long amount, Day day)
    {
        ref ItemEntry item = ref s.Item(index);
        ref PaymentEntry payment = ref s.Payment(paymentIndex);
        item.Open -= amount;
        payment.Credit -= amount;
        Invariant.Require(item.Open >= 0 && payment.Credit >= 0 && amount > 0, "an allocation is more than 0 and at most what is open and what is left");
        if (!payment.Has(PaymentEntry.Allocated))
        {
            payment.Bits |= PaymentEntry.Allocated;
            if (IsBase(s, payment.Currency))
            {
                s.R.Totals.Allocated++;
                s.R.Totals.Partial += item.Open == 0 ? 0 : 1;
            }
        }
        if (item.Open == 0)
            Settlements.Settle(ref s, index, day);
        s.Append(ListId.Allocations, new AllocationEntry { Amount = amount, Item = (ushort)index, Payment = (ushort)paymentIndex });
    }

    /// <summary>Gives back to their payments the latest allocations of an item, the last made first, up to a surplus.</summary>
    private static void Free(ref HotState s, int index, long surplus)
    {
        Span<AllocationEntry> allocations = s.Allocations;
        for (int i = allocations.Length - 1; i >= 0 && surplus > 0; i--)
        {
            ref AllocationEntry allocation = ref allocations[i];
            if (allocation.Item != index)
                continue;
            long freed = Math.Min(surplus, allocation.Amount);
            allocation.Amount -= freed;
            surplus -= freed;
            s.Payment(allocation.Payment).Credit += freed;
        }
        int kept = 0;
        foreach (AllocationEntry allocation in allocations)
        {
            if (allocation.Amount > 0)
                allocations[kept++] = allocation;
        }
        s.Truncate(ListId.Allocations, kept);
    }

    private static void Unsettle(ref HotState s, ref ItemEntry item)
    {
        if (!item.Has(ItemEntry.Settled))
            return;
        Invariant.Require(!item.Has(ItemEntry.BaseCounted), "a settlement that the base has counted is taken back from the history only");
        item.Bits &= unchecked((ushort)~ItemEntry.Settled);
        item.SettledOn = Day.None;
        item.SettledDue = Day.None;
        s.R.Flags |= RecordFlags.SettlementsStale;
    }
}
