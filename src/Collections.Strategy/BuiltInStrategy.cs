using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;

namespace Collections.Strategy;

/// <summary>Why a debtor is or isn't contacted. The order is the order of the rules: the first that matches wins. Numbers are persisted.</summary>
public enum Eligibility : byte
{
    Unknown = 0,
    Eligible = 1,

    /// <summary>Nothing of the debt is past due.</summary>
    NothingOverdue = 2,
    Disputed = 3,
    OnHold = 4,

    /// <summary>A promise is open: its day has not come, or its grace is not over.</summary>
    PromiseOpen = 5,

    /// <summary>Contacted lately; see <see cref="Decision.NotBeforeMs"/>.</summary>
    Resting = 6,

    /// <summary>Credit in hand covers what is overdue; contacting would ask for money that is already here.</summary>
    CoveredByCredit = 7,
}

/// <summary>What to do with a debtor now.</summary>
/// <param name="Value">What its queue is ranked by: expected recovery in major units of the debtor's currency; 0 or more.</param>
/// <param name="NotBeforeMs">When a refusal that ends by itself ends, in Unix milliseconds; otherwise <see cref="long.MaxValue"/>.</param>
public readonly record struct Decision(Eligibility Eligibility, Channel Channel, double Value, long NotBeforeMs)
{
    public bool IsEligible => Eligibility == Eligibility.Eligible;
}

/// <summary>
/// The strategy of a portfolio that has none of its own: overdue debtors who are not in dispute, on hold or under an open promise, ranked
/// by expected recovery (propensity × overdue balance), on the channel that they prefer, at most once a day.
/// </summary>
public static class BuiltInStrategy
{
    /// <summary>After an attempt a debtor is left alone for a day, so that one attempt can have its effect before the next.</summary>
    public const long RestMs = Day.MsPerDay;

    /// <summary>For a debtor who prefers none.</summary>
    public const Channel DefaultChannel = Channel.Sms;

    /// <param name="propensity">The probability that the debtor pays; NaN without a model, which counts as 1: then the balance ranks.</param>
    public static Decision Decide(in DebtorFacts facts, double propensity, AsOf now)
    {
        if (facts.OverdueMinor <= 0)
            return Refuse(Eligibility.NothingOverdue);
        if (facts.DisputesOpen > 0)
            return Refuse(Eligibility.Disputed);
        if (facts.OnHold)
            return Refuse(Eligibility.OnHold);
        if (facts.OpenPromises > 0)
            return Refuse(Eligibility.PromiseOpen);
        if (facts.LastAttemptMs > now.LastMs - RestMs)
            return Refuse(Eligibility.Resting, facts.LastAttemptMs + RestMs);
        if (facts.UnappliedMinor >= facts.OverdueMinor)
            return Refuse(Eligibility.CoveredByCredit);
        double likely = double.IsNaN(propensity) ? 1.0 : propensity;
        Channel channel = facts.PreferredChannel == Channel.None ? DefaultChannel : facts.PreferredChannel;
        return new Decision(Eligibility.Eligible, channel, likely * facts.Currency.ToMajor(facts.OverdueMinor), long.MaxValue);
    }

    private static Decision Refuse(Eligibility why, long notBeforeMs = long.MaxValue) => new(why, Channel.None, 0, notBeforeMs);
}
