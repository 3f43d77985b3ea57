using static Collections.Domain.Debtors.FeatureIndex;

namespace Collections.Domain.Debtors;

/// <summary>
/// Evaluates the catalogue for one debtor. Everything is summed in integers and turned into doubles at the end, so that a value does not
/// depend on the order in which events came. Items and payments of other currencies than the base one are left out.
/// </summary>
internal static class FeatureEvaluation
{
    /// <summary>Days behind the as-of date for payments_90d and paid_90d.</summary>
    public const int RecentPaymentDays = 90;

    private const double DaysPerMonth = 30.4375;

    public static void Evaluate(ref HotState s, AsOf asOf, Span<double> values)
    {
        Invariant.Require(values.Length == FeatureCatalogue.Count, "a feature row has as many places as the catalogue");
        LedgerFold.Ensure(ref s);
        Settlements.Refresh(ref s);
        double major = s.R.BaseCurrency == 0 ? 1 : s.Currencies[s.R.BaseCurrency - 1].MinorPerMajor;
        Balances(s, asOf, major, values);
        ItemHistory(s, asOf, major, values);
        PaymentHistory(s, asOf, major, values);
        Contacts(s, asOf, values);
        Promises(s, asOf, values);
        Disputes(s, asOf, values);
        values[PlanActive] = double.NaN;
        values[PlanMissed] = double.NaN;
        values[HardshipActive] = double.NaN;
        values[Stage] = double.NaN;
        values[AsOfDayOfMonth] = asOf.Day.DayOfMonth;
        values[AsOfDayOfWeek] = asOf.Day.DayOfWeek;
        values[CustomerType] = Code(s.R.CustomerType);
        values[Product] = Code(s.R.Product);
        values[Region] = Code(s.R.Region);
    }

    /// <summary>Open amounts of the base currency and their ages.</summary>
    public static OpenAmounts Open(in HotState s, Day day)
    {
        var open = new OpenAmounts { OldestDpd = int.MinValue, NextDue = int.MaxValue };
        int currency = s.R.BaseCurrency - 1;
        Int128 weighted = 0;
        foreach (ref readonly ItemEntry item in s.Items)
        {
            if (item.Open == 0 || item.Currency != currency)
                continue;
            int dpd = day - item.Due;
            open.Items++;
            open.Minor += item.Open;
            open.LargestMinor = Math.Max(open.LargestMinor, item.Open);
            weighted += (Int128)item.Open * dpd;
            open.OldestDpd = Math.Max(open.OldestDpd, dpd);
            if (dpd > 0)
            {
                open.OverdueItems++;
                open.OverdueMinor += item.Open;
            }
            else
            {
                open.NextDue = Math.Min(open.NextDue, -dpd);
            }
        }
        open.WeightedDpd = (double)weighted;
        return open;
    }

    /// <summary>Free and held money of one currency, in minor units.</summary>
    public static long Unapplied(in HotState s, int currency)
    {
        long minor = 0;
        foreach (ref readonly PaymentEntry payment in s.Payments)
            minor += payment.Currency == currency ? payment.Credit : 0;
        foreach (ref readonly InstructionEntry instruction in s.Instructions)
            minor += s.Payment(instruction.Payment).Currency == currency ? instruction.Held : 0;
        return minor;
    }

    private static double Ratio(double part, double whole) => whole == 0 ? double.NaN : part / whole;

    private static double Code(int code) => code == ProfileBook.NoCode ? double.NaN : code;

    private static void Balances(in HotState s, AsOf asOf, double major, Span<double> values)
    {
        OpenAmounts open = Open(s, asOf.Day);
        bool any = open.Items > 0;
        values[OpenBalance] = open.Minor / major;
        values[OverdueBalance] = open.OverdueMinor / major;
        values[OverdueRatio] = Ratio(open.OverdueMinor, open.Minor);
        values[OpenItems] = open.Items;
        values[OverdueItems] = open.OverdueItems;
        values[LargestOpenItem] = any ? open.LargestMinor / major : double.NaN;
        values[OldestDpd] = any ? open.OldestDpd : double.NaN;
        values[WeightedDpd] = Ratio(open.WeightedDpd, open.Minor);
        values[DaysToNextDue] = open.NextDue == int.MaxValue ? double.NaN : open.NextDue;
        values[UnappliedCredit] = s.R.BaseCurrency == 0 ? 0 : Unapplied(s, s.R.BaseCurrency - 1) / major;
    }

    private static void ItemHistory(in HotState s, AsOf asOf, double major, Span<double> values)
    {
        ref readonly LedgerTotals totals = ref s.R.Totals;
        double mean = Ratio(totals.AmountSum, totals.ItemsIssued) / major;
        values[ItemsIssued] = totals.ItemsIssued;
        values[MeanItemAmount] = mean;
        values[LargestItemRatio] = Ratio(values[LargestOpenItem], mean);
        bool started = !s.R.FirstDay.IsNone && s.R.FirstDay <= asOf.Day;
        values[MonthsOnBook] = started ? (asOf.Day - s.R.FirstDay) / DaysPerMonth : double.NaN;
        double settled = totals.Settled;
        bool any = totals.Settled > 0;
        values[ItemsPaid] = settled;
        values[PaidLateRatio] = Ratio(totals.SettledLate, settled);
        values[MeanDaysLate] = Ratio(totals.DaysLateSum, settled);
        double spread = (double)((Int128)totals.DaysLateSquares * totals.Settled - (Int128)totals.DaysLateSum * totals.DaysLateSum);
        values[StdDaysLate] = totals.Settled < 2 ? double.NaN : Math.Sqrt(spread) / settled;
        values[MaxDaysLate] = any ? totals.DaysLateMax : double.NaN;
        values[LastDaysLate] = any ? totals.DaysLateLast : double.NaN;
        values[EwmaDaysLate] = any ? totals.DaysLateEwma : double.NaN;
        values[MeanDaysToPay] = Ratio(totals.DaysToPaySum, settled);
    }

    private static void PaymentHistory(in HotState s, AsOf asOf, double major, Span<double> values)
    {
        ref readonly LedgerTotals totals = ref s.R.Totals;
        bool any = totals.Payments > 0;
        values[Payments] = totals.Payments;
        values[DaysSincePayment] = any ? asOf.Day - totals.LastPaymentOn : double.NaN;
        values[LastPaymentAmount] = any ? totals.LastPaymentMinor / major : double.NaN;
        values[LastPaymentRatio] = any ? Ratio(totals.LastPaymentMinor, totals.LastPaymentOpenBefore) : double.NaN;
        (int count, long sum) = RecentPayments(s, asOf.Day);
        values[Payments90d] = count;
        values[Paid90d] = sum / major;
        values[PartialPaymentRatio] = Ratio(totals.Partial, totals.Allocated);
        values[ReversedPayments] = totals.Reversed;
        values[FailedPayments] = s.R.FailedPayments;
    }

    /// <summary>The latest eight payments that stand, as far as they are younger than 90 days.</summary>
    private static (int Count, long Sum) RecentPayments(in HotState s, Day day)
    {
        Day after = day.Plus(-RecentPaymentDays);
        int currency = s.R.BaseCurrency - 1;
        int count = 0;
        long sum = 0;
        foreach (ref readonly PaymentEntry payment in s.Payments)
        {
            if (IsRecent(payment, after, currency))
            {
                count++;
                sum += payment.Amount;
            }
        }
        if (count > Limits.RecentPayments)
            return (Limits.RecentPayments, SumOfLatest(s, after, currency));
        Span<OldPaymentEntry> old = s.OldPayments;
        for (int i = old.Length - 1; i >= 0 && count < Limits.RecentPayments && old[i].On > after; i--)
        {
            count++;
            sum += old[i].Amount;
        }
        return (count, sum);
    }

    /// <summary>Payments that stand, in the base currency, with a value date after one day and not after another, in minor units.</summary>
    public static long Received(in HotState s, Day after, Day through)
    {
        int currency = s.R.BaseCurrency - 1;
        long sum = 0;
        foreach (ref readonly PaymentEntry payment in s.Payments)
        {
            if (IsRecent(payment, after, currency) && payment.On <= through)
                sum += payment.Amount;
        }
        foreach (ref readonly OldPaymentEntry old in s.OldPayments)
        {
            if (old.On > after && old.On <= through)
                sum += old.Amount;
        }
        return sum;
    }

    /// <summary>Whether any payment that stands has a value date after one day and not after another, in whatever currency.</summary>
    public static bool HasReceived(in HotState s, Day after, Day through)
    {
        foreach (ref readonly PaymentEntry payment in s.Payments)
        {
            if (IsRecent(payment, after, payment.Currency) && payment.On <= through)
                return true;
        }
        return false;
    }

    private static bool IsRecent(in PaymentEntry payment, Day after, int currency) =>
        (payment.Bits & (PaymentEntry.Taken | PaymentEntry.InBase)) == PaymentEntry.Taken && payment.On > after && payment.Currency == currency;

    private static long SumOfLatest(in HotState s, Day after, int currency)
    {
        Span<ulong> latest = stackalloc ulong[Limits.RecentPayments];
        var order = new EntryOrder(s);
        int count = 0;
        Span<PaymentEntry> payments = s.Payments;
        for (int i = 0; i < payments.Length; i++)
        {
            if (!IsRecent(payments[i], after, currency))
                continue;
            ulong key = EntryOrder.Key(payments[i].On.Number, OrderedBy.Payment, i);
            if (count == latest.Length && order.Compare(key, latest[0]) < 0)
                continue;
            if (count == latest.Length)
                latest[1..].CopyTo(latest);
            else
                count++;
            int at = count - 1;
            for (; at > 0 && order.Compare(latest[at - 1], key) > 0; at--)
                latest[at] = latest[at - 1];
            latest[at] = key;
        }
        long sum = 0;
        foreach (ulong key in latest[..count])
            sum += payments[EntryOrder.IndexOf(key)].Amount;
        return sum;
    }

    private static void Contacts(in HotState s, AsOf asOf, Span<double> values)
    {
        long weekAgo = asOf.Ms - 7 * Day.MsPerDay, monthAgo = asOf.Ms - 30 * Day.MsPerDay;
        int week = 0, month = 0, rightParty = 0;
        foreach (RecentEntry recent in s.Recent)
        {
            if (recent.Waits || recent.Ms < monthAgo)
                continue;
            month++;
            week += recent.Ms >= weekAgo ? 1 : 0;
            rightParty += recent.IsRightParty ? 1 : 0;
        }
        values[Attempts7d] = week;
        values[Attempts30d] = month;
        values[Rpc30d] = rightParty;
        values[DaysSinceAttempt] = Age(asOf, s.R.LastAttemptMs);
        values[DaysSinceRpc] = Age(asOf, s.R.LastRightPartyMs);
        ref readonly ResponseCounts counts = ref s.R.Responses;
        values[ResponseRate] = Ratio(counts.Responses, counts.Attempts);
        values[VoiceResponseRate] = Ratio(counts.VoiceResponses, counts.VoiceAttempts);
        values[SmsResponseRate] = Ratio(counts.SmsResponses, counts.SmsAttempts);
        values[EmailResponseRate] = Ratio(counts.EmailResponses, counts.EmailAttempts);
    }

    private static double Age(AsOf asOf, long ms) => ms == 0 ? double.NaN : (asOf.Ms - ms) / (double)Day.MsPerDay;

    private static void Promises(in HotState s, AsOf asOf, Span<double> values)
    {
        PromiseTally tally = PromiseBook.Tally(s, asOf.Day);
        values[PromisesMade] = tally.Made;
        values[PromiseKeptRatio] = Ratio(tally.Kept, tally.Kept + tally.Broken);
        values[BrokenPromiseStreak] = tally.Streak;
        values[DaysToPromise] = tally.FirstOpenDue.IsNone ? double.NaN : tally.FirstOpenDue - asOf.Day;
    }

    private static void Disputes(in HotState s, AsOf asOf, Span<double> values)
    {
        int open = 0, total = s.HasBase ? s.Base.Disputes : 0;
        foreach (ref readonly MarkEntry mark in s.Marks)
        {
            if (mark.Kind != Events.EventKind.DisputeOpened || mark.On > asOf.Day)
                continue;
            total++;
            open += mark.IsActiveOn(asOf.Day) ? 1 : 0;
        }
        values[DisputesOpen] = open;
        values[DisputesTotal] = total;
    }
}

/// <summary>Open amounts of one currency and their ages.</summary>
internal record struct OpenAmounts
{
    public int Items, OverdueItems, OldestDpd, NextDue;
    public long Minor, OverdueMinor, LargestMinor;

    /// <summary>Σ open amount × days past due, in minor units × days.</summary>
    public double WeightedDpd;
}
