using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>Copies a piece of a partition's three streams from Kafka, batch by batch. One thread.</summary>
internal sealed unsafe class RangeCopy(KafkaLogOptions options, RecordDecoder decoder, TimeProvider time)
{
    /// <summary>Takes records, with how far the streams have been read, in no stream beyond the piece's end; false: no more is wanted.</summary>
    public delegate bool Taking(AppendBatch records, StreamPositions reached);

    public string NameOf(EventStream stream, int partition) => $"{options.TopicOf(stream)} [{partition}]";

    /// <summary>Where the streams of partitions begin, or end, in Kafka.</summary>
    /// <exception cref="LogUnavailableException">It can't be found out now.</exception>
    public Dictionary<int, StreamPositions> PositionsOf(KafkaClient client, IReadOnlyList<int> partitions, bool beginning)
    {
        var found = partitions.ToDictionary(static partition => partition, static _ => StreamPositions.Start);
        foreach (StreamEnd position in client.Ask(partitions, beginning, Limits.RequestMs))
        {
            if (position.Problem.Length > 0)
                throw new LogUnavailableException($"Kafka at {options.Bootstrap} does not say where {NameOf(position.Stream, position.Partition)} {(beginning ? "begins" : "ends")}: {position.Problem}");
            found[position.Partition] = found[position.Partition].With(position.Stream, position.Offset);
        }
        return found;
    }

    /// <summary>The part of a piece that Kafka has no more.</summary>
    public static IEnumerable<LostPiece> LostOf(StreamPositions begins, StreamPositions from, StreamPositions to) =>
        Enum.GetValues<EventStream>().Select(stream => new LostPiece(stream, from[stream], Math.Min(begins[stream], to[stream]))).Where(static piece => piece.From < piece.To);

    /// <summary>Copies what lies between the positions; the client is assigned nothing of the partition before and after.</summary>
    /// <param name="from">Nowhere before where Kafka begins.</param>
    /// <exception cref="LogUnavailableException">Nothing comes, or retention is at work there: what was taken was taken; try again.</exception>
    public void Run(KafkaClient client, int partition, StreamPositions from, StreamPositions to, Taking take)
    {
        EventStream[] streams = [.. Enum.GetValues<EventStream>().Where(stream => from[stream] < to[stream])];
        if (streams.Length == 0)
        {
            take(new AppendBatch(), to);
            return;
        }
        client.Assign(streams.Select(stream => (partition, stream, from[stream])));
        try
        {
            Copy(client, partition, from, to, take);
        }
        finally
        {
            client.Unassign(partition, streams);
        }
    }

    private void Copy(KafkaClient client, int partition, StreamPositions from, StreamPositions to, Taking take)
    {
        Native.Message** messages = stackalloc Native.Message*[Limits.FetchBatch];
        StreamPositions reached = from;
        var batch = new AppendBatch();
        int idle = 0;
        bool isWanted = true;
        while (isWanted && !reached.Covers(to))
        {
            int count = client.Consume(messages, Limits.FetchBatch, Limits.FetchWaitMs);
            try
            {
                for (int i = 0; i < count; i++)
                    Read(client, messages[i], partition, to, ref reached, batch);
            }
            finally
            {
                for (int i = 0; i < count; i++)
                    Native.rd_kafka_message_destroy(messages[i]);
            }
            idle = count > 0 ? 0 : idle + 1;
            if (idle * Limits.FetchWaitMs > Limits.BackfillPatienceMs)
                throw new LogUnavailableException($"nothing came of what lies behind {reached} in partition {partition}");
            if (batch.Count < Limits.BackfillBatch && batch.ByteCount < Limits.PendingBytesMax && count > 0 && !reached.Covers(to))
                continue;
            isWanted = take(batch, reached.Min(to));
            batch.Clear();
        }
    }

    private void Read(KafkaClient client, Native.Message* message, int partition, StreamPositions to, ref StreamPositions reached, AppendBatch batch)
    {
        if (message->Topic == IntPtr.Zero || message->Partition != partition)
            return;
        EventStream stream = client.StreamOf(message->Topic);
        if (message->Error == Native.PartitionEof)
        {
            reached = reached.With(stream, Math.Max(reached[stream], message->Offset));
            return;
        }
        if (message->Error is Native.AutoOffsetReset or Native.OffsetOutOfRange)
            throw new LogUnavailableException($"{NameOf(stream, partition)} can't be read at {reached[stream]}: retention is at work there");
        if (message->Error != Native.NoError || message->Offset < reached[stream])
            return;
        reached = reached.With(stream, message->Offset + 1);
        if (message->Offset >= to[stream])
            return;
        decoder.Decode(
            new ReadOnlySpan<byte>(message->Value, checked((int)message->Length)), RecordPump.ContentTypeOf(message), Native.rd_kafka_message_timestamp(message, out _),
            time.GetUtcNow().ToUnixTimeMilliseconds(), partition, stream, message->Offset, batch);
    }
}
