using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>
/// Takes one event into the lists: reads its body, checks what can be checked, and only then changes anything. The order of precedence is
/// that of <see cref="ApplyOutcome"/> backwards: what can't be read is invalid before anything else.
/// </summary>
/// <param name="now">The instant of the partition's clock.</param>
/// <param name="rebuilding">Whether the whole history is being taken in, activity in its full order: nothing needs to be looked up, and duplicates are already out.</param>
internal readonly ref struct Intake(NameTable names, AsOf now, bool rebuilding)
{
    private readonly NameTable names = names;
    private readonly AsOf now = now;
    private readonly bool rebuilding = rebuilding;

    public ApplyOutcome Take(ref HotState s, scoped in Event e, ref EventError error) => e.Head.Kind switch
    {
        EventKind.PaymentReceived => TakePayment(ref s, e, ref error),
        EventKind.ItemIssued => TakeItem(ref s, e, ref error),
        EventKind.AttemptReported => TakeAttempt(ref s, e, ref error),
        EventKind.ContactReceived => TakeContact(ref s, e, ref error),
        EventKind.ItemAdjusted or EventKind.ItemCancelled or EventKind.DueDateChanged => TakeItemChange(ref s, e, ref error),
        EventKind.PaymentReversed => TakeReversal(ref s, e, ref error),
        EventKind.PaymentFailed => TakeFailure(ref s, e, ref error),
        EventKind.PromiseMade => TakePromise(ref s, e, ref error),
        EventKind.PromiseCancelled => TakePromiseCancellation(ref s, e, ref error),
        EventKind.DisputeOpened or EventKind.HoldPlaced => TakeMark(ref s, e, ref error),
        EventKind.DisputeResolved or EventKind.HoldReleased => TakeMarkEnd(ref s, e, ref error),
        EventKind.DebtorRegistered => TakeRegistration(ref s, e, ref error),
        EventKind.PreferencesChanged => TakePreferences(ref s, e, ref error),
        _ => Refuse(ref error, "body", "is of a kind that a debtor does not take"),
    };

    private ApplyOutcome TakeItem(ref HotState s, scoped in Event e, ref EventError error)
    {
        if (!BodyReader.TryRead(e.Body, out ItemIssued issued, ref error))
            return ApplyOutcome.Invalid;
        if (IsBehind(s, e.Head))
            return ApplyOutcome.NeedsHistory;
        int known = s.FindItem(issued.Item);
        if (known >= 0)
        {
            if (s.IdOf(s.Item(known)).SequenceEqual(e.Head.Id))
                return ApplyOutcome.NeedsHistory;
            return Refuse(ref error, "item", "names an item that another event has issued; an item's name is never used again", issued.Item);
        }
        if (!HasRoom(ref s, 1, ref error) || !TryCurrency(ref s, issued.Currency, out int currency, ref error))
            return ApplyOutcome.Invalid;
        TextRef text = s.AppendText(issued.Item, issued.Item.SequenceEqual(e.Head.Id) ? default : e.Head.Id);
        int index = s.Append(ListId.Items, new ItemEntry
        {
            Amount = issued.AmountMinor,
            Text = text,
            IssuedOn = e.Head.Effective,
            Due = issued.Due,
            BaseDue = issued.Due,
            Bits = (ushort)((int)issued.Component | currency << 2),
        });
        LedgerFold.Offer(ref s, LedgerOrder.Issue, index, e.Head.Effective);
        return ApplyOutcome.Applied;
    }

    private ApplyOutcome TakePayment(ref HotState s, scoped in Event e, ref EventError error)
    {
        if (!BodyReader.TryRead(e.Body, out PaymentReceived received, ref error))
            return ApplyOutcome.Invalid;
        if (IsBehind(s, e.Head) || s.FindPayment(e.Head.Id) >= 0)
            return ApplyOutcome.NeedsHistory;
        int instructions = 0;
        if (!received.Allocations.IsEmpty)
        {
            foreach (ExplicitAllocation allocation in received.Allocations)
            {
                instructions++;
                if (MayBeDropped(s) && s.FindItem(allocation.Item) < 0)
                    return ApplyOutcome.NeedsHistory;
            }
        }
        if (!HasRoom(ref s, 1 + instructions, ref error) || !TryCurrency(ref s, received.Currency, out int currency, ref error))
            return ApplyOutcome.Invalid;
        int index = s.Append(ListId.Payments, new PaymentEntry
        {
            Amount = received.AmountMinor,
            Text = s.AppendText(e.Head.Id),
            On = e.Head.Effective,
            Bits = (ushort)(currency | (instructions > 0 ? PaymentEntry.Instructed : 0)),
        });
        if (instructions > 0)
            Instruct(ref s, index, received.Allocations);
        if (s.Count(ListId.Amendments) > 0 && !PromiseBook.Earliest(s, EventKind.PaymentReversed, e.Head.Id, Day.None).IsNone)
            s.R.Flags |= RecordFlags.Stale;
        LedgerFold.Offer(ref s, LedgerOrder.Payment, index, e.Head.Effective);
        return ApplyOutcome.Applied;
    }

    private static void Instruct(ref HotState s, int payment, scoped AllocationList allocations)
    {
        foreach (ExplicitAllocation allocation in allocations)
        {
            int item = s.FindItem(allocation.Item);
            TextRef text = item >= 0 ? s.Item(item).Text : s.AppendText(allocation.Item);
            s.Append(ListId.Instructions, new InstructionEntry { Amount = allocation.AmountMinor, Item = text, Payment = (ushort)payment });
        }
    }

    private ApplyOutcome TakeItemChange(ref HotState s, scoped in Event e, ref EventError error)
    {
        scoped ReadOnlySpan<byte> name;
        long value = 0;
        Currency currency = Currency.None;
        switch (e.Head.Kind)
        {
            case EventKind.ItemAdjusted:
                if (!BodyReader.TryRead(e.Body, out ItemAdjusted adjusted, ref error))
                    return ApplyOutcome.Invalid;
                name = adjusted.Item;
                value = adjusted.AmountMinor;
                currency = adjusted.Currency;
                break;
            case EventKind.DueDateChanged:
                if (!BodyReader.TryRead(e.Body, out DueDateChanged redated, ref error))
                    return ApplyOutcome.Invalid;
                name = redated.Item;
                value = redated.Due.Number;
                break;
            default:
                if (!BodyReader.TryRead(e.Body, out ItemCancelled cancelled, ref error))
                    return ApplyOutcome.Invalid;
                name = cancelled.Item;
                break;
        }
        int known = s.FindItem(name);
        bool unsettles = e.Head.Kind == EventKind.ItemCancelled || (e.Head.Kind == EventKind.ItemAdjusted && value > 0);
        if (IsBehind(s, e.Head) || (MayBeDropped(s) && (known < 0 || (unsettles && s.Item(known).Has(ItemEntry.BaseCounted)))))
            return ApplyOutcome.NeedsHistory;
        int currencyIndex = 0;
        if (!HasRoom(ref s, 1, ref error) || (!currency.IsNone && !TryCurrency(ref s, currency, out currencyIndex, ref error)))
            return ApplyOutcome.Invalid;
        int index = Amend(ref s, e.Head, name, value, currencyIndex);
        LedgerFold.Offer(ref s, LedgerFold.OrderOf(e.Head.Kind), index, e.Head.Effective);
        return ApplyOutcome.Applied;
    }

    private ApplyOutcome TakeReversal(ref HotState s, scoped in Event e, ref EventError error)
    {
        if (!BodyReader.TryRead(e.Body, out PaymentReversed reversed, ref error))
            return ApplyOutcome.Invalid;
        int payment = s.FindPayment(reversed.Payment);
        if (IsBehind(s, e.Head) || (MayBeDropped(s) && (payment < 0 || s.Payment(payment).Has(PaymentEntry.InBase))))
            return ApplyOutcome.NeedsHistory;
        if (!HasRoom(ref s, 1, ref error))
            return ApplyOutcome.Invalid;
        Amend(ref s, e.Head, reversed.Payment, 0, 0);
        Timers.Add(ref s, e.Head.Effective);
        if (payment >= 0 && e.Head.Effective <= s.R.FoldedDay)
            s.R.Flags |= RecordFlags.Stale;
        return ApplyOutcome.Applied;
    }

    private ApplyOutcome TakeFailure(ref HotState s, scoped in Event e, ref EventError error)
    {
        if (!BodyReader.TryRead(e.Body, out PaymentFailed _, ref error))
            return ApplyOutcome.Invalid;
        if (!rebuilding && Fingerprints.MayBeForgotten(s, e.Head))
            return ApplyOutcome.NeedsHistory;
        if (e.Head.Effective <= s.R.FoldedDay)
        {
            ContactBook.Increment(ref s.R.FailedPayments);
            return ApplyOutcome.Applied;
        }
        if (!HasRoom(ref s, 1, ref error))
            return ApplyOutcome.Invalid;
        Amend(ref s, e.Head, default, 0, 0);
        Timers.Add(ref s, e.Head.Effective);
        return ApplyOutcome.Applied;
    }

    private ApplyOutcome TakePromise(ref HotState s, scoped in Event e, ref EventError error)
    {
        if (!BodyReader.TryRead(e.Body, out PromiseMade made, ref error))
            return ApplyOutcome.Invalid;
        if (IsBehind(s, e.Head) || s.FindPromise(e.Head.Id) >= 0)
            return ApplyOutcome.NeedsHistory;
        if (!HasRoom(ref s, 1, ref error) || !TryCurrency(ref s, made.Currency, out int currency, ref error))
            return ApplyOutcome.Invalid;
        var promise = new PromiseEntry
        {
            Amount = made.AmountMinor,
            Text = s.AppendText(e.Head.Id),
            Made = e.Head.Effective,
            Due = made.Due,
            Currency = (byte)currency,
            CancelledOn = PromiseBook.CancellationOf(s, e.Head.Id, e.Head.Effective),
        };
        s.Append(ListId.Promises, promise);
        Timers.Add(ref s, promise.Made);
        Timers.Add(ref s, promise.LastDay.Plus(1));
        StaleIfPaidSince(ref s, e.Head.Effective);
        return ApplyOutcome.Applied;
    }

    private ApplyOutcome TakePromiseCancellation(ref HotState s, scoped in Event e, ref EventError error)
    {
        if (!BodyReader.TryRead(e.Body, out PromiseCancelled cancelled, ref error))
            return ApplyOutcome.Invalid;
        int index = s.FindPromise(cancelled.Promise);
        if (IsBehind(s, e.Head) || (MayBeDropped(s) && index < 0))
            return ApplyOutcome.NeedsHistory;
        if (!HasRoom(ref s, 1, ref error))
            return ApplyOutcome.Invalid;
        Amend(ref s, e.Head, cancelled.Promise, 0, 0);
        Timers.Add(ref s, e.Head.Effective);
        if (index >= 0)
        {
            ref PromiseEntry promise = ref s.Promises[index];
            promise.CancelledOn = PromiseBook.CancellationOf(s, cancelled.Promise, promise.Made);
            StaleIfPaidSince(ref s, e.Head.Effective);
        }
        return ApplyOutcome.Applied;
    }

    private ApplyOutcome TakeMark(ref HotState s, scoped in Event e, ref EventError error)
    {
        scoped ReadOnlySpan<byte> item = default;
        long amount = 0;
        Day until = Day.None;
        EventKind end = EventKind.HoldReleased;
        if (e.Head.Kind == EventKind.DisputeOpened)
        {
            if (!BodyReader.TryRead(e.Body, out DisputeOpened opened, ref error))
                return ApplyOutcome.Invalid;
            item = opened.Item;
            amount = opened.AmountMinor;
            end = EventKind.DisputeResolved;
        }
        else
        {
            if (!BodyReader.TryRead(e.Body, out HoldPlaced placed, ref error))
                return ApplyOutcome.Invalid;
            until = placed.Until;
        }
        if (IsBehind(s, e.Head) || s.FindMark(e.Head.Id) >= 0)
            return ApplyOutcome.NeedsHistory;
        if (!HasRoom(ref s, 1, ref error))
            return ApplyOutcome.Invalid;
        s.Append(ListId.Marks, new MarkEntry
        {
            Amount = amount,
            Text = s.AppendText(e.Head.Id, item),
            On = e.Head.Effective,
            Until = until,
            ResolvedOn = PromiseBook.Earliest(s, end, e.Head.Id, e.Head.Effective),
            Kind = e.Head.Kind,
        });
        Timers.Add(ref s, e.Head.Effective);
        if (!until.IsNone)
            Timers.Add(ref s, until.Plus(1));
        return ApplyOutcome.Applied;
    }

    private ApplyOutcome TakeMarkEnd(ref HotState s, scoped in Event e, ref EventError error)
    {
        scoped ReadOnlySpan<byte> name;
        if (e.Head.Kind == EventKind.DisputeResolved)
        {
            if (!BodyReader.TryRead(e.Body, out DisputeResolved resolved, ref error))
                return ApplyOutcome.Invalid;
            name = resolved.Dispute;
        }
        else
        {
            if (!BodyReader.TryRead(e.Body, out HoldReleased released, ref error))
                return ApplyOutcome.Invalid;
            name = released.Hold;
        }
        int index = s.FindMark(name);
        if (IsBehind(s, e.Head) || (MayBeDropped(s) && index < 0))
            return ApplyOutcome.NeedsHistory;
        if (!HasRoom(ref s, 1, ref error))
            return ApplyOutcome.Invalid;
        Amend(ref s, e.Head, name, 0, 0);
        Timers.Add(ref s, e.Head.Effective);
        EventKind begin = e.Head.Kind == EventKind.DisputeResolved ? EventKind.DisputeOpened : EventKind.HoldPlaced;
        if (index >= 0 && s.Marks[index].Kind == begin)
            s.Marks[index].ResolvedOn = PromiseBook.Earliest(s, e.Head.Kind, name, s.Marks[index].On);
        return ApplyOutcome.Applied;
    }

    private ApplyOutcome TakeAttempt(ref HotState s, scoped in Event e, ref EventError error)
    {
        if (!BodyReader.TryRead(e.Body, out AttemptReported attempt, ref error))
            return ApplyOutcome.Invalid;
        return TakeRecent(ref s, e.Head, RecentEntry.Attempt(e.Head.EffectiveMs, attempt.Channel, attempt.Outcome), ref error);
    }

    private ApplyOutcome TakeContact(ref HotState s, scoped in Event e, ref EventError error)
    {
        if (!BodyReader.TryRead(e.Body, out ContactReceived contact, ref error))
            return ApplyOutcome.Invalid;
        return TakeRecent(ref s, e.Head, RecentEntry.Contact(e.Head.EffectiveMs, contact.Channel, contact.Kind), ref error);
    }

    private ApplyOutcome TakeRecent(ref HotState s, scoped in EventHead head, RecentEntry entry, ref EventError error)
    {
        if (!rebuilding && Fingerprints.MayBeForgotten(s, head))
            return ApplyOutcome.NeedsHistory;
        if (s.Count(ListId.Recent) >= Limits.WaitingMax && head.EffectiveMs > now.LastMs)
            return Refuse(ref error, "effective_at", $"is later than now, and the debtor already waits for {Limits.WaitingMax} attempts and contacts");
        return ContactBook.TryAdd(ref s, entry, now.LastMs, inOrder: rebuilding) ? ApplyOutcome.Applied : ApplyOutcome.NeedsHistory;
    }

    private ApplyOutcome TakeRegistration(ref HotState s, scoped in Event e, ref EventError error)
    {
        if (!BodyReader.TryRead(e.Body, out DebtorRegistered registered, ref error))
            return ApplyOutcome.Invalid;
        if (!rebuilding && Fingerprints.MayBeForgotten(s, e.Head))
            return ApplyOutcome.NeedsHistory;
        if (!HasRoom(ref s, 1, ref error) || !CanName("portfolio", registered.Portfolio, ref error))
            return ApplyOutcome.Invalid;
        ProfileBook.Add(ref s, e.Head, registered, names.Intern(registered.Portfolio), now.LastMs);
        return ApplyOutcome.Applied;
    }

    private ApplyOutcome TakePreferences(ref HotState s, scoped in Event e, ref EventError error)
    {
        if (!BodyReader.TryRead(e.Body, out PreferencesChanged changed, ref error))
            return ApplyOutcome.Invalid;
        if (!rebuilding && Fingerprints.MayBeForgotten(s, e.Head))
            return ApplyOutcome.NeedsHistory;
        if (!HasRoom(ref s, 1, ref error) || !CanName("time_zone", changed.TimeZone, ref error) || !CanName("language", changed.Language, ref error))
            return ApplyOutcome.Invalid;
        ProfileBook.Add(ref s, e.Head, names.Intern(changed.TimeZone), names.Intern(changed.Language), changed.Channel, now.LastMs);
        return ApplyOutcome.Applied;
    }

    private static int Amend(ref HotState s, scoped in EventHead head, scoped ReadOnlySpan<byte> target, long value, int currency) =>
        s.Append(ListId.Amendments, new AmendmentEntry
        {
            Value = value,
            Text = s.AppendText(target, head.Id),
            On = head.Effective,
            Kind = head.Kind,
            Currency = (byte)currency,
        });

    /// <summary>Promises are counted by payments in their order: one that begins or ends before the last of them changes what they did.</summary>
    private static void StaleIfPaidSince(ref HotState s, Day day)
    {
        if (day <= s.R.LastDay)
            s.R.Flags |= RecordFlags.Stale;
    }

    /// <summary>Whether only the history can tell what an event of that date does: it lies behind the horizon, or may have come before.</summary>
    private bool IsBehind(in HotState s, in EventHead head) =>
        !rebuilding && (head.Effective <= s.R.Horizon || Fingerprints.MayBeForgotten(s, head));

    private bool MayBeDropped(in HotState s) => !rebuilding && (s.R.Flags & RecordFlags.Dropped) != 0;

    private static bool HasRoom(ref HotState s, int entries, ref EventError error) =>
        Fits(s, entries)
        || EventReader.Fail(out error, "debtor", $"has more in the last {s.Pool.Options.HorizonDays} days than one debtor can: {Limits.EntriesMax} items, payments, changes and promises");

    private static bool Fits(in HotState s, int entries) =>
        s.EntryCount + entries <= Limits.EntriesMax && s.BytesUsed <= Limits.ListBytesMax && s.Count(ListId.Text) <= Limits.TextUnitsMax;

    private bool CanName(string field, ReadOnlySpan<byte> name, ref EventError error) =>
        names.CanTake(name) || EventReader.Fail(out error, field, NameTable.Full, name);

    private static bool TryCurrency(ref HotState s, Currency currency, out int index, ref EventError error)
    {
        index = s.CurrencyIndex(currency);
        return index >= 0 || EventReader.Fail(out error, "amount.currency", $"is one more than the {Limits.CurrenciesMax} currencies that a debtor can have");
    }

    private static ApplyOutcome Refuse(ref EventError error, string field, string problem, ReadOnlySpan<byte> value = default)
    {
        EventReader.Fail(out error, field, problem, value);
        return ApplyOutcome.Invalid;
    }
}
