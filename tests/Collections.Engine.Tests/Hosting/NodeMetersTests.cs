using System.Diagnostics;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Queues;
using Collections.Engine.Stores;
using Collections.Simulation.Fakes;

namespace Collections.Engine.Tests.Hosting;

/// <summary>What a node tells its operators of itself.</summary>
public sealed class NodeMetersTests
{
    private const string Queue = "{tenant=bank,queue=default/sms}";

    [Fact]
    public async Task Debtors_queues_leases_and_decisions_are_told_as_they_are()
    {
        await using var scene = new NodeScene(partitions: 1);
        using var meters = new MeterScene(scene.Node);
        await scene.OweAsync(("a", 300), ("b", 200), ("c", 100));
        await scene.PullAsync(2);
        await scene.PayAsync("b", 200);
        await scene.SettleAsync();
        IReadOnlyDictionary<string, double> seen = await meters.LookAsync();
        Assert.Equal(3, seen["collections.debtors{partition=0}"]);
        Assert.Equal(1, seen["collections.queue.waiting" + Queue]);
        Assert.Equal(0, seen["collections.queue.staleness" + Queue]);
        Assert.Equal(2, seen["collections.actions.pulled" + Queue]);
        Assert.Equal(1, seen["collections.leases.open{partition=0}"]);
        Assert.Equal(2, seen["collections.lease.acts{act=granted}"]);
        Assert.Equal(1, seen["collections.lease.acts{act=voided}"]);
        Assert.Equal(0, seen["collections.lease.acts{act=expired}"]);
        Assert.Equal(4, seen["collections.events.applied{partition=0}"]);
        Assert.Equal(4, seen["collections.intake.events"]);
        Assert.Equal(3, seen["collections.decisions{verdict=eligible}"]);
        Assert.Equal(1, seen["collections.decisions{verdict=nothing_overdue}"]);
        Assert.Equal(1, seen["collections.partition.state{partition=0,state=serving}"]);
        Assert.Equal(0, seen["collections.partition.state{partition=0,state=stopped}"]);
        Assert.True(seen["collections.debtors.memory{partition=0}"] > 0);
    }

    [Fact]
    public async Task What_callers_wait_for_and_what_the_host_does_is_timed()
    {
        await using var scene = new NodeScene(partitions: 1);
        using var meters = new MeterScene(scene.Node);
        await scene.OweAsync(("a", 300));
        await scene.PullAsync(1);
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        foreach (string histogram in (string[])["append.durable.duration", "append.applied.duration", "pull.duration", "slice.duration", "checkpoint.duration", "checkpoint.fill.duration", "checkpoint.size"])
            Assert.True(meters.CountOf("collections." + histogram) > 0, histogram);
    }

    [Fact]
    public async Task Records_that_are_durable_and_not_applied_are_lag_by_stream()
    {
        await using var scene = new NodeScene(partitions: 1);
        await scene.OweAsync(("a", 300));
        scene.Log.IsUnreachable = true;
        using var meters = new MeterScene(scene.Node);
        IReadOnlyDictionary<string, double> before = await meters.LookAsync();
        Assert.Equal(0, before["collections.partition.lag.records{partition=0,stream=payments}"]);
        byte[] paid = new EventWriter().PaymentReceived(scene.At("a"), 300, Domain.Currency.Parse("EUR")).ToArray();
        await scene.Node.Intake.AppendAsync([paid], waitApplied: false, CancellationToken.None).WaitAsync(NodeScene.Patience);
        scene.Time.Add(30_000);
        IReadOnlyDictionary<string, double> after = await meters.LookAsync();
        Assert.Equal(1, after["collections.partition.lag.records{partition=0,stream=payments}"]);
        Assert.Equal(0, after["collections.partition.lag.records{partition=0,stream=invoices}"]);
        Assert.Equal(30, after["collections.partition.clock.delay{partition=0}"]);
        Assert.Equal(30, after["collections.queue.staleness" + Queue]);
        Assert.True((await meters.LookAsync())["collections.failures{operation=read}"] > 0);
        scene.Log.IsUnreachable = false;
        await scene.SettleAsync();
        IReadOnlyDictionary<string, double> end = await meters.LookAsync();
        Assert.Equal(0, end["collections.partition.clock.delay{partition=0}"]);
        Assert.Equal(0, end["collections.partition.lag.records{partition=0,stream=payments}"]);
    }

    [Fact]
    public async Task Acts_on_leases_are_counted_once_across_checkpoints()
    {
        await using var scene = new NodeScene(partitions: 2);
        using var meters = new MeterScene(scene.Node);
        for (int round = 1; round <= 3; round++)
        {
            await scene.OweAsync(($"a{round}", 300), ($"b{round}", 200), ($"c{round}", 200));
            await scene.PullAsync(3);
            Assert.Equal(3 * round, (await meters.LookAsync())["collections.lease.acts{act=granted}"]);
            await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
            Assert.Equal(3 * round, (await meters.LookAsync())["collections.lease.acts{act=granted}"]);
        }
    }

    [Fact]
    public async Task Work_that_no_checkpoint_has_gets_older_until_one_has_it()
    {
        await using var scene = new NodeScene(partitions: 1);
        using var meters = new MeterScene(scene.Node);
        await scene.OweAsync(("a", 300));
        Assert.True((await meters.LookAsync())["collections.partition.checkpoint.age{partition=0}"] > 0);
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        Assert.Equal(0, (await meters.LookAsync())["collections.partition.checkpoint.age{partition=0}"]);
    }

    [Fact]
    public async Task A_store_that_fails_is_counted_and_the_checkpoint_keeps_ageing()
    {
        await using var scene = new NodeScene(partitions: 1);
        using var meters = new MeterScene(scene.Node);
        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Store.At = moment =>
        {
            if (moment != StoreMoment.BeforeCheckpoint)
                return;
            failed.TrySetResult();
            throw new StoreUnavailableException("the disk is full", new IOException());
        };
        await scene.OweAsync(("a", 300));
        Task checkpoint = scene.Node.CheckpointAsync();
        await failed.Task.WaitAsync(NodeScene.Patience);
        Assert.True((await meters.LookAsync())["collections.partition.checkpoint.age{partition=0}"] > 0);
        scene.Store.At = null;
        await checkpoint.WaitAsync(NodeScene.Patience);
        Assert.True((await meters.LookAsync())["collections.failures{operation=checkpoint}"] >= 1);
    }

    [Fact]
    public async Task A_partition_that_has_stopped_is_told_as_such_and_keeps_its_last_figures()
    {
        await using var scene = new NodeScene(partitions: 1);
        using var meters = new MeterScene(scene.Node);
        scene.Store.At = moment =>
        {
            if (moment == StoreMoment.BeforeCheckpoint)
                throw new StoreFencedException("another node has it");
        };
        await scene.OweAsync(("a", 300));
        await Assert.ThrowsAnyAsync<Exception>(() => scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience));
        IReadOnlyDictionary<string, double> seen = await meters.LookAsync();
        Assert.Equal(1, seen["collections.partition.state{partition=0,state=stopped}"]);
        Assert.Equal(1, seen["collections.debtors{partition=0}"]);
    }

    [Fact]
    public async Task Looking_at_a_node_that_is_gone_neither_fails_nor_waits_for_ever()
    {
        await using var scene = new NodeScene(partitions: 1);
        await scene.OweAsync(("a", 300));
        Node gone = scene.Node;
        await gone.Meters.RefreshAsync().WaitAsync(NodeScene.Patience);
        scene.Restart();
        await gone.Meters.RefreshAsync().WaitAsync(NodeScene.Patience);
    }

    [Fact]
    public void Queues_beyond_the_limit_share_one_name()
    {
        var labels = new QueueLabels();
        for (int i = 0; i < Limits.MeteredQueuesMax; i++)
            Assert.Equal($"p{i}/sms", labels.Of("bank", new QueueName($"p{i}", Channel.Sms))[1].Value);
        Assert.Same(labels.Of("bank", new QueueName("one more", Channel.Sms)), labels.Of("bank", new QueueName("and another", Channel.Sms)));
        Assert.Equal("p7/sms", labels.Of("bank", new QueueName("p7", Channel.Sms))[1].Value);
    }

    [Fact]
    public async Task Appends_pulls_and_checkpoints_are_spans()
    {
        var spans = new System.Collections.Concurrent.ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == NodeMeters.Name,
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var scene = new NodeScene(partitions: 1);
        await scene.OweAsync(("a", 300));
        using var mine = new Activity("test");
        mine.Start();
        await scene.PullAsync(7);
        mine.Stop();
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        // Other tests of the process may make spans at the same time.
        Activity pull = spans.First(span => span.OperationName == "pull" && span.TraceId == mine.TraceId);
        Assert.Equal((7, 1, "default/sms"), (pull.GetTagItem("collections.wanted"), pull.GetTagItem("collections.given"), pull.GetTagItem("collections.queue")));
        Assert.Contains(spans, span => span.OperationName == "append");
        Assert.Contains(spans, span => span.OperationName == "checkpoint");
    }
}
