using System.Globalization;
using Collections.Engine.Logs;
using Collections.Storage.Logs;
using Collections.Storage.Sqlite;

namespace Collections.Storage;

/// <summary>How an embedded log is opened.</summary>
/// <param name="Partitions">Fixed when the log is created; opening it with another count is refused.</param>
public sealed record SqliteLogOptions(int Partitions)
{
    /// <summary>Threads that append; each has its share of the partitions, and their waits for the disk overlap.</summary>
    public int WriterThreads { get; init; } = 4;

    /// <summary>Bytes of events admitted and not yet durable; further callers wait.</summary>
    public long PendingBytesMax { get; init; } = Limits.PendingBytesMax;

    /// <summary>Batches admitted and not yet durable; further callers wait.</summary>
    public int PendingBatchesMax { get; init; } = Limits.PendingBatchesMax;

    internal void Check()
    {
        Require(Partitions is >= 1 and <= Limits.PartitionsMax, nameof(Partitions), Partitions, $"1 to {Limits.PartitionsMax}");
        Require(WriterThreads is >= 1 and <= Limits.WriterThreadsMax, nameof(WriterThreads), WriterThreads, $"1 to {Limits.WriterThreadsMax}");
        Require(PendingBytesMax >= 1, nameof(PendingBytesMax), PendingBytesMax, "at least 1");
        Require(PendingBatchesMax >= 1, nameof(PendingBatchesMax), PendingBatchesMax, "at least 1");
    }

    private static void Require(bool holds, string key, long value, string range)
    {
        if (!holds)
            throw new StorageRefusedException($"{key} must be {range}, but is {value.ToString(CultureInfo.InvariantCulture)}");
    }
}

/// <summary>What the files of a log are opened for.</summary>
internal enum LogUse
{
    Log,

    /// <summary>Records come with their offsets from a log elsewhere.</summary>
    Archive,

    /// <summary>An archive to be looked at.</summary>
    ReadArchive,
}

/// <summary>
/// The embedded log: a directory with one directory a partition, and in it one SQLite file a day of appending. An append is acknowledged
/// when it is on the disk; the batches of all callers that wait are committed together.
/// </summary>
public sealed class SqliteEventLog : IEventLog
{
    private readonly DirectoryLock directoryLock;
    private readonly ChapteredLog[] partitions;
    private readonly AppendThread[] threads;
    private readonly AppendQueue queue;
    private readonly LogUse use;
    private readonly ManualResetEventSlim drained = new();
    private int disposed;

    /// <summary>
    /// Opens what is in <c>directory/log</c> to be read: a log, or the archive of a log elsewhere, by those who look at the past.
    /// </summary>
    /// <exception cref="StorageRefusedException">It is in use, there is none, or it has another layout.</exception>
    public static SqliteEventLog OpenToRead(string directory, TimeProvider time)
    {
        LogDescription found = LogDescription.Find(Path.Combine(directory, "log"))
            ?? throw new StorageRefusedException($"{directory} holds no log. Name the directory of a node's data.");
        LogUse use = found.IsArchive ? LogUse.ReadArchive : LogUse.Log;
        return new SqliteEventLog(directory, new SqliteLogOptions(found.Partitions), time, use, fault: null);
    }

    /// <summary>Opens the log in <c>directory/log</c>, or creates it.</summary>
    /// <exception cref="StorageRefusedException">It is in use, or was created with another partition count or layout.</exception>
    /// <exception cref="LogCorruptException">The end of a partition can't be trusted.</exception>
    public SqliteEventLog(string directory, SqliteLogOptions options, TimeProvider time)
        : this(directory, options, time, LogUse.Log, fault: null)
    {
    }

    internal SqliteEventLog(string directory, SqliteLogOptions options, TimeProvider time, Action<LogStep, int>? fault)
        : this(directory, options, time, LogUse.Log, fault)
    {
    }

    internal SqliteEventLog(string directory, SqliteLogOptions options, TimeProvider time, LogUse use, Action<LogStep, int>? fault)
    {
        options.Check();
        this.use = use;
        string root = Path.GetFullPath(Path.Combine(directory, "log"));
        DurableFiles.CreateDirectory(root);
        directoryLock = DirectoryLock.Take(root);
        partitions = new ChapteredLog[options.Partitions];
        try
        {
            LogDescription.Agree(root, options.Partitions, use);
            int openSegmentsMax = Math.Max(Limits.CursorSegmentsMax, Limits.OpenSegmentsMax / options.Partitions);
            for (int p = 0; p < partitions.Length; p++)
            {
                int number = p;
                partitions[p] = new ChapteredLog(
                    Path.Combine(root, NameOf(p)), p, (path, start) => new PartitionLog(path, number, start, time, openSegmentsMax, use != LogUse.Log, fault));
            }
        }
        catch
        {
            CloseFiles();
            throw;
        }
        queue = new AppendQueue(Hand, options.PendingBytesMax, options.PendingBatchesMax);
        threads = new AppendThread[Math.Min(options.WriterThreads, options.Partitions)];
        for (int i = 0; i < threads.Length; i++)
            threads[i] = new AppendThread(partitions, i, threads.Length, Release, partition => Appended?.Invoke(partition));
        foreach (AppendThread thread in threads)
            thread.Start();
    }

    public int PartitionCount => partitions.Length;

    /// <summary>
    /// What the archive of a log elsewhere is known to miss, in words, by partition; a log of its own misses nothing. Until <see cref="PassOver"/> a
    /// partition with a gap is read up to it, and no further.
    /// </summary>
    public IReadOnlyList<ArchiveFault> Faults => use == LogUse.Log ? [] : ArchiveFault.Of(this);

    /// <summary>Reads over gaps, for who knows of them.</summary>
    public void PassOver()
    {
        foreach (ChapteredLog partition in partitions)
            partition.PassOver(partition.End);
    }

    /// <summary>How many partitions the log in <c>directory/log</c> was created with; null if there is none.</summary>
    /// <exception cref="StorageRefusedException">Its description can't be read.</exception>
    public static int? PartitionsIn(string directory) => LogDescription.Find(Path.Combine(directory, "log"))?.Partitions;

    /// <summary>Called by the append threads; it must be quick and must not throw.</summary>
    public Action<int>? Appended { get; set; }

    /// <summary>Batches that wait for room.</summary>
    internal int WaitingCount => queue.WaitingCount;

    public StreamPositions End(int partition) => partitions[partition].End;

    public int Read(int partition, ref StreamPositions from, int maxCount, RecordBatch into) =>
        partitions[partition].Read(ref from, StreamPositions.Start, maxCount, into);

    /// <summary>As <see cref="IRecordArchive.Read"/> says.</summary>
    internal int Read(int partition, ref StreamPositions from, int maxCount, StreamPositions sourceEnd, RecordBatch into) =>
        partitions[partition].Read(ref from, sourceEnd, maxCount, into);

    /// <summary>As <see cref="IRecordArchive"/> says.</summary>
    internal void Begin(int partition, StreamPositions at) => partitions[partition].Begin(at);

    /// <inheritdoc cref="Begin"/>
    internal ArchiveNote? NoteOf(int partition) => partitions[partition].Note;

    /// <inheritdoc cref="Begin"/>
    internal void Note(int partition, ArchiveNote note) => partitions[partition].Note = note;

    /// <inheritdoc cref="Begin"/>
    internal ArchiveGap? GapOf(int partition) => partitions[partition].Gap;

    /// <inheritdoc cref="Begin"/>
    internal void Fill(int partition, ArchiveGap gap, AppendBatch records, StreamPositions reached)
    {
        var pending = new PendingAppend(records, 0);
        List<AppendItem>[] streams = [[], [], []];
        for (int i = 0; i < records.Count; i++)
            streams[(int)records.StreamOf(i)].Add(new AppendItem(pending, i));
        partitions[partition].Fill(gap, streams, reached);
    }

    /// <inheritdoc cref="Begin"/>
    internal ArchivePart ReadPiece(int partition, LostPiece piece, int bytesMax, AppendBatch into) => partitions[partition].ReadPiece(piece, bytesMax, into);

    public void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into) =>
        partitions[partition].ReadHistory(debtorHash, until, into);

    /// <summary>
    /// As the interface says. Cancelling withdraws a batch that waits for room; one that was admitted is written, and the task tells how that
    /// ended: a caller never has to wonder.
    /// </summary>
    public Task AppendAsync(AppendBatch batch, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
            return Task.FromCanceled(cancellation);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed) != 0, this);
        if (use == LogUse.ReadArchive)
            throw new StorageRefusedException("this is the archive of a log elsewhere: only what comes from there goes in");
        ulong share = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            int partition = batch.PartitionOf(i);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)partition, (uint)partitions.Length, nameof(batch));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(batch.ContentOf(i).Length, Limits.RecordBytesMax, nameof(batch));
            share |= 1UL << partition % threads.Length;
        }
        return share == 0 ? Task.CompletedTask : queue.Add(new PendingAppend(batch, share), cancellation);
    }

    /// <summary>Writes what has been handed over, then closes. Callers that come later are refused.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        queue.Close();
        if (!queue.IsDrained)
            drained.Wait();
        foreach (AppendThread thread in threads)
            thread.Stop();
        CloseFiles();
        drained.Dispose();
    }

    internal static string NameOf(int partition) => string.Create(CultureInfo.InvariantCulture, $"p{partition:0000}");

    private void Hand(PendingAppend pending)
    {
        for (int i = 0; i < threads.Length; i++)
        {
            if ((pending.Threads >> i & 1) != 0)
                threads[i].Hand(pending);
        }
    }

    private void Release(PendingAppend pending)
    {
        pending.Cancellation.Unregister();
        queue.Release(pending);
        if (Volatile.Read(ref disposed) != 0 && queue.IsDrained)
            drained.Set();
    }

    private void CloseFiles()
    {
        foreach (ChapteredLog? partition in partitions)
            partition?.Dispose();
        directoryLock.Dispose();
    }
}
