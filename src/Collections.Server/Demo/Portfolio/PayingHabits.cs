using Collections.Domain;

namespace Collections.Server.Demo.Portfolio;

/// <summary>When and how much a debtor pays of its own accord. Pure: from its character, what it owes and the draws.</summary>
internal static class PayingHabits
{
    private const double OverPays = 0.02;
    private const double DebitFails = 0.02;
    private const double StrugglerFails = 0.06;
    private const double OtherwiseFails = 0.004;

    /// <summary>The day on which it will think of paying a new bill.</summary>
    public static Day AfterBill(in Draws draws, in SimulatedDebtor s, int debtor, Day issued, Day due)
    {
        long when = issued.Number;
        switch (s.Type)
        {
            case DebtorType.Struggler:
            case DebtorType.Refuser:
                return BillingCalendar.PayDayAfter(issued, s.PayDay);
            case DebtorType.Forgetter:
                if (!draws.Chance(debtor, when, Purpose.Punctual, 0.1 + 0.35 * s.Propensity))
                {
                    // Squared, so that most remember within three weeks and some only after two months.
                    double u = draws.Share(debtor, when, Purpose.DaysLate);
                    return due.Plus(3 + (int)(u * u * 40 / (0.3 + 0.5 * s.Propensity)));
                }
                break;
            default:
                if (!draws.Chance(debtor, when, Purpose.Punctual, 0.72 + 0.27 * s.Propensity))
                    return due.Plus(draws.Between(debtor, when, Purpose.DaysLate, 1, 9));
                break;
        }
        return s.PaysByDebit ? due : BillingCalendar.PayDayUntil(due, after: issued, s.PayDay);
    }

    /// <summary>The day on which it thinks of paying again, having thought of it today and still owing.</summary>
    public static Day Again(in Draws draws, in SimulatedDebtor s, int debtor, Day today) => s.Type switch
    {
        DebtorType.Struggler or DebtorType.Refuser => BillingCalendar.PayDayAfter(today, s.PayDay),
        _ => today.Plus(draws.Between(debtor, today.Number, Purpose.PaysAgain, 3, 14)),
    };

    public static bool PaysToday(in Draws draws, in SimulatedDebtor s, int debtor, Day today)
    {
        double probability = s.Type switch
        {
            DebtorType.Struggler => 0.2 + 0.65 * s.Propensity,
            DebtorType.Refuser => 0.02 + 0.5 * s.Propensity,
            _ => 1,
        };
        return draws.Chance(debtor, today.Number, Purpose.PaysNow, probability);
    }

    /// <summary>What it pays of what is payable, which is more than 0.</summary>
    public static int AmountMinor(in Draws draws, in SimulatedDebtor s, int debtor, Day today, int payableMinor)
    {
        double u = draws.Share(debtor, today.Number, Purpose.PayShare);
        switch (s.Type)
        {
            case DebtorType.Struggler when u > 0.1 + 0.15 * s.Propensity:
                return Part(payableMinor, 0.15 + 0.45 * draws.Share(debtor, today.Number, Purpose.PromiseShare));
            case DebtorType.Refuser when u > 0.1:
                return Part(payableMinor, 0.05 + 0.3 * u);
            default:
                return draws.Chance(debtor, today.Number, Purpose.RoundsUp, OverPays) ? RoundUp(payableMinor) : payableMinor;
        }
    }

    /// <summary>A part as people name it: in whole fives, at least one of them, and never more than the whole.</summary>
    public static int Part(int wholeMinor, double share)
    {
        const int five = 500;
        return Math.Min(wholeMinor, Math.Max(five, (int)(wholeMinor * share) / five * five));
    }

    public static bool Fails(in Draws draws, in SimulatedDebtor s, int debtor, Day today)
    {
        double probability = s.Type == DebtorType.Struggler ? StrugglerFails : s.PaysByDebit ? DebitFails : OtherwiseFails;
        return draws.Chance(debtor, today.Number, Purpose.PayFails, probability);
    }

    /// <summary>How likely a payment is taken back by the bank: not sufficient funds, or a debit contested.</summary>
    public static double ReversalProbability(in SimulatedDebtor s) => s.Type switch
    {
        DebtorType.Payer => 0.005,
        DebtorType.Struggler => 0.03,
        _ => 0.012,
    };

    // To the next ten, or from 500.00 on to the next fifty: what a standing order of a round sum pays too much.
    private static int RoundUp(int amountMinor)
    {
        int unit = amountMinor >= 50_000 ? 5_000 : 1_000;
        return (amountMinor / unit + 1) * unit;
    }
}
