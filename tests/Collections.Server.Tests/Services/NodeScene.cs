using System.Net;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Server.Hosting;
using Collections.Server.Tests.EndToEnd;
using Collections.V1;
using Grpc.Net.Client;

namespace Collections.Server.Tests.Services;

/// <summary>A node with its gRPC surface in this process, on a clock that the test moves.</summary>
internal sealed class NodeScene : IAsyncDisposable
{
    public const string Tenant = "acme";

    /// <summary>A Tuesday morning.</summary>
    public static readonly DateTimeOffset Start = new(2026, 3, 10, 9, 0, 0, TimeSpan.Zero);

    private readonly TestFolder folder = new();
    private readonly int partitions;
    private IEventLog log = null!;
    private IStore store = null!;
    private NodeServer server = null!;
    private GrpcChannel channel = null!;
    private bool stopped;

    private NodeScene(int partitions) => this.partitions = partitions;

    public VirtualClock Clock { get; } = new(Start.ToUnixTimeMilliseconds());

    public EventsOf Events { get; } = new(Tenant);

    public DateOnly Today => DateOnly.FromDateTime(Clock.GetUtcNow().UtcDateTime);

    public NodeServer Server => server;

    public Node Node => server.Node;

    public Uri Address => server.Address;

    public List<string> Warnings { get; } = [];

    public Ingest.IngestClient Ingest => new(channel);

    public V1.Queues.QueuesClient Queues => new(channel);

    public V1.Debtors.DebtorsClient Debtors => new(channel);

    public V1.Models.ModelsClient Models => new(channel);

    public V1.DeadLetters.DeadLettersClient DeadLetters => new(channel);

    public static async Task<NodeScene> StartAsync(int partitions = 4)
    {
        var scene = new NodeScene(partitions);
        await scene.OpenAsync();
        return scene;
    }

    /// <summary>Appends, and waits until the events are applied and everybody is evaluated as of the clock.</summary>
    public async Task<AppendResponse> AppendAsync(params Event[] events)
    {
        var request = new AppendRequest();
        request.Events.AddRange(events);
        AppendResponse response = await Ingest.AppendAsync(request);
        await Node.SettleAsync();
        return response;
    }

    /// <summary>A debtor of the default portfolio who owes one overdue item, reached by voice.</summary>
    public async Task OverdueAsync(string debtor, long minor) => await AppendAsync(
        Events.Registered(debtor, "", Channel.Voice), Events.Issued(debtor, $"{debtor}-item", minor, Today.AddDays(-40), Today.AddDays(-10)));

    public async Task<DebtorView> GetAsync(string debtor, int lastEvents = 0) =>
        await Debtors.GetAsync(new GetDebtorRequest { Tenant = Tenant, Debtor = debtor, LastEvents = lastEvents });

    public async Task<PullResponse> PullAsync(int count, string requestId = "", int leaseSeconds = 300, string caller = "dialer", string queue = "default/voice") =>
        await Queues.PullAsync(new PullRequest { Tenant = Tenant, Queue = queue, Count = count, Caller = caller, RequestId = requestId, LeaseSeconds = leaseSeconds });

    public async Task<QueueSummary?> QueueAsync(string queue = "default/voice") =>
        (await Queues.ListQueuesAsync(new ListQueuesRequest { Tenant = Tenant })).Queues.SingleOrDefault(q => q.Queue == queue);

    /// <summary>Somebody else takes a partition that has something to keep: it stops here.</summary>
    public async Task LoseAsync(int partition)
    {
        store.TakeOwnership(partition, "somebody else");
        // The checkpoint that is refused may also be one that was due by itself.
        Exception? refused = await Record.ExceptionAsync(Node.CheckpointAsync);
        Assert.True(refused is null or StoreFencedException or InvalidOperationException, $"{refused}");
        Assert.Equal(PartitionState.Stopped, Node.StateOf(partition));
    }

    /// <summary>Puts a record into the log that the door would refuse.</summary>
    public async Task WritePoisonAsync(int partition, Domain.Events.EventStream stream, byte[] content)
    {
        var batch = new AppendBatch();
        batch.Add(partition, stream, 0, Clock.GetUtcNow().ToUnixTimeMilliseconds(), history: false, content);
        await log.AppendAsync(batch, CancellationToken.None);
        await Node.SettleAsync();
    }

    public async Task MoveToAsync(DateTimeOffset to)
    {
        Clock.MoveTo(to.ToUnixTimeMilliseconds());
        await Node.SettleAsync();
    }

    /// <summary>
    /// Stops the node in good order, or as a crash does, and starts it on the same data. After a crash the listener of the node that is gone is left
    /// to itself: its shutdown would keep a checkpoint.
    /// </summary>
    public async Task RestartAsync(bool crash = false)
    {
        if (crash)
            Node.Abandon();
        await CloseAsync(disposeServer: !crash);
        await OpenAsync();
        await Node.SettleAsync();
    }

    /// <summary>Stops the node in good order and leaves it stopped.</summary>
    public async Task StopAsync()
    {
        stopped = true;
        await server.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync(disposeServer: !stopped);
        folder.Dispose();
    }

    private async Task OpenAsync()
    {
        var directory = new DataDirectory(folder.Path);
        log = directory.OpenLog(partitions, TimeProvider.System);
        store = directory.OpenStore();
        var options = new EngineOptions { Model = ShippedModel.Propensity(), Owner = "test" };
        server = await NodeServer.StartAsync(log, store, options, Clock, new IPEndPoint(IPAddress.Loopback, 0), warning =>
        {
            lock (Warnings)
                Warnings.Add(warning);
        });
        channel = GrpcChannel.ForAddress(server.Address);
        await Node.SettleAsync();
    }

    private async Task CloseAsync(bool disposeServer)
    {
        channel.Dispose();
        if (disposeServer)
            await server.DisposeAsync();
        store.Dispose();
        log.Dispose();
    }
}
