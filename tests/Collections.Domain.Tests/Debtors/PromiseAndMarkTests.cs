using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;

namespace Collections.Domain.Tests.Debtors;

/// <summary>Promises to pay, disputes, holds, contacts and what is said about the debtor.</summary>
public class PromiseAndMarkTests
{
    // paid on; amount; looked at; expected state of a promise of 100 made 01-10, due 01-20 (grace to 01-22)
    [Theory]
    [InlineData("01-10", 100, "01-10", PromiseState.Kept)]
    [InlineData("01-09", 100, "01-22", PromiseState.Open)]
    [InlineData("01-22", 100, "01-22", PromiseState.Kept)]
    [InlineData("01-23", 100, "01-23", PromiseState.Broken)]
    [InlineData("01-15", 99, "01-22", PromiseState.Open)]
    [InlineData("01-15", 99, "01-23", PromiseState.Broken)]
    [InlineData("01-15", 250, "01-15", PromiseState.Kept)]
    public void A_promise_is_kept_by_payments_from_its_making_to_two_days_after_its_due_date(string paid, long amount, string asOf, PromiseState expected)
    {
        using Story story = new Story().Owed("01-01", "a", 1_000, "01-05").Promised("01-10", "promise", 100, "01-20").Paid(paid, "p", amount);
        foreach (PromiseView promise in story.AsOf(asOf).Promises(AsOf.EndOf(Story.On(asOf))))
            Assert.Equal(expected, promise.State);
    }

    [Fact]
    public void Each_payment_counts_in_full_for_the_promise_that_is_due_first()
    {
        using Story story = new Story().Promised("01-01", "late", 100, "01-30").Promised("01-01", "early", 100, "01-20").Paid("01-10", "p1", 150).Paid("01-11", "p2", 90);
        Assert.Equal(1, story.Feature("promise_kept_ratio", "01-12"));
        Assert.Equal(18, story.Feature("days_to_promise", "01-12"));
        Assert.Equal(0.5, story.Feature("promise_kept_ratio", "02-02"));
        Assert.Equal(1, story.Feature("broken_promise_streak", "02-02"));
    }

    [Fact]
    public void A_cancelled_promise_is_neither_kept_nor_broken()
    {
        using Story story = new Story().Promised("01-01", "q", 100, "01-20").PromiseCancelled("01-10", "q").Paid("01-15", "p", 100);
        Assert.Equal(double.NaN, story.Feature("promise_kept_ratio", "02-01"));
        Assert.Equal(1, story.Feature("promises_made", "02-01"));
    }

    [Fact]
    public void A_promise_wakes_the_debtor_on_the_day_it_breaks()
    {
        using Story story = new Story().Promised("01-01", "q", 100, "01-20");
        Debtor debtor = story.AsOf("01-02");
        Assert.Equal(Story.On("01-23").StartMs, debtor.NextTimerMs);
        Assert.False(debtor.Advance(AsOf.EndOf(Story.On("01-22"))));
        Assert.True(debtor.Advance(AsOf.At(Story.On("01-23").StartMs)));
        Assert.Equal(long.MaxValue, debtor.NextTimerMs);
    }

    [Fact]
    public void Disputes_are_open_from_their_day_to_their_resolution_whatever_comes_first()
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31").Resolved("01-20", "d").Disputed("01-10", "d", "a");
        Assert.Equal(0, story.Feature("disputes_open", "01-20"));
        Assert.Equal(1, story.Feature("disputes_total", "01-20"));
        story.Disputed("01-21", "e", "a", 40);
        Assert.Equal(1, story.Feature("disputes_open", "01-21"));
        Assert.Equal(1, story.AsOf("01-21").Facts(AsOf.EndOf(Story.On("01-21"))).DisputesOpen);
    }

    [Fact]
    public void A_hold_lasts_through_its_last_day_or_until_released()
    {
        using Story story = new Story().Held("01-01", "h", "01-10").Held("01-05", "g");
        Assert.True(OnHold(story, "01-10"));
        story.Released("01-08", "g");
        Assert.True(OnHold(story, "01-10"));
        Assert.Equal(Story.On("01-11").StartMs, story.AsOf("01-10").NextTimerMs);
        Debtor debtor = story.AsOf("01-10");
        Assert.True(debtor.Advance(AsOf.At(Story.On("01-11").StartMs)));
        Assert.False(OnHold(story, "01-11"));
    }

    [Fact]
    public void The_latest_registration_counts_and_integers_stand_for_themselves()
    {
        using Story story = new Story().Registered("01-05", "retail", "b", ("customer_type", "2"), ("region", "north")).Registered("01-01", "old", "a", ("customer_type", "7"), ("product", "4"));
        Assert.Equal(2, story.Feature("customer_type", "01-06"));
        Assert.Equal(double.NaN, story.Feature("region", "01-06"));
        Assert.Equal(double.NaN, story.Feature("product", "01-06"));
        Assert.Equal(5 / 30.4375, story.Feature("months_on_book", "01-06"));
        Assert.True(story.AsOf("01-06").Facts(AsOf.EndOf(Story.On("01-06"))).Registered);
    }

    [Fact]
    public void Preferences_change_field_by_field()
    {
        using Story story = new Story().Prefers("01-02", "Europe/Vienna", "", Channel.Sms).Prefers("01-01", "UTC", "de", Channel.Voice);
        DebtorFacts facts = story.AsOf("01-03").Facts(AsOf.EndOf(Story.On("01-03")));
        Assert.Equal(Channel.Sms, facts.PreferredChannel);
        Assert.NotEqual(0, facts.LanguageId);
        Assert.NotEqual(0, facts.TimeZoneId);
    }

    // looked at; customer type, product and region as registered by then: first known, then overtaken, then one that was known before its day
    [Theory]
    [InlineData("01-01", "", "", "")]
    [InlineData("01-02", "private", "3", "nord, west")]
    [InlineData("01-10", "business", "", "7a")]
    [InlineData("01-19", "business", "", "7a")]
    [InlineData("01-20", "4", "mobile", "")]
    public void Categories_are_told_as_the_registration_says_that_counts_on_the_day(string asOf, string customerType, string product, string region)
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31")
            .Registered("01-02", "telco", "r1", ("customer_type", "private"), ("product", "3"), ("region", "nord, west"))
            .Registered("01-20", "telco", "r3", ("customer_type", "4"), ("product", "mobile"))
            .Registered("01-10", "telco", "r2", ("customer_type", "business"), ("region", "7a"))
            .Registered("01-10", "telco", "r1b", ("customer_type", "earlier id"), ("region", "8"));
        string[] expected = [customerType, product, region], names = ["customer_type", "product", "region"];
        for (int i = 0; i < names.Length; i++)
        {
            int feature = FeatureCatalogue.IndexOf(names[i]);
            Assert.True(FeatureCatalogue.IsCategorical(feature));
            Assert.Equal(expected[i], Encoding.UTF8.GetString(story.AsOf(asOf).Category(feature)));
            Assert.Equal(int.TryParse(expected[i], out int code) ? code : double.NaN, story.Feature(names[i], asOf));
        }
    }

    [Fact]
    public void A_quantity_has_no_category()
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31");
        Assert.Throws<InvariantBrokenException>(() => story.AsOf("01-02").Category(FeatureCatalogue.IndexOf("open_balance")).Length);
    }

    [Fact]
    public void An_attempt_counts_from_its_millisecond_on()
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31").Attempt("01-02", "x", 5_000, Channel.Voice, AttemptOutcome.RightParty).Contact("01-02", "y", 6_000, Channel.Sms, ContactKind.Reply);
        using var pool = new SlabPool();
        var names = new NameTable();
        var record = default(DebtorRecord);
        Debtor.Create(ref record, pool, names, "default"u8, "debtor"u8);
        var debtor = new Debtor(ref record, pool, names);
        var now = AsOf.At(Story.On("01-02").StartMs + 4_000);
        foreach (Delivery delivery in story.Deliveries)
        {
            Assert.True(EventReader.TryRead(delivery.Content, delivery.KnownMs, history: false, out Event e, out _));
            Assert.Equal(ApplyOutcome.Applied, debtor.Apply(e, now, out _));
        }
        double[] values = new double[FeatureCatalogue.Count];
        debtor.Features(now, values);
        Assert.Equal(0, values[FeatureCatalogue.IndexOf("attempts_7d")]);
        Assert.Equal(now.Ms + 1_000, debtor.NextTimerMs);
        var then = AsOf.At(now.Ms + 1_000);
        Assert.True(debtor.Advance(then));
        debtor.Features(then, values);
        Assert.Equal(1, values[FeatureCatalogue.IndexOf("rpc_30d")]);
        Assert.Equal(now.Ms + 2_000, debtor.NextTimerMs);
        Assert.True(debtor.Advance(AsOf.At(now.Ms + 2_000)));
        debtor.Features(AsOf.At(now.Ms + 2_000), values);
        Assert.Equal(2, values[FeatureCatalogue.IndexOf("response_rate")]);
    }

    [Fact]
    public void Of_more_than_sixteen_attempts_the_latest_sixteen_count_and_ties_go_by_id()
    {
        using var story = new Story();
        for (int i = 0; i < 16; i++)
            story.Attempt("01-10", $"n{i:D2}", 1_000, Channel.Voice, AttemptOutcome.NoAnswer);
        for (int i = 0; i < 3; i++)
            story.Attempt("01-10", $"m{i:D2}", 1_000, Channel.Voice, AttemptOutcome.RightParty);
        Assert.Equal(0, story.Feature("rpc_30d", "01-11"));
        Assert.Equal(16, story.Feature("attempts_30d", "01-11"));
        Assert.Equal(3, story.Rebuilds);
        story.Attempt("01-10", "z", 1_000, Channel.Voice, AttemptOutcome.RightParty);
        Assert.Equal(1, story.Feature("rpc_30d", "01-11"));
    }

    private static bool OnHold(Story story, string day) => story.AsOf(day).Facts(AsOf.EndOf(Story.On(day))).OnHold;
}
