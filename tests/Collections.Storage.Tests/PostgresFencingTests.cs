using Collections.Engine.Stores;
using Collections.Storage.Postgres;
using Collections.Storage.Stores;

namespace Collections.Storage.Tests;

/// <summary>Several nodes over one database: whoever was cut off, or stopped in the middle, changes nothing once another has taken its partition.</summary>
[Collection(PostgresServer.Name)]
public sealed class PostgresFencingTests(SharedCluster cluster)
{
    [PostgresFact]
    public void A_zombies_checkpoint_and_a_zombies_leases_are_refused()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore zombie = scene.Open(), successor = scene.Open();
        long old = zombie.TakeOwnership(0, "zombie");
        zombie.Commit(StoreSamples.Full(0, old, 1));
        zombie.CommitLeases([StoreSamples.Grant(old, StoreSamples.Lease(0, 1))]);
        long current = successor.TakeOwnership(0, "successor");
        Assert.Equal(old + 1, current);
        successor.Commit(StoreSamples.Full(0, current, 2));
        string before = LoadedCheckpoint.Of(successor, 0)!.Text;
        Assert.Contains("epoch 2", Assert.Throws<StoreFencedException>(() => zombie.Commit(StoreSamples.Full(0, old, 3))).Message, StringComparison.Ordinal);
        Assert.Throws<StoreFencedException>(() => zombie.CommitLeases([StoreSamples.Grant(old, StoreSamples.Lease(0, 2))]));
        Assert.Throws<StoreFencedException>(() => zombie.CommitLeases([StoreSamples.Change(LeaseChangeKind.Close, 0, old, 1)]));
        Assert.Equal(before, LoadedCheckpoint.Of(successor, 0)!.Text);
        Assert.Equal([StoreSamples.Lease(0, 1)], successor.LoadLeases(0));
        Assert.Equal("2|2", scene.Sql("SELECT max(sequence), count(*) FROM audit"));
    }

    [PostgresTheory]
    [InlineData((int)StoreStep.Header)]
    [InlineData((int)StoreStep.Commit)]
    [InlineData((int)StoreStep.Leases)]
    [InlineData((int)StoreStep.CommitLeases)]
    public async Task A_zombie_that_was_stopped_in_the_middle_of_a_transaction_does_not_hold_its_successor_up(int stoppedAt)
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore zombie = scene.Open(), successor = scene.Open();
        long old = zombie.TakeOwnership(0, "zombie");
        zombie.Commit(StoreSamples.Full(0, old, 1));
        string before = LoadedCheckpoint.Of(zombie, 0)!.Text;
        using var isStopped = new SemaphoreSlim(0);
        using var goesOn = new SemaphoreSlim(0);
        scene.Once((StoreStep)stoppedAt, () =>
        {
            isStopped.Release();
            goesOn.Wait();
        });
        Task<Exception?> late = Task.Run<Exception?>(() => Record.Exception(() =>
        {
            if ((StoreStep)stoppedAt >= StoreStep.Leases)
                zombie.CommitLeases([StoreSamples.Grant(old, StoreSamples.Lease(0, 1))]);
            else
                zombie.Commit(StoreSamples.Full(0, old, 2));
        }));
        await isStopped.WaitAsync();
        long current = successor.TakeOwnership(0, "successor");
        Assert.Equal(before, LoadedCheckpoint.Of(successor, 0)!.Text);
        Assert.Empty(successor.LoadLeases(0));
        goesOn.Release();
        // The one whose answer to a commit is lost asks again, and is told then.
        Exception? told = await late;
        Assert.True(told is StoreFencedException || (told is StoreUnavailableException && (StoreStep)stoppedAt == StoreStep.Commit), $"{told}");
        Assert.Throws<StoreFencedException>(() => zombie.Commit(StoreSamples.Full(0, old, 3)));
        Assert.Equal(before, LoadedCheckpoint.Of(successor, 0)!.Text);
        Assert.Empty(successor.LoadLeases(0));
        successor.Commit(StoreSamples.Full(0, current, 4));
        successor.CommitLeases([StoreSamples.Grant(current, StoreSamples.Lease(0, 1))]);
    }

    [PostgresFact]
    public void The_owner_and_since_when_can_be_read()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        store.TakeOwnership(3, "node-a:17");
        store.TakeOwnership(3, "node-b:18");
        Assert.Equal("3|2|node-b:18|True", scene.Sql("SELECT partition, epoch, owner, since BETWEEN now() - interval '1 hour' AND now() FROM owner"));
    }

    [PostgresFact]
    public void Leases_are_granted_while_a_checkpoint_is_being_written()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        bool granted = false;
        scene.Once(StoreStep.Commit, () =>
        {
            store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1))]);
            granted = true;
        });
        store.Commit(StoreSamples.Full(0, epoch, 1));
        Assert.True(granted);
        Assert.Single(store.LoadLeases(0));
    }

    [PostgresFact]
    public async Task Nodes_that_commit_leases_of_the_same_partitions_in_any_order_never_wait_for_each_other_in_a_circle()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open(), other = scene.Open();
        long[] epochs = [.. Enumerable.Range(0, 4).Select(partition => store.TakeOwnership(partition, "me"))];
        uint sequence = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(caller => Task.Run(() =>
        {
            for (int i = 0; i < 25; i++)
            {
                int[] order = caller % 2 == 0 ? [0, 1, 2, 3] : [3, 2, 1, 0];
                (caller < 2 ? store : other).CommitLeases([.. order.Select(partition =>
                    StoreSamples.Grant(epochs[partition], StoreSamples.Lease(partition, Interlocked.Increment(ref sequence))))]);
            }
        })));
        Assert.Equal(400, Enumerable.Range(0, 4).Sum(partition => store.LoadLeases(partition).Count));
    }
}
