using Collections.Engine.Tests;
using Collections.Server.Tests.EndToEnd;
using Collections.Server.Tests.Services;
using Collections.Storage.Tests;
using Collections.V1;
using Grpc.Net.Client;

namespace Collections.Server.Tests.Cluster;

/// <summary>How models do is told of all nodes by each of them, and what can't be looked at is named.</summary>
[Collection(ClusterServer.Name)]
public sealed class ClusterModelTests(SharedCluster postgres)
{
    private const string Bins = """
        "distribution": {"score": {"edges": [0], "shares": [0.5, 0.5], "missing": 0},
          "features": {"overdue_balance": {"edges": [50, 150], "shares": [0.4, 0.3, 0.3], "missing": 0}}}
        """;

    [ClusterFact]
    public async Task Any_node_compares_and_watches_models_over_all_nodes_and_names_what_is_away()
    {
        await using ClusterScene scene = await ClusterScene.StartAsync(postgres.Server, "a", "b");
        await scene.WaitServingAsync();
        string[] debtors = [.. Enumerable.Range(0, 100).Select(static i => $"D-{i}")];
        scene.Send(ClusterEvents.Of(debtors, seed: 2, count: 600));
        scene.Flush();
        int known = scene.Sent.Select(static e => e.Debtor).Distinct().Count();
        await UseModelsAsync(scene.Nodes["a"].Channel);
        await ClusterScene.UntilAsync(scene.Nodes["a"], status => status.EventsApplied == scene.Sent.Count);
        await using ServeProcess oracle = await scene.StartOracleAsync();
        await UseModelsAsync(oracle.Channel);
        ModelComparison expected = await ComparedAsync(oracle.Channel, known);
        ModelWatch watched = await new Models.ModelsClient(oracle.Channel).WatchAsync(new WatchModelRequest());
        Assert.InRange(expected.Debtors, known / 2, known);

        ModelComparison first = await ComparedAsync(scene.Nodes["a"].Channel, expected.Debtors), second = await ComparedAsync(scene.Nodes["b"].Channel, expected.Debtors);
        Assert.Equal(first, second);
        RequireSame(expected, first);
        foreach (ServeProcess node in scene.Nodes.Values)
        {
            ModelWatch seen = await new Models.ModelsClient(node.Channel).WatchAsync(new WatchModelRequest());
            Assert.Equal((ClusterScene.Partitions, 0, watched.Debtors), (seen.PartitionsCovered, seen.Silent.Count, seen.Debtors));
            Assert.Equal((watched.ScoreStability, watched.Features[0].StabilityIndex), (seen.ScoreStability, seen.Features[0].StabilityIndex));
            ListModelsResponse list = await new Models.ModelsClient(node.Channel).ListAsync(new ListModelsRequest());
            Assert.Equal((known, 0), (list.ToRescore, list.SilentNodes.Count));
        }

        // One that sleeps: what it has is named before the caller's time is over, and the rest answered.
        ServeProcess asleep = scene.Take("b");
        await asleep.SignalAsync("STOP");
        var request = new CompareModelsRequest { Head = 10 };
        ModelComparison left = await new Models.ModelsClient(scene.Nodes["a"].Channel).CompareAsync(request, deadline: DateTime.UtcNow.AddSeconds(4));
        Assert.Equal(ClusterScene.Partitions, left.PartitionsCovered + left.Silent.Count);
        Assert.NotEmpty(left.Silent);
        Assert.All(left.Silent, silent => Assert.Contains($"node {asleep.Authority} can't be asked now", silent.Reason, StringComparison.Ordinal));
        Assert.InRange(left.Debtors, 1, expected.Debtors - 1);
        // One that is gone: as soon as its partitions run elsewhere, the figures are whole again.
        await asleep.KillAsync();
        await asleep.DisposeAsync();
        await scene.WaitServingAsync();
        RequireSame(expected, await ComparedAsync(scene.Nodes["a"].Channel, expected.Debtors));
    }

    private static async Task UseModelsAsync(GrpcChannel channel)
    {
        var models = new Models.ModelsClient(channel);
        await models.AddAsync(StumpRequest.Of("small", StumpModel.Text("overdue_balance", 100, 0.9, 0.2), more: Bins));
        await models.AddAsync(StumpRequest.Of("large", StumpModel.Text("overdue_balance", 60, 0.1, 0.7)));
        await models.ActivateAsync(new ModelReference { Name = "stump", Version = "small" });
        await models.ShadowAsync(new ModelReference { Name = "stump", Version = "large" });
    }

    /// <summary>A change of models reaches other nodes within a second, and the book a moment later.</summary>
    private static async Task<ModelComparison> ComparedAsync(GrpcChannel channel, long debtors)
    {
        using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            ListModelsResponse list = await new Models.ModelsClient(channel).ListAsync(new ListModelsRequest());
            ModelVersion? active = list.Versions.FirstOrDefault(static version => version.Role == "active"), shadow = list.Versions.FirstOrDefault(static version => version.Role == "shadow");
            if ((active?.Version, shadow?.Version, list.Rescored) == ("small", "large", list.ToRescore))
            {
                ModelComparison found = await new Models.ModelsClient(channel).CompareAsync(new CompareModelsRequest { Head = 10 });
                Assert.True(found.PartitionsCovered > 0 && found.Silent.Count == 0, $"{found}");
                if (found.Unscored == 0 && (found.Debtors == debtors || found.PartitionsCovered < ClusterScene.Partitions))
                    return found;
            }
            await again.WaitForNextTickAsync(patience.Token);
        }
    }

    /// <summary>The oracle has another partition count: its sums were added in another order.</summary>
    private static void RequireSame(ModelComparison expected, ModelComparison found)
    {
        Assert.Equal((expected.Debtors, ClusterScene.Partitions), (found.Debtors, found.PartitionsCovered));
        Assert.Equal(Figures(expected), Figures(found));
        Assert.NotEmpty(found.Queues);
        Assert.Equal(expected.Queues.Select(HeadOf), found.Queues.Select(HeadOf));

        static double[] Figures(ModelComparison c) => [.. ((double[])[c.MeanActive, c.MeanShadow, c.MeanDifference, c.DifferenceMax, c.Correlation, c.SameTenth]).Select(static x => Math.Round(x, 9))];
        static (string, long, int, double, double) HeadOf(QueueComparison q) => (q.Queue, q.Waiting, q.Head, Math.Round(q.ActiveHead.ByActive, 6), Math.Round(q.ShadowHead.ByShadow, 6));
    }
}
