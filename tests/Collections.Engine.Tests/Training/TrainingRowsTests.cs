using Collections.Engine.History;
using Collections.Engine.Training;

namespace Collections.Engine.Tests.Training;

/// <summary>Labels and who is left out, case by case. On 03-31 a debtor owes 100 that were due on 03-10.</summary>
public sealed class TrainingRowsTests
{
    private static TrainingScene Overdue => new TrainingScene().Owes("02-01", 100, "03-10");

    [Theory]
    [InlineData("04-01", 50, "1")]
    [InlineData("04-30", 50, "1")]
    [InlineData("04-01", 49, "0")]
    [InlineData("05-01", 100, "0")]
    [InlineData("04-01", 500, "1")]
    public void Paid_asks_for_a_share_of_the_overdue_balance_from_the_day_after_to_the_last_day_of_the_horizon(string day, long amount, string outcome) =>
        Assert.Equal(outcome, Overdue.Pays(day, amount).Row("paid:0.5"));

    [Fact]
    public void Several_payments_add_up_and_only_the_overdue_part_counts_as_owed()
    {
        TrainingScene scene = Overdue.Owes("03-20", 900, "04-20").Pays("04-02", 30).Pays("04-20", 20);
        Assert.Equal("1", scene.Row("paid:0.5"));
        Assert.Equal("0", scene.Row("paid:0.51"));
        Assert.Equal("1", scene.Row("any-payment"));
    }

    [Fact]
    public void What_was_paid_by_the_date_is_known_and_owed_no_more()
    {
        Assert.Equal("NothingOverdue", Overdue.Pays("03-31", 100).Row("paid:0.5"));
        Assert.Equal("0", Overdue.Pays("03-31", 60).Row("paid:0.5"));
        Assert.Equal("1", Overdue.Pays("03-31", 60).Pays("04-05", 20).Row("paid:0.5"));
    }

    [Fact]
    public void A_payment_of_before_that_is_heard_of_in_the_horizon_came_in_the_horizon()
    {
        Assert.Equal("1", Overdue.Pays("03-29", 100, known: "04-02").Row("paid:1"));
        Assert.Equal("0", Overdue.Pays("03-29", 100, known: "06-02").Row("paid:1"));
        Assert.Equal("1", Overdue.Pays("04-29", 100, known: "06-02").Row("paid:1"));
    }

    [Fact]
    public void A_payment_that_is_sent_again_counts_once()
    {
        Assert.Equal("0", Overdue.Pays("04-02", 30, id: "p").Pays("04-02", 30, id: "p", known: "04-03").Row("paid:0.5"));
        Assert.Equal("0", Overdue.Pays("03-02", 30, id: "p").Pays("03-02", 30, id: "p", known: "04-03").Row("any-payment"));
    }

    [Fact]
    public void A_reversal_within_the_horizon_relabels_and_one_after_it_does_not()
    {
        Assert.Equal("0", Overdue.Pays("04-02", 100, id: "p").Reverses("04-30", "p").Row("paid:0.5"));
        Assert.Equal("0", Overdue.Pays("04-02", 100, id: "p").Reverses("04-30", "p").Row("any-payment"));
        Assert.Equal("1", Overdue.Pays("04-02", 100, id: "p").Reverses("05-01", "p").Row("paid:0.5"));
    }

    [Fact]
    public void Money_of_another_currency_is_a_payment_and_no_share()
    {
        TrainingScene scene = Overdue.Pays("04-02", 1_000, currency: "USD");
        Assert.Equal("0", scene.Row("paid:0.5"));
        Assert.Equal("1", scene.Row("any-payment"));
    }

    [Fact]
    public void Disputes_and_holds_leave_a_debtor_out_while_they_last_and_when_they_come_up()
    {
        Assert.Equal("DisputeOpen", Overdue.Disputes("03-20").Row("paid:0.5"));
        Assert.Equal("0", Overdue.Disputes("03-20").Resolves("03-30").Row("paid:0.5"));
        Assert.Equal("DisputeInHorizon", Overdue.Disputes("04-20").Row("paid:0.5"));
        Assert.Equal("DisputeInHorizon", Overdue.Disputes("03-20", known: "04-10").Row("paid:0.5"));
        Assert.Equal("0", Overdue.Disputes("05-01").Row("paid:0.5"));
        Assert.Equal("OnHold", Overdue.Holds("03-20", until: "04-02").Row("paid:0.5"));
        Assert.Equal("0", Overdue.Holds("03-20", until: "03-30").Row("paid:0.5"));
        Assert.Equal("HoldInHorizon", Overdue.Holds("04-20", until: "04-22").Row("any-payment"));
    }

    [Fact]
    public void A_horizon_that_is_not_over_gives_no_row_even_when_the_outcome_is_seen_already()
    {
        TrainingScene scene = Overdue.Pays("04-02", 100);
        Assert.Equal("1", scene.Row("paid:0.5", completeThrough: "04-30"));
        Assert.Equal("HorizonNotOver", scene.Row("paid:0.5", completeThrough: "04-29"));
    }

    [Theory]
    [InlineData("", "1")]
    [InlineData("04-10", "0")]
    [InlineData("04-11", "1")]
    [InlineData("04-30", "1")]
    public void Past_due_asks_whether_an_item_to_come_is_still_open_the_day_after_it_is_due(string paid, string outcome)
    {
        TrainingScene scene = new TrainingScene().Owes("03-20", 100, "04-10");
        Assert.Equal(outcome, (paid.Length > 0 ? scene.Pays(paid, 100) : scene).Row("past-due"));
    }

    [Theory]
    [InlineData("04-14", "0")]
    [InlineData("04-15", "1")]
    public void Past_due_may_ask_for_more_days(string paid, string outcome) =>
        Assert.Equal(outcome, new TrainingScene().Owes("03-20", 100, "04-10").Pays(paid, 100).Row("past-due:5"));

    [Fact]
    public void Past_due_takes_the_items_that_can_become_so_and_no_others()
    {
        Assert.Equal("0", new TrainingScene().Owes("03-20", 100, "03-31", item: "a").Pays("03-31", 40).Redates("04-01", "a", "04-30").Row("past-due"));
        Assert.Equal("1", new TrainingScene().Owes("03-20", 100, "04-29").Row("past-due"));
        Assert.Equal("NothingFallsDue", new TrainingScene().Owes("03-20", 100, "04-30").Row("past-due"));
        Assert.Equal("NothingFallsDue", Overdue.Row("past-due"));
        Assert.Equal("", new TrainingScene().Owes("04-01", 100, "04-10", known: "03-20").Row("past-due"));
        Assert.Equal("0", Overdue.Owes("03-20", 50, "04-15", item: "next").Pays("04-02", 150).Row("past-due"));
    }

    [Fact]
    public void Past_due_leaves_out_what_was_closed_otherwise_unless_it_was_late_before()
    {
        Assert.Equal("ClosedOtherwise", new TrainingScene().Owes("03-20", 100, "04-10", item: "a").Cancels("04-05", "a").Row("past-due"));
        Assert.Equal("ClosedOtherwise", new TrainingScene().Owes("03-20", 100, "04-10", item: "a").Credits("04-05", "a", 100).Row("past-due"));
        Assert.Equal("1", new TrainingScene().Owes("03-20", 100, "04-10", item: "a").Owes("03-20", 70, "04-10").Cancels("04-05", "a").Row("past-due"));
    }

    [Fact]
    public void A_reversed_payment_leaves_an_item_past_due()
    {
        TrainingScene scene = new TrainingScene().Owes("03-20", 100, "04-10").Pays("04-02", 100, id: "p");
        Assert.Equal("0", scene.Row("past-due"));
        Assert.Equal("1", scene.Reverses("04-25", "p").Row("past-due"));
    }

    [Fact]
    public void Attempts_of_the_horizon_are_told_beside_the_outcome()
    {
        Assert.Equal("0", Overdue.Calls("03-31").Calls("05-01").Row("any-payment"));
        Assert.Equal("0+", Overdue.Calls("04-01").Row("any-payment"));
        Assert.False(Overdue.Survey().KnowsAttempts("bank"));
        Assert.True(Overdue.Calls("03-31").Survey().KnowsAttempts("bank"));
    }

    [Fact]
    public void Rows_come_by_date_and_debtor_and_nobody_is_there_before_he_is_known()
    {
        TrainingScene scene = new TrainingScene().Owes("02-01", 100, "02-10", debtor: "b").Owes("02-01", 100, "02-10", debtor: "a", known: "03-15").Owes("02-01", 100, "02-10", debtor: "B");
        Assert.Equal(
            [("02-29", "B"), ("02-29", "b"), ("03-31", "B"), ("03-31", "a"), ("03-31", "b")],
            scene.Rows("paid:0.5", dates: ["01-31", "02-29", "03-31"]).Select(row => (row.Date, row.Debtor)));
    }

    [Fact]
    public void Imported_history_may_count_as_known_when_it_was_effective_and_live_events_never_do()
    {
        TrainingScene scene = new TrainingScene().Owes("02-01", 100, "03-10", debtor: "imported", known: "12-01", imported: true).Owes("02-01", 100, "03-10", debtor: "live", known: "12-01");
        Assert.Empty(scene.Rows("any-payment"));
        Assert.Equal(["imported"], scene.Rows("any-payment", selection: new HistorySelection { ImportedKnownWhenEffective = true }).Select(row => row.Debtor));
        Assert.Equal(TrainingScene.On("02-01"), Domain.Day.OfMs(scene.Survey(new HistorySelection { ImportedKnownWhenEffective = true }).FirstKnownMs));
    }

    [Fact]
    public void A_sample_and_parts_take_each_debtor_whole_and_parts_together_take_all()
    {
        var scene = new TrainingScene();
        for (int i = 0; i < 400; i++)
            scene.Owes("02-01", 100, "02-10", debtor: $"d{i}");
        string[] Names(HistorySelection selection) => [.. scene.Rows("any-payment", selection: selection, dates: ["03-01", "03-31"]).Select(row => row.Debtor)];
        string[] half = Names(new HistorySelection { Share = 0.5, Seed = 3 });
        Assert.InRange(half.Length, 320, 480);
        Assert.All(half.CountBy(name => name), count => Assert.Equal(2, count.Value));
        Assert.Equal(half, Names(new HistorySelection { Share = 0.5, Seed = 3 }));
        Assert.NotEqual(half, Names(new HistorySelection { Share = 0.5, Seed = 4 }));
        string[] parts = [.. Enumerable.Range(0, 3).SelectMany(part => Names(new HistorySelection { Part = part, Parts = 3 }))];
        Assert.Equal(Names(HistorySelection.All).Order(), parts.Order());
    }

    [Theory]
    [InlineData("paid:0.5", "paid:0.5", "propensity")]
    [InlineData("paid:1", "paid:1", "propensity")]
    [InlineData("any-payment", "any-payment", "propensity")]
    [InlineData("past-due", "past-due:1", "pre-due-risk")]
    [InlineData("past-due:30", "past-due:30", "pre-due-risk")]
    public void Labels_read_back_as_they_are_written(string text, string name, string target)
    {
        Assert.True(TrainingLabel.TryParse(text, out TrainingLabel label));
        Assert.Equal((name, target), (label.ToString(), label.Target));
        Assert.True(TrainingLabel.TryParse(label.ToString(), out TrainingLabel again));
        Assert.Equal(label, again);
        Assert.Contains("77", label.Describe(77), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("paid")]
    [InlineData("paid:0")]
    [InlineData("paid:1.01")]
    [InlineData("paid:50%")]
    [InlineData("paid:-1")]
    [InlineData("paid:0,5")]
    [InlineData("past-due:0")]
    [InlineData("past-due:367")]
    [InlineData("past-due:1:2")]
    [InlineData("churn")]
    public void Other_labels_are_refused(string text) => Assert.False(TrainingLabel.TryParse(text, out _));
}
