namespace Collections.Engine.Logs;

/// <summary>
/// The log of events, in partitions of three streams each. Contract: what has been appended is durable, is never changed, and is read
/// back in the order of its stream's offsets. Offsets rise, but not always by one: a log behind a broker has gaps where transactions ended
/// or compaction went, so a position says where to read on, not how many records lie before it.
/// </summary>
public interface IEventLog : IDisposable
{
    /// <summary>Fixed when the log is created.</summary>
    int PartitionCount { get; }

    /// <summary>The group of nodes that share the partitions; null: this node runs all of them, always.</summary>
    IPartitionGroup? Group => null;

    /// <summary>
    /// This node runs the partition now, and reads it from these positions on. Before that, and after <see cref="Close"/>, a log of many nodes
    /// knows nothing of it but how to append. One call a partition at a time.
    /// </summary>
    /// <exception cref="LogUnavailableException">The log can't be asked now; try again later.</exception>
    /// <exception cref="LogCorruptException">What is to be read is not there: the message says why and what to do.</exception>
    void Open(int partition, StreamPositions from)
    {
    }

    /// <summary>This node does not run the partition any more, and nobody reads it here.</summary>
    void Close(int partition)
    {
    }

    /// <summary>Behind the last durable record of each stream, as far as this node knows. Any thread.</summary>
    StreamPositions End(int partition);

    /// <summary>
    /// Whether <see cref="End"/> was asked for and answered a moment ago. While it is false, a broker does not answer: there may be records that
    /// this node can't know of, so having read everything says nothing about the present. An embedded log always knows. Any thread.
    /// </summary>
    bool KnowsEnd(int partition) => true;

    /// <summary>
    /// Tells the log that everything before the positions is kept in the store, for logs that show others how far their readers are. It decides
    /// nothing: reading goes on from the store's positions. It must be quick and must not throw. The partition's worker only.
    /// </summary>
    void OnKept(int partition, StreamPositions next)
    {
    }

    /// <summary>
    /// Adds up to <paramref name="maxCount"/> records from <paramref name="from"/> on to <paramref name="into"/> and moves the positions
    /// behind them. The streams are merged by (known, stream, offset) as far as each has been read. Called by the partition's
    /// worker only; other partitions may be read at the same time.
    /// </summary>
    /// <returns>How many were added; fewer than asked for means that nothing more can be read now, and that it was all if the positions cover <see cref="End"/>.</returns>
    /// <exception cref="LogUnavailableException">The log can't be read now; try again later.</exception>
    /// <exception cref="LogCorruptException">What is stored can't be trusted: stop the partition.</exception>
    int Read(int partition, ref StreamPositions from, int maxCount, RecordBatch into);

    /// <summary>
    /// Appends all events of the batch, in its order within each stream, and completes when they are durable and their offsets are
    /// set. Batches of many callers are committed together. Any thread.
    /// </summary>
    /// <exception cref="LogUnavailableException">Nothing of the batch counts as acknowledged; part of it may have become durable.</exception>
    Task AppendAsync(AppendBatch batch, CancellationToken cancellation);

    /// <summary>
    /// Adds all records of one debtor that lie before <paramref name="until"/>, in any order. The key is a hash: the records of a
    /// debtor with the same hash come too, and the caller tells them apart by name. Any thread.
    /// </summary>
    /// <exception cref="LogUnavailableException">The log can't be read now; try again later.</exception>
    /// <exception cref="LogCorruptException">What is stored can't be trusted: stop the partition.</exception>
    /// <exception cref="HistoryLostException">Part of it is gone for good; what is left was read.</exception>
    void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into);

    /// <summary>
    /// Where decisions and dead letters go; null: nobody reads them, and nothing is kept for them. The same for as long as the log is open.
    /// </summary>
    IPublisher? Publisher => null;

    /// <summary>Calls back, on any thread, with the partition whenever records have become durable in it.</summary>
    Action<int>? Appended { get; set; }
}

/// <summary>The log can't be read or written now. What was acknowledged is safe; the caller tries again later.</summary>
public sealed class LogUnavailableException : Exception
{
    public LogUnavailableException(string message)
        : base(message)
    {
    }

    public LogUnavailableException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public LogUnavailableException()
    {
    }
}

/// <summary>What the log has stored can't be trusted: the message says what, where, and what to do. Trying again doesn't help.</summary>
public sealed class LogCorruptException : Exception
{
    public LogCorruptException(string message)
        : base(message)
    {
    }

    public LogCorruptException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public LogCorruptException()
    {
    }
}
