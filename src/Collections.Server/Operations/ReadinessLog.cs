using Collections.Server.Hosting;

namespace Collections.Server.Operations;

/// <summary>Tells in the log when a node becomes ready, and when it ceases to be, with the reasons.</summary>
internal static class ReadinessLog
{
    /// <summary>How often it looks.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs until the node is told to stop.</summary>
    public static async Task RunAsync(NodeServer server, ServeLog log)
    {
        bool? before = null;
        using var timer = new PeriodicTimer(Interval);
        do
        {
            IReadOnlyList<string> reasons = server.WhyNotReady();
            // That it stops is told by who stops it.
            if (server.Stopping.IsCancellationRequested)
                return;
            bool isReady = reasons.Count == 0;
            if (isReady && before != true)
                log.Tell("ready", $"ready: {server.Node.PartitionCount} partitions serve", ("partitions", server.Node.PartitionCount));
            else if (!isReady && before == true)
                log.Warn("not_ready", $"not ready: {string.Join("; ", reasons)}", ("reasons", reasons));
            before = isReady;
        }
        while (await WaitAsync(timer, server.Stopping));
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
