namespace Collections.Kafka;

/// <summary>A client that is to be a member of a consumer group; what becomes of its messages and rebalances is its owner's.</summary>
internal static unsafe class GroupMember
{
    private const int TextBytes = 512;

    /// <summary>A topic of a subscription, whichever partitions it has.</summary>
    private const int AnyPartition = -1;

    /// <param name="prepare">Adds to librdkafka's configuration what is no setting.</param>
    /// <exception cref="KafkaRefusedException">A setting is not taken.</exception>
    public static IntPtr New(IEnumerable<KeyValuePair<string, string>> settings, Action<IntPtr>? prepare)
    {
        byte* error = stackalloc byte[TextBytes];
        IntPtr configuration = GroupNative.rd_kafka_conf_new();
        foreach ((string name, string value) in settings)
        {
            if (GroupNative.rd_kafka_conf_set(configuration, name, value, error, TextBytes) != GroupNative.ConfigurationOk)
            {
                GroupNative.rd_kafka_conf_destroy(configuration);
                throw KafkaClient.Refused(new ArgumentException(Native.Text(error)));
            }
        }
        // What is wrong is in the messages; the log would go to standard error.
        GroupNative.rd_kafka_conf_set_log_cb(configuration, IntPtr.Zero);
        prepare?.Invoke(configuration);
        IntPtr client = GroupNative.rd_kafka_new(GroupNative.Consumer, configuration, error, TextBytes);
        if (client == IntPtr.Zero)
        {
            GroupNative.rd_kafka_conf_destroy(configuration);
            throw KafkaClient.Refused(new ArgumentException(Native.Text(error)));
        }
        _ = GroupNative.rd_kafka_poll_set_consumer(client);
        return client;
    }

    /// <summary>Joins the group over these topics.</summary>
    /// <returns>Why that can't be; empty: it is under way.</returns>
    public static string Subscribe(IntPtr client, IReadOnlyCollection<string> topics)
    {
        Native.PartitionList* list = Native.rd_kafka_topic_partition_list_new(topics.Count);
        foreach (string topic in topics)
            Native.rd_kafka_topic_partition_list_add(list, topic, AnyPartition);
        int error = GroupNative.rd_kafka_subscribe(client, list);
        Native.rd_kafka_topic_partition_list_destroy(list);
        return error == Native.NoError ? "" : Native.Text(Native.rd_kafka_err2str(error));
    }
}
