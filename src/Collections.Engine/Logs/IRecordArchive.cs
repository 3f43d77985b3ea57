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
    /// This node runs the partition now, from these positions on: that is where appending goes on. If the archive ends before, because others ran the
    /// partition meanwhile, it goes on with a gap. No append may be under way.
    /// </summary>
    void Begin(int partition, StreamPositions at);

    /// <summary>What was noted of a partition; null: nothing, so that nobody has ever kept it here. Any thread.</summary>
    ArchiveNote? NoteOf(int partition);

    /// <summary>Notes it; it is durable when this returns. No two of one partition at a time.</summary>
    void Note(int partition, ArchiveNote note);

    /// <summary>The first gap of a partition; null: everything is there. Any thread.</summary>
    ArchiveGap? GapOf(int partition);

    /// <summary>Adds records of a gap, at their offsets; they are durable when it returns. One thread at a time.</summary>
    /// <param name="reached">How far the source has been read: what the gap has before it is here now, or the source has it no more.</param>
    /// <exception cref="LogUnavailableException">Part of it may have become durable; try again.</exception>
    /// <exception cref="LogCorruptException">What is stored can't be trusted.</exception>
    void Fill(int partition, ArchiveGap gap, AppendBatch records, StreamPositions reached);

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

    /// <summary>
    /// Adds the records of a piece, with their offsets, from its beginning up to the first hole, or until there are <paramref name="bytesMax"/> bytes. Where
    /// the archive has the piece from a later offset only, nothing is added, and the part says from where. Offsets before the first record that this archive
    /// was begun with, and that are not noted as lost, were empty for whoever applied the stream. Any thread, of a partition that others run too.
    /// </summary>
    /// <exception cref="LogUnavailableException">It can't be read now; try again later.</exception>
    /// <exception cref="LogCorruptException">What is stored can't be trusted.</exception>
    ArchivePart ReadPiece(int partition, LostPiece piece, int bytesMax, AppendBatch into);

    /// <inheritdoc cref="IEventLog.ReadHistory"/>
    void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into);
}

/// <summary>What an archive misses of a partition: what its source has from one position to the other.</summary>
/// <param name="Chapter">The archive's own mark of the place.</param>
public readonly record struct ArchiveGap(int Chapter, StreamPositions From, StreamPositions To);
