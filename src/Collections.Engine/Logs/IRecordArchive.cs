namespace Collections.Engine.Logs;

/// <summary>
/// Keeps for ever what a log elsewhere keeps for a time: records at the offsets that they have there, indexed by debtor. Contract: what was
/// appended is durable and never changes; offsets of a stream rise, with gaps where their source has some.
/// </summary>
public interface IRecordArchive : IDisposable
{
    /// <summary>Fixed when the archive is created.</summary>
    int PartitionCount { get; }

    /// <summary>Behind the last durable record of each stream: where its owner goes on fetching. Any thread.</summary>
    StreamPositions End(int partition);

    /// <summary>
    /// Appends records at the offsets that the batch gives, which rise within each stream. What lies before <see cref="End"/> is there already
    /// and is left out, so that trying again is harmless. Completes when all is durable. One batch of a partition at a time.
    /// </summary>
    /// <exception cref="LogUnavailableException">Part of it may have become durable; try again.</exception>
    /// <exception cref="LogCorruptException">What is stored can't be trusted: stop the partition.</exception>
    Task AppendAsync(AppendBatch batch);

    /// <summary>
    /// As <see cref="IEventLog.Read"/>, merged by (known, stream, offset). A stream that ends here before <paramref name="sourceEnd"/> has records
    /// to come, so nothing of the other streams is given out past its end.
    /// </summary>
    /// <exception cref="LogUnavailableException">It can't be read now; try again later.</exception>
    /// <exception cref="LogCorruptException">What is stored can't be trusted: stop the partition.</exception>
    int Read(int partition, ref StreamPositions from, int maxCount, StreamPositions sourceEnd, RecordBatch into);

    /// <inheritdoc cref="IEventLog.ReadHistory"/>
    void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into);
}
