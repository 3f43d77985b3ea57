using System.Net;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Server.Hosting;
using Collections.Server.Tests.EndToEnd;
using Collections.V1;
using Grpc.Net.Client;

namespace Collections.Server.Tests.Services;

/// <summary>How a node of several stops.</summary>
public sealed class StoppingTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_node_that_is_told_to_stop_answers_until_its_partitions_are_given_up()
    {
        var directory = new DataDirectory(folder.Path);
        using var log = new SharedLog(directory.OpenLog(2, TimeProvider.System));
        using IStore store = directory.OpenStore();
        NodeServer server = await NodeServer.StartAsync(log, store, new EngineOptions { Owner = "test" }, TimeProvider.System, new IPEndPoint(IPAddress.Loopback, 0), static _ => { });
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address);
        using var told = new CancellationTokenSource();
        Task serving = ServeAsync(server, told.Token);
        await told.CancelAsync();
        await log.Members.Leaving.Task.WaitAsync(CollectionsProcess.Patience);
        Assert.Equal(["the node is stopping"], server.WhyNotReady());
        StatusResponse status = await new V1.Debtors.DebtorsClient(channel).StatusAsync(new StatusRequest(), deadline: DateTime.UtcNow + CollectionsProcess.Patience);
        Assert.Equal(2, status.Partitions.Count);
        log.Members.MayLeave.SetResult();
        await serving.WaitAsync(CollectionsProcess.Patience);
    }

    /// <summary>As the program does it.</summary>
    private static async Task ServeAsync(NodeServer server, CancellationToken cancellation)
    {
        await using (server)
            await server.WaitForShutdownAsync(cancellation);
    }

    /// <summary>A group of one that takes its time to let its member go.</summary>
    private sealed class Group(int partitions) : IPartitionGroup
    {
        private IGroupMember? member;

        public TaskCompletionSource Leaving { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayLeave { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Join(IGroupMember member)
        {
            this.member = member;
            member.OnAssigned([.. Enumerable.Range(0, partitions)]);
        }

        public void Leave()
        {
            Leaving.TrySetResult();
            MayLeave.Task.Wait(CollectionsProcess.Patience);
            member!.OnRevoked([.. Enumerable.Range(0, partitions)]);
        }
    }

    /// <summary>An embedded log with a group.</summary>
    private sealed class SharedLog(IEventLog inner) : IEventLog
    {
        public Group Members { get; } = new(inner.PartitionCount);

        public IPartitionGroup? Group => Members;

        public int PartitionCount => inner.PartitionCount;

        public Action<int>? Appended
        {
            get => inner.Appended;
            set => inner.Appended = value;
        }

        public StreamPositions End(int partition) => inner.End(partition);

        public int Read(int partition, ref StreamPositions from, int maxCount, RecordBatch into) => inner.Read(partition, ref from, maxCount, into);

        public Task AppendAsync(AppendBatch batch, CancellationToken cancellation) => inner.AppendAsync(batch, cancellation);

        public void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into) => inner.ReadHistory(partition, debtorHash, until, into);

        public void Dispose() => inner.Dispose();
    }
}
