using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;

namespace Collections.Kafka.Topics;

/// <summary>What the last records of each topic partition say about their producers.</summary>
/// <param name="Records">How many were looked at.</param>
/// <param name="Misplaced">How many of them lie on another partition than their debtor's.</param>
/// <param name="Undecodable">How many are no events.</param>
public sealed record KeySample(string Topic, int Records, int Misplaced, int Undecodable)
{
    /// <summary>Looks at the ends of all partitions.</summary>
    /// <exception cref="LogUnavailableException">Brokers can't be reached; try again.</exception>
    /// <exception cref="KafkaRefusedException">A setting is refused.</exception>
    public static unsafe IReadOnlyList<KeySample> Take(KafkaLogOptions options, int partitions, JsonReading json, TimeProvider time)
    {
        options.Check();
        using var client = new KafkaClient(options, static _ => { }, static _ => { });
        Dictionary<(int, EventStream), long> begins = Require(client, options, partitions, beginning: true);
        Dictionary<(int, EventStream), long> ends = Require(client, options, partitions, beginning: false);
        var open = ends.Where(e => e.Value > begins[e.Key]).ToDictionary(static e => e.Key, static e => e.Value);
        client.Assign(open.Select(e => (e.Key.Item1, e.Key.Item2, Math.Max(begins[e.Key], e.Value - Limits.SampledRecords))));
        var batch = new AppendBatch();
        var decoder = new RecordDecoder(json);
        long startedAt = time.GetTimestamp();
        Native.Message** messages = stackalloc Native.Message*[Limits.SampledRecords];
        while (open.Count > 0 && time.GetElapsedTime(startedAt).TotalMilliseconds < 2 * Limits.RequestMs)
        {
            int count = client.Consume(messages, Limits.SampledRecords, Limits.FetchWaitMs);
            for (int i = 0; i < count; i++)
            {
                if (messages[i]->Topic != IntPtr.Zero)
                    Add(client, messages[i], decoder, time, open, batch);
                Native.rd_kafka_message_destroy(messages[i]);
            }
        }
        return Count(batch, options, partitions);
    }

    private static unsafe void Add(
        KafkaClient client, Native.Message* message, RecordDecoder decoder, TimeProvider time, Dictionary<(int, EventStream), long> open, AppendBatch batch)
    {
        EventStream stream = client.StreamOf(message->Topic);
        if (message->Error == Native.NoError)
        {
            decoder.Decode(
                new ReadOnlySpan<byte>(message->Value, checked((int)message->Length)), RecordPump.ContentTypeOf(message), Native.rd_kafka_message_timestamp(message, out _),
                time.GetUtcNow().ToUnixTimeMilliseconds(), message->Partition, stream, message->Offset, batch);
        }
        else if (message->Error == Native.PartitionEof)
        {
            open.Remove((message->Partition, stream));
        }
    }

    private static KeySample[] Count(AppendBatch batch, KafkaLogOptions options, int partitions)
    {
        KeySample[] samples = [.. options.Topics.Select(static topic => new KeySample(topic, 0, 0, 0))];
        for (int i = 0; i < batch.Count; i++)
        {
            ref KeySample sample = ref samples[(int)batch.StreamOf(i)];
            bool isEvent = EventReader.TryRead(batch.ContentOf(i), batch.KnownMsOf(i), batch.IsHistory(i), out Event e, out _);
            bool isMisplaced = isEvent && e.Head.Kind != EventKind.ImportEnded && DebtorKey.PartitionOf(e.Head.Tenant, e.Head.Debtor, partitions) != batch.PartitionOf(i);
            sample = sample with { Records = sample.Records + 1, Misplaced = sample.Misplaced + (isMisplaced ? 1 : 0), Undecodable = sample.Undecodable + (isEvent ? 0 : 1) };
        }
        return samples;
    }

    private static Dictionary<(int, EventStream), long> Require(KafkaClient client, KafkaLogOptions options, int partitions, bool beginning)
    {
        List<StreamEnd> found = client.Ask(Enumerable.Range(0, partitions), beginning, Limits.RequestMs);
        if (found.Find(static end => end.Problem.Length > 0) is { Problem: not null } bad)
            throw new LogUnavailableException($"Kafka at {options.Bootstrap} does not say where {options.TopicOf(bad.Stream)} [{bad.Partition}] ends: {bad.Problem}");
        return found.ToDictionary(static end => (end.Partition, end.Stream), static end => end.Offset);
    }
}
