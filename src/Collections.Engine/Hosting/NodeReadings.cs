namespace Collections.Engine.Hosting;

/// <summary>
/// The last reading of every partition. A reading is made on the worker's thread, one question a worker, so that what is measured costs the
/// workers nothing between two looks; a worker that does not answer in time leaves its last readings, which age in sight: lag and delays are
/// told against the log and the clock of the moment.
/// </summary>
internal sealed class NodeReadings(Node node)
{
    /// <summary>How long somebody who looks waits for the workers. A slice lasts some 4 ms; who waits longer sees the last readings.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    /// <summary>Readings that are older are made anew before anybody sees them who has not asked for it: several gauges look one after another.</summary>
    private static readonly TimeSpan AgeMax = TimeSpan.FromSeconds(1);

    private readonly PartitionReading?[] readings = new PartitionReading?[node.PartitionCount];
    private readonly Task[] asked = [.. node.Workers.Select(_ => Task.CompletedTask)];
    private readonly Lock gate = new();

    /// <summary>Written by who has refreshed; a timestamp of the node's cadence.</summary>
    private long refreshedAt;

    /// <summary>The last reading; null before the first.</summary>
    public PartitionReading? Of(int partition) => Volatile.Read(ref readings[partition]);

    /// <summary>The partition runs here no more.</summary>
    public void Forget(int partition) => Volatile.Write(ref readings[partition], null);

    /// <summary>Asks every worker, and completes when they have answered or have been waited for long enough.</summary>
    public async Task RefreshAsync()
    {
        try
        {
            await Task.WhenAll(Enumerable.Range(0, asked.Length).Select(AskOnce)).WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            // The last readings stay; the question goes on waiting for its worker.
        }
        Volatile.Write(ref refreshedAt, node.Cadence.GetTimestamp());
    }

    /// <summary>For those who look without saying so before: listeners of meters.</summary>
    public void RefreshIfOld()
    {
        long at = Volatile.Read(ref refreshedAt);
        if (at == 0 || node.Cadence.GetElapsedTime(at) > AgeMax)
            RefreshAsync().GetAwaiter().GetResult();
    }

    /// <summary>A worker that is stuck has one question of this kind waiting, however often somebody looks.</summary>
    private Task AskOnce(int worker)
    {
        lock (gate)
        {
            if (asked[worker].IsCompleted)
                asked[worker] = AskAsync(node.Workers[worker]);
            return asked[worker];
        }
    }

    private async Task AskAsync(Worker worker)
    {
        try
        {
            await worker.Ask(() =>
            {
                foreach (PartitionHost host in worker.Hosts)
                    Volatile.Write(ref readings[host.Partition.Number], host.Read());
                return true;
            });
        }
        catch (InvalidOperationException)
        {
            // The node is shutting down, or the worker has no room for questions: the last readings stay.
        }
    }
}
