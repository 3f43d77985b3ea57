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

    [Fact]
    public void However_many_regions_there_are_the_groups_of_a_version_stay_few_and_the_next_version_has_its_own()
    {
        const int debtors = 10_100;
        using Scene scene = SceneOf("paid:0.5");
        var writer = new EventWriter();
        for (int i = 0; i < debtors; i++)
            scene.Tell(writer.DebtorRegistered(scene.At($"d{i}", null, Scene.Today.Plus(-50)), default, [("region", $"postcode {i}")])).Owes($"d{i}");
        scene.Run();
        Pass(31 * Day);
        Assert.Equal(debtors, Group("all", "all", 1));
        scene.Partition.Install(ModelSet.Of(Model("paid:0.5", 2)));
        Pass(Day);
        Pass(31 * Day);
        Assert.Equal(debtors, Group("all", "all", 2));
        Assert.InRange(Group("region", "others", 2), debtors - Limits.OutcomeGroupsMax, debtors);
        Assert.InRange(scene.Partition.View.Outcomes().Count, 2, 2 * (Limits.OutcomeGroupsMax + 50));

        void Pass(long ms)
        {
            scene.After(ms);
            for (int looked = 0; looked < debtors; looked += Limits.SweepPerSlice)
                scene.Run();
        }

        long Group(string dimension, string group, ushort model) =>
            scene.Partition.View.Outcomes().SingleOrDefault(outcome => outcome.Key == new OutcomeKey(model, dimension, group)).Value.Predictions;
    }

    private static ScoringModel Model(string outcome, ushort number)
    {
        var files = new ModelFiles(StumpModel.Constant(0.25), StumpModel.Manifest("stump", $"{number}", more: $"\"outcome\": \"{outcome}\""));
        return ScoringModel.Create("stump", files, out string error, number) ?? throw new InvariantBrokenException(error);
    }

    private static Scene SceneOf(string outcome, DebtorOptions? options = null, long activeSince = 0) =>
        new(options: options, models: ModelSet.Of(Model(outcome, 1)) with { PropensitySinceMs = activeSince });

    private static (long, long) All(Scene scene)
    {
        OutcomeSums sums = scene.Partition.View.Outcomes().SingleOrDefault(outcome => outcome.Key.Dimension == "all").Value;
        return (sums.Predictions, sums.CameTrue);
    }
}
