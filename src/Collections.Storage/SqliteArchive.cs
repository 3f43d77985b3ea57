using Collections.Engine.Logs;

namespace Collections.Storage;

/// <summary>
/// The archive of a log elsewhere, in the same segment files that the embedded log uses: what reads the past opens either by
/// <see cref="SqliteEventLog.OpenToRead"/>.
/// </summary>
public sealed class SqliteArchive : IRecordArchive
{
    private readonly SqliteEventLog log;

    /// <summary>Opens the archive in <c>directory/log</c>, or creates it.</summary>
    /// <exception cref="StorageRefusedException">It is in use, holds a log of its own, or was created with another partition count or layout.</exception>
    /// <exception cref="LogCorruptException">The end of a partition can't be trusted.</exception>
    public SqliteArchive(string directory, SqliteLogOptions options, TimeProvider time) =>
        log = new SqliteEventLog(directory, options, time, LogUse.Archive, fault: null);

    public int PartitionCount => log.PartitionCount;

    public StreamPositions End(int partition) => log.End(partition);

    public void Begin(int partition, StreamPositions at) => log.Begin(partition, at);

    /// <inheritdoc cref="SqliteEventLog.Faults"/>
    public IReadOnlyList<ArchiveFault> Faults => log.Faults;

    public ArchiveNote? NoteOf(int partition) => log.NoteOf(partition);

    public void Note(int partition, ArchiveNote note) => log.Note(partition, note);

    public ArchiveGap? GapOf(int partition) => log.GapOf(partition);

    public void Fill(int partition, ArchiveGap gap, AppendBatch records, StreamPositions reached) => log.Fill(partition, gap, records, reached);

    public Task AppendAsync(AppendBatch batch) => log.AppendAsync(batch, CancellationToken.None);

    public int Read(int partition, ref StreamPositions from, int maxCount, StreamPositions sourceEnd, RecordBatch into) =>
        log.Read(partition, ref from, maxCount, sourceEnd, into);

    public ArchivePart ReadPiece(int partition, LostPiece piece, int bytesMax, AppendBatch into) => log.ReadPiece(partition, piece, bytesMax, into);

    public void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into) =>
        log.ReadHistory(partition, debtorHash, until, into);

    public void Dispose() => log.Dispose();
}
