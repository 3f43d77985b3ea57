using System.Diagnostics.Metrics;
using System.Net;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Grpc;
using Collections.Server.Access;
using Collections.Server.Cluster;
using Collections.Server.Operations;
using Collections.Server.Services;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Collections.Server.Hosting;

/// <summary>A node with its gRPC surface: the log and the store it was given, the partitions over them, Kestrel in front.</summary>
public sealed class NodeServer : IAsyncDisposable
{
    private readonly WebApplication app;

    /// <summary>Cancelled when nothing is answered any more: until then the node must know where partitions have gone.</summary>
    private readonly CancellationTokenSource closing = new();
    private volatile bool hasBeenReady;

    private NodeServer(WebApplication app, Node node)
    {
        this.app = app;
        Node = node;
        Stopping = app.Lifetime.ApplicationStopping;
    }

    public Node Node { get; }

    /// <summary>Where it listens.</summary>
    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Makes the meters of the web server, and so is their scope.</summary>
    public IMeterFactory Meters => app.Services.GetRequiredService<IMeterFactory>();

    /// <summary>Cancelled when the process is told to stop.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Starts the node, then its surface; health says SERVING once every partition has read the log to its end.</summary>
    /// <param name="listen">A loopback address, unless the network is trusted; port 0 takes a free one.</param>
    /// <param name="advertise">Where other nodes reach this one, as host and port; null: where it listens.</param>
    /// <param name="trustNetwork">Whether callers from other machines are served, with every role.</param>
    public static async Task<NodeServer> StartAsync(
        IEventLog log, IStore store, EngineOptions options, TimeProvider time, IPEndPoint listen, Action<string> warn, string? advertise = null, bool trustNetwork = false)
    {
        Node node = Node.Start(log, store, options, time, warn);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(listen, endpoint => endpoint.Protocols = HttpProtocols.Http2);
            kestrel.AddServerHeader = false;
        });
        builder.Services.AddSingleton(node);
        builder.Services.AddSingleton(time);
        var directory = new PeerDirectory(node, store, time, warn);
        builder.Services.AddSingleton(directory);
        builder.Services.AddSingleton<Router>();
        builder.Services.AddSingleton<FleetSurvey>();
        builder.Services.AddSingleton<LeaseNews>();
        builder.Services.AddSingleton<IngestService>();
        builder.Services.AddSingleton<QueuesService>();
        builder.Services.AddSingleton<DebtorsService>();
        builder.Services.AddSingleton<ModelsService>();
        builder.Services.AddSingleton<DeadLettersService>();
        builder.Services.AddSingleton<PeersService>();
        builder.Services.AddCollectionsGrpc(new GrpcServerOptions
        {
            Gate = AccessPoint.Gate(trustNetwork),
            ReceiveMessageBytesMaxOf = new Dictionary<string, int> { ["collections.v1.Models"] = ModelsService.ModelBytesMax },
        });
        WebApplication app = builder.Build();
        app.MapGrpcService<IngestService>();
        app.MapGrpcService<QueuesService>();
        app.MapGrpcService<DebtorsService>();
        app.MapGrpcService<ModelsService>();
        app.MapGrpcService<DeadLettersService>();
        app.MapGrpcService<PeersService>();
        app.MapGrpcService<HealthService>();
        try
        {
            await app.StartAsync();
        }
        catch (IOException failure)
        {
            node.Abandon();
            throw new IOException($"can't listen on {listen}: {failure.Message.TrimEnd('.')}; choose another --listen", failure);
        }
        var server = new NodeServer(app, node);
        node.Intake.AppliedElsewhere = new AppliedElsewhere(node, directory, time).WaitAsync;
        if (directory.IsShared && log is IArchivedLog archived)
            archived.Others = () => [.. directory.Known.Select(static peer => new PeerArchive(peer))];
        node.Join(advertise ?? server.Address.Authority);
        _ = directory.RunAsync(server.closing.Token);
        _ = server.WatchHealthAsync(app.Services.GetRequiredService<HealthStatusBoard>(), app.Lifetime.ApplicationStopping);
        _ = new ModelWatcher(node, warn).RunAsync(app.Lifetime.ApplicationStopping);
        return server;
    }

    /// <summary>Why the node does not serve, a reason a partition; empty: it serves. What health says is this and nothing else.</summary>
    public IReadOnlyList<string> WhyNotReady()
    {
        if (Stopping.IsCancellationRequested)
            return ["the node is stopping"];
        if (!Node.HasJoined)
            return ["the node has not been given its partitions by its group yet"];
        List<string> reasons = [.. Enumerable.Range(0, Node.PartitionCount).Where(IsNotServing).Select(Describe)];
        hasBeenReady |= reasons.Count == 0;
        if (reasons.Count > OperationsLimits.ReasonsMax)
        {
            int more = reasons.Count - OperationsLimits.ReasonsMax;
            reasons.RemoveRange(OperationsLimits.ReasonsMax, more);
            reasons.Add($"and {more} partitions more");
        }
        return reasons;
    }

    /// <summary>Waits until the process is told to stop, or the token is cancelled.</summary>
    public async Task WaitForShutdownAsync(CancellationToken cancellation)
    {
        // Not the web server's own waiting, which closes the port before the partitions are another's.
        using var told = CancellationTokenSource.CreateLinkedTokenSource(cancellation, Stopping);
        await Task.Delay(Timeout.InfiniteTimeSpan, told.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Says that it stops, hands its partitions over, lets the calls at hand end, keeps everything.</summary>
    public async ValueTask DisposeAsync()
    {
        app.Lifetime.StopApplication();
        // What is asked of this node's partitions is answered until they are another's, and sent on then.
        await Node.LeaveAsync();
        await app.StopAsync();
        await closing.CancelAsync();
        await app.DisposeAsync();
        await Node.DisposeAsync();
        closing.Dispose();
    }

    /// <summary>
    /// A node of several answers for all partitions, also while some are on their way to it: once it has begun, those do not take it out of the round,
    /// which would leave the survivors of a crash without callers.
    /// </summary>
    private bool IsNotServing(int number) => Node.StateOf(number) switch
    {
        PartitionState.Serving or PartitionState.Elsewhere => false,
        PartitionState.Recovering or PartitionState.Leaving => Node.Log.Group is null || !hasBeenReady,
        _ => true,
    };

    private string Describe(int number) => Node.StateOf(number) switch
    {
        PartitionState.Recovering => $"partition {number} is recovering: it reads the log to its end",
        PartitionState.Behind => $"partition {number} is behind its log by more than {Engine.Limits.BehindMsMax / 1_000} s",
        PartitionState.Leaving => $"partition {number} is being given up",
        PartitionState.Stopped => $"partition {number} has stopped: {Node.ReasonOf(number)}",
        _ => $"partition {number} serves",
    };

    private async Task WatchHealthAsync(HealthStatusBoard board, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        do
        {
            bool serving = WhyNotReady().Count == 0;
            foreach (string service in new[] { "", "collections.v1.Ingest", "collections.v1.Queues", "collections.v1.Debtors", "collections.v1.Models", "collections.v1.DeadLetters" })
                board.Set(service, serving);
        }
        while (await WaitAsync(timer, stopping));
        board.SetAllNotServing();
    }

    private static async Task<bool> WaitAsync(PeriodicTimer timer, CancellationToken stopping)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
