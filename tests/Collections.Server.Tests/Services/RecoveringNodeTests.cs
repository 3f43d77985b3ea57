using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Queues;
using Collections.Engine.Stores;
using Collections.Server.Hosting;
using Collections.Server.Tests.EndToEnd;
using Google.Protobuf;

namespace Collections.Server.Tests.Services;

/// <summary>What is answered while the log is being read again after a restart.</summary>
public sealed class RecoveringNodeTests
{
    [Fact]
    public async Task Until_the_log_has_been_read_again_a_lease_is_neither_reported_nor_gone()
    {
        using var folder = new TestFolder();
        var directory = new DataDirectory(folder.Path);
        using var log = new ClosableLog(directory.OpenLog(1, TimeProvider.System));
        using IStore store = directory.OpenStore();
        var clock = new VirtualClock(NodeScene.Start.ToUnixTimeMilliseconds());
        DateOnly today = DateOnly.FromDateTime(NodeScene.Start.UtcDateTime);
        // Without a checkpoint, so that the debtor is in the log alone and its lease in the store.
        var options = new EngineOptions { CheckpointSeconds = Engine.Limits.CheckpointSecondsMax };
        Node first = Node.Start(log, store, options, clock, _ => { });
        var events = new EventsOf("default");
        await first.Intake.AppendAsync([events.Issued("ann", "i", 5_000, today.AddDays(-40), today.AddDays(-10)).ToByteArray()], waitApplied: true, CancellationToken.None);
        var order = new PullOrder("default", new QueueName("default", Channel.Sms), 1, "caller", "request", 300_000);
        string lease = Assert.Single((await first.Actions.PullAsync(order)).Leases).Lease.Id;
        first.Abandon();

        log.IsClosed = true;
        await using Node second = Node.Start(log, store, options, clock, _ => { });
        Task[] tooEarly =
        [
            second.Actions.ReportAsync(lease, AttemptOutcome.RightParty, clock.NowMs, CancellationToken.None), second.Actions.ExtendAsync(lease, 1_000), second.Actions.ReleaseAsync(lease),
        ];
        foreach (Task answer in tooEarly)
            Assert.Contains("recovering; try again", (await Assert.ThrowsAsync<InvalidOperationException>(() => answer)).Message, StringComparison.Ordinal);
        PullResult none = await second.Actions.PullAsync(order);
        Assert.Empty(none.Leases);
        Assert.Contains("partition 0 is recovering", none.Reason, StringComparison.Ordinal);

        log.IsClosed = false;
        await second.SettleAsync();
        Assert.Equal(lease, Assert.Single((await second.Actions.PullAsync(order)).Leases).Lease.Id);
        Assert.Equal(LeaseStatus.Closed, (await second.Actions.ReportAsync(lease, AttemptOutcome.RightParty, clock.NowMs, CancellationToken.None)).Status);
    }

    /// <summary>A log that can't be read while it is closed.</summary>
    private sealed class ClosableLog(IEventLog log) : IEventLog
    {
        public volatile bool IsClosed;

        public int PartitionCount => log.PartitionCount;

        public Action<int>? Appended
        {
            get => log.Appended;
            set => log.Appended = value;
        }

        public StreamPositions End(int partition) => log.End(partition);

        public int Read(int partition, ref StreamPositions from, int maxCount, RecordBatch into) =>
            IsClosed ? throw new LogUnavailableException("the test has closed the log") : log.Read(partition, ref from, maxCount, into);

        public Task AppendAsync(AppendBatch batch, CancellationToken cancellation) => log.AppendAsync(batch, cancellation);

        public void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into) => log.ReadHistory(partition, debtorHash, until, into);

        public void Dispose() => log.Dispose();
    }
}
