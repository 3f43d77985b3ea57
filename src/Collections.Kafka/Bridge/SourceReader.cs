namespace Collections.Kafka.Bridge;

/// <summary>Where a record of a source lies.</summary>
internal readonly record struct SourcePlace(string Topic, int Partition, long Offset);

/// <summary>
/// A member of a consumer group over any topics, built on librdkafka's own calls (<see cref="Native"/>): Confluent.Kafka answers a rebalance by functions that
/// version 2.0.2 does not have, and so with an empty assignment. One thread.
/// </summary>
internal sealed unsafe class SourceReader : IDisposable
{
    private readonly IntPtr client;
    private readonly IntPtr queue;
    private readonly Dictionary<IntPtr, string> topics = [];
    private readonly HashSet<(string, int)> ended = [];

    /// <exception cref="KafkaRefusedException">librdkafka is missing, or refuses a setting.</exception>
    public SourceReader(KafkaLogOptions options, RepartitionPlan plan)
    {
        RdKafkaLibrary.Require();
        client = GroupMember.New(options.ForGroup(plan.Group), prepare: null);
        queue = Native.rd_kafka_queue_get_consumer(client);
        string problem = GroupMember.Subscribe(client, plan.Sources);
        if (problem.Length > 0)
        {
            Dispose();
            throw new KafkaRefusedException($"--from {string.Join(',', plan.Sources)} can't be read: {problem}");
        }
    }

    /// <summary>Whether everything of the partitions that this member has now has been read; false while it has none.</summary>
    public bool IsAtEnd
    {
        get
        {
            if (GroupNative.rd_kafka_assignment(client, out Native.PartitionList* assigned) != Native.NoError)
                return false;
            bool isAtEnd = assigned->Count > 0;
            for (int i = 0; i < assigned->Count; i++)
                isAtEnd &= ended.Contains((Native.Text(assigned->Entries[i].Topic), assigned->Entries[i].Partition));
            Native.rd_kafka_topic_partition_list_destroy(assigned);
            return isAtEnd;
        }
    }

    /// <summary>Takes what is there, or waits for a first message; each record is handed to <paramref name="take"/>, and valid during the call only.</summary>
    /// <returns>How many records were taken.</returns>
    public int Read(int count, int timeoutMs, SourceRecordTaking take, Action<string> warn)
    {
        Native.Message** messages = stackalloc Native.Message*[count];
        int found = (int)Math.Max(0, Native.rd_kafka_consume_batch_queue(queue, 0, messages, (nuint)count));
        if (found == 0)
            found = (int)Math.Max(0, Native.rd_kafka_consume_batch_queue(queue, timeoutMs, messages, 1));
        int taken = 0;
        for (int i = 0; i < found; i++)
        {
            Native.Message* message = messages[i];
            if (message->Topic == IntPtr.Zero || message->Error is not (Native.NoError or Native.PartitionEof))
            {
                warn(message->Value is null ? Native.Text(Native.rd_kafka_err2str(message->Error)) : System.Text.Encoding.UTF8.GetString(message->Value, (int)message->Length));
            }
            else
            {
                var place = new SourcePlace(NameOf(message->Topic), message->Partition, message->Offset);
                if (message->Error == Native.PartitionEof)
                {
                    ended.Add((place.Topic, place.Partition));
                }
                else
                {
                    ended.Remove((place.Topic, place.Partition));
                    take(
                        place, new ReadOnlySpan<byte>(message->Key, checked((int)message->KeyLength)), new ReadOnlySpan<byte>(message->Value, checked((int)message->Length)),
                        RecordPump.ContentTypeOf(message), Native.rd_kafka_message_timestamp(message, out _));
                    taken++;
                }
            }
            Native.rd_kafka_message_destroy(message);
        }
        return taken;
    }

    /// <summary>Everything before these offsets is passed on. A commit that is lost is mended by the next one, or the records come again.</summary>
    /// <returns>Why it was not committed; empty if it was.</returns>
    public string Commit(IEnumerable<SourcePlace> next)
    {
        Native.PartitionList* list = Native.rd_kafka_topic_partition_list_new(1);
        foreach (SourcePlace place in next)
            Native.rd_kafka_topic_partition_list_add(list, place.Topic, place.Partition)->Offset = place.Offset;
        int error = Native.rd_kafka_commit(client, list, async: 0);
        Native.rd_kafka_topic_partition_list_destroy(list);
        return error == Native.NoError ? "" : Native.Text(Native.rd_kafka_err2str(error));
    }

    /// <summary>Leaves the group.</summary>
    public void Dispose()
    {
        _ = GroupNative.rd_kafka_consumer_close(client);
        Native.rd_kafka_queue_destroy(queue);
        GroupNative.rd_kafka_destroy(client);
    }

    private string NameOf(IntPtr topic)
    {
        if (!topics.TryGetValue(topic, out string? name))
            topics.Add(topic, name = Native.Text(Native.rd_kafka_topic_name(topic)));
        return name;
    }
}

/// <param name="timestampMs">The record's, in Unix milliseconds; negative when it has none.</param>
internal delegate void SourceRecordTaking(SourcePlace place, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ReadOnlySpan<byte> contentType, long timestampMs);
