using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Stores;

namespace Collections.Engine.Tests.Hosting;

/// <summary>Partitions that go from node to node, and requests that find them.</summary>
public sealed class SharedPartitionTests
{
    private static readonly (string, long)[] Book = [.. Enumerable.Range(0, 40).Select(static i => ($"d{i:00}", 100L * (i + 1)))];

    [Fact]
    public async Task A_pull_on_any_node_gives_the_best_of_all_in_order()
    {
        await using var scene = new SharedScene(partitions: 6, nodes: 3);
        await scene.AssignAsync(0, 0, 1);
        await scene.AssignAsync(1, 2, 3);
        await scene.AssignAsync(2, 4, 5);
        await scene.OweAsync(0, Book);
        var given = new List<string>();
        for (int pull = 0; pull < 4; pull++)
            given.AddRange(NodeScene.Names(await scene.PullAsync(pull % 3, 10)));
        Assert.Equal(Book.Select(static debt => debt.Item1).Reverse(), given);
        Assert.Empty((await scene.PullAsync(1, 10)).Leases);
    }

    [Fact]
    public async Task What_nobody_runs_is_told_and_the_rest_is_given()
    {
        await using var scene = new SharedScene(partitions: 4, nodes: 2);
        await scene.AssignAsync(0, 0, 1);
        await scene.AssignAsync(1, 2);
        await scene.OweAsync(0, Book);
        PullResult result = await scene.PullAsync(0, 40);
        Assert.Contains("of 1 partitions nobody has been heard, such as 3", result.Reason, StringComparison.Ordinal);
        Assert.Equal(Book.Count(debt => scene.PartitionOf(debt.Item1) != 3), result.Leases.Count);
    }

    [Fact]
    public async Task A_partition_is_handed_over_with_its_leases_and_without_reading_the_log_again()
    {
        await using var scene = new SharedScene(partitions: 2, nodes: 2);
        await scene.AssignAsync(0, 0, 1);
        await scene.OweAsync(0, Book);
        PullResult first = await scene.PullAsync(0, 5, "request");
        await scene.RevokeAsync(0, 0, 1);
        Assert.Equal([PartitionState.Elsewhere, PartitionState.Elsewhere], new[] { scene[0].StateOf(0), scene[0].StateOf(1) });
        Assert.Empty(scene.Store.LoadOwners());
        await Assert.ThrowsAsync<PartitionElsewhereException>(() => scene[0].Ask(0, static p => p.Number));
        await scene.AssignAsync(1, 0, 1);
        Assert.All(scene.Store.LoadOwners(), static owner => Assert.Equal("node-1:7700", owner.Address));
        // Everything was kept: nothing was applied again.
        Assert.Equal(0, (await scene[1].AskAll(static p => p.Counters.Duplicates)).Sum());
        Assert.Equal(Book.Length, (await scene[1].AskAll(static p => p.Counters.Applied)).Sum());
        Assert.Equal(NodeScene.Ids(first), NodeScene.Ids(await scene.PullAsync(1, 5, "request")));
        Assert.Equal(NodeScene.Ids(first), NodeScene.Ids(await scene.PullAsync(0, 5, "request")));
        Assert.DoesNotContain((await scene.PullAsync(0, 40)).Leases, action => NodeScene.Names(first).Contains(action.Lease.Debtor));
        LeaseAnswer reported = await scene[1].Actions.ReportAsync(NodeScene.Ids(first)[0], AttemptOutcome.NoAnswer, scene.Time.NowMs, CancellationToken.None);
        Assert.Equal(LeaseStatus.Closed, reported.Status);
        Assert.Empty(scene.Warnings);
    }

    [Fact]
    public async Task A_zombie_grants_nothing_keeps_nothing_and_gives_up()
    {
        await using var scene = new SharedScene(partitions: 1, nodes: 2);
        await scene.AssignAsync(0, 0);
        await scene.OweAsync(0, ("a", 300), ("b", 200), ("c", 100));
        await scene[0].CheckpointAsync().WaitAsync(NodeScene.Patience);
        await scene.AssignAsync(1, 0);
        List<string> given = NodeScene.Names(await scene.PullAsync(1, 1));
        Assert.Equal(["a"], given);
        // The first node still sees everybody in its own queue, and believes that they are its to give.
        scene[0].Actions.Others = static () => [];
        Exception refused = await Assert.ThrowsAnyAsync<Exception>(() => scene.PullAsync(0, 3));
        Assert.True(refused is StoreFencedException, refused.ToString());
        await SharedScene.UntilAsync(() => scene[0].StateOf(0) != PartitionState.Serving);
        Assert.Contains(scene.Warnings, static warning => warning.Contains("partition 0 has been taken by another node", StringComparison.Ordinal));
        Assert.Empty((await scene.PullAsync(0, 3)).Leases);
        await scene.LoseAsync(0, 0);
        await SharedScene.UntilAsync(() => scene[0].StateOf(0) == PartitionState.Elsewhere);
        // The rightful owner has noticed nothing.
        Assert.Equal(["b", "c"], NodeScene.Names(await scene.PullAsync(1, 3)));
        await scene[1].CheckpointAsync().WaitAsync(NodeScene.Patience);
        Assert.Equal(PartitionState.Serving, scene[1].StateOf(0));
    }

    [Fact]
    public async Task A_zombies_checkpoint_is_refused_and_its_work_is_the_successors()
    {
        await using var scene = new SharedScene(partitions: 1, nodes: 2);
        await scene.AssignAsync(0, 0);
        await scene.OweAsync(0, ("a", 300));
        // The zombie has applied this and not kept it; so the successor applies it, too.
        await scene.AssignAsync(1, 0);
        await scene.OweAsync(1, ("b", 200));
        await scene[1].CheckpointAsync().WaitAsync(NodeScene.Patience);
        int kept = scene.Store.CheckpointCount;
        await Assert.ThrowsAnyAsync<Exception>(() => scene[0].CheckpointAsync().WaitAsync(NodeScene.Patience));
        Assert.Equal(kept, scene.Store.CheckpointCount);
        await SharedScene.UntilAsync(() => scene[0].StateOf(0) != PartitionState.Serving);
        Assert.Equal(2, await scene[1].Ask(0, static p => p.Counters.Applied));
    }

    [Fact]
    public async Task A_partition_is_not_given_up_while_its_leases_are_on_their_way_to_the_store()
    {
        await using var scene = new SharedScene(partitions: 1, nodes: 2);
        await scene.AssignAsync(0, 0);
        await scene.OweAsync(0, ("a", 300), ("b", 200));
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Store.Wait = moment =>
        {
            if (moment != Simulation.Fakes.StoreMoment.BeforeLeases)
                return Task.CompletedTask;
            reached.TrySetResult();
            return gate.Task;
        };
        Task<PullResult> pull = scene.PullAsync(0, 1);
        await reached.Task.WaitAsync(NodeScene.Patience);
        Task revoked = scene.RevokeAsync(0, 0);
        await SharedScene.UntilAsync(() => scene[0].StateOf(0) == PartitionState.Leaving);
        Assert.False(revoked.IsCompleted);
        gate.SetResult();
        Assert.Equal(["a"], NodeScene.Names(await pull));
        await revoked;
        scene.Store.Wait = null;
        await scene.AssignAsync(1, 0);
        Assert.Equal(["b"], NodeScene.Names(await scene.PullAsync(1, 5)));
    }

    [Fact]
    public async Task A_store_that_is_away_when_a_partition_comes_is_waited_for()
    {
        await using var scene = new SharedScene(partitions: 1, nodes: 1);
        int refusals = 3;
        scene.Store.At = moment =>
        {
            if (moment == Simulation.Fakes.StoreMoment.BeforeOwnership && Interlocked.Decrement(ref refusals) >= 0)
                throw new StoreUnavailableException("the simulated store is away", new IOException());
        };
        await scene.AssignAsync(0, 0);
        Assert.Equal(3, scene.Warnings.Count(static warning => warning.Contains("can't be taken now, tried again", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Partitions_that_come_and_go_at_once_end_where_the_group_said_last()
    {
        await using var scene = new SharedScene(partitions: 4, nodes: 2);
        var random = new Random(7);
        var at = new int[4];
        await scene.AssignAsync(0, 0, 1, 2, 3);
        await scene.OweAsync(0, Book);
        for (int round = 0; round < 30; round++)
        {
            int partition = random.Next(4);
            await scene.RevokeAsync(at[partition], partition);
            at[partition] = 1 - at[partition];
            await scene.AssignAsync(at[partition], partition);
        }
        Assert.Equal(Book.Select(static debt => debt.Item1).Reverse(), NodeScene.Names(await scene.PullAsync(1, 40)));
        Assert.Equal(Book.Length, (await scene[0].AskAll(static p => p.Counters.Applied)).Sum() + (await scene[1].AskAll(static p => p.Counters.Applied)).Sum());
        for (int partition = 0; partition < 4; partition++)
            Assert.Equal(PartitionState.Elsewhere, scene[1 - at[partition]].StateOf(partition));
    }
}
