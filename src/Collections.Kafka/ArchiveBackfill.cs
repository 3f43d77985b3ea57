using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>
/// One thread that fetches what the archive misses of open partitions: what others fetched while they ran them. One gap after another, in small
/// batches, so that the records of the moment hardly wait for it.
/// </summary>
internal sealed unsafe class ArchiveBackfill : IDisposable
{
    private readonly KafkaLogOptions options;
    private readonly IRecordArchive archive;
    private readonly Func<int, bool> isOpen;
    private readonly RecordDecoder decoder;
    private readonly TimeProvider time;
    private readonly Action<int> filled;
    private readonly Warnings warnings;
    private readonly Func<EventStream, int, string> nameOf;
    private readonly AutoResetEvent look = new(false);
    private readonly Thread thread;

    // Held while a gap is worked at; who closes a partition waits for it.
    private readonly Lock gate = new();
    private volatile bool stopping;

    /// <param name="filled">Called with a partition of which something that was missing is there now.</param>
    public ArchiveBackfill(
        KafkaLogOptions options, IRecordArchive archive, Func<int, bool> isOpen, RecordDecoder decoder, TimeProvider time, Action<int> filled, Warnings warnings,
        Func<EventStream, int, string> nameOf)
    {
        this.options = options;
        this.archive = archive;
        this.isOpen = isOpen;
        this.decoder = decoder;
        this.time = time;
        this.filled = filled;
        this.warnings = warnings;
        this.nameOf = nameOf;
        thread = new Thread(Run) { IsBackground = true, Name = "archive backfill" };
    }

    public void Start() => thread.Start();

    public void LookAgain() => look.Set();

    /// <summary>The partition has been closed: returns when nothing of it is written any more.</summary>
    public void WaitUntilLeft()
    {
        gate.Enter();
        gate.Exit();
    }

    public void Dispose()
    {
        stopping = true;
        look.Set();
        thread.Join();
        look.Dispose();
    }

    private void Run()
    {
        while (!stopping)
        {
            for (int partition = 0; partition < archive.PartitionCount && !stopping; partition++)
            {
                while (!stopping && isOpen(partition) && archive.GapOf(partition) is { } gap && Fill(partition, gap))
                    filled(partition);
            }
            look.WaitOne(Limits.BackfillEveryMs);
        }
    }

    /// <returns>Whether something was done, so that it is worth while to go on at once.</returns>
    private bool Fill(int partition, ArchiveGap gap)
    {
        try
        {
            using var client = new KafkaClient(options, onStatistics: null, static _ => { });
            StreamPositions begins = BeginsOf(client, partition), from = gap.From.Max(begins);
            foreach (EventStream stream in Enum.GetValues<EventStream>())
            {
                if (begins[stream] > gap.From[stream] && gap.From[stream] < gap.To[stream] && gap.From[stream] > 0)
                    warnings.Say($"gap {stream} {partition}", $"{nameOf(stream, partition)} begins at offset {begins[stream]}, and this node's archive has it up to {gap.From[stream]}: retention has deleted what it missed. Histories of debtors in this partition are incomplete here; copy the partition's archive from the node that ran it");
            }
            var streams = Enum.GetValues<EventStream>().Where(stream => from[stream] < gap.To[stream]).Select(stream => (partition, stream, from[stream])).ToList();
            if (streams.Count == 0)
            {
                archive.Fill(partition, gap, new AppendBatch(), gap.To);
                return true;
            }
            client.Assign(streams);
            Copy(client, partition, gap, from);
            return true;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            warnings.Say($"backfill {partition}", $"the archive of partition {partition} can't be completed now, it is tried again: {failure.Message}");
            return false;
        }
    }

    private void Copy(KafkaClient client, int partition, ArchiveGap gap, StreamPositions from)
    {
        Native.Message** messages = stackalloc Native.Message*[Limits.FetchBatch];
        StreamPositions reached = from;
        var batch = new AppendBatch();
        int idle = 0;
        while (!stopping && !reached.Covers(gap.To))
        {
            int count = client.Consume(messages, Limits.FetchBatch, Limits.FetchWaitMs);
            try
            {
                for (int i = 0; i < count; i++)
                    Take(client, messages[i], partition, gap.To, ref reached, batch);
            }
            finally
            {
                for (int i = 0; i < count; i++)
                    Native.rd_kafka_message_destroy(messages[i]);
            }
            idle = count > 0 ? 0 : idle + 1;
            if (idle * Limits.FetchWaitMs > Limits.BackfillPatienceMs)
                throw new LogUnavailableException($"nothing came of what lies behind {reached}");
            if (batch.Count < Limits.BackfillBatch && count > 0 && !reached.Covers(gap.To))
                continue;
            lock (gate)
            {
                if (!isOpen(partition))
                    return;
                archive.Fill(partition, gap, batch, reached.Min(gap.To));
            }
            batch.Clear();
            filled(partition);
        }
    }

    private void Take(KafkaClient client, Native.Message* message, int partition, StreamPositions to, ref StreamPositions reached, AppendBatch batch)
    {
        if (message->Topic == IntPtr.Zero)
            return;
        EventStream stream = client.StreamOf(message->Topic);
        if (message->Error == Native.PartitionEof)
        {
            reached = reached.With(stream, Math.Max(reached[stream], message->Offset));
            return;
        }
        if (message->Error is Native.AutoOffsetReset or Native.OffsetOutOfRange)
            throw new LogUnavailableException($"{nameOf(stream, partition)} can't be read at {reached[stream]}: retention is at work there");
        if (message->Error != Native.NoError || message->Offset < reached[stream])
            return;
        reached = reached.With(stream, message->Offset + 1);
        if (message->Offset >= to[stream])
            return;
        decoder.Decode(
            new ReadOnlySpan<byte>(message->Value, checked((int)message->Length)), RecordPump.ContentTypeOf(message), Native.rd_kafka_message_timestamp(message, out _),
            time.GetUtcNow().ToUnixTimeMilliseconds(), partition, stream, message->Offset, batch);
    }

    private static StreamPositions BeginsOf(KafkaClient client, int partition)
    {
        StreamPositions begins = StreamPositions.Start;
        foreach (StreamEnd begin in client.Ask([partition], beginning: true, Limits.RequestMs))
        {
            if (begin.Problem.Length > 0)
                throw new LogUnavailableException(begin.Problem);
            begins = begins.With(begin.Stream, begin.Offset);
        }
        return begins;
    }
}
