using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Partitions;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;
using Collections.Scoring.Reasons;
using Collections.Simulation.Fakes;

namespace Collections.Engine.Tests.Hosting;

/// <summary>The reasons of leases, from the pull to the store and back.</summary>
public sealed class ReasonTests
{
    /// <summary>One split by the overdue balance and one by the days past due: 10 leaves of training rows each, so that half of what is expected is known.</summary>
    private const string Text = """
        tree
        version=v4
        num_class=1
        num_tree_per_iteration=1
        max_feature_idx=1
        objective=binary sigmoid:1
        feature_names=overdue_balance oldest_dpd

        Tree=0
        num_leaves=3
        num_cat=0
        split_feature=0 1
        threshold=50 5
        decision_type=2 2
        left_child=-1 -2
        right_child=1 -3
        leaf_value=1 -2 0.5
        leaf_count=10 10 20
        internal_count=40 30
        shrinkage=1


        end of trees

        """;

    [Fact]
    public async Task Reasons_are_kept_with_the_lease_and_come_back_with_it()
    {
        await using var scene = new NodeScene(model: Model(Text));
        await scene.OweAsync([.. Enumerable.Range(0, 120).Select(i => ($"d{i}", 100L + i * 100))]);
        PullResult pulled = await scene.PullAsync(120, "request");
        Assert.Equal(120, pulled.Leases.Count);
        foreach (LeaseRow row in pulled.Leases.Select(action => action.Lease))
        {
            // By hand. Up to 50 EUR: 1 whatever the days; above, 10 days past due: 0.5. Unknown are 1/4, and, of the days, 1/3 and 2/3.
            bool isSmall = row.Value / row.Propensity <= 50;
            double withBalance = isSmall ? 1 : -2.0 / 3 + 0.5 * 2 / 3, withDays = 0.25 + 0.75 * 0.5, withBoth = isSmall ? 1 : 0.5, withNone = 0.25 + 0.75 * (-2.0 / 3 + 0.5 * 2 / 3);
            double balance = (withBalance - withNone + withBoth - withDays) / 2, days = (withDays - withNone + withBoth - withBalance) / 2;
            var expected = new Dictionary<int, double> { [2] = balance, [1] = days };
            Assert.Equal(2, row.Reasons.Count);
            Assert.True(Math.Abs(row.Reasons[0].Contribution) >= Math.Abs(row.Reasons[1].Contribution));
            for (int i = 0; i < 2; i++)
                Assert.Equal(expected[row.Reasons[i].Code], row.Reasons[i].Contribution, 1e-12);
        }
        List<TopReasons> first = Of(pulled);
        Assert.Equal(first, Of(await scene.PullAsync(120, "request")));
        scene.Restart();
        await scene.SettleAsync();
        Assert.Equal(first, Of(await scene.PullAsync(120, "request")));
    }

    [Fact]
    public async Task The_trail_names_the_reasons_of_what_was_granted()
    {
        await using var scene = new NodeScene(partitions: 1, model: Model(Text));
        await scene.OweAsync(("a", 10_000));
        LeaseRow row = Assert.Single((await scene.PullAsync(1)).Leases).Lease;
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        AuditRow granted = Assert.Single(scene.Store.LoadAudit(0), audit => audit.Kind == AuditKind.LeaseGranted);
        Assert.EndsWith(FormattableString.Invariant($", reasons {row.Reasons[0].Code}:{row.Reasons[0].Contribution:R} {row.Reasons[1].Code}:{row.Reasons[1].Contribution:R}"), granted.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_wants_no_reasons_gets_and_keeps_none()
    {
        await using var scene = new NodeScene(model: Model(Text));
        await scene.OweAsync(("a", 10_000));
        PullResult pulled = await scene.Node.Actions.PullAsync(new PullOrder("bank", NodeScene.Queue, 1, "sender", "", 60_000, WithReasons: false)).WaitAsync(NodeScene.Patience);
        Assert.Equal(default, Assert.Single(Of(pulled)));
    }

    [Fact]
    public async Task Without_a_model_or_with_one_that_can_not_be_explained_actions_have_no_reasons()
    {
        ScoringModel silent = Model(Text.Replace("leaf_count=10 10 20\n", "", StringComparison.Ordinal));
        Assert.Contains("leaf_count", silent.Explainer.WhyNot, StringComparison.Ordinal);
        foreach (ScoringModel? model in new[] { null, silent })
        {
            await using var scene = new NodeScene(model: model);
            await scene.OweAsync(("a", 10_000), ("b", 20_000));
            Assert.Equal([default, default], Of(await scene.PullAsync(2)));
        }
    }

    [Fact]
    public async Task What_was_reserved_goes_back_when_the_store_fails_after_its_reasons_were_found()
    {
        await using var scene = new NodeScene(model: Model(Text));
        await scene.OweAsync(("a", 10_000));
        scene.Store.At = moment =>
        {
            if (moment == StoreMoment.BeforeLeases)
                throw new StoreUnavailableException("no space", new InvalidOperationException());
        };
        await Assert.ThrowsAsync<StoreUnavailableException>(() => scene.PullAsync(1));
        scene.Store.At = null;
        Assert.Equal(2, Assert.Single(Of(await scene.PullAsync(1))).Count);
    }

    [Fact]
    public async Task A_row_that_is_not_the_one_that_was_scored_explains_nothing()
    {
        ScoringModel model = Model(Text);
        await using var scene = new NodeScene(partitions: 1, model: model);
        await scene.OweAsync(("a", 10_000));
        DebtorSnapshot snapshot = (await scene.Node.Ask(0, p => p.View.Debtor("bank"u8, "a"u8)))!;
        ScoredRow row = snapshot.Scored!;
        Assert.Equal(model.Sha256, row.Model.Sha256);
        Assert.Equal([100.0, 10], row.Values);
        double[] contributions = model.Explainer.Contributions(row)!;
        Assert.Equal(row.Score, contributions.Sum(), 1e-12);
        Assert.Null(model.Explainer.Contributions(row with { Values = [100.0, 3] }));
        Assert.Null(model.Explainer.Contributions(row with { Score = double.NaN }));
        var reasons = new TopReasons[2];
        model.Explainer.Top([row with { Score = row.Score + 0.1 }, row], reasons);
        Assert.Equal(default, reasons[0]);
        Assert.Equal(model.Explainer.Top(contributions), reasons[1]);
    }

    private static List<TopReasons> Of(PullResult result) => [.. result.Leases.Select(action => action.Lease.Reasons)];

    private static ScoringModel Model(string text) => ScoringModel.Create("small", new ModelFiles(text, ""), out string error) ?? throw new InvalidOperationException(error);
}
