namespace Collections.Engine;

/// <summary>Every limit of the engine, with its arithmetic.</summary>
public static class Limits
{
    /// <summary>
    /// Records a slice takes at most. At about 2 µs an event a slice then lasts 4 ms, which is how long a pull may wait behind ingest
    /// on one worker; the host tunes the count below this.
    /// </summary>
    public const int SliceRecordsMax = 2_048;

    /// <summary>Records whose debtors are prefetched together: 32 × 6 cache lines are 12 KB of 48 KB L1.</summary>
    public const int PrefetchWindow = 32;

    /// <summary>Debtors evaluated as one batch: 256 rows of 60 doubles are 120 KB and stay in L2.</summary>
    public const int EvaluationBatch = 256;

    /// <summary>
    /// Codes of a row that are kept to know an unchanged one by: two cache lines. A model of more columns than that is scored each time.
    /// </summary>
    public const int MemoCodeBytesMax = 128;

    /// <summary>Debtors that a day roll or a re-evaluation of the book looks at in one slice: 2,048 × 2 µs = 4 ms.</summary>
    public const int SweepPerSlice = 2_048;

    /// <summary>
    /// Debtors that a node scores anew in a second after a change of models, unless configured: a third of what two cores can, so that the rest is
    /// left to events and pulls.
    /// </summary>
    public const int RescoresPerSecondDefault = 250_000;
    public const int RescoresPerSecondMax = 100_000_000;

    /// <summary>Versions of the configuration: what names them in a score has 16 bits, and 0 means none.</summary>
    public const int VersionsMax = ushort.MaxValue;

    /// <summary>
    /// Debtors that one question about the book looks at, while events and pulls wait: drift scores each as a row of its own, 1,024 × up to 10 µs.
    /// </summary>
    public const int SurveyChunk = 1_024;

    /// <summary>Places of a queue's head that two models are compared by.</summary>
    public const int ComparedHeadMax = 10_000;

    /// <summary>
    /// Places of all heads of a comparison together: 2 million × some 120 bytes are 240 MB in the node that is asked. The default of 100 places allows
    /// 10,000 queues, the maximum of 10,000 places 100.
    /// </summary>
    public const int ComparedEntriesMax = 2_000_000;

    /// <summary>
    /// Groups of one version's watched predictions in one partition that are named after portfolios, customer types, products and regions; what is beyond
    /// counts as "others" of its kind. 1,000 × some 100 bytes are written with a checkpoint, for each version that was active for its horizon.
    /// </summary>
    public const int OutcomeGroupsMax = 1_000;

    /// <summary>A partition further behind than this hands out nothing (DESIGN 4).</summary>
    public const long BehindMsMax = 60_000;

    /// <summary>Actions in one pull; more would hold a worker too long and is better asked for twice.</summary>
    public const int PullMax = 1_000;

    public const int LeaseSecondsDefault = 300;
    public const int LeaseSecondsMax = 86_400;

    /// <summary>How long a voided lease is remembered after its expiry, so that its holder can be told.</summary>
    public const long VoidedKeptMs = 3_600_000;

    /// <summary>
    /// Events held for one parked debtor. A debtor is parked for milliseconds; ten thousand events in that time are a flood, and the
    /// partition stops reading until the answer is there.
    /// </summary>
    public const int HeldEventsMax = 10_000;

    /// <summary>Queues (tenant × portfolio × channel) in one partition; each costs 64 KB of bucket heads.</summary>
    public const int QueuesMax = 4_096;

    /// <summary>Checkpoint interval, adapted between these to the time that the last one took (DESIGN 5.1).</summary>
    public const int CheckpointSecondsMin = 1;
    public const int CheckpointSecondsMax = 30;

    /// <summary>How long, in seconds, a node that stops waits for its last checkpoint: within the two minutes that its process is given to end.</summary>
    public const int LastCheckpointSecondsMax = 90;

    /// <summary>A checkpoint may take a tenth of the time between two.</summary>
    public const int CheckpointShare = 10;

    /// <summary>How often a change of the registry is made anew when other nodes change it at the same time.</summary>
    public const int RegistryAttemptsMax = 5;

    /// <summary>Partitions that are loaded side by side when a node takes several: their checkpoints are decoded on as many cores.</summary>
    public const int LoadsAtOnce = 2;

    /// <summary>
    /// Checkpoints of a node that are committed side by side: a session of PostgreSQL works on one core, so that with a second one the other is used, too. More
    /// would take the disk from the log.
    /// </summary>
    public const int CheckpointsAtOnce = 2;

    /// <summary>How long, in seconds, giving up a partition waits for what is under way: an append or a commit that takes longer has failed.</summary>
    public const int DrainSecondsMax = 10;

    /// <summary>
    /// How long, in seconds, giving up partitions may take in all, the last checkpoints included: below the five minutes after which a Kafka group
    /// takes them anyway.
    /// </summary>
    public const int HandOverSecondsMax = 60;

    /// <summary>
    /// How long, in milliseconds, a node that was fenced leaves a partition alone that its group still gives it: it may have slept, and a heartbeat that
    /// tells takes three seconds.
    /// </summary>
    public const int FencedPauseMs = 6_000;

    /// <summary>
    /// Who has not run for so long, in milliseconds, asks whether its partitions are still its own: below the six seconds after which a group gives them
    /// to others at the earliest. A slice takes some four, a pause of the collector some hundred.
    /// </summary>
    public const int SleepMs = 2_000;

    /// <summary>Pauses are looked up from so often, in milliseconds.</summary>
    public const int PauseStepMs = 100;

    /// <summary>Control commands waiting for one worker; a caller beyond that is refused, so that a stuck worker can't fill memory.</summary>
    public const int CommandsMax = 65_536;

    /// <summary>Events of one append call.</summary>
    public const int AppendEventsMax = 10_000;

    /// <summary>
    /// Bytes of one partition's history that are held at once when the past is folded; what is larger is read in parts. 128 MiB are some
    /// 550,000 events; with lists that double as they grow and the runtime's own share a process was seen to take five times as much.
    /// </summary>
    public const long HistoryBytesMax = 128L << 20;

    /// <summary>What a record of such a history costs beside its content: its entry in the batch, and its moment twice while they are arranged.</summary>
    public const int HistoryRecordBytes = 136;

    /// <summary>As-of dates of one training set: every day for ten years.</summary>
    public const int TrainingDatesMax = 3_660;

    /// <summary>Days between two as-of dates, and of a label's horizon, at most: a year.</summary>
    public const int TrainingDaysMax = 366;

    /// <summary>Dead letters read from the store at a time: 1,000 × 1 KB.</summary>
    public const int DeadLetterPage = 1_000;

    /// <summary>
    /// Bytes of a record that leave as a dead letter; the store's own list has all of it. With its headers it stays below the 1 MiB that brokers take in one
    /// message unless told otherwise: one that they refuse would hold up those behind it.
    /// </summary>
    public const int DeadLetterBytesMax = 512 << 10;

    /// <summary>Rows of the outbox that are published together: 1,000 × some 200 bytes, acknowledged in one round trip.</summary>
    public const int OutboxBatchRows = 1_000;

    /// <summary>The same in bytes, for dead letters: eight of the largest.</summary>
    public const long OutboxBatchBytes = 4 << 20;

    /// <summary>How long, in milliseconds, an outbox that fails again and again is left alone at most.</summary>
    public const int OutboxRetryMsMax = 5_000;

    /// <summary>
    /// Queues with a name of their own in what is measured: 1,000 × 3 series are what a page of some 300 KB carries, and far more than anybody's
    /// tenants × portfolios × channels in one engine that are looked at one by one.
    /// </summary>
    public const int MeteredQueuesMax = 1_000;

    /// <summary>Requests whose leases are remembered for retries, newest kept.</summary>
    public const int RequestsRemembered = 100_000;
}
