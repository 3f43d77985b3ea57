using System.Globalization;
using Collections.Engine.Hosting;
using Grpc.Core;

namespace Collections.Server.Cluster;

/// <summary>
/// Brings a request to the node that runs its partition: any node takes any request. While a partition is on its way from one node to another the request
/// waits a little, and is then answered with a hint when to try again.
/// </summary>
public sealed class Router(Node node, PeerDirectory directory, TimeProvider time)
{
    /// <summary>Marks a request that another node has sent on: it is not sent on again.</summary>
    internal const string ForwardedHeader = "collections-forwarded";

    /// <summary>Marks the answer of a node that does not run the partition.</summary>
    internal const string ElsewhereTrailer = "collections-elsewhere";

    /// <summary>How many milliseconds to wait before the next try.</summary>
    internal const string RetryAfterTrailer = "retry-after-ms";

    /// <summary>Whether another node has sent the request on, and wants to know of this node alone.</summary>
    public static bool IsForwarded(ServerCallContext context) => context.RequestHeaders.GetValue(ForwardedHeader) is not null;

    /// <summary>Has a request answered by the partition's owner.</summary>
    /// <param name="local">Answers it here; <see cref="PartitionElsewhereException"/> if the partition does not run here any more.</param>
    /// <param name="remote">Sends it to another node.</param>
    public async Task<T> RouteAsync<T>(int partition, ServerCallContext context, Func<Task<T>> local, Func<Peer, CallOptions, Task<T>> remote)
    {
        long startedAt = time.GetTimestamp();
        await directory.RefreshIfOldAsync();
        while (true)
        {
            string reason = $"partition {partition} is run by nobody at the moment: it is on its way to another node";
            try
            {
                // Of one that another node has taken, this one knows the past alone, even if nobody has told it yet.
                if (node.StateOf(partition) != PartitionState.Elsewhere && directory.OwnerOf(partition) is null)
                    return await local();
            }
            catch (PartitionElsewhereException)
            {
                // Given up meanwhile.
            }
            if (IsForwarded(context))
                throw Elsewhere(context, $"partition {partition} is not run by this node");
            if (directory.OwnerOf(partition) is { } owner)
            {
                try
                {
                    return await remote(owner, Options(context));
                }
                catch (RpcException failure) when (failure.StatusCode == StatusCode.Unavailable && IsWorthAnotherTry(failure))
                {
                    reason = failure.Trailers.Get(ElsewhereTrailer) is null
                        ? $"node {owner.Address}, which runs partition {partition}, can't be reached: {failure.Status.Detail}"
                        : $"node {owner.Address} does not run partition {partition} any more: it is on its way to another node";
                }
            }
            if (time.GetElapsedTime(startedAt) + ClusterLimits.LookAgain > ClusterLimits.HandOverPatience || !directory.IsShared)
                throw Elsewhere(context, reason);
            await Task.Delay(ClusterLimits.LookAgain, time, context.CancellationToken);
            await directory.RefreshAsync();
        }
    }

    /// <summary>Asks all other nodes; those that can't be asked are told of.</summary>
    public async Task<(List<T> Answers, List<string> Silent)> AskOthersAsync<T>(ServerCallContext context, Func<Peer, CallOptions, Task<T>> remote)
    {
        var answers = new List<T>();
        var silent = new List<string>();
        if (IsForwarded(context))
            return (answers, silent);
        foreach ((Peer peer, Task<T> asked) in directory.Others.Select(peer => (peer, remote(peer, Options(context)))).ToList())
        {
            try
            {
                answers.Add(await asked);
            }
            catch (RpcException failure)
            {
                silent.Add($"node {peer.Address}: {failure.Status.Detail}");
            }
        }
        return (answers, silent);
    }

    /// <summary>The answer that says when to try again.</summary>
    private static RpcException Elsewhere(ServerCallContext context, string reason)
    {
        context.ResponseTrailers.Add(ElsewhereTrailer, "1");
        context.ResponseTrailers.Add(RetryAfterTrailer, ClusterLimits.RetryAfter.TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
        return new RpcException(new Status(StatusCode.Unavailable, $"{reason}; try again in {ClusterLimits.RetryAfter.TotalSeconds} s"));
    }

    /// <summary>The partition is elsewhere by now, or the node never got the request. Anything else is an answer.</summary>
    private static bool IsWorthAnotherTry(RpcException failure) =>
        failure.Trailers.Get(ElsewhereTrailer) is not null || failure.InnerException is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError };

    private static CallOptions Options(ServerCallContext context) => new(
        new Metadata { { ForwardedHeader, "1" } }, context.Deadline == DateTime.MaxValue ? null : context.Deadline, context.CancellationToken);
}
