using System.Collections.Concurrent;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>
/// One thread that fetches the records of all partitions and hands them to the archive, a batch a partition at a time: while one is being written,
/// the next gathers. A partition that is far ahead of its reader, or whose archive is slow, is paused.
/// </summary>
internal sealed unsafe class RecordPump
{
    private readonly KafkaClient client;
    private readonly PartitionFeed?[] feeds;
    private readonly ConcurrentQueue<Action> commands = new();
    private readonly IRecordArchive archive;
    private readonly RecordDecoder decoder;
    private readonly TimeProvider time;
    private readonly Action<int> archived;
    private readonly Warnings warnings;
    private readonly Func<EventStream, int, string> nameOf;
    private readonly Thread thread;
    private volatile bool stopping;
    private volatile bool hasEnded;

    public RecordPump(
        KafkaClient client, PartitionFeed?[] feeds, IRecordArchive archive, RecordDecoder decoder, TimeProvider time, Action<int> archived, Warnings warnings,
        Func<EventStream, int, string> nameOf)
    {
        this.client = client;
        this.feeds = feeds;
        this.archive = archive;
        this.decoder = decoder;
        this.time = time;
        this.archived = archived;
        this.warnings = warnings;
        this.nameOf = nameOf;
        thread = new Thread(Run) { IsBackground = true, Name = "kafka fetch" };
    }

    public void Start() => thread.Start();

    /// <summary>Whether nothing is fetched any more.</summary>
    public bool HasEnded => hasEnded;

    /// <summary>Runs something on the fetching thread, between two batches; completes when it has run.</summary>
    public void Run(Action act)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        commands.Enqueue(() =>
        {
            try
            {
                act();
                done.SetResult();
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                done.SetException(failure);
            }
        });
        // Who comes when the thread has ended does it himself.
        if (hasEnded)
            RunCommands();
        done.Task.GetAwaiter().GetResult();
    }

    /// <summary>Stops after the messages at hand; what is not yet in the archive is fetched again next time.</summary>
    public void Stop()
    {
        stopping = true;
        thread.Join();
    }

    private void Run()
    {
        Native.Message** messages = stackalloc Native.Message*[Limits.FetchBatch];
        bool busy = false;
        try
        {
            while (!stopping)
            {
                // Writes that end wake nobody here, so while some are under way the wait is short.
                int count = client.Consume(messages, Limits.FetchBatch, busy ? 1 : Limits.FetchWaitMs);
                long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
                for (int i = 0; i < count; i++)
                {
                    Take(messages[i], nowMs);
                    Native.rd_kafka_message_destroy(messages[i]);
                }
                RunCommands();
                busy = false;
                foreach (PartitionFeed? feed in feeds)
                    busy |= feed is not null && Forward(feed);
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            foreach (PartitionFeed? feed in feeds)
                feed?.Fail(failure);
            warnings.Say("fetch", $"fetching from Kafka has stopped: {failure}");
        }
        Task.WaitAll([.. feeds.OfType<PartitionFeed>().Select(static feed => Ended(feed))]);
        hasEnded = true;
        RunCommands();
    }

    private void RunCommands()
    {
        while (commands.TryDequeue(out Action? command))
            command();
    }

    /// <summary>Completes when nothing of the partition is on its way into the archive, whatever became of it.</summary>
    public static Task Ended(PartitionFeed feed) => Quiet(feed.Writing ?? Task.CompletedTask);

    private static Task Quiet(Task task) => task.ContinueWith(static _ => { }, TaskScheduler.Default);

    private void Take(Native.Message* message, long nowMs)
    {
        if (message->Topic == IntPtr.Zero)
        {
            warnings.Say("consumer", $"Kafka: {ErrorOf(message)}");
            return;
        }
        EventStream stream = client.StreamOf(message->Topic);
        // One that has been closed meanwhile.
        if (feeds[message->Partition] is not { } feed)
            return;
        switch (message->Error)
        {
            case Native.NoError:
                Invariant.Require(
                    message->Offset >= feed.Reached[stream],
                    $"{nameOf(stream, feed.Partition)} gave offset {message->Offset} after it had given everything before {feed.Reached[stream]}");
                decoder.Decode(
                    new ReadOnlySpan<byte>(message->Value, checked((int)message->Length)), ContentTypeOf(message), Native.rd_kafka_message_timestamp(message, out _), nowMs,
                    feed.Partition, stream, message->Offset, feed.Filling);
                feed.Reached = feed.Reached.With(stream, message->Offset + 1);
                break;
            case Native.PartitionEof:
                if (message->Offset > feed.Reached[stream])
                    feed.Reached = feed.Reached.With(stream, message->Offset);
                break;
            case Native.AutoOffsetReset or Native.OffsetOutOfRange:
                feed.Fail(new LogCorruptException(Lost.Message(nameOf(stream, feed.Partition), feed.Reached[stream], ErrorOf(message))));
                break;
            default:
                warnings.Say($"consumer {stream}", $"{nameOf(stream, feed.Partition)}: {ErrorOf(message)}; it is tried again");
                break;
        }
    }

    /// <summary>Moves a partition's records on towards the archive.</summary>
    /// <returns>Whether a write is under way.</returns>
    private bool Forward(PartitionFeed feed)
    {
        if (feed.Writing is { IsCompleted: true } done)
            Finish(feed, done);
        if (feed.HasFailed)
        {
            feed.Filling.Clear();
            return false;
        }
        if (feed.Writing is null && feed.RetryAt != 0 && time.GetTimestamp() >= feed.RetryAt)
        {
            feed.RetryAt = 0;
            Write(feed);
        }
        if (feed.Writing is null && feed.RetryAt == 0)
        {
            if (feed.Filling.Count > 0)
            {
                feed.Hand();
                Write(feed);
            }
            else if (!feed.Covers(feed.Reached))
            {
                feed.OnGapReached();
                archived(feed.Partition);
            }
        }
        Throttle(feed);
        return feed.Writing is not null;
    }

    private void Write(PartitionFeed feed) => feed.Writing = archive.AppendAsync(feed.Handed);

    private void Finish(PartitionFeed feed, Task done)
    {
        if (done.IsCompletedSuccessfully)
        {
            feed.OnArchived();
            archived(feed.Partition);
            return;
        }
        Exception why = done.Exception?.InnerException ?? new LogUnavailableException("the archive has been closed");
        feed.Writing = null;
        if (why is LogUnavailableException)
        {
            feed.RetryAt = time.GetTimestamp() + (long)(Limits.ArchiveRetryMs / 1_000.0 * time.TimestampFrequency);
            warnings.Say("archive", $"the archive of partition {feed.Partition} takes nothing, it is tried again: {why.Message}");
        }
        else
        {
            feed.Fail(why);
            warnings.Say($"archive {feed.Partition}", $"the archive of partition {feed.Partition} has failed: {why}");
        }
    }

    /// <summary>Back-pressure: what can't be taken on is left with the broker.</summary>
    private void Throttle(PartitionFeed feed)
    {
        bool full = feed.Filling.ByteCount > Limits.PendingBytesMax;
        bool empty = feed.Filling.ByteCount < Limits.PendingBytesMax / 2;
        for (int i = 0; i < EventKinds.StreamCount; i++)
        {
            var stream = (EventStream)i;
            long lead = feed.LagOf(stream).Lead;
            if (!feed.Paused[i] && (full || lead > Limits.LeadMax))
            {
                client.Pause(feed.Partition, stream);
                feed.Paused[i] = true;
            }
            else if (feed.Paused[i] && empty && lead < Limits.LeadMax / 2)
            {
                client.Resume(feed.Partition, stream);
                feed.Paused[i] = false;
            }
        }
    }

    internal static ReadOnlySpan<byte> ContentTypeOf(Native.Message* message)
    {
        if (Native.rd_kafka_message_headers(message, out IntPtr headers) != Native.NoError)
            return default;
        fixed (byte* name = "content-type\0"u8)
        {
            return Native.rd_kafka_header_get_last(headers, name, out byte* value, out nuint size) == Native.NoError
                ? new ReadOnlySpan<byte>(value, (int)size)
                : default;
        }
    }

    private static string ErrorOf(Native.Message* message) => message->Value is null
        ? Native.Text(Native.rd_kafka_err2str(message->Error))
        : System.Text.Encoding.UTF8.GetString(message->Value, (int)message->Length);
}

/// <summary>What is said when Kafka no longer has what is to be read.</summary>
internal static class Lost
{
    public static string Message(string stream, long next, string reason) =>
        $"{stream} can't be read at offset {next} ({reason}): retention has deleted it before it was archived, or the topic was created anew. "
        + "Restore this node's data directory from a copy that reaches further, or point --kafka at the cluster that the data came from; "
        + "to begin anew with what the topics still hold, start with an empty data directory. Set retention.ms to more than the longest outage (collections kafka check).";
}
