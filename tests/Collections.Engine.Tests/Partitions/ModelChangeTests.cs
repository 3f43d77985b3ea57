using Collections.Domain;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;

namespace Collections.Engine.Tests.Partitions;

/// <summary>What a partition makes of a change of its models.</summary>
public sealed class ModelChangeTests
{
    [Fact]
    public void After_a_change_the_book_is_scored_anew_as_fast_as_the_host_allows_and_everybody_keeps_a_score_of_one_version()
    {
        using Scene scene = new();
        for (int i = 0; i < 100; i++)
            scene.Owes($"d{i}");
        scene.Partition.Install(Set(1, Model(0.2, 1)));
        scene.Run();
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal((0.2, 1), Scored(scene, $"d{i}")));

        scene.Partition.Install(Set(2, Model(0.7, 2)));
        Assert.Equal((0, 100), scene.Partition.View.Rescored);
        for (int round = 1; round <= 4; round++)
        {
            Assert.True(scene.Partition.IsRescoring);
            scene.Run(sweepMax: 25);
            Assert.Equal((25 * round, 100), (scene.Partition.View.Rescored.Done, scene.Partition.View.Rescored.Of));
            var scores = Enumerable.Range(0, 100).Select(i => Scored(scene, $"d{i}")).CountBy(score => score).ToDictionary();
            Assert.Equal(25 * round, scores[(0.7, 2)]);
            Assert.Equal(100 - 25 * round, scores.GetValueOrDefault((0.2, 1)));
        }
        Assert.False(scene.Partition.IsRescoring);
    }

    [Fact]
    public void An_event_is_scored_by_the_models_of_its_slice_before_the_book_comes_round()
    {
        using Scene scene = new Scene().Owes("a").Owes("b");
        scene.Partition.Install(Set(1, Model(0.2, 1)));
        scene.Run();
        scene.Partition.Install(Set(2, Model(0.7, 2)));
        scene.Pays("b", 1).Run(sweepMax: 0);
        Assert.Equal((0.2, 1), Scored(scene, "a"));
        Assert.Equal((0.7, 2), Scored(scene, "b"));
    }

    [Fact]
    public void A_change_is_an_act_in_the_trail_with_the_versions_and_where_it_came_into_force()
    {
        using Scene scene = new Scene().Owes("a").Run();
        scene.Partition.Install(Set(7, Model(0.2, 3)));
        var checkpoint = new Checkpoint();
        scene.Partition.Checkpoints.Fill(checkpoint);
        AuditRow act = Assert.Single(checkpoint.Audit);
        Assert.Equal((AuditKind.ModelsInstalled, scene.Partition.ClockMs), (act.Kind, act.AtMs));
        Assert.StartsWith("revision 7: propensity stump 3 (number 3, ", act.Detail, StringComparison.Ordinal);
        Assert.EndsWith("), pre-due-risk none, shadow none", act.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_round_through_the_book_that_was_cut_off_goes_on_after_a_restart()
    {
        using Scene scene = new Scene().Owes("a").Owes("b");
        scene.Partition.Install(Set(1, Model(0.2, 1)));
        scene.Run();
        scene.Partition.Install(Set(2, Model(0.7, 2)));
        scene.Run(sweepMax: 1);
        var checkpoint = new Checkpoint();
        scene.Partition.Checkpoints.Fill(checkpoint);

        using Scene again = new(models: Set(2, Model(0.7, 2)));
        again.Load(checkpoint);
        Assert.Equal([(0.2, 1), (0.7, 2)], ((string[])["a", "b"]).Select(name => Scored(again, name)).Order());
        again.NowMs = scene.NowMs;
        again.Run();
        Assert.Equal([(0.7, 2), (0.7, 2)], ((string[])["a", "b"]).Select(name => Scored(again, name)));
    }

    [Fact]
    public void A_debtor_who_has_gone_on_quietly_since_its_score_is_still_shown()
    {
        using Scene scene = new Scene(models: Set(1, Model(0.2, 1))).Owes("a").Run();
        scene.NowMs += 200 * 24 * Scene.Hour;
        scene.Pays("a", 5_000, isHistory: true).Run();
        scene.NowMs += 200 * 24 * Scene.Hour;
        scene.Pays("a", 500, isHistory: true).Run();
        scene.NowMs += 200 * 24 * Scene.Hour;
        scene.Run();
        Assert.True(scene.Debtor("a").IsQuiet);
        Assert.Equal((0.2, 1), Scored(scene, "a"));
    }

    private static (double, int) Scored(Scene scene, string name)
    {
        Domain.Debtors.ActedState acted = scene.Debtor(name).Acted;
        return (Math.Round(acted.Propensity, 9), acted.ModelVersion);
    }

    private static ModelSet Set(long revision, ScoringModel propensity) => ModelSet.Of(propensity) with { Revision = revision };

    private static ScoringModel Model(double probability, ushort number)
    {
        var files = new ModelFiles(StumpModel.Constant(probability), StumpModel.Manifest("stump", $"{number}"));
        return ScoringModel.Create("stump", files, out string error, number) ?? throw new InvariantBrokenException(error);
    }
}
