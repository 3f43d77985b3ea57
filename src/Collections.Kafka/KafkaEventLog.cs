using Collections.Domain.Events;
using Collections.Engine.Logs;
using Confluent.Kafka;

namespace Collections.Kafka;

/// <summary>
/// The log in Kafka: three topics of the same partition count. Records go from Kafka into the archive and are read from there, so nothing is applied
/// that is not archived, a restart reads what was fetched before from the disk, and the archive's end is where fetching goes on: each record is
/// archived once. Partitions are opened as the group gives them to this node; what it missed of one that others ran is fetched behind its back.
/// </summary>
public sealed class KafkaEventLog : IEventLog, IArchivedLog
{
    /// <summary>The name of the meter that tells of it; its scope is the log.</summary>
    public const string MeterName = "Collections.Kafka";

    private readonly KafkaLogOptions options;
    private readonly IRecordArchive archive;
    private readonly PartitionFeed?[] feeds;
    private readonly KafkaClient client;

    /// <summary>A broker answers the requests of one connection one after another, and a fetch waits for records: questions go over connections of their own.</summary>
    private readonly KafkaClient questions;
    private readonly KafkaGroup group;
    private readonly Appender appender;
    private readonly KafkaPublisher publisher;
    private readonly RecordPump pump;
    private readonly EndWatch ends;
    private readonly ArchiveBackfill backfill;
    private readonly KafkaMeters meters;
    private readonly Warnings warnings;
    private readonly StatisticsReader statistics = new();
    private int disposed;

    /// <summary>Opens the log; nothing is fetched before a partition is opened.</summary>
    /// <param name="archive">Where records are kept; of as many partitions as the topics have. It stays its creator's to close, after the log.</param>
    /// <param name="warn">Takes what an operator should know; called from any thread.</param>
    /// <exception cref="KafkaRefusedException">Settings, topics or the archive don't fit: the message says what to do.</exception>
    /// <exception cref="LogUnavailableException">Brokers can't be reached; try again.</exception>
    public KafkaEventLog(KafkaLogOptions options, IRecordArchive archive, JsonReading json, TimeProvider time, Action<string> warn)
    {
        options.Check();
        this.options = options;
        this.archive = archive;
        warnings = new Warnings(warn, time);
        feeds = new PartitionFeed?[archive.PartitionCount];
        client = new KafkaClient(options, statistics.ReadConsumer, OnError);
        try
        {
            questions = new KafkaClient(options, onStatistics: null, OnError);
            _ = Require([0], beginning: false);
            group = new KafkaGroup(options, archive.PartitionCount, time, warnings);
            appender = new Appender(options, statistics.ReadProducer, OnError, (partition, stream, offset) => Find(partition)?.RaiseEnd(stream, offset + 1));
            publisher = new KafkaPublisher(options, archive.PartitionCount, static _ => { }, OnError);
        }
        catch
        {
            group?.Close();
            questions?.Dispose();
            client.Dispose();
            throw;
        }
        ends = new EndWatch(questions, group, feeds, time, warnings, OnNews);
        pump = new RecordPump(client, feeds, archive, new RecordDecoder(json), time, OnNews, warnings, NameOf);
        backfill = new ArchiveBackfill(options, archive, IsOpen, new RecordDecoder(json), time, OnNews, warnings);
        pump.Start();
        ends.Start();
        backfill.Start();
        meters = new KafkaMeters(this, () => Statistics);
    }

    public int PartitionCount => feeds.Length;

    public IPublisher Publisher => publisher;

    /// <summary>Called by the fetching thread; it must be quick and must not throw.</summary>
    public Action<int>? Appended { get; set; }

    public Func<IReadOnlyList<IOtherArchive>>? Others
    {
        get => backfill.Others;
        set => backfill.Others = value;
    }

    /// <summary>How it stands; any thread.</summary>
    public KafkaStatistics Statistics => statistics.Snapshot(
        from feed in feeds.OfType<PartitionFeed>()
        from stream in Enum.GetValues<EventStream>()
        let lag = feed.LagOf(stream)
        select new StreamLag(feed.Partition, stream, lag.Missing, lag.Lead));

    public IPartitionGroup Group => group;

    public StreamPositions End(int partition) => Find(partition)?.End(archive) ?? archive.End(partition);

    public bool KnowsEnd(int partition) => Find(partition) is { } feed && ends.KnowsEnd(feed);

    public void OnKept(int partition, StreamPositions next) => ends.OnKept(partition, next);

    public void Open(int partition, StreamPositions from)
    {
        if (pump.HasEnded)
            throw new LogCorruptException("fetching from Kafka has stopped on this node; what it said then says why. Start the node again");
        long askedAt = ends.Now;
        List<StreamEnd> begins = Require([partition], beginning: true), stops = Require([partition], beginning: false);
        archive.Begin(partition, from);
        // Of a stream that ends with a gap the archive's own end tells less than what was noted.
        StreamPositions archived = archive.End(partition), start = archived;
        if (archive.GapOf(partition) is null && archive.NoteOf(partition) is { } noted)
            archived = archived.Max(noted.Through);
        for (int i = 0; i < begins.Count; i++)
        {
            EventStream stream = begins[i].Stream;
            if (archived[stream] > stops[i].Offset)
                throw new LogCorruptException($"{NameOf(stream, partition)} was read up to offset {archived[stream]}, but it ends at {stops[i].Offset}: the topic was created anew, or cut off by a leader that lagged behind (unclean election, or a write that one broker alone had acknowledged), or this is another cluster. Use another data directory and store, or the cluster that the data came from.");
            if (archived[stream] > 0 && archived[stream] < begins[i].Offset)
                throw new LogCorruptException(Lost.Message(NameOf(stream, partition), archived[stream], $"it begins at {begins[i].Offset}"));
            if (archived[stream] == 0 && begins[i].Offset > 0)
                warnings.Say($"begins {stream} {partition}", $"{NameOf(stream, partition)} begins at offset {begins[i].Offset}: what was there before has been deleted by retention, and this node begins without it");
            start = start.With(stream, Math.Max(archived[stream], begins[i].Offset));
        }
        var feed = new PartitionFeed(partition, start);
        foreach (StreamEnd stop in stops)
            feed.SetEnd(stop.Stream, stop.Offset, askedAt);
        pump.Run(() =>
        {
            client.Assign(Enum.GetValues<EventStream>().Select(stream => (partition, stream, start[stream])));
            Volatile.Write(ref feeds[partition], feed);
        });
        backfill.LookAgain();
    }

    public void Close(int partition)
    {
        if (Find(partition) is not { } feed)
            return;
        Task ended = Task.CompletedTask;
        pump.Run(() =>
        {
            // librdkafka remembers who was paused, and would fetch nothing when the partition comes back.
            foreach (EventStream stream in Enum.GetValues<EventStream>().Where(stream => feed.Paused[(int)stream]))
                client.Resume(partition, stream);
            client.Unassign(partition);
            Volatile.Write(ref feeds[partition], null);
            ended = RecordPump.Ended(feed);
        });
        ended.GetAwaiter().GetResult();
        backfill.WaitUntilLeft();
        // Others go on with it. Of a node that stops the archive tells the past as of then.
        if (archive.NoteOf(partition) is { } note)
            archive.Note(partition, note with { Through = archive.GapOf(partition) is null ? note.Through.Max(feed.Fed) : note.Through, IsBehind = note.IsBehind || !group.IsLeaving });
    }

    public int Read(int partition, ref StreamPositions from, int maxCount, RecordBatch into)
    {
        if (Find(partition) is not { } feed)
            throw new LogUnavailableException($"partition {partition} is not open here");
        feed.ThrowIfFailed();
        int count = archive.Read(partition, ref from, maxCount, feed.EndOver(archive), into);
        if (count < maxCount)
            from = feed.PassGaps(from, archive);
        feed.OnRead(from);
        return count;
    }

    public void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into)
    {
        if (Find(partition) is { } feed && !feed.Covers(until, archive))
            throw new LogUnavailableException($"the archive of partition {partition} ends at {archive.End(partition)}, and history up to {until} is asked for; it is being fetched");
        archive.ReadHistory(partition, debtorHash, until, into);
    }

    public ArchivePart ReadPiece(int partition, LostPiece piece, int bytesMax, AppendBatch into) => archive.ReadPiece(partition, piece, bytesMax, into);

    public Task AppendAsync(AppendBatch batch, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
            return Task.FromCanceled(cancellation);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed) != 0, this);
        for (int i = 0; i < batch.Count; i++)
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)batch.PartitionOf(i), (uint)PartitionCount, nameof(batch));
        return batch.Count == 0 ? Task.CompletedTask : appender.AppendAsync(batch, cancellation);
    }

    /// <summary>Waits for appends under way, then stops.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        group.Leave();
        meters.Dispose();
        publisher.Dispose();
        appender.Dispose();
        backfill.Dispose();
        pump.Stop();
        ends.Dispose();
        group.Close();
        questions.Dispose();
        client.Dispose();
    }

    /// <summary>Whether fetching of a stream waits for the archive or for the reader.</summary>
    internal bool IsPaused(int partition) => Find(partition) is { } feed && Array.Exists(feed.Paused, static paused => paused);

    private string NameOf(EventStream stream, int partition) => $"{options.TopicOf(stream)} [{partition}]";

    private void OnNews(int partition) => Appended?.Invoke(partition);

    private void OnError(Error error)
    {
        if (error.Code is not (ErrorCode.Local_Transport or ErrorCode.Local_TimedOut))
            warnings.Say(error.Code.ToString(), $"Kafka: {error.Reason}");
    }

    private PartitionFeed? Find(int partition) => Volatile.Read(ref feeds[partition]);

    private bool IsOpen(int partition) => Find(partition) is not null;

    private List<StreamEnd> Require(int[] partitions, bool beginning)
    {
        List<StreamEnd> found = questions.Ask(partitions, beginning, Limits.RequestMs);
        if (found.Find(static end => end.Problem.Length > 0) is { Problem: not null } bad)
            throw new LogUnavailableException($"Kafka at {options.Bootstrap} does not say where {NameOf(bad.Stream, bad.Partition)} {(beginning ? "begins" : "ends")}: {bad.Problem}");
        return found;
    }
}
