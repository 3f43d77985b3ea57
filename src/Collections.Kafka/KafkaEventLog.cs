using Collections.Domain.Events;
using Collections.Engine.Logs;
using Confluent.Kafka;

namespace Collections.Kafka;

/// <summary>
/// The log in Kafka: three topics of the same partition count. Records go from Kafka into the archive and are read from there, so nothing is applied
/// that is not archived, a restart reads what was fetched before from the disk, and the archive's end is where fetching goes on: each record is
/// archived once. This node owns all partitions.
/// </summary>
public sealed class KafkaEventLog : IEventLog
{
    /// <summary>The name of the meter that tells of it; its scope is the log.</summary>
    public const string MeterName = "Collections.Kafka";

    private readonly KafkaLogOptions options;
    private readonly IRecordArchive archive;
    private readonly PartitionFeed[] feeds;
    private readonly KafkaClient client;
    private readonly Appender appender;
    private readonly KafkaPublisher publisher;
    private readonly RecordPump pump;
    private readonly EndWatch ends;
    private readonly KafkaMeters meters;
    private readonly Warnings warnings;
    private readonly StatisticsReader statistics = new();
    private int disposed;

    /// <summary>Opens the log: finds out where the streams begin and end, and starts to fetch.</summary>
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
        client = new KafkaClient(options, statistics.ReadConsumer, OnError);
        try
        {
            feeds = [.. StartsOf().Select(static (start, partition) => new PartitionFeed(partition, start))];
            appender = new Appender(options, statistics.ReadProducer, OnError, (partition, stream, offset) => feeds[partition].RaiseEnd(stream, offset + 1));
            publisher = new KafkaPublisher(options, feeds.Length, static _ => { }, OnError);
        }
        catch
        {
            client.Dispose();
            throw;
        }
        ends = new EndWatch(client, feeds, time, warnings, OnNews);
        ends.Ask();
        pump = new RecordPump(client, feeds, archive, new RecordDecoder(json), time, OnNews, warnings, NameOf);
        client.Assign(from feed in feeds from stream in Enum.GetValues<EventStream>() select (feed.Partition, stream, feed.Reached[stream]));
        pump.Start();
        ends.Start();
        meters = new KafkaMeters(this, () => Statistics);
    }

    public int PartitionCount => feeds.Length;

    public IPublisher Publisher => publisher;

    /// <summary>Called by the fetching thread; it must be quick and must not throw.</summary>
    public Action<int>? Appended { get; set; }

    /// <summary>How it stands; any thread.</summary>
    public KafkaStatistics Statistics => statistics.Snapshot(
        from feed in feeds
        from stream in Enum.GetValues<EventStream>()
        let lag = feed.LagOf(stream)
        select new StreamLag(feed.Partition, stream, lag.Missing, lag.Lead));

    public StreamPositions End(int partition) => feeds[partition].EndOver(archive);

    public bool KnowsEnd(int partition) => ends.KnowsEnd(feeds[partition]);

    public void OnKept(int partition, StreamPositions next) => ends.OnKept(partition, next);

    public int Read(int partition, ref StreamPositions from, int maxCount, RecordBatch into)
    {
        PartitionFeed feed = feeds[partition];
        feed.ThrowIfFailed();
        int count = archive.Read(partition, ref from, maxCount, End(partition), into);
        feed.OnRead(from);
        return count;
    }

    public void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into)
    {
        if (!feeds[partition].Covers(until, archive))
            throw new LogUnavailableException($"the archive of partition {partition} ends at {archive.End(partition)}, and history up to {until} is asked for; it is being fetched");
        archive.ReadHistory(partition, debtorHash, until, into);
    }

    public Task AppendAsync(AppendBatch batch, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
            return Task.FromCanceled(cancellation);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed) != 0, this);
        for (int i = 0; i < batch.Count; i++)
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)batch.PartitionOf(i), (uint)feeds.Length, nameof(batch));
        return batch.Count == 0 ? Task.CompletedTask : appender.AppendAsync(batch, cancellation);
    }

    /// <summary>Waits for appends under way, then stops.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        meters.Dispose();
        publisher.Dispose();
        appender.Dispose();
        pump.Stop();
        ends.Dispose();
        client.Dispose();
    }

    private string NameOf(EventStream stream, int partition) => $"{options.TopicOf(stream)} [{partition}]";

    private void OnNews(int partition) => Appended?.Invoke(partition);

    private void OnError(Error error)
    {
        if (error.Code is not (ErrorCode.Local_Transport or ErrorCode.Local_TimedOut))
            warnings.Say(error.Code.ToString(), $"Kafka: {error.Reason}");
    }

    /// <summary>Where each partition goes on: where its archive ends, or where Kafka begins if there is none yet.</summary>
    private StreamPositions[] StartsOf()
    {
        var starts = new StreamPositions[archive.PartitionCount];
        List<StreamEnd> begins = Require(beginning: true), stops = Require(beginning: false);
        for (int i = 0; i < begins.Count; i++)
        {
            (int partition, EventStream stream) = (begins[i].Partition, begins[i].Stream);
            long archived = archive.End(partition)[stream];
            if (archived > stops[i].Offset)
                throw new KafkaRefusedException($"the archive has {NameOf(stream, partition)} up to offset {archived}, but the topic ends at {stops[i].Offset}: it was created anew, or this is another cluster. Use another data directory, or the cluster that the data came from.");
            if (archived > 0 && archived < begins[i].Offset)
                throw new KafkaRefusedException(Lost.Message(NameOf(stream, partition), archived, $"it begins at {begins[i].Offset}"));
            starts[partition] = starts[partition].With(stream, Math.Max(archived, begins[i].Offset));
        }
        return starts;
    }

    private List<StreamEnd> Require(bool beginning)
    {
        List<StreamEnd> ends = client.Ask(archive.PartitionCount, beginning, Limits.RequestMs);
        if (ends.Find(static end => end.Problem.Length > 0) is { Problem: not null } bad)
            throw new LogUnavailableException($"Kafka at {options.Bootstrap} does not say where {NameOf(bad.Stream, bad.Partition)} {(beginning ? "begins" : "ends")}: {bad.Problem}");
        return ends;
    }
}
