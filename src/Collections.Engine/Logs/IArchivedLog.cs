namespace Collections.Engine.Logs;

/// <summary>A log whose records each node keeps for ever in an archive of its own: what one node's archive misses another's may have.</summary>
public interface IArchivedLog
{
    /// <summary>
    /// The archives of the other nodes that are known, whether they can be asked now or not; null: nobody can be asked, ever. Set before partitions are
    /// opened; called from any thread.
    /// </summary>
    Func<IReadOnlyList<IOtherArchive>>? Others { get; set; }

    /// <inheritdoc cref="IRecordArchive.ReadPiece"/>
    ArchivePart ReadPiece(int partition, LostPiece piece, int bytesMax, AppendBatch into);
}

/// <summary>The archive of another node.</summary>
public interface IOtherArchive
{
    /// <summary>The node, as an operator knows it.</summary>
    string Name { get; }

    /// <summary>
    /// Hands over what it has of a piece, in order, from the piece's beginning up to the first hole. It waits for each answer for a bounded time. One
    /// caller at a time.
    /// </summary>
    /// <param name="take">Takes records with their offsets, and up to where everything has been handed over; false: no more is wanted.</param>
    /// <returns>From where on it has anything: the piece's beginning, or behind it, and then nothing was handed over; the piece's end if it has nothing.</returns>
    /// <exception cref="LogUnavailableException">It can't be asked now. What was taken was taken.</exception>
    long Copy(int partition, LostPiece piece, Func<AppendBatch, long, bool> take, CancellationToken cancellation);
}

/// <summary>What an archive has of a piece without a hole, in offsets.</summary>
/// <param name="From">Where it begins; the piece's end if there is nothing of it.</param>
/// <param name="To">Up to where it was read.</param>
public readonly record struct ArchivePart(long From, long To);
