using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Partitions;
using Collections.Engine.Scoring;

namespace Collections.Engine.Tests.Partitions;

/// <summary>What counts as come true of a prediction, and what counts at all.</summary>
public sealed class OutcomeWatchTests
{
    private const long Day = 24 * Scene.Hour;

    [Fact]
    public void What_is_paid_on_the_day_of_the_prediction_after_it_counts_and_what_came_before_it_does_not()
    {
        using Scene scene = SceneOf("paid:0.5");
        scene.Owes("after").Owes("before", 15_000);
        scene.Pays("before", 5_000).Run();
        scene.After(Scene.Hour);
        scene.Pays("after").Run();
        scene.After(31 * Day).After(Day);
        Assert.Equal((2, 1), All(scene));
    }

    [Theory]
    [InlineData(29, 1)]
    [InlineData(30, 0)]
    public void What_is_paid_counts_for_as_many_days_as_the_horizon_has(int daysAfter, long cameTrue)
    {
        using Scene scene = SceneOf("paid:0.5");
        scene.Owes("ann").Run();
        scene.After(30 * Day);
        scene.Pays("ann", 6_000, on: Scene.Today.Plus(daysAfter)).Run();
        Assert.Equal((0, 0), All(scene));
        scene.After(Day);
        Assert.Equal((1, cameTrue), All(scene));
    }

    [Theory]
    [InlineData("any-payment", 1)]
    [InlineData("paid:0.01", 0)]
    public void Any_payment_is_one_in_any_currency_and_a_share_one_in_the_debts_own(string outcome, long cameTrue)
    {
        using Scene scene = SceneOf(outcome);
        scene.Owes("ann").Run();
        scene.After(Day);
        scene.Tell(new EventWriter().PaymentReceived(scene.At("ann", "usd", Scene.Today.Plus(1)), 9_000, Currency.Parse("USD"))).Run();
        scene.After(30 * Day);
        Assert.Equal((1, cameTrue), All(scene));
    }

    [Fact]
    public void A_prediction_that_is_looked_at_when_its_payments_are_folded_away_says_nothing()
    {
        using Scene scene = SceneOf("paid:0.5", new DebtorOptions { HorizonDays = 40, HorizonSlackDays = 0 });
        scene.Owes("ann", 10_000).Run();
        scene.After(5 * Day);
        scene.Pays("ann", 6_000).Run();
        scene.NowMs += 120 * Day;
        scene.Pays("ann", 1).Run();
        Assert.Equal((0, 0), All(scene));
        // The next one is under watch again.
        scene.After(Day).After(31 * Day);
        Assert.Equal((1, 0), All(scene));
    }

    [Fact]
    public void A_dispute_ends_the_watch_as_it_leaves_a_debtor_out_of_a_training_set()
    {
        using Scene scene = SceneOf("paid:0.5");
        scene.Owes("ann").Owes("bob").Disputes("bob", "from the start").Run();
        scene.After(3 * Day);
        scene.Disputes("ann", "meanwhile").Run();
        scene.After(40 * Day);
        Assert.Equal((0, 0), All(scene));
    }

    [Fact]
    public void What_a_model_says_of_the_time_before_it_was_active_was_never_foretold()
    {
        using Scene scene = SceneOf("paid:0.5", activeSince: Scene.Today.Plus(10).StartMs);
        scene.Owes("ann").Run();
        scene.After(9 * Day);
        scene.After(25 * Day);
        Assert.Equal((0, 0), All(scene));
        scene.After(32 * Day);
        Assert.Equal((1, 0), All(scene));
    }

    private static Scene SceneOf(string outcome, DebtorOptions? options = null, long activeSince = 0)
    {
        var files = new ModelFiles(StumpModel.Constant(0.25), StumpModel.Manifest("stump", "1", more: $"\"outcome\": \"{outcome}\""));
        ScoringModel model = ScoringModel.Create("stump", files, out string error) ?? throw new InvariantBrokenException(error);
        return new Scene(options: options, models: ModelSet.Of(model) with { PropensitySinceMs = activeSince });
    }

    private static (long, long) All(Scene scene)
    {
        OutcomeSums sums = scene.Partition.View.Outcomes().SingleOrDefault(outcome => outcome.Key.Dimension == "all").Value;
        return (sums.Predictions, sums.CameTrue);
    }
}
