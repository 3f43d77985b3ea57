using Collections.Server.Tests.EndToEnd;
using Collections.Storage.Tests;
using Collections.V1;

namespace Collections.Server.Tests.Cluster;

/// <summary>Three nodes that share the partitions: any of them answers everything, and they come and go.</summary>
[Collection(ClusterServer.Name)]
public sealed class ClusterTests(SharedCluster postgres)
{
    [ClusterFact]
    public async Task Any_node_answers_everything_while_nodes_come_and_go()
    {
        await using ClusterScene scene = await ClusterScene.StartAsync(postgres.Server, "a", "b");
        await scene.WaitServingAsync();
        string[] debtors = [.. Enumerable.Range(0, 200).Select(static i => $"D-{i}")];
        scene.Send(ClusterEvents.Of(debtors, seed: 1, count: 2_000));
        scene.Flush();
        await ClusterScene.UntilAsync(scene.Nodes["a"], status => status.EventsApplied == scene.Sent.Count);
        await scene.StartNodeAsync("c");
        await ClusterScene.UntilAsync(scene.Nodes["c"], static status => status.Partitions.Select(static p => p.Node).Distinct().Count() == 3);
        await scene.WaitServingAsync();
        await scene.JudgeAsync(debtors);
        CommandResult gone = await scene.Nodes["a"].StopAsync();
        Assert.Equal(0, gone.ExitCode);
        scene.Nodes.Remove("a");
        await scene.WaitServingAsync();
        await scene.JudgeAsync(debtors);
        await RequireWholePastAsync(scene, "a");
        // A node goes on with an archive that was completed, which is ahead of the store by then.
        await scene.StartNodeAsync("a");
        await ClusterScene.UntilAsync(scene.Nodes["a"], static status => status.Partitions.Select(static p => p.Node).Distinct().Count() == 3);
        scene.Send(ClusterEvents.Of(debtors, seed: 3, count: 500));
        scene.Flush();
        await ClusterScene.UntilAsync(scene.Nodes["a"], status => status.EventsApplied == scene.Sent.Count);
        await scene.JudgeAsync(debtors);
    }

    /// <summary>The archive of a node that has stopped has its own share of the past; what the others ran can be fetched.</summary>
    private static async Task RequireWholePastAsync(ClusterScene scene, string stopped)
    {
        string[] features = ["features", "--as-of", "2026-12-31", "--data"];
        CommandResult refused = await CollectionsProcess.RunAsync([.. features, scene.DataOf(stopped)]);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains($"collections kafka archive --kafka HOST:PORT --data {scene.DataOf(stopped)}", refused.Errors, StringComparison.Ordinal);
        foreach (string data in (string[])[scene.DataOf(stopped), scene.DataOf("fresh")])
        {
            CommandResult fetched = await CollectionsProcess.RunAsync("kafka", "archive", "--kafka", scene.Bootstrap, "--prefix", scene.Prefix, "--kafka-config", "fetch.wait.max.ms=5", "--data", data);
            Assert.Contains($"{ClusterScene.Partitions} of {ClusterScene.Partitions} partitions are whole", fetched.RequireSuccess(), StringComparison.Ordinal);
        }
        string past = (await CollectionsProcess.RunAsync([.. features, scene.DataOf(stopped)])).RequireSuccess();
        Assert.Equal(scene.Sent.Select(static e => e.Debtor).Distinct().Count() + 1, past.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal((await CollectionsProcess.RunAsync([.. features, scene.DataOf("fresh")])).RequireSuccess(), past);
    }
}
