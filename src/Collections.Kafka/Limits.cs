namespace Collections.Kafka;

/// <summary>Every bound of this project, with its arithmetic.</summary>
internal static class Limits
{
    /// <summary>Messages taken from librdkafka at once: a fifth of what a second brings at 200,000 events would wait 5 ms.</summary>
    public const int FetchBatch = 1_000;

    /// <summary>How long the fetching thread waits for messages; commands and stopping wait as long at most.</summary>
    public const int FetchWaitMs = 50;

    /// <summary>
    /// Bytes fetched and not yet durable in the archive, of one partition; beyond that it is paused. 4 MiB are some 20,000 events, a tenth of a
    /// second of everything that a node takes.
    /// </summary>
    public const int PendingBytesMax = 4 << 20;

    /// <summary>Records that the archive may be ahead of the partition in one stream, before fetching is paused: two seconds of a whole node's load.</summary>
    public const long LeadMax = 400_000;

    /// <summary>One event in wire form, or its JSON: as much as the archive takes. What is larger becomes a dead letter of its beginning.</summary>
    public const int RecordBytesMax = 16 << 20;

    /// <summary>What is kept of a record that is too large.</summary>
    public const int OversizeKeptBytes = 64 << 10;

    /// <summary>Events produced and not yet acknowledged: below librdkafka's own bound, which would refuse instead of waiting.</summary>
    public const int InFlightEventsMax = 100_000;

    /// <summary>The same in bytes: four seconds at 100,000 events of 150 bytes.</summary>
    public const long InFlightBytesMax = 64L << 20;

    /// <summary>Partitions of one log, as the archive allows.</summary>
    public const int PartitionsMax = 1024;

    /// <summary>How often the ends of all partitions are asked for: one request to each broker.</summary>
    public const int EndsEveryMs = 200;

    /// <summary>An answer older than this says nothing about the present: longer than a request is waited for, so that one that fails alone stops no clock.</summary>
    public const int EndsKnownForMs = 5_000;

    /// <summary>How long one request for ends, or about topics, waits for its answer.</summary>
    public const int RequestMs = 3_000;

    /// <summary>
    /// The same while brokers are asked one by one, because one of them does not answer: it delays the next question to the others by as much, and their
    /// answers must not grow as old as <see cref="EndsKnownForMs"/>.
    /// </summary>
    public const int ApartRequestMs = 1_000;

    /// <summary>How often it is looked whether the topics still have as many partitions as the log: three requests.</summary>
    public const int CountEveryMs = 30_000;

    /// <summary>How long an archive that takes nothing is left alone before it is tried again.</summary>
    public const int ArchiveRetryMs = 500;

    /// <summary>How long a bridge whose records nobody takes waits before it tries again.</summary>
    public const int BridgeRetryMs = 1_000;

    /// <summary>The same warning is said once in this time.</summary>
    public const int WarnEveryMs = 10_000;

    /// <summary>librdkafka's statistics are read once in this time.</summary>
    public const int StatisticsMs = 1_000;

    /// <summary>Records of each topic partition's end that a check of keys looks at.</summary>
    public const int SampledRecords = 100;

    /// <summary>
    /// A node that is not heard of for so long is gone, and others take its partitions: three heartbeats and a pause of the collector in between. A
    /// broker allows 6 seconds at least.
    /// </summary>
    public const int SessionMs = 12_000;

    /// <summary>How often a member tells that it is there, and learns of a rebalance.</summary>
    public const int HeartbeatMs = 3_000;

    /// <summary>How long a member's thread waits for news of its group; leaving waits as long at most.</summary>
    public const int GroupPollMs = 100;

    /// <summary>Who has been a member for so long and was given nothing, gets nothing for now.</summary>
    public const int MembershipMs = 10_000;

    /// <summary>Records of a gap in the archive that are written at once: 5,000 × 150 bytes in one commit, so that live records wait little.</summary>
    public const int BackfillBatch = 5_000;

    /// <summary>A gap of which nothing comes for so long is left for another one's.</summary>
    public const int BackfillPatienceMs = 10_000;

    /// <summary>
    /// How long a gap stays open, in milliseconds, while no node that can be asked has what Kafka has no more: a node whose machine is started anew, or
    /// that gets another one with its old volume, is back within minutes, and histories of the partition do not wait for ever for one that never comes.
    /// </summary>
    public const int LostPatienceMs = 600_000;

    /// <summary>How often the other nodes are asked meanwhile: every ten seconds, one call to each for each stream of a partition.</summary>
    public const int LostAsksMax = 60;

    /// <summary>How often it is looked for gaps.</summary>
    public const int BackfillEveryMs = 1_000;
}
