using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;

namespace Collections.Strategy.Tests;

/// <summary>The strategy of a portfolio that has none of its own, as a table. Amounts are EUR cents; times are hours before now.</summary>
public sealed class BuiltInStrategyTests
{
    private const int Never = -1;
    private static readonly long NowMs = Day.Of(new DateOnly(2024, 6, 3)).StartMs + 9 * 3_600_000;

    [Theory]
    //          overdue  credit  disputes  hold   promises  attempt      decision
    [InlineData(0, 0, 0, false, 0, Never, Eligibility.NothingOverdue)]
    [InlineData(-500, 0, 0, false, 0, Never, Eligibility.NothingOverdue)]
    [InlineData(1, 0, 0, false, 0, Never, Eligibility.Eligible)]
    [InlineData(10_000, 0, 0, false, 0, Never, Eligibility.Eligible)]
    [InlineData(10_000, 0, 1, false, 0, Never, Eligibility.Disputed)]
    [InlineData(10_000, 0, 0, true, 0, Never, Eligibility.OnHold)]
    [InlineData(10_000, 0, 0, false, 1, Never, Eligibility.PromiseOpen)]
    [InlineData(10_000, 0, 0, false, 0, 0, Eligibility.Resting)]
    [InlineData(10_000, 0, 0, false, 0, 23, Eligibility.Resting)]
    [InlineData(10_000, 0, 0, false, 0, 24, Eligibility.Eligible)]
    [InlineData(10_000, 9_999, 0, false, 0, Never, Eligibility.Eligible)]
    [InlineData(10_000, 10_000, 0, false, 0, Never, Eligibility.CoveredByCredit)]
    [InlineData(10_000, 20_000, 0, false, 0, Never, Eligibility.CoveredByCredit)]
    // Of several reasons the first in the order of the rules is given.
    [InlineData(0, 500, 1, true, 1, 1, Eligibility.NothingOverdue)]
    [InlineData(10_000, 20_000, 1, true, 1, 1, Eligibility.Disputed)]
    [InlineData(10_000, 20_000, 0, true, 1, 1, Eligibility.OnHold)]
    [InlineData(10_000, 20_000, 0, false, 1, 1, Eligibility.PromiseOpen)]
    [InlineData(10_000, 20_000, 0, false, 0, 1, Eligibility.Resting)]
    public void Who_is_contacted(long overdueMinor, long creditMinor, int disputes, bool onHold, int promises, int attemptHours, Eligibility expected)
    {
        DebtorFacts facts = Facts(overdueMinor) with
        {
            UnappliedMinor = creditMinor,
            DisputesOpen = disputes,
            OnHold = onHold,
            OpenPromises = promises,
            LastAttemptMs = attemptHours == Never ? 0 : NowMs - attemptHours * 3_600_000L,
        };
        Decision decision = BuiltInStrategy.Decide(facts, 0.5, AsOf.At(NowMs));
        Assert.Equal(expected, decision.Eligibility);
        Assert.Equal(expected == Eligibility.Eligible, decision.IsEligible);
        if (!decision.IsEligible)
            Assert.Equal((Channel.None, 0.0), (decision.Channel, decision.Value));
        Assert.Equal(expected == Eligibility.Resting ? facts.LastAttemptMs + 24 * 3_600_000 : long.MaxValue, decision.NotBeforeMs);
    }

    [Fact]
    public void A_rest_ends_to_the_millisecond()
    {
        DebtorFacts facts = Facts(10_000) with { LastAttemptMs = NowMs };
        long endMs = BuiltInStrategy.Decide(facts, 0.5, AsOf.At(NowMs)).NotBeforeMs;
        Assert.Equal(Eligibility.Resting, BuiltInStrategy.Decide(facts, 0.5, AsOf.At(endMs - 1)).Eligibility);
        Assert.Equal(Eligibility.Eligible, BuiltInStrategy.Decide(facts, 0.5, AsOf.At(endMs)).Eligibility);
    }

    [Theory]
    [InlineData(Channel.None, Channel.Sms)]
    [InlineData(Channel.Voice, Channel.Voice)]
    [InlineData(Channel.Letter, Channel.Letter)]
    public void On_the_channel_that_the_debtor_prefers(Channel preferred, Channel expected) =>
        Assert.Equal(expected, BuiltInStrategy.Decide(Facts(10_000) with { PreferredChannel = preferred }, 0.5, AsOf.At(NowMs)).Channel);

    [Theory]
    [InlineData("EUR", 12_345, 1.0, 123.45)]
    [InlineData("EUR", 12_345, 0.5, 61.725)]
    [InlineData("EUR", 12_345, 0.0, 0.0)]
    [InlineData("EUR", 12_345, double.NaN, 123.45)]
    [InlineData("JPY", 12_345, 1.0, 12_345.0)]
    [InlineData("BHD", 12_345, 1.0, 12.345)]
    [InlineData("EUR", 1_000_000_000_000_000, 1.0, 1e13)]
    public void Ranked_by_what_is_expected_to_come_in(string currency, long overdueMinor, double propensity, double expected)
    {
        DebtorFacts facts = Facts(overdueMinor) with { Currency = Currency.Parse(currency) };
        Assert.Equal(expected, BuiltInStrategy.Decide(facts, propensity, AsOf.At(NowMs)).Value);
    }

    private static DebtorFacts Facts(long overdueMinor) => new() { OverdueMinor = overdueMinor, OpenMinor = overdueMinor, Currency = Currency.Parse("EUR") };
}
