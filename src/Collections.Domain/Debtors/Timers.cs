using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>What happens to a debtor because time passes: events become effective, promises break, holds end.</summary>
internal static class Timers
{
    /// <summary>Wakes the debtor at the start of a day that is still to come.</summary>
    public static void Add(ref HotState s, Day day)
    {
        if (day > s.R.FoldedDay)
            AddMs(ref s, day.StartMs);
    }

    public static void AddMs(ref HotState s, long ms) => s.R.NextTimerMs = Math.Min(s.R.NextTimerMs, ms);

    /// <summary>Moves the debtor on to an instant; true when anything changed but the mere number of days.</summary>
    public static bool Advance(ref HotState s, AsOf now)
    {
        Day before = s.R.FoldedDay;
        if (now.Day > before)
            s.R.FoldedDay = now.Day;
        if (s.R.NextTimerMs > now.LastMs)
            return false;
        Day today = s.R.FoldedDay;
        bool changed = LedgerChanges(ref s, before, today);
        changed |= MarksChange(s, before, today);
        changed |= PromisesChange(ref s, before, today);
        changed |= ContactBook.Arrive(ref s, now.LastMs);
        changed |= ProfileBook.Arrive(ref s, now.LastMs);
        s.R.NextTimerMs = Next(s, now.LastMs);
        return changed;
    }

    /// <summary>The next instant at which the debtor has to be moved on, from its lists.</summary>
    public static long Next(in HotState s, long nowMs)
    {
        var next = new Earliest(s.R.FoldedDay);
        foreach (ref readonly ItemEntry item in s.Items)
            next.Add(item.IssuedOn);
        foreach (ref readonly PaymentEntry payment in s.Payments)
            next.Add(payment.On);
        foreach (ref readonly AmendmentEntry amendment in s.Amendments)
            next.Add(amendment.On);
        foreach (ref readonly PromiseEntry promise in s.Promises)
        {
            next.Add(promise.Made);
            if (promise.KeptOn.IsNone)
                next.Add(promise.LastDay.Plus(1));
        }
        foreach (ref readonly MarkEntry mark in s.Marks)
        {
            next.Add(mark.On);
            if (!mark.Until.IsNone)
                next.Add(mark.Until.Plus(1));
        }
        foreach (RecentEntry recent in s.Recent)
            next.AddMs(recent.Waits ? recent.Ms : long.MaxValue);
        foreach (ref readonly ProfileEntry entry in s.Profile)
            next.AddMs(entry.EffectiveMs > nowMs ? entry.EffectiveMs : long.MaxValue);
        return next.Ms;
    }

    private static bool LedgerChanges(ref HotState s, Day before, Day today)
    {
        bool changed = false;
        foreach (ref readonly ItemEntry item in s.Items)
            changed |= IsIn(item.IssuedOn, before, today);
        foreach (ref readonly PaymentEntry payment in s.Payments)
            changed |= IsIn(payment.On, before, today);
        int failed = 0;
        foreach (ref readonly AmendmentEntry amendment in s.Amendments)
        {
            changed |= IsIn(amendment.On, before, today);
            failed += amendment.Kind == EventKind.PaymentFailed && amendment.On <= today ? 1 : 0;
        }
        if (failed > 0)
            CountFailed(ref s, today);
        if (changed)
            s.R.Flags |= RecordFlags.Stale;
        return changed;
    }

    private static void CountFailed(ref HotState s, Day today)
    {
        Span<AmendmentEntry> amendments = s.Amendments;
        int kept = 0;
        foreach (AmendmentEntry amendment in amendments)
        {
            if (amendment.Kind != EventKind.PaymentFailed || amendment.On > today)
                amendments[kept++] = amendment;
            else
                ContactBook.Increment(ref s.R.FailedPayments);
        }
        s.Truncate(ListId.Amendments, kept);
    }

    private static bool MarksChange(in HotState s, Day before, Day today)
    {
        bool changed = false;
        foreach (ref readonly MarkEntry mark in s.Marks)
            changed |= mark.IsActiveOn(before) != mark.IsActiveOn(today) || IsIn(mark.On, before, today);
        return changed;
    }

    private static bool PromisesChange(ref HotState s, Day before, Day today)
    {
        if (s.Count(ListId.Promises) == 0 || before == today)
            return false;
        LedgerFold.Ensure(ref s);
        bool changed = false;
        foreach (ref readonly PromiseEntry promise in s.Promises)
            changed |= IsIn(promise.Made, before, today) || promise.StateOn(before) != promise.StateOn(today);
        return changed;
    }

    private static bool IsIn(Day day, Day after, Day until) => day > after && day <= until;

    private ref struct Earliest(Day folded)
    {
        public long Ms { get; private set; } = long.MaxValue;

        public void Add(Day day)
        {
            if (day > folded)
                AddMs(day.StartMs);
        }

        public void AddMs(long ms) => Ms = Math.Min(Ms, ms);
    }
}
