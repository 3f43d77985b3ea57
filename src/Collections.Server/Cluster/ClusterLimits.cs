namespace Collections.Server.Cluster;

/// <summary>Every bound of the talk between nodes.</summary>
internal static class ClusterLimits
{
    /// <summary>How often the store is asked who runs what: a request of some kilobytes.</summary>
    public static readonly TimeSpan DirectoryEvery = TimeSpan.FromSeconds(1);

    /// <summary>What is older is not relied on: the store was not asked for three times, so this node was stopped, or the store is.</summary>
    public static readonly TimeSpan DirectoryAgeMax = TimeSpan.FromSeconds(3);

    /// <summary>How long a request waits for the store to say who runs what, if that is old: one that is away is not waited for to the end of its time.</summary>
    public static readonly TimeSpan DirectoryPatience = TimeSpan.FromSeconds(1);

    /// <summary>What was asked for less than that ago is not asked for again, however many requests look for a partition.</summary>
    public static readonly TimeSpan DirectoryAgeMin = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a request waits for a partition that is on its way from one node to another: a hand-over of 500,000 debtors takes about as long.
    /// </summary>
    public static readonly TimeSpan HandOverPatience = TimeSpan.FromSeconds(3);

    /// <summary>How often it looks meanwhile.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>What a caller who waited in vain is told to wait before the next try.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>A node that has not said by then what it could give, gives nothing to this pull: the others' actions do not wait for it.</summary>
    public static readonly TimeSpan LookTime = TimeSpan.FromSeconds(1);

    /// <summary>How long a grant may take: its leases are committed by then, or the store does not answer.</summary>
    public static readonly TimeSpan GrantTime = TimeSpan.FromSeconds(15);

    /// <summary>How long a connection to another node may take to come about: it is in the same network.</summary>
    public static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(1);

    /// <summary>How long it is waited before news of another node's leases are asked for again.</summary>
    public static readonly TimeSpan WatchAgain = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a node looks through its partitions for how models do: 20 million debtors × 10 µs, and half as long again for events and pulls in between. One that
    /// is gone is noticed after ten seconds.
    /// </summary>
    public static readonly TimeSpan SurveyTime = TimeSpan.FromMinutes(5);

    /// <summary>Places of a queue's head in one message: 10,000 × (128 bytes of a name and 40 besides) are 1.7 MB of the 4 MiB that a message may have.</summary>
    public const int EntriesInMessage = 10_000;
}
