using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Queues;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>How many debtors wait in a queue of one partition.</summary>
internal readonly record struct QueueDepth(string Tenant, QueueName Queue, int Waiting);

/// <summary>
/// What a partition says of itself for its operators, copied on its own thread between two slices; any thread may read it afterwards.
/// Counts rise for as long as the node runs, or longer where they are kept with the checkpoint.
/// </summary>
internal sealed record PartitionReading
{
    /// <summary>The next record to apply of each stream.</summary>
    public required StreamPositions Applied { get; init; }

    /// <summary>The partition's clock, in Unix milliseconds.</summary>
    public required long ClockMs { get; init; }

    public required PartitionCounters Counters { get; init; }

    public required int Debtors { get; init; }

    public required long DebtorBytes { get; init; }

    public required int Parked { get; init; }

    public required int OpenLeases { get; init; }

    /// <summary>Debtors that a change of models has not reached yet.</summary>
    public required int RescoresLeft { get; init; }

    public required long Scores { get; init; }

    public required long Skips { get; init; }

    /// <summary>Decisions, by <see cref="Strategy.Eligibility"/>.</summary>
    public required long[] Decisions { get; init; }

    /// <summary>Acts on leases, by <see cref="AuditKind"/>.</summary>
    public required long[] Acts { get; init; }

    public required QueueDepth[] Queues { get; init; }

    /// <summary>
    /// The moment, as a timestamp of the node's <see cref="Node.Cadence"/>, whose state the store has; 0: it has everything.
    /// </summary>
    public required long KeptAt { get; init; }
}

/// <summary>Reads a partition on its own thread, and keeps the sums that the partition itself does not keep.</summary>
internal sealed class PartitionGauge(Partition partition)
{
    private readonly long[] acts = new long[Enum.GetValues<AuditKind>().Max(kind => (int)kind) + 1];
    private readonly List<(string Tenant, QueueName Queue)> queueNames = [];
    private int trailCounted;
    private long skipsBefore;
    private long skipsSeen;

    /// <summary>Counts the acts that are on the trail. The trail is emptied by a checkpoint: to be called just before one is filled.</summary>
    public void CountTrail()
    {
        List<AuditRow> rows = partition.Trail.Rows;
        for (; trailCounted < rows.Count; trailCounted++)
            acts[(int)rows[trailCounted].Kind]++;
    }

    /// <summary>The trail is empty again.</summary>
    public void OnTrailTaken() => trailCounted = 0;

    /// <param name="keptAt">See <see cref="PartitionReading.KeptAt"/>.</param>
    public PartitionReading Read(long keptAt)
    {
        CountTrail();
        CountSkips();
        PartitionView view = partition.View;
        (int done, int of) = view.Rescored;
        return new PartitionReading
        {
            Applied = partition.Positions,
            ClockMs = partition.ClockMs,
            Counters = partition.Counters,
            Debtors = view.DebtorCount,
            DebtorBytes = view.BytesUsed,
            Parked = partition.ParkedCount,
            OpenLeases = view.OpenLeaseCount,
            RescoresLeft = of - done,
            Scores = view.ScoreCount,
            Skips = skipsBefore + skipsSeen,
            Decisions = view.DecisionCounts.ToArray(),
            Acts = [.. acts],
            Queues = ReadQueues(view),
            KeptAt = keptAt,
        };
    }

    /// <summary>The partition counts skips from the last change of models on; here they go on rising.</summary>
    private void CountSkips()
    {
        long skips = partition.View.SkipCount;
        if (skips < skipsSeen)
            skipsBefore += skipsSeen;
        skipsSeen = skips;
    }

    /// <summary>Queues are only ever added, so their names are read once.</summary>
    private QueueDepth[] ReadQueues(PartitionView view)
    {
        var depths = new QueueDepth[view.QueueCount];
        for (int i = 0; i < depths.Length; i++)
        {
            if (i == queueNames.Count)
                queueNames.Add(view.QueueAt(i));
            depths[i] = new QueueDepth(queueNames[i].Tenant, queueNames[i].Queue, view.WaitingIn(i));
        }
        return depths;
    }
}
