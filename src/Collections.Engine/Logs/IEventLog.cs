namespace Collections.Engine.Logs;

/// <summary>
/// The log of events, in partitions of three streams each. Contract: what has been appended is durable, is never changed, and is read
/// back in the order of its stream's offsets, which have no gaps.
/// </summary>
public interface IEventLog : IDisposable
{
    /// <summary>Fixed when the log is created.</summary>
    int PartitionCount { get; }

    /// <summary>Behind the last durable record of each stream. Any thread.</summary>
    StreamPositions End(int partition);

    /// <summary>
    /// Adds up to <paramref name="maxCount"/> records from <paramref name="from"/> on to <paramref name="into"/> and moves the positions
    /// behind them. The streams are merged by (known, stream, offset) as far as each has been read. Called by the partition's
    /// worker only; other partitions may be read at the same time.
    /// </summary>
    /// <returns>How many were added; 0 means that everything durable has been read.</returns>
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
    void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into);

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
