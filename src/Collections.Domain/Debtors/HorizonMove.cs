using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>
/// Moves the base forward: what lies behind the new horizon and is closed is folded into totals and dropped. Kept are open items, credit
/// that is left, and whatever an event inside the window names, so that the window can still be folded anew.
/// </summary>
internal static unsafe class HorizonMove
{
    /// <summary>Moves the horizon when it lags by more than the slack.</summary>
    public static void IfDue(ref HotState s)
    {
        DebtorOptions options = s.Pool.Options;
        Day target = s.R.FoldedDay.Plus(-options.HorizonDays);
        Day since = Later(s.R.Horizon, s.R.CompactedOn.IsNone ? s.R.FirstDay : s.R.CompactedOn.Plus(-options.HorizonDays));
        if (target - since > options.HorizonSlackDays && (s.R.Flags & RecordFlags.Quiet) == 0)
            Now(ref s);
    }

    /// <summary>Makes room once a day for a debtor that comes near the limits, whatever the slack.</summary>
    public static void IfCrowded(ref HotState s)
    {
        bool crowded = s.EntryCount > Limits.EntriesMax / 8 * 7 || s.BytesUsed > Limits.ListBytesMax / 8 * 7 || s.Count(ListId.Text) > Limits.TextUnitsMax / 8 * 7;
        if (crowded && s.R.CompactedOn < s.R.FoldedDay)
            Now(ref s);
    }

    /// <summary>Moves the horizon as far as the options allow; nothing happens when nothing could be dropped.</summary>
    public static void Now(ref HotState s)
    {
        Day today = s.R.FoldedDay;
        s.R.CompactedOn = today;
        LedgerFold.Ensure(ref s);
        Day target = BeforePendingReversals(s, today.Plus(-s.Pool.Options.HorizonDays));
        if (target <= s.R.Horizon || target >= today || !AnythingToDrop(s, target))
            return;
        Move(ref s, target);
    }

    /// <summary>
    /// Makes room while a long history is taken in by effective date: the horizon moves behind the last day that is complete.
    /// </summary>
    public static void Behind(ref HotState s, Day complete)
    {
        Day latest = s.R.FoldedDay.Plus(-s.Pool.Options.HorizonDays);
        Day target = BeforePendingReversals(s, complete < latest ? complete : latest);
        if (target > s.R.Horizon)
            Move(ref s, target);
    }

    private static void Move(ref HotState s, Day target)
    {
        LedgerFold.Fold(ref s, until: target, reversalsUntil: s.R.FoldedDay);
        MarkNamed(ref s, target);
        var totals = s.R.Totals;
        AggregateSettlements(ref s, target, ref totals);
        PutBase(ref s, totals);
        MarkPayments(ref s, target);
        KeepRecentPayments(ref s, target);
        int[] itemPlaces = MoveItems(ref s, target);
        NoteReversed(s);
        int[] paymentPlaces = MovePayments(ref s, target);
        MoveReferences(ref s, itemPlaces, paymentPlaces);
        DropAmendments(ref s, target);
        DropPromises(ref s, target);
        DropMarks(ref s, target);
        s.R.Horizon = target;
        s.R.Flags |= RecordFlags.Dropped | RecordFlags.Stale;
        TextRewrite.Run(ref s);
        s.Pack();
        LedgerFold.Ensure(ref s);
    }

    private static bool IsBy(Day day, Day target) => !day.IsNone && day <= target;

    private static Day Later(Day a, Day b) => a > b ? a : b;

    /// <summary>A payment that will be reversed must stay where it can be left out.</summary>
    private static Day BeforePendingReversals(in HotState s, Day target)
    {
        foreach (ref readonly AmendmentEntry amendment in s.Amendments)
        {
            if (amendment.Kind != EventKind.PaymentReversed || amendment.On <= s.R.FoldedDay)
                continue;
            int index = s.FindPayment(s.Text(amendment.Text));
            if (index >= 0 && s.Payment(index).On <= target)
                target = s.Payment(index).On.Plus(-1);
        }
        return target;
    }

    private static bool AnythingToDrop(in HotState s, Day target)
    {
        foreach (ref readonly ItemEntry item in s.Items)
        {
            if (item.IssuedOn <= target && item.Open == 0 && item.SettledOn <= target)
                return true;
        }
        foreach (ref readonly PaymentEntry payment in s.Payments)
        {
            if (payment.On <= target && payment.Credit == 0)
                return true;
        }
        foreach (ref readonly AmendmentEntry amendment in s.Amendments)
        {
            if (amendment.On <= target)
                return true;
        }
        foreach (ref readonly PromiseEntry promise in s.Promises)
        {
            if (promise.LastDay <= target)
                return true;
        }
        return false;
    }

    /// <summary>Marks the items that have to stay: inside the window, open, or named by an event inside it; and whose settlements are taken back there.</summary>
    private static void MarkNamed(ref HotState s, Day target)
    {
        foreach (ref ItemEntry item in s.Items)
        {
            item.Bits &= unchecked((ushort)~(ItemEntry.Kept | ItemEntry.Unsettled | ItemEntry.UnsettledLater));
            if (item.IssuedOn > target || item.Open > 0)
                item.Bits |= ItemEntry.Kept;
            if (s.Scratch.Futures is not { } futures)
                continue;
            if (futures.TryGetValue(ItemFuture.KeyOf(s.Text(item.Text)), out ItemFuture future))
                Mark(s, ref item, target, future);
            if (futures.TryGetValue(ItemFuture.KeyOf(s.Text(item.Text), s.Currencies[item.Currency]), out future))
                Mark(s, ref item, target, future);
        }
        foreach (ref readonly AmendmentEntry amendment in s.Amendments)
        {
            int index = LedgerFold.OrderOf(amendment.Kind) == LedgerOrder.None ? -1 : s.FindItem(s.Text(amendment.Text));
            if (index >= 0)
                Mark(s, ref s.Item(index), target, new ItemFuture(amendment.On, Unsettles(amendment, s.Item(index)) ? amendment.On : Day.None));
        }
        foreach (ref readonly InstructionEntry instruction in s.Instructions)
        {
            int index = s.FindItem(s.Text(instruction.Item));
            if (index >= 0)
                Mark(s, ref s.Item(index), target, new ItemFuture(s.Payment(instruction.Payment).On, Day.None));
        }
    }

    /// <summary>Whether an amendment opens an item again that was settled; one in another currency does nothing.</summary>
    private static bool Unsettles(in AmendmentEntry amendment, in ItemEntry item) =>
        amendment.Kind == EventKind.ItemCancelled || (amendment.Kind == EventKind.ItemAdjusted && amendment.Value > 0 && amendment.Currency == item.Currency);

    private static void Mark(in HotState s, ref ItemEntry item, Day target, ItemFuture future)
    {
        if (future.NamedUntil > target)
            item.Bits |= ItemEntry.Kept;
        if (future.UnsettledUntil > target)
            item.Bits |= future.UnsettledUntil > s.R.FoldedDay ? ItemEntry.UnsettledLater : ItemEntry.Unsettled;
    }

    /// <summary>
    /// Adds to the base the settlements behind the horizon, in their order. One that an event inside the window takes back is left out: it
    /// is gone for good. One that will be taken back later than now has to stay, and, the figures depending on their order, all after it.
    /// </summary>
    private static void AggregateSettlements(ref HotState s, Day target, ref LedgerTotals totals)
    {
        Settlements.Restart(ref totals, s.HasBase ? s.Base.Totals : default);
        ulong[] settled = s.Scratch.Open(s.ItemCount);
        int count = Settlements.Sorted(s, settled);
        bool allStay = false;
        for (int i = 0; i < count; i++)
        {
            ref ItemEntry item = ref s.Item(EntryOrder.IndexOf(settled[i]));
            Invariant.Require(item.SettledOn <= target, "nothing settles behind the day up to which the ledger was folded");
            allStay |= item.Has(ItemEntry.UnsettledLater);
            if (allStay)
            {
                item.Bits |= ItemEntry.Kept;
            }
            else if (!item.Has(ItemEntry.Unsettled))
            {
                Settlements.Add(ref totals, item);
                item.Bits |= ItemEntry.BaseCounted;
            }
        }
    }

    private static void PutBase(ref HotState s, in LedgerTotals totals)
    {
        if (!s.HasBase)
            s.Append(ListId.Base, default(BaseEntry));
        s.Base.Totals = totals;
        s.Base.Currency = s.R.BaseCurrency;
    }

    /// <summary>Marks the payments that have to stay: inside the window, with free or held money, or allocated to an item that stays.</summary>
    private static void MarkPayments(ref HotState s, Day target)
    {
        foreach (ref PaymentEntry payment in s.Payments)
        {
            payment.Bits &= unchecked((ushort)~PaymentEntry.Kept);
            if (payment.On > target || payment.Credit > 0)
                payment.Bits |= PaymentEntry.Kept;
        }
        foreach (ref readonly InstructionEntry instruction in s.Instructions)
        {
            if (instruction.Held > 0)
                s.Payment(instruction.Payment).Bits |= PaymentEntry.Kept;
        }
        foreach (ref readonly AllocationEntry allocation in s.Allocations)
        {
            if (s.Item(allocation.Item).Has(ItemEntry.Kept))
                s.Payment(allocation.Payment).Bits |= PaymentEntry.Kept;
        }
    }

    /// <summary>With a horizon shorter than 90 days some payments behind it still feed the 90-day features.</summary>
    private static void KeepRecentPayments(ref HotState s, Day target)
    {
        Day after = s.R.FoldedDay.Plus(-FeatureEvaluation.RecentPaymentDays);
        if (target <= after && s.Count(ListId.OldPayments) == 0)
            return;
        Span<OldPaymentEntry> old = s.OldPayments;
        int kept = 0;
        foreach (OldPaymentEntry payment in old)
        {
            if (payment.On > after)
                old[kept++] = payment;
        }
        s.Truncate(ListId.OldPayments, kept);
        ulong[] order = s.Scratch.Order(s.PaymentCount);
        int count = 0;
        for (int i = 0; i < s.PaymentCount; i++)
        {
            ref readonly PaymentEntry payment = ref s.Payment(i);
            if (payment.Has(PaymentEntry.Taken) && payment.On > after && payment.Currency + 1 == s.R.BaseCurrency)
                order[count++] = EntryOrder.Key(payment.On.Number, OrderedBy.Payment, i);
        }
        new EntryOrder(s).Sort(order.AsSpan(0, count));
        for (int i = Math.Max(0, count - Limits.RecentPayments); i < count; i++)
        {
            PaymentEntry payment = s.Payment(EntryOrder.IndexOf(order[i]));
            s.Append(ListId.OldPayments, new OldPaymentEntry { Amount = payment.Amount, On = payment.On });
        }
        int surplus = Math.Max(0, s.Count(ListId.OldPayments) - Limits.RecentPayments);
        s.OldPayments[surplus..].CopyTo(s.OldPayments);
        s.Truncate(ListId.OldPayments, s.Count(ListId.OldPayments) - surplus);
    }

    private static int[] MoveItems(ref HotState s, Day target)
    {
        int[] places = new int[s.ItemCount];
        Span<ItemEntry> items = s.Items;
        int kept = 0;
        for (int i = 0; i < items.Length; i++)
        {
            ItemEntry item = items[i];
            places[i] = item.Has(ItemEntry.Kept) ? kept : -1;
            if (places[i] < 0)
                continue;
            if (item.IssuedOn <= target)
            {
                item.BaseDue = item.Due;
                item.BaseOpen = item.Open;
                item.Bits &= unchecked((ushort)~(ItemEntry.BaseCancelled | ItemEntry.BaseSettled));
                item.Bits |= ItemEntry.InBase;
                if (item.Has(ItemEntry.Cancelled))
                    item.Bits |= ItemEntry.BaseCancelled;
                if (item.Has(ItemEntry.Settled))
                {
                    item.Bits |= ItemEntry.BaseSettled;
                    item.BaseOpen = (long)item.SettledOn.Number << 16 | item.SettledDue.Number;
                }
            }
            items[kept++] = item;
        }
        s.Truncate(ListId.Items, kept);
        return places;
    }

    private static int[] MovePayments(ref HotState s, Day target)
    {
        int[] places = new int[s.PaymentCount];
        Span<PaymentEntry> payments = s.Payments;
        int kept = 0;
        for (int i = 0; i < payments.Length; i++)
        {
            PaymentEntry payment = payments[i];
            places[i] = payment.Has(PaymentEntry.Kept) ? kept : -1;
            if (places[i] < 0)
                continue;
            if (payment.On <= target)
            {
                payment.Amount = payment.Credit;
                payment.Bits |= PaymentEntry.InBase;
                if (payment.Has(PaymentEntry.Allocated))
                    payment.Bits |= PaymentEntry.BaseAllocated;
            }
            payments[kept++] = payment;
        }
        s.Truncate(ListId.Payments, kept);
        return places;
    }

    private static void MoveReferences(ref HotState s, int[] itemPlaces, int[] paymentPlaces)
    {
        Span<InstructionEntry> instructions = s.Instructions;
        int kept = 0;
        foreach (InstructionEntry entry in instructions)
        {
            InstructionEntry instruction = entry;
            int place = paymentPlaces[instruction.Payment];
            bool inBase = place >= 0 && s.Payment(place).Has(PaymentEntry.InBase);
            if (place < 0 || (inBase && instruction.Held == 0))
                continue;
            instruction.Payment = (ushort)place;
            if (inBase)
            {
                instruction.Bits |= InstructionEntry.InBase;
                instruction.Amount = instruction.Held;
            }
            instructions[kept++] = instruction;
        }
        s.Truncate(ListId.Instructions, kept);
        s.Truncate(ListId.BaseAllocations, 0);
        for (int i = 0; i < s.Count(ListId.Allocations); i++)
        {
            AllocationEntry allocation = s.Allocations[i];
            if (itemPlaces[allocation.Item] < 0)
                continue;
            Invariant.Require(paymentPlaces[allocation.Payment] >= 0, "a payment stays as long as an item that it is allocated to");
            allocation.Item = (ushort)itemPlaces[allocation.Item];
            allocation.Payment = (ushort)paymentPlaces[allocation.Payment];
            s.Append(ListId.BaseAllocations, allocation);
        }
        s.Truncate(ListId.Allocations, 0);
    }

    private static void DropAmendments(ref HotState s, Day target)
    {
        Span<AmendmentEntry> amendments = s.Amendments;
        int ahead = 0;
        foreach (ref readonly AmendmentEntry amendment in amendments)
            ahead += amendment.On <= target && IsAhead(s, amendment) ? 1 : 0;
        int surplus = Math.Max(0, ahead - Limits.ReversalsAheadMax);
        int kept = 0;
        foreach (AmendmentEntry amendment in amendments)
        {
            if (amendment.On > target || ReversesInside(s, amendment, target) || (IsAhead(s, amendment) && surplus-- <= 0))
                amendments[kept++] = amendment;
        }
        s.Truncate(ListId.Amendments, kept);
    }

    /// <summary>Before payments are dropped: which reversals have met theirs.</summary>
    private static void NoteReversed(in HotState s)
    {
        foreach (ref AmendmentEntry amendment in s.Amendments)
        {
            if (amendment.Kind == EventKind.PaymentReversed && amendment.Value == 0 && s.FindPayment(s.Text(amendment.Text)) >= 0)
                amendment.Value = AmendmentEntry.Met;
        }
    }

    /// <summary>Whether a reversal came before its payment, which may still come, whatever day the reversal is dated.</summary>
    private static bool IsAhead(in HotState s, in AmendmentEntry amendment) =>
        amendment.Kind == EventKind.PaymentReversed && amendment.Value == 0 && s.FindPayment(s.Text(amendment.Text)) < 0;

    /// <summary>A reversal dated before its payment stays as long as the payment can be folded anew.</summary>
    private static bool ReversesInside(in HotState s, in AmendmentEntry amendment, Day target)
    {
        int payment = amendment.Kind == EventKind.PaymentReversed ? s.FindPayment(s.Text(amendment.Text)) : -1;
        return payment >= 0 && s.Payment(payment).On > target;
    }

    private static void DropPromises(ref HotState s, Day target)
    {
        ref BaseEntry before = ref s.Base;
        Span<PromiseEntry> promises = s.Promises;
        Day lastKept = Day.None;
        foreach (ref readonly PromiseEntry promise in promises)
            lastKept = promise.KeptOn > lastKept ? promise.KeptOn : lastKept;
        if (!lastKept.IsNone)
            before.PromiseStreak = 0;
        int kept = 0;
        foreach (PromiseEntry entry in promises)
        {
            PromiseEntry promise = entry;
            bool cancelled = !promise.CancelledOn.IsNone && promise.CancelledOn <= target;
            if (promise.KeptOn.IsNone && !cancelled && promise.LastDay > target)
            {
                promise.BasePaid = promise.Paid;
                promises[kept++] = promise;
                continue;
            }
            before.PromisesMade++;
            PromiseState state = promise.StateOn(target.Plus(1));
            before.PromisesKept += (ushort)(state == PromiseState.Kept ? 1 : 0);
            if (state == PromiseState.Broken)
            {
                before.PromisesBroken++;
                before.PromiseStreak += (ushort)(lastKept.IsNone || promise.LastDay >= lastKept ? 1 : 0);
            }
        }
        s.Truncate(ListId.Promises, kept);
    }

    private static void DropMarks(ref HotState s, Day target)
    {
        Span<MarkEntry> marks = s.Marks;
        int kept = 0;
        foreach (MarkEntry mark in marks)
        {
            bool over = mark.On <= target && (IsBy(mark.ResolvedOn, target) || IsBy(mark.Until, target));
            if (!over)
                marks[kept++] = mark;
            else if (mark.Kind == EventKind.DisputeOpened)
                s.Base.Disputes++;
        }
        s.Truncate(ListId.Marks, kept);
    }
}
