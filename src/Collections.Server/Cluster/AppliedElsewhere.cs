using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Grpc.Core;

namespace Collections.Server.Cluster;

/// <summary>Waits until another node has applied what this one has appended.</summary>
internal sealed class AppliedElsewhere(Node node, PeerDirectory directory, TimeProvider time)
{
    /// <returns>Whether it is applied; false: nobody runs the partition for longer than a hand-over takes, or it was cancelled.</returns>
    public async Task<bool> WaitAsync(int partition, StreamPositions target, CancellationToken cancellation)
    {
        long startedAt = time.GetTimestamp();
        try
        {
            while (true)
            {
                if (node.EpochOf(partition) > 0)
                {
                    // It was on its way to this very node.
                    await node.WaitAppliedAsync(partition, target, cancellation);
                    return true;
                }
                if (directory.OwnerOf(partition) is { } owner && await owner.WaitAppliedAsync(PeerMessages.Write(partition, target), cancellation))
                    return true;
                if (!directory.IsShared || time.GetElapsedTime(startedAt) > ClusterLimits.HandOverPatience)
                    return false;
                await Task.Delay(ClusterLimits.LookAgain, time, cancellation);
                await directory.RefreshAsync();
            }
        }
        catch (Exception over) when (over is OperationCanceledException or RpcException or InvalidOperationException)
        {
            return false;
        }
    }
}
