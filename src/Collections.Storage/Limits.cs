namespace Collections.Storage;

/// <summary>Every bound of this project, with its arithmetic.</summary>
internal static class Limits
{
    /// <summary>
    /// A segment's page. A group commit of one event writes one page to the WAL, so small is cheap to append; a full block must not spill
    /// into many overflow pages, so big is cheap to read. 16 KiB holds one full block.
    /// </summary>
    public const int SegmentPageBytes = 16 * 1024;

    /// <summary>
    /// A full block fills one page: the page less SQLite's 35 bytes of page overhead, 3 of the cell's record header, 18 of varints, and
    /// some to spare.
    /// </summary>
    public const int BlockBytesMax = SegmentPageBytes - 96;

    /// <summary>One record. It has a block to itself when it is bigger than a block, and must stay far below SQLite's 1 GB for one value.</summary>
    public const int RecordBytesMax = 16 * 1024 * 1024;

    /// <summary>What a stream's cursor reads ahead: eight full blocks, so that a query's 5 µs are spread over about 800 records.</summary>
    public const int ReadAheadBytes = 128 * 1024;

    /// <summary>Appends admitted and not yet durable. At 100,000 events of 150 bytes a second it is four seconds of appending.</summary>
    public const long PendingBytesMax = 64L * 1024 * 1024;

    /// <summary>The same in batches, so that a flood of tiny ones is bounded too: 16,384 × about 400 bytes of objects is 6.5 MB.</summary>
    public const int PendingBatchesMax = 16 * 1024;

    /// <summary>
    /// Postings held in memory before they are written as one sorted run: 65,536 × 24 bytes is 1.5 MB a partition, and a day of a million
    /// records has 16 runs, so a debtor's history costs 16 look-ups in it.
    /// </summary>
    public const int RecentPostingsMax = 64 * 1024;

    /// <summary>A WAL is copied back once it holds this much: 16 MiB is some 100,000 events, and half a second of recovery at most.</summary>
    public const int LogWalBytes = 16 * 1024 * 1024;

    /// <summary>Connections to segments that stay open for reading history, over all partitions: two file handles each.</summary>
    public const int OpenSegmentsMax = 512;

    /// <summary>A partition's sequential reading stands in at most three segments at once, one for each stream.</summary>
    public const int CursorSegmentsMax = 3;

    /// <summary>Partitions of one log: a directory, three connections and 2 MB each.</summary>
    public const int PartitionsMax = 1024;

    /// <summary>Threads that append. They wait for the disk nearly all the time: with 100 callers four appended 3.5 × as much as one, eight no more.</summary>
    public const int WriterThreadsMax = 16;

    /// <summary>How long a statement waits for another connection's lock; in WAL mode it is held for microseconds.</summary>
    public const int BusyMs = 10_000;

    /// <summary>
    /// A page of a partition's store: 15 images of 500 bytes. Measured, in thousands of states a second of processor time, for 4, 8 and 16 KiB:
    /// all states changed 410, 525, 400; one in ten 90, 98, 100; one in fifty 120, 90, 40.
    /// </summary>
    public const int StorePageBytes = 8 * 1024;

    /// <summary>
    /// A store's WAL is copied back once it holds this much: a checkpoint of 100,000 states of 500 bytes is 50 MB, so that the pages which
    /// several checkpoints change are copied once. Reading it again after a crash takes a quarter of a second.
    /// </summary>
    public const int StoreWalBytes = 128 * 1024 * 1024;

    /// <summary>A store's page cache: inner pages and the tail; SQLite takes it from the heap as it is used.</summary>
    public const int StoreCacheKiB = 16 * 1024;

    /// <summary>A segment connection's page cache: its inner pages and the tail that each commit rewrites.</summary>
    public const int SegmentCacheKiB = 1024;

    /// <summary>
    /// How long a command to PostgreSQL may take, in seconds, where the connection string says nothing: a batch of leases takes milliseconds, and
    /// who pulls doesn't wait longer.
    /// </summary>
    public const int CommandSeconds = 30;

    /// <summary>
    /// The same for one step of a checkpoint or of loading one: the first checkpoint of a partition of 500,000 debtors is 350 MB, at 5 MB/s of a slow
    /// disk 70 s, and twice that for its journal; with room to spare.
    /// </summary>
    public const int CheckpointCommandSeconds = 600;

    /// <summary>How long, in milliseconds, a new owner waits for a transaction of the one before it to end, before it ends it.</summary>
    public const int TakeOverPatienceMs = 5_000;

    /// <summary>
    /// How long a session may sit in a transaction without a word, in milliseconds: a process that was stopped there lets go of its locks. The program
    /// itself is never silent for longer than it takes to fill a buffer.
    /// </summary>
    public const int IdleInTransactionMs = 60_000;

    /// <summary>Seconds without an answer before the system asks whether the server is still there, and between such questions.</summary>
    public const int KeepAliveSeconds = 5;

    /// <summary>Statements that a connection keeps prepared: the store has some thirty.</summary>
    public const int PreparedStatementsMax = 64;

    /// <summary>Bytes gathered before they go into a COPY: some 90 states of 700 bytes, and one packet of PostgreSQL's own buffer many times.</summary>
    public const int CopyBufferBytes = 64 * 1024;
}
