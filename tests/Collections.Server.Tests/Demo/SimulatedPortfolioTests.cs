using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Server.Demo.Portfolio;
using static Collections.Server.Tests.Demo.PortfolioReading;

namespace Collections.Server.Tests.Demo;

public sealed class SimulatedPortfolioTests
{
    [Fact]
    public void Same_seed_tells_the_same_and_another_seed_tells_otherwise()
    {
        ulong first = HashOf(History(new SimulatedPortfolio(500, 3, seed: 7, FirstDay)));
        Assert.Equal(first, HashOf(History(new SimulatedPortfolio(500, 3, seed: 7, FirstDay))));
        Assert.NotEqual(first, HashOf(History(new SimulatedPortfolio(500, 3, seed: 8, FirstDay))));
    }

    [Fact]
    public void Seeds_that_differ_by_what_a_draws_counter_holds_do_not_swap_debtors()
    {
        var one = new SimulatedPortfolio(64, 1, seed: 0, FirstDay);
        var other = new SimulatedPortfolio(64, 1, seed: 1 << 8, FirstDay);
        Assert.DoesNotContain(one.TruthOf(0).Propensity, Enumerable.Range(0, 64).Select(i => other.TruthOf(i).Propensity));
    }

    [Fact]
    public void A_debtors_life_does_not_depend_on_how_many_others_there_are()
    {
        List<Told> few = History(new SimulatedPortfolio(100, 4, seed: 3, FirstDay));
        List<Told> many = History(new SimulatedPortfolio(900, 4, seed: 3, FirstDay));
        Assert.Equal(HashOf(few), HashOf(many.Where(t => t.Debtor < 100)));
    }

    [Fact]
    public void A_debtors_life_does_not_depend_on_the_order_of_contacts_with_others()
    {
        SimulatedPortfolio forwards = AfterHistory(300, seed: 5);
        SimulatedPortfolio backwards = AfterHistory(300, seed: 5);
        long atMs = forwards.FirstLiveDay.StartMs + 10 * 3_600_000;
        for (int i = 0; i < 300; i++)
        {
            forwards.Contact(i, Channel.Sms, atMs);
            backwards.Contact(299 - i, Channel.Sms, atMs);
        }
        Assert.Equal(HashOf(Days(forwards, 20, ticks: 4)), HashOf(Days(backwards, 20, ticks: 4)));
    }

    [Fact]
    public void Contacting_one_debtor_changes_nothing_for_another()
    {
        SimulatedPortfolio quiet = AfterHistory(200, seed: 6);
        SimulatedPortfolio busy = AfterHistory(200, seed: 6);
        for (int i = 0; i < 200; i += 2)
            busy.Contact(i, Channel.Voice, busy.FirstLiveDay.StartMs);
        Assert.Equal(
            HashOf(Days(quiet, 15, ticks: 2).Where(t => t.Debtor % 2 == 1)),
            HashOf(Days(busy, 15, ticks: 2).Where(t => t.Debtor % 2 == 1)));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(24)]
    [InlineData(1_440)]
    public void The_number_of_ticks_does_not_change_what_happens(int ticks)
    {
        ulong whole = HashOf(Days(AfterHistory(400, seed: 9), 3, ticks: 1));
        Assert.Equal(whole, HashOf(Days(AfterHistory(400, seed: 9), 3, ticks)));
    }

    [Fact]
    public void What_ticks_left_out_comes_with_the_next_one_and_not_before_it()
    {
        SimulatedPortfolio regular = AfterHistory(400, seed: 10);
        SimulatedPortfolio stalled = AfterHistory(400, seed: 10);
        Day day = regular.FirstLiveDay;
        var late = new List<Told>();
        stalled.WriteLiveTick(day, 3, 4, Into(late));
        Assert.Equal(LiveDay(regular, day, 4).Select(t => (t.Debtor, t.Kind)), late.Select(t => (t.Debtor, t.Kind)));
        Assert.All(late, t => Assert.True(t.KnownMs >= day.StartMs + 3 * Day.MsPerDay / 4));
    }

    [Fact]
    public void Days_and_ticks_are_told_in_the_order_in_which_they_become_known_and_within_their_bounds()
    {
        var portfolio = new SimulatedPortfolio(300, 2, seed: 11, FirstDay);
        for (Day day = portfolio.FirstDay; day < portfolio.FirstLiveDay; day = day.Plus(1))
        {
            var told = new List<Told>();
            portfolio.WriteHistoryDay(day, Into(told));
            Assert.All(told, t => Assert.Equal(day, Day.OfMs(t.KnownMs)));
            Assert.Equal(told.Select(t => t.KnownMs).Order(), told.Select(t => t.KnownMs));
        }
    }

    [Fact]
    public void Days_before_the_last_one_are_refused()
    {
        var portfolio = new SimulatedPortfolio(10, 1, seed: 1, FirstDay);
        portfolio.WriteHistoryDay(FirstDay.Plus(5), (in SimulatedEvent _) => { });
        ArgumentOutOfRangeException refused = Assert.Throws<ArgumentOutOfRangeException>(
            () => portfolio.WriteHistoryDay(FirstDay.Plus(4), (in SimulatedEvent _) => { }));
        Assert.Contains("the last was 2026-01-06", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 6)]
    [InlineData(5_000_000, 6)]
    [InlineData(10, 0)]
    [InlineData(10, 73)]
    public void Sizes_that_it_cannot_hold_are_refused(int debtors, int months) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SimulatedPortfolio(debtors, months, seed: 1, FirstDay));

    [Fact]
    public void First_days_at_the_ends_of_what_a_day_can_say_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SimulatedPortfolio(1, 1, seed: 1, Day.None));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SimulatedPortfolio(1, 1, seed: 1, Day.Max));
        Assert.NotEmpty(History(new SimulatedPortfolio(20, 2, seed: 1, PortfolioLimits.FirstDayMin)));
        Assert.NotEmpty(History(new SimulatedPortfolio(20, 72, seed: 1, PortfolioLimits.FirstDayMax)));
    }

    [Fact]
    public void History_ends_where_the_live_days_begin() =>
        Assert.Equal(Day.Of(new DateOnly(2026, 7, 1)), new SimulatedPortfolio(1, 6, seed: 1, FirstDay).FirstLiveDay);

    [Fact]
    public void A_debtor_takes_no_more_than_64_bytes() => Assert.InRange(SimulatedPortfolio.BytesPerDebtor, 1, 64);

    [Theory]
    [InlineData(0, "D0000001")]
    [InlineData(99_999, "D0100000")]
    [InlineData(4_194_303, "D4194304")]
    public void A_debtors_index_is_in_its_name(int debtor, string name)
    {
        byte[] written = new byte[DebtorNames.ByteCount];
        DebtorNames.Format(debtor, written);
        Assert.Equal(name, Encoding.ASCII.GetString(written));
        Assert.True(DebtorNames.TryParse(written, out int index));
        Assert.Equal(debtor, index);
    }

    [Theory]
    [InlineData("")]
    [InlineData("D0000000")]
    [InlineData("D000001")]
    [InlineData("X0000001")]
    [InlineData("D00000O1")]
    [InlineData("D00000012")]
    public void Other_names_are_no_debtors_of_the_portfolio(string name) => Assert.False(DebtorNames.TryParse(Encoding.ASCII.GetBytes(name), out _));

    [Theory]
    [InlineData("2026-01-31", "2026-02-15", 15)]
    [InlineData("2026-02-15", "2026-03-15", 15)]
    [InlineData("2026-02-01", "2026-02-28", 31)]
    [InlineData("2028-02-01", "2028-02-29", 31)]
    [InlineData("2026-12-31", "2027-01-31", 31)]
    [InlineData("2026-12-24", "2026-12-25", 25)]
    public void Pay_days_follow_one_another(string after, string expected, int payDay)
    {
        Assert.True(Day.TryParse(after, out Day day));
        Assert.Equal(expected, BillingCalendar.PayDayAfter(day, payDay).ToString());
    }

    [Fact]
    public void Months_are_those_of_the_calendar()
    {
        for (int number = 1; number < 60_000; number += 13)
        {
            DateOnly date = new Day((ushort)number).ToDateOnly();
            int month = BillingCalendar.MonthOf(new Day((ushort)number));
            Assert.Equal(date.Year * 12 + date.Month - 1, month);
            Assert.Equal(number, BillingCalendar.DayIn(month, date.Day).Number);
        }
    }

    private static SimulatedPortfolio AfterHistory(int debtors, ulong seed)
    {
        var portfolio = new SimulatedPortfolio(debtors, 3, seed, FirstDay);
        History(portfolio);
        return portfolio;
    }

    private static List<Told> Days(SimulatedPortfolio portfolio, int days, int ticks) =>
        [.. Enumerable.Range(0, days).SelectMany(i => LiveDay(portfolio, portfolio.FirstLiveDay.Plus(i), ticks))];
}
