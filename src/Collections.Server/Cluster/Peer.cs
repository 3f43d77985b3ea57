using System.Net;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;
using Collections.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Collections.Server.Cluster;

/// <summary>Another node of the engine: its partitions, over gRPC.</summary>
public sealed class Peer : IActionSource, IDisposable
{
    private readonly TimeProvider time;
    private readonly SocketsHttpHandler handler;
    private readonly Peers.PeersClient client;

    internal Peer(string address, TimeProvider time)
    {
        Address = address;
        this.time = time;
        handler = new SocketsHttpHandler
        {
            ConnectTimeout = ClusterLimits.ConnectTime,
            // One that was paused or cut off is noticed, although nothing is closed.
            KeepAlivePingDelay = TimeSpan.FromSeconds(5),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            EnableMultipleHttp2Connections = true,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
        };
        Channel = GrpcChannel.ForAddress($"http://{address}", new GrpcChannelOptions { HttpHandler = handler, MaxReceiveMessageSize = ClusterLimits.MessageBytesMax });
        client = new Peers.PeersClient(Channel);
    }

    /// <summary>As the node has told the store: host and port.</summary>
    public string Address { get; }

    /// <summary>To its services for callers.</summary>
    public GrpcChannel Channel { get; }

    public async Task<SourceHeads> LookAsync(PullOrder order)
    {
        var request = new PeerLookRequest { Order = PeerMessages.Write(order) };
        try
        {
            return PeerMessages.Read(await client.LookAsync(request, new CallOptions(deadline: By(ClusterLimits.LookTime))));
        }
        catch (RpcException failure)
        {
            throw Unreachable(failure);
        }
    }

    public async Task<IReadOnlyList<LeasedAction>> GrantAsync(PullOrder order, IReadOnlyList<Head> chosen)
    {
        var request = new PeerGrantRequest { Order = PeerMessages.Write(order) };
        foreach (Head head in chosen)
            request.Chosen.Add(PeerMessages.Write(head));
        try
        {
            PeerGrantResponse response = await client.GrantAsync(request, new CallOptions(deadline: By(ClusterLimits.GrantTime)));
            return [.. response.Granted.Select(PeerMessages.Read)];
        }
        catch (RpcException failure)
        {
            throw new StoreUnavailableException(Unreachable(failure).Message, failure);
        }
    }

    /// <summary>Whether everything before the positions has been applied there; false: not yet, or it can't be asked.</summary>
    public async Task<bool> WaitAppliedAsync(PeerPosition position, CancellationToken cancellation)
    {
        try
        {
            return (await client.WaitAppliedAsync(position, new CallOptions(cancellationToken: cancellation))).Applied;
        }
        catch (RpcException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Its leases that end, until it stops or is cancelled.</summary>
    internal AsyncServerStreamingCall<PeerNews> Watch(CancellationToken cancellation) => client.Watch(new PeerWatchRequest(), new CallOptions(cancellationToken: cancellation));

    internal AsyncServerStreamingCall<PeerComparisonPart> CompareModels(PeerCompareRequest request, CallOptions options) => client.CompareModels(request, options);

    internal AsyncServerStreamingCall<PeerHealthPart> WatchModel(PeerWatchModelRequest request, CallOptions options) => client.WatchModel(request, options);

    internal AsyncServerStreamingCall<PeerArchivePart> ReadArchive(PeerArchiveRequest request, CallOptions options) => client.ReadArchive(request, options);

    public void Dispose()
    {
        Channel.Dispose();
        handler.Dispose();
    }

    private InvalidOperationException Unreachable(RpcException failure) => new($"node {Address} can't be asked now: {failure.Status.Detail}", failure);

    private DateTime By(TimeSpan patience) => time.GetUtcNow().UtcDateTime + patience;
}
