using Collections.Domain;
using Collections.Domain.Events;
using Collections.Server.Demo.Portfolio;
using static Collections.Server.Tests.Demo.PortfolioReading;

namespace Collections.Server.Tests.Demo;

public sealed class PortfolioReactionTests
{
    private const int Debtors = 3_000;
    private const long Hour = 3_600_000;

    [Fact]
    public void How_a_contact_ends_follows_from_seed_debtor_channel_and_instant()
    {
        SimulatedPortfolio one = Live(seed: 1);
        SimulatedPortfolio other = Live(seed: 1);
        SimulatedPortfolio otherSeed = Live(seed: 2);
        long atMs = one.FirstLiveDay.StartMs + 11 * Hour;
        other.Contact(0, Channel.Sms, atMs - 1);
        AttemptOutcome[] outcomes = [.. Enumerable.Range(0, 500).Select(i => one.Contact(i, Channel.Voice, atMs))];
        Assert.Equal(outcomes, Enumerable.Range(0, 500).Select(i => other.Contact(i, Channel.Voice, atMs)));
        Assert.NotEqual(outcomes, Enumerable.Range(0, 500).Select(i => otherSeed.Contact(i, Channel.Voice, atMs)));
    }

    [Fact]
    public void Outcomes_are_those_of_their_channel()
    {
        SimulatedPortfolio portfolio = Live(seed: 3);
        long atMs = portfolio.FirstLiveDay.StartMs + 18 * Hour;
        HashSet<AttemptOutcome> voice = [.. Enumerable.Range(0, Debtors).Select(i => portfolio.Contact(i, Channel.Voice, atMs))];
        HashSet<AttemptOutcome> email = [.. Enumerable.Range(0, Debtors).Select(i => portfolio.Contact(i, Channel.Email, atMs))];
        Assert.Equal(
            [AttemptOutcome.RightParty, AttemptOutcome.WrongParty, AttemptOutcome.NoAnswer,
                AttemptOutcome.Voicemail, AttemptOutcome.Busy, AttemptOutcome.OutOfService],
            voice.Order());
        Assert.Equal([AttemptOutcome.Delivered, AttemptOutcome.Bounced], email.Order());
    }

    [Fact]
    public void More_calls_are_answered_in_the_evening()
    {
        SimulatedPortfolio portfolio = Live(seed: 4);
        Day day = portfolio.FirstLiveDay;
        int Answered(int hour) => Enumerable.Range(0, Debtors)
            .Count(i => portfolio.Contact(i, Channel.Voice, day.StartMs + hour * Hour) == AttemptOutcome.RightParty);
        Assert.True(Answered(18) > 1.2 * Answered(10));
    }

    [Fact]
    public void Reactions_come_in_later_ticks_after_the_contact_and_in_order()
    {
        SimulatedPortfolio touched = Live(seed: 5);
        SimulatedPortfolio left = Live(seed: 5);
        Day day = touched.FirstLiveDay;
        for (int tick = 0; tick < 12; tick++)
        {
            touched.WriteLiveTick(day, tick, 24, (in SimulatedEvent _) => { });
            left.WriteLiveTick(day, tick, 24, (in SimulatedEvent _) => { });
        }
        int waitingBefore = touched.WaitingCount;
        long atMs = day.StartMs + 12 * Hour;
        for (int i = 0; i < Debtors; i++)
            touched.Contact(i, Channel.Voice, atMs);
        Assert.InRange(touched.WaitingCount, waitingBefore + 1, touched.WaitingCountMax);

        var told = new List<Told>();
        var otherwise = new List<Told>();
        for (int tick = 12; tick < 24; tick++)
        {
            touched.WriteLiveTick(day, tick, 24, Into(told));
            left.WriteLiveTick(day, tick, 24, Into(otherwise));
        }
        Assert.Equal(told.Select(t => t.KnownMs).Order(), told.Select(t => t.KnownMs));
        Assert.All(told, t => Assert.InRange(t.KnownMs, atMs, day.EndMs - 1));
        int promises = told.Count(t => t.Kind == EventKind.PromiseMade), unasked = otherwise.Count(t => t.Kind == EventKind.PromiseMade);
        Assert.True(promises > unasked + 15, $"{promises} promises with calls, {unasked} without");
        Assert.All(told, t => Read(t));
        Assert.DoesNotContain(told, t => t.Kind == EventKind.AttemptReported);
    }

    [Fact]
    public void Reactions_to_a_contact_of_the_past_are_not_told_before_what_was_told_already()
    {
        SimulatedPortfolio portfolio = Live(seed: 6);
        Day day = portfolio.FirstLiveDay;
        LiveDay(portfolio, day, 4);
        for (int i = 0; i < Debtors; i++)
            portfolio.Contact(i, Channel.Sms, day.StartMs + Hour);
        Assert.All(LiveDay(portfolio, day.Plus(1), 4), t => Assert.True(t.KnownMs >= day.EndMs));
    }

    [Fact]
    public void Reminding_overdue_forgetters_brings_money_that_would_have_come_later()
    {
        SimulatedPortfolio reminded = Live(seed: 7);
        SimulatedPortfolio left = Live(seed: 7);
        for (int i = 0; i < Debtors; i++)
            reminded.Contact(i, Channel.Sms, reminded.FirstLiveDay.StartMs + 9 * Hour);
        long with = PaidInTwoWeeks(reminded, DebtorType.Forgetter);
        long without = PaidInTwoWeeks(left, DebtorType.Forgetter);
        Assert.True(with > 1.1 * without, $"{with} with reminders, {without} without");
    }

    [Fact]
    public void However_often_debtors_are_contacted_what_waits_stays_bounded()
    {
        var portfolio = new SimulatedPortfolio(50, 2, seed: 8, FirstDay);
        History(portfolio);
        for (int round = 0; round < 400; round++)
        {
            for (int i = 0; i < 50; i++)
                portfolio.Contact(i, (Channel)(1 + round % 7), portfolio.FirstLiveDay.StartMs + round * 60_000L);
            Assert.InRange(portfolio.WaitingCount, 0, portfolio.WaitingCountMax);
        }
    }

    [Fact]
    public void Live_days_go_on_for_a_year_and_the_account_still_ties()
    {
        var portfolio = new SimulatedPortfolio(200, 1, seed: 9, FirstDay);
        History(portfolio);
        for (int i = 0; i < 365; i++)
        {
            Day day = portfolio.FirstLiveDay.Plus(i);
            Assert.All(LiveDay(portfolio, day, 2), t => Assert.Equal(day, Day.OfMs(t.KnownMs)));
            portfolio.Contact(i % 200, Channel.Voice, day.EndMs - Hour);
        }
        Assert.Equal(portfolio.Totals.NetMinor, Enumerable.Range(0, 200).Sum(i => portfolio.TruthOf(i).NetMinor));
    }

    private static SimulatedPortfolio Live(ulong seed)
    {
        var portfolio = new SimulatedPortfolio(Debtors, 3, seed, FirstDay);
        for (Day day = portfolio.FirstDay; day < portfolio.FirstLiveDay; day = day.Plus(1))
            portfolio.WriteHistoryDay(day, (in SimulatedEvent _) => { });
        return portfolio;
    }

    private static long PaidInTwoWeeks(SimulatedPortfolio portfolio, DebtorType type)
    {
        long sum = 0;
        for (int i = 0; i < 14; i++)
        {
            foreach (Told told in LiveDay(portfolio, portfolio.FirstLiveDay.Plus(i), 1))
            {
                if (told.Kind == EventKind.PaymentReceived && portfolio.TruthOf(told.Debtor).Type == type)
                    sum += PaymentOf(told).AmountMinor;
            }
        }
        return sum;
    }
}
