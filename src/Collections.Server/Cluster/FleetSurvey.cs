using Collections.Engine.Hosting;
using Collections.Engine.Partitions;
using Collections.Server.Services;
using Grpc.Core;
using SilentPartition = Collections.Engine.Hosting.SilentPartition;

namespace Collections.Server.Cluster;

/// <summary>What is looked for in a survey. Its tally takes in one node's share after another.</summary>
internal interface ISurveyed
{
    /// <summary>Looks through partitions that run here.</summary>
    /// <returns>Those that are not in the tally.</returns>
    Task<IReadOnlyList<SilentPartition>> HereAsync(IReadOnlyList<int> partitions, CancellationToken end);

    /// <summary>Has another node look through its partitions.</summary>
    /// <returns>Those that are not in the tally.</returns>
    /// <exception cref="RpcException">It can't be asked: nothing of it is in the tally.</exception>
    Task<IReadOnlyList<SilentPartition>> ThereAsync(Peer peer, IReadOnlyList<int> partitions, CallOptions options);
}

/// <summary>How much of the log a survey has covered.</summary>
/// <param name="Covered">Partitions that are in the tally, each once.</param>
/// <param name="Silent">The others, in order.</param>
internal sealed record SurveyCoverage(int Covered, IReadOnlyList<SilentPartition> Silent);

/// <summary>
/// Leads a survey over all partitions, wherever they run. Each one is asked of one node, all nodes side by side; those that are on their way from one node to
/// another are waited for as long as any request waits for them. What does not answer is told, and does not keep the others back.
/// </summary>
public sealed class FleetSurvey(Node node, PeerDirectory directory, TimeProvider time)
{
    internal async Task<SurveyCoverage> LeadAsync(ISurveyed survey, ServerCallContext context)
    {
        TimeSpan left = Wire.TimeToAnswer(context) is var given && given < ClusterLimits.SurveyTime ? given : ClusterLimits.SurveyTime;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        end.CancelAfter(left);
        var options = new CallOptions(deadline: time.GetUtcNow().UtcDateTime + left, cancellationToken: context.CancellationToken);
        await directory.RefreshIfOldAsync();
        var silent = new List<SilentPartition>();
        int[] open = [.. Enumerable.Range(0, node.PartitionCount)];
        long startedAt = time.GetTimestamp();
        while (true)
        {
            IReadOnlyList<SilentPartition>[] unheard = await Task.WhenAll(open.GroupBy(PlaceOf).Select(place => AskAsync(survey, place.Key, [.. place], options, end.Token)));
            SilentPartition[] missing = [.. unheard.SelectMany(static part => part)];
            bool goesOn = directory.IsShared && time.GetElapsedTime(startedAt) + ClusterLimits.LookAgain <= ClusterLimits.HandOverPatience && !end.IsCancellationRequested;
            silent.AddRange(missing.Where(partition => !goesOn || !partition.IsPassing));
            open = goesOn ? [.. missing.Where(static partition => partition.IsPassing).Select(static partition => partition.Partition)] : [];
            if (open.Length == 0)
                return new SurveyCoverage(node.PartitionCount - silent.Count, [.. silent.OrderBy(static partition => partition.Partition)]);
            await Task.Delay(ClusterLimits.LookAgain, time, context.CancellationToken);
            await directory.RefreshAsync();
        }
    }

    /// <summary>Who runs the partition: another node, this one, or nobody.</summary>
    private (bool IsHere, Peer? Peer) PlaceOf(int partition)
    {
        Peer? owner = directory.OwnerOf(partition);
        return (owner is null && node.StateOf(partition) != PartitionState.Elsewhere, owner);
    }

    private static async Task<IReadOnlyList<SilentPartition>> AskAsync(ISurveyed survey, (bool IsHere, Peer? Peer) place, int[] partitions, CallOptions options, CancellationToken end)
    {
        if (place.IsHere)
            return await survey.HereAsync(partitions, end);
        if (place.Peer is not { } peer)
            return Silent("no node runs it: it is on its way to one, or all are away", isPassing: true);
        try
        {
            return await survey.ThereAsync(peer, partitions, options);
        }
        catch (Exception failure) when (failure is RpcException or FormatException)
        {
            return Silent($"node {peer.Address} can't be asked now: {(failure as RpcException)?.Status.Detail ?? failure.Message}", isPassing: false);
        }

        SilentPartition[] Silent(string reason, bool isPassing) => [.. partitions.Select(partition => new SilentPartition(partition, reason, isPassing))];
    }
}
