using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Demo.Portfolio;

/// <summary>Draws the characters of a portfolio's debtors.</summary>
internal static class Population
{
    /// <summary>Shares by <see cref="DebtorType"/>; a consumer book with a quarter of its money overdue at any time or more.</summary>
    private static readonly double[] TypeShares = [0.48, 0.24, 0.16, 0.09, 0.03];

    /// <summary>Lowest and highest propensity by type: they overlap, so that behaviour alone does not give the type away.</summary>
    private static readonly (double From, double To)[] Propensities = [(0.80, 1.0), (0.45, 0.95), (0.20, 0.75), (0.02, 0.25), (0.40, 0.90)];

    /// <summary>Shares of the codes 1 to 5, as in the credit-card book that the reference model was trained on.</summary>
    private static readonly double[] CustomerTypeShares = [0.35, 0.47, 0.16, 0.01, 0.01];

    /// <summary>A bill of the smallest product; each next product's is half as large again, as a card's limit grows with its class.</summary>
    private const long SmallestBillMinor = 15_000;
    private const double BillGrowth = 1.55;
    private const int ProductCount = 8;
    private const int RegionCount = 16;

    /// <summary>So many debtors join after the first month of the history.</summary>
    private const double LateJoiners = 0.12;

    public static SimulatedDebtor Draw(in Draws draws, int debtor, Day firstDay, int months)
    {
        DebtorType type = (DebtorType)Pick(TypeShares, draws.Share(debtor, 0, Purpose.Type));
        (double from, double to) = Propensities[(int)type];
        double propensity = from + (to - from) * draws.Share(debtor, 0, Purpose.Propensity);
        // The better payers hold the larger products, loosely: an attribute that a model can learn from, but not read the answer off.
        int product = Math.Min(ProductCount - 1, (int)((0.55 * propensity + 0.45 * draws.Share(debtor, 0, Purpose.Product)) * ProductCount));
        var s = new SimulatedDebtor
        {
            Type = type,
            Propensity = (float)propensity,
            Product = (byte)product,
            CustomerType = (byte)(1 + Pick(CustomerTypeShares, draws.Share(debtor, 0, Purpose.CustomerType))),
            Region = (byte)draws.Between(debtor, 0, Purpose.Region, 1, RegionCount),
            BillingDay = (byte)draws.Between(debtor, 0, Purpose.BillingDay, 1, 28),
            PayDay = PayDayOf(type, draws.Share(debtor, 0, Purpose.PayDay)),
            GoodHour = GoodHourOf(draws.Bits(debtor, 0, Purpose.GoodHour)),
            Preferred = PreferredOf(draws.Share(debtor, 0, Purpose.PreferredChannel)),
            BadPoints = BadPointsOf(draws.Bits(debtor, 0, Purpose.ContactPoints)),
            MedianMinor = MedianOf(draws, debtor, product),
        };
        int month = BillingCalendar.MonthOf(firstDay);
        if (BillingCalendar.DayIn(month, s.BillingDay) < firstDay)
            month++;
        if (months > 1 && draws.Chance(debtor, 0, Purpose.JoinMonth, LateJoiners))
            month += draws.Between(debtor, 1, Purpose.JoinMonth, 1, months - 1);
        s.FirstMonth = (ushort)month;
        s.NextIssue = BillingCalendar.DayIn(month, s.BillingDay);
        s.NextChatter = s.NextIssue.Plus(draws.Between(debtor, 0, Purpose.ChatterGap, 1, 60));
        return s;
    }

    private static int MedianOf(in Draws draws, int debtor, int product)
    {
        double median = SmallestBillMinor * draws.LogNormal(debtor, 0, Purpose.MedianAmount, sigma: 0.7);
        for (int i = 0; i < product; i++)
            median *= BillGrowth;
        return (int)median;
    }

    // Direct debit needs money on the due date, which strugglers and refusers do not arrange.
    private static byte PayDayOf(DebtorType type, double share) => share switch
    {
        < 0.25 => 15,
        < 0.50 => 25,
        < 0.80 => 31,
        _ => type is DebtorType.Struggler or DebtorType.Refuser ? (byte)31 : (byte)0,
    };

    // Two in three can be reached best after work.
    private static byte GoodHourOf(ulong bits) =>
        (byte)(bits % 3 == 0 ? 8 + Draws.Within(bits, 9) : 17 + Draws.Within(bits, 3));

    private static Channel PreferredOf(double share) => share switch
    {
        < 0.35 => Channel.Sms,
        < 0.70 => Channel.Email,
        < 0.95 => Channel.Voice,
        _ => Channel.Letter,
    };

    // Of 256: 10 wrong telephone numbers, 10 mobile numbers, 16 e-mail addresses, 5 postal addresses.
    private static BadContactPoints BadPointsOf(ulong bits) =>
        ((bits & 0xff) < 10 ? BadContactPoints.Phone : 0)
        | ((bits >> 8 & 0xff) < 10 ? BadContactPoints.Mobile : 0)
        | ((bits >> 16 & 0xff) < 16 ? BadContactPoints.Email : 0)
        | ((bits >> 24 & 0xff) < 5 ? BadContactPoints.Address : 0);

    private static int Pick(double[] shares, double at)
    {
        for (int i = 0; i < shares.Length - 1; i++)
        {
            if (at < shares[i])
                return i;
            at -= shares[i];
        }
        return shares.Length - 1;
    }
}
