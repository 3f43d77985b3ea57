using System.Reflection;
using System.Runtime.InteropServices;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Confluent.Kafka;

namespace Collections.Kafka;

/// <summary>Where one stream of one partition ends, or why that is not known.</summary>
internal readonly record struct StreamEnd(int Partition, EventStream Stream, long Offset, string Problem);

/// <summary>
/// A consumer without a group's membership: it reads the partitions that it is told to from the offsets that it is told. Confluent.Kafka builds and
/// owns it; messages, ends and commits go through librdkafka's own calls (<see cref="Native"/>). Consuming is one thread's; the rest is any thread's.
/// </summary>
internal sealed unsafe class KafkaClient : IDisposable
{
    private const long EarliestTimestamp = -2;
    private const long LatestTimestamp = -1;

    private readonly KafkaLogOptions options;
    private readonly IConsumer<Ignore, Ignore> consumer;
    private readonly IntPtr client;
    private readonly IntPtr queue;

    /// <param name="onStatistics">Null: none are made; they would wait for ever in a client that nobody polls.</param>
    public KafkaClient(KafkaLogOptions options, Action<string>? onStatistics, Action<Error> onError)
    {
        RdKafkaLibrary.Require();
        this.options = options;
        try
        {
            ConsumerConfig config = options.ForConsumer();
            if (onStatistics is null)
                config.StatisticsIntervalMs = 0;
            consumer = new ConsumerBuilder<Ignore, Ignore>(config)
                .SetStatisticsHandler((_, json) => onStatistics?.Invoke(json))
                .SetErrorHandler((_, error) => onError(error))
                .SetLogHandler(static (_, _) => { })
                .Build();
        }
        catch (Exception refused) when (refused is InvalidOperationException or ArgumentException or KafkaException)
        {
            throw Refused(refused);
        }
        client = HandleOf(consumer.Handle);
        queue = Native.rd_kafka_queue_get_consumer(client);
    }

    /// <summary>A setting that librdkafka does not take, named by its own message.</summary>
    public static KafkaRefusedException Refused(Exception refused) =>
        new($"librdkafka refuses a setting: {refused.Message.TrimEnd('.')}; mend it in --kafka-config", refused);

    /// <summary>Reads these streams from their offsets on, beside those that are read already.</summary>
    public void Assign(IEnumerable<(int Partition, EventStream Stream, long Offset)> streams) =>
        consumer.IncrementalAssign(streams.Select(s => new TopicPartitionOffset(options.TopicOf(s.Stream), s.Partition, s.Offset)));

    /// <summary>Reads a partition's streams no more.</summary>
    public void Unassign(int partition) => consumer.IncrementalUnassign(options.Topics.Select(topic => new TopicPartition(topic, partition)));

    /// <summary>Reads these streams no more, which it was told to read.</summary>
    public void Unassign(int partition, IEnumerable<EventStream> streams) => consumer.IncrementalUnassign(streams.Select(stream => new TopicPartition(options.TopicOf(stream), partition)));

    public void Pause(int partition, EventStream stream) => consumer.Pause([new TopicPartition(options.TopicOf(stream), partition)]);

    public void Resume(int partition, EventStream stream) => consumer.Resume([new TopicPartition(options.TopicOf(stream), partition)]);

    /// <summary>
    /// Takes what is there, or waits for the first message or event; each is to be destroyed by <see cref="Native.rd_kafka_message_destroy"/>.
    /// librdkafka's call waits until all that was asked for is there, so the wait is for one alone.
    /// </summary>
    public int Consume(Native.Message** into, int count, int timeoutMs)
    {
        int taken = (int)Math.Max(0, Native.rd_kafka_consume_batch_queue(queue, 0, into, (nuint)count));
        if (taken > 0 || timeoutMs == 0)
            return taken;
        taken = (int)Math.Max(0, Native.rd_kafka_consume_batch_queue(queue, timeoutMs, into, 1));
        return taken == 0 ? 0 : taken + (int)Math.Max(0, Native.rd_kafka_consume_batch_queue(queue, 0, into + 1, (nuint)count - 1));
    }

    /// <summary>For a client that only asks: takes the errors that it has been told, and hands them on.</summary>
    public void Drain()
    {
        Native.Message** messages = stackalloc Native.Message*[16];
        for (int taken = Consume(messages, 16, 0); taken > 0; taken = Consume(messages, 16, 0))
        {
            for (int i = 0; i < taken; i++)
                Native.rd_kafka_message_destroy(messages[i]);
        }
    }

    /// <summary>The stream of a message, by the letter of its topic's name behind the prefix; the three differ there.</summary>
    public EventStream StreamOf(IntPtr topic) => StreamOf(Native.rd_kafka_topic_name(topic));

    private EventStream StreamOf(byte* topicName) => topicName[options.Prefix.Length + 1] switch
    {
        (byte)'i' => EventStream.Invoices,
        (byte)'p' => EventStream.Payments,
        _ => EventStream.Activity,
    };

    /// <summary>Where all streams of these partitions end, or begin.</summary>
    public List<StreamEnd> Ask(IEnumerable<int> partitions, bool beginning, int timeoutMs) => Ask(StreamsOf(partitions), beginning, timeoutMs);

    /// <summary>
    /// Asks the leaders of all partitions where the streams end, or begin: one request to each broker. If one of them does not answer, or a stream has
    /// no leader, librdkafka answers nothing of the others either.
    /// </summary>
    public List<StreamEnd> Ask(IEnumerable<(int Partition, EventStream Stream)> streams, bool beginning, int timeoutMs)
    {
        Native.PartitionList* list = NewList(streams.Select(s => (s.Partition, s.Stream, beginning ? EarliestTimestamp : LatestTimestamp)));
        try
        {
            int error = Native.rd_kafka_offsets_for_times(client, list, timeoutMs);
            var ends = new List<StreamEnd>(list->Count);
            for (int i = 0; i < list->Count; i++)
            {
                Native.PartitionEntry* entry = &list->Entries[i];
                int failed = entry->Error != Native.NoError ? entry->Error : entry->Offset < 0 ? error : Native.NoError;
                string problem = entry->Offset >= 0 && failed == Native.NoError ? "" : Native.Text(Native.rd_kafka_err2str(failed));
                ends.Add(new StreamEnd(entry->Partition, StreamOf(entry->Topic), entry->Offset, problem));
            }
            return ends;
        }
        finally
        {
            Native.rd_kafka_topic_partition_list_destroy(list);
        }
    }

    /// <summary>All streams of the partitions.</summary>
    public static IEnumerable<(int Partition, EventStream Stream)> StreamsOf(IEnumerable<int> partitions) =>
        from partition in partitions
        from stream in Enum.GetValues<EventStream>()
        select (partition, stream);

    /// <summary>The broker that leads each stream's partition, as any broker knows it; a stream that has none is missing.</summary>
    /// <exception cref="KafkaException">No broker answers.</exception>
    public Dictionary<(int Partition, EventStream Stream), int> Leaders(int timeoutMs)
    {
        var leaders = new Dictionary<(int Partition, EventStream Stream), int>();
        foreach ((EventStream stream, List<PartitionMetadata> partitions) in Describe(timeoutMs))
        {
            foreach (PartitionMetadata partition in partitions.Where(static partition => partition.Leader >= 0))
                leaders[(partition.PartitionId, stream)] = partition.Leader;
        }
        return leaders;
    }

    /// <summary>The partitions of each stream's topic, as any broker knows them.</summary>
    /// <exception cref="KafkaException">No broker answers.</exception>
    public IReadOnlyList<(EventStream Stream, List<PartitionMetadata> Partitions)> Describe(int timeoutMs)
    {
        using IAdminClient admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        return [.. Enum.GetValues<EventStream>().Select(stream =>
            (stream, admin.GetMetadata(options.TopicOf(stream), TimeSpan.FromMilliseconds(timeoutMs)).Topics.SelectMany(static topic => topic.Partitions).ToList()))];
    }

    public void Dispose()
    {
        Native.rd_kafka_queue_destroy(queue);
        consumer.Close();
        consumer.Dispose();
    }

    private Native.PartitionList* NewList(IEnumerable<(int Partition, EventStream Stream, long Offset)> entries)
    {
        Native.PartitionList* list = Native.rd_kafka_topic_partition_list_new(EventKinds.StreamCount);
        foreach ((int partition, EventStream stream, long offset) in entries)
            Native.rd_kafka_topic_partition_list_add(list, options.TopicOf(stream), partition)->Offset = offset;
        return list;
    }

    /// <summary>Confluent.Kafka, whose version is pinned, keeps librdkafka's own handle in a property that is not public.</summary>
    internal static IntPtr HandleOf(Handle handle)
    {
        PropertyInfo property = typeof(Handle).GetProperty("LibrdkafkaHandle", BindingFlags.Instance | BindingFlags.NonPublic)
            ?? throw new KafkaRefusedException("this version of Confluent.Kafka keeps its handle elsewhere; use the version that Directory.Packages.props pins");
        return ((SafeHandle)property.GetValue(handle)!).DangerousGetHandle();
    }
}
