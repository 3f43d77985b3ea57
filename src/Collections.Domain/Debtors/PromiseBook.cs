using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>Which payments count for which promises, and how promises have turned out.</summary>
internal static class PromiseBook
{
    /// <summary>A payment, in the order of effect, counts in full for the open promise that is due first, ties by id.</summary>
    public static void Count(ref HotState s, in PaymentEntry payment)
    {
        Span<PromiseEntry> promises = s.Promises;
        int best = -1;
        for (int i = 0; i < promises.Length; i++)
        {
            ref readonly PromiseEntry promise = ref promises[i];
            if (promise.Made > payment.On || !promise.KeptOn.IsNone || promise.LastDay < payment.On || promise.Currency != payment.Currency
                || (!promise.CancelledOn.IsNone && promise.CancelledOn <= payment.On))
                continue;
            if (best < 0 || promise.Due < promises[best].Due
                || (promise.Due == promises[best].Due && s.Text(promise.Text).SequenceCompareTo(s.Text(promises[best].Text)) < 0))
                best = i;
        }
        if (best < 0)
            return;
        ref PromiseEntry counted = ref promises[best];
        counted.Paid += payment.Amount;
        if (counted.Paid >= counted.Amount)
            counted.KeptOn = payment.On;
    }

    /// <summary>Before a fold: what has been paid stands as in the base, cancellations as far as they are known.</summary>
    public static void Reset(ref HotState s)
    {
        foreach (ref PromiseEntry promise in s.Promises)
        {
            promise.Paid = promise.BasePaid;
            promise.KeptOn = Day.None;
        }
    }

    /// <summary>The earliest day from which a known cancellation ends a promise; none: there is none.</summary>
    public static Day CancellationOf(in HotState s, scoped ReadOnlySpan<byte> name, Day made) => Earliest(s, EventKind.PromiseCancelled, name, made);

    /// <summary>The earliest known event of a kind that names an object, not before the object itself.</summary>
    public static Day Earliest(in HotState s, EventKind kind, scoped ReadOnlySpan<byte> name, Day from)
    {
        Day earliest = Day.None;
        for (int i = s.FindAmendment(name); i >= 0; i = s.FindAmendment(name, i + 1))
        {
            ref readonly AmendmentEntry amendment = ref s.Amendments[i];
            if (amendment.Kind == kind && amendment.On >= from && (earliest.IsNone || amendment.On < earliest))
                earliest = amendment.On;
        }
        return earliest;
    }

    /// <summary>How the debtor's promises have turned out up to a day.</summary>
    public static PromiseTally Tally(in HotState s, Day day)
    {
        var tally = new PromiseTally { FirstOpenDue = Day.None };
        Day lastKept = Day.None;
        foreach (ref readonly PromiseEntry promise in s.Promises)
            lastKept = promise.Made <= day && promise.KeptOn > lastKept ? promise.KeptOn : lastKept;
        foreach (ref readonly PromiseEntry promise in s.Promises)
        {
            if (promise.Made > day)
                continue;
            tally.Made++;
            switch (promise.StateOn(day))
            {
                case PromiseState.Kept: tally.Kept++; break;
                case PromiseState.Broken:
                    tally.Broken++;
                    // A promise breaks at the end of its last day, after a payment of that day has kept another.
                    tally.Streak += lastKept.IsNone || promise.LastDay >= lastKept ? 1 : 0;
                    break;
                case PromiseState.Open:
                    tally.Open++;
                    if (tally.FirstOpenDue.IsNone || promise.Due < tally.FirstOpenDue)
                        tally.FirstOpenDue = promise.Due;
                    break;
            }
        }
        if (s.HasBase)
        {
            ref readonly BaseEntry before = ref s.Base;
            tally.Made += before.PromisesMade;
            tally.Kept += before.PromisesKept;
            tally.Broken += before.PromisesBroken;
            tally.Streak += lastKept.IsNone ? before.PromiseStreak : 0;
        }
        return tally;
    }
}

/// <summary>How promises have turned out.</summary>
internal record struct PromiseTally
{
    public int Made, Kept, Broken, Open, Streak;
    public Day FirstOpenDue;
}
