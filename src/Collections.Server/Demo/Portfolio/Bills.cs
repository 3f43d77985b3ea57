using Collections.Domain;

namespace Collections.Server.Demo.Portfolio;

/// <summary>
/// A debtor's bills, drawn anew whenever they are asked for instead of being kept. Which of them are open follows from what the
/// debtor owes, money being taken for the oldest first; the engine's own cash application may see it otherwise item by item,
/// but never in sum.
/// </summary>
internal static class Bills
{
    /// <summary>Bills are looked back upon for at most so long; who owes more is late by that much at least.</summary>
    private const int LookBackMax = 24;

    private const double MonthToMonthSigma = 0.35;

    public static int AmountMinor(in Draws draws, in SimulatedDebtor s, int debtor, int item)
    {
        double amount = s.MedianMinor * draws.LogNormal(debtor, item, Purpose.ItemAmount, MonthToMonthSigma);
        return Math.Clamp((int)Math.Min(amount, PortfolioLimits.ItemMaxMinor), PortfolioLimits.ItemMinMinor, PortfolioLimits.ItemMaxMinor);
    }

    public static Day IssuedOn(in SimulatedDebtor s, int item) => BillingCalendar.DayIn(s.FirstMonth + item, s.BillingDay);

    public static Day DueOn(in SimulatedDebtor s, int item) => IssuedOn(s, item).Plus(BillingCalendar.TermDays);

    /// <summary>The part of what is owed that fell due before this day.</summary>
    public static int OverdueMinor(in Draws draws, in SimulatedDebtor s, int debtor, Day today)
    {
        int overdue = s.NetMinor;
        for (int item = s.Issued - 1; item >= 0 && overdue > 0 && DueOn(s, item) >= today; item--)
            overdue -= AmountMinor(draws, s, debtor, item);
        return Math.Max(0, overdue);
    }

    /// <summary>The oldest bill that is not wholly paid, or the newest one when nothing is owed.</summary>
    public static int OldestOpen(in Draws draws, in SimulatedDebtor s, int debtor)
    {
        int item = s.Issued - 1;
        int last = Math.Max(0, s.Issued - LookBackMax);
        for (int left = s.NetMinor - AmountMinor(draws, s, debtor, item); left > 0 && item > last; left -= AmountMinor(draws, s, debtor, item))
            item--;
        return item;
    }
}
