using Collections.Domain.Debtors;
using Collections.Domain.Events;

namespace Collections.Domain.Tests.Debtors;

/// <summary>Where money goes.</summary>
public class CashApplicationTests
{
    [Fact]
    public void Costs_come_first_then_interest_then_principal()
    {
        using Story story = new Story()
            .Owed("01-01", "principal", 10_000, "02-01")
            .Owed("01-01", "fee", 500, "02-01", Component.Fee)
            .Owed("01-01", "interest", 25, "02-01", Component.Interest)
            .Paid("03-01", "p", 10_000, "EUR", ("fee", 1));
        Assert.Equal("principal=525", story.Ledger("03-01"));
    }

    [Fact]
    public void A_payment_of_exactly_one_items_amount_settles_that_item_before_the_waterfall()
    {
        using Story story = new Story().Owed("01-01", "old", 300, "01-10").Owed("01-02", "match", 200, "03-01").Paid("02-01", "p", 200);
        Assert.Equal("old=300", story.Ledger("02-01"));
    }

    // value date; amount; what is left of: fee due later (50), principal past due (100), interest due today (30), principal in advance (70)
    [Theory]
    [InlineData("02-01", 60, "fee-late=50 interest=30 old=40 soon=70")]
    [InlineData("02-01", 110, "fee-late=50 interest=20 soon=70")]
    [InlineData("02-01", 150, "fee-late=30 soon=70")]
    [InlineData("02-01", 220, "soon=30")]
    [InlineData("02-01", 999, "credit=749")]
    [InlineData("01-05", 60, "interest=20 old=100 soon=70")]
    public void The_waterfall_takes_past_due_then_due_then_in_advance(string day, long amount, string left)
    {
        using Story story = new Story()
            .Owed("01-01", "old", 100, "01-10")
            .Owed("01-01", "interest", 30, "02-01", Component.Interest)
            .Owed("01-01", "fee-late", 50, "03-01", Component.Fee)
            .Owed("01-01", "soon", 70, "02-15")
            .Paid(day, "p", amount);
        Assert.Equal(left, story.Ledger("02-02"));
    }

    [Fact]
    public void Partial_payments_leave_the_rest_open_and_days_past_due_run_on()
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31").Paid("02-10", "p1", 30).Paid("02-20", "p2", 30);
        Assert.Equal("a=40", story.Ledger("02-29"));
        Assert.Equal(29, story.Feature("oldest_dpd", "02-29"));
        Assert.Equal(1, story.Feature("partial_payment_ratio", "02-29"));
    }

    [Fact]
    public void Overpayment_is_credit_and_pays_the_next_item_issued()
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31").Paid("01-20", "p", 150);
        Assert.Equal("credit=50", story.Ledger("01-20"));
        story.Owed("02-01", "b", 80, "02-28");
        Assert.Equal("b=30", story.Ledger("02-01"));
    }

    [Fact]
    public void A_backdated_payment_gives_what_it_would_have_given_in_time()
    {
        using Story late = new Story().Owed("01-01", "a", 100, "01-31").Owed("01-02", "b", 100, "01-15").Paid("02-20", "p2", 130).Paid("01-20", "p1", 60);
        using Story timely = new Story().Owed("01-01", "a", 100, "01-31").Owed("01-02", "b", 100, "01-15").Paid("01-20", "p1", 60).Paid("02-20", "p2", 130);
        Assert.Equal("a=10", late.Ledger("02-20"));
        Assert.Equal(timely.AsOf("02-20").LedgerDigest(), late.AsOf("02-20").LedgerDigest());
        Assert.Equal(timely.Feature("mean_days_late", "02-20"), late.Feature("mean_days_late", "02-20"));
    }

    [Fact]
    public void A_reversal_leaves_the_ledger_as_if_the_payment_had_never_been_made()
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31").Paid("01-20", "p", 100);
        Assert.Equal("", story.Ledger("02-10"));
        story.Reversed("02-11", "p");
        Assert.Equal("a=100", story.Ledger("02-11"));
        Assert.Equal(11, story.Feature("oldest_dpd", "02-11"));
        Assert.Equal(0, story.Feature("items_paid", "02-11"));
        Assert.Equal(1, story.Feature("reversed_payments", "02-11"));
    }

    [Fact]
    public void Money_for_an_item_not_yet_issued_is_held_and_nothing_else_may_take_it()
    {
        using Story story = new Story().Paid("01-05", "p", 100, "EUR", ("late", 80)).Owed("01-10", "a", 50, "01-31");
        Assert.Equal("a=30 credit=80", story.Ledger("01-10"));
        story.Owed("01-12", "late", 60, "02-10");
        Assert.Equal("a=10", story.Ledger("01-12"));
    }

    [Fact]
    public void A_credit_note_on_a_paid_item_frees_the_last_allocation_for_the_others()
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31").Paid("01-10", "p", 100).Owed("01-12", "b", 40, "02-10").Adjusted("01-20", "a", -30);
        Assert.Equal("b=10", story.Ledger("01-20"));
        Assert.Equal(1, story.Feature("items_paid", "01-20"));
    }

    [Fact]
    public void A_cancelled_item_counts_as_never_issued_and_its_money_goes_on()
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31").Owed("01-01", "b", 100, "02-10").Paid("01-10", "p", 100).Cancelled("01-20", "a");
        Assert.Equal("", story.Ledger("01-20"));
        Assert.Equal(1, story.Feature("items_issued", "01-20"));
    }

    [Fact]
    public void Each_currency_has_a_ledger_of_its_own()
    {
        using Story story = new Story().Owed("01-01", "eur", 100, "01-31").Owed("01-02", "usd", 100, "01-31", currency: "USD").Paid("01-10", "p", 150, "USD");
        Assert.Equal("eur=100 credit=50", story.Ledger("01-10"));
        DebtorFacts facts = story.AsOf("01-10").Facts(AsOf.EndOf(Story.On("01-10")));
        Assert.Equal("EUR", facts.Currency.ToString());
        Assert.Equal(100, facts.OpenMinor);
        Assert.Equal(0, facts.UnappliedMinor);
    }

    [Fact]
    public void The_base_currency_is_that_of_the_earliest_event_even_when_it_comes_late()
    {
        using Story story = new Story().Owed("02-01", "usd", 100, "02-28", currency: "USD");
        Assert.Equal("USD", story.AsOf("02-02").Facts(AsOf.EndOf(Story.On("02-02"))).Currency.ToString());
        story.Owed("01-01", "eur", 70, "02-28");
        Assert.Equal(0.7, story.Feature("open_balance", "02-02"));
    }

    [Fact]
    public void What_is_effective_later_takes_effect_when_its_day_comes()
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31").Paid("01-20", "p", 100);
        story.Reversed("03-01", "p").Owed("03-05", "b", 50, "03-31");
        Debtor debtor = story.AsOf("02-01");
        Assert.Equal(Story.On("03-01").StartMs, debtor.NextTimerMs);
        Assert.Equal("", story.Ledger("02-29"));
        Assert.True(story.AsOf("02-29").NextTimerMs == Story.On("03-01").StartMs);
        Assert.Equal("a=100", story.Ledger("03-01"));
        Assert.Equal("a=100 b=50", story.Ledger("03-05"));
    }

    [Fact]
    public void An_item_name_is_never_used_again()
    {
        using Story story = new Story().Owed("01-01", "a", 100, "01-31");
        story.AsOf("01-01");
        story.Owed("01-02", "a", 70, "01-31", id: "other event");
        Debtor debtor = story.AsOf("01-01");
        Assert.True(EventReader.TryRead(story.Deliveries[1].Content, 1, history: false, out Event e, out _));
        Assert.Equal(ApplyOutcome.Invalid, debtor.Apply(e, AsOf.EndOf(Story.On("01-02")), out EventError error));
        Assert.Equal("item", error.Field);
        Assert.Equal("a=100", story.Ledger("01-02"));
    }
}
