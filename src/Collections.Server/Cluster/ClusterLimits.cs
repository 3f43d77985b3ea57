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

    /// <summary>A node that was not seen to run anything for so long is not asked for its archive any more: one that comes back runs something, and is seen.</summary>
    public static readonly TimeSpan RememberedFor = TimeSpan.FromHours(1);

    /// <summary>How long the next part of another node's archive is waited for: it is read from the disk in milliseconds, and a busy disk takes seconds.</summary>
    public static readonly TimeSpan ArchivePartTime = TimeSpan.FromSeconds(10);

    /// <summary>Records of an archive in one message, in bytes, if one record alone is not larger: some 1,500, one read of the disk and one commit.</summary>
    public const int ArchivePartBytes = 256 << 10;

    /// <summary>The most that a message of another node may have: a record of an archive, 16 MiB, and 1 MiB for what comes with it.</summary>
    public const int MessageBytesMax = 17 << 20;

    /// <summary>Other nodes that read this one's archive at the same time: each takes a few milliseconds of the disk for a message. A node asks for one piece after another.</summary>
    public const int ArchiveReadersMax = 4;

    /// <summary>Places of a queue's head in one message: 10,000 × (128 bytes of a name and 40 besides) are 1.7 MB of the 4 MiB that a message may have.</summary>
    public const int EntriesInMessage = 10_000;
}
