using System.Runtime.InteropServices;

namespace Collections.Kafka;

/// <summary>
/// What a member of a consumer group needs of librdkafka's public header, since 1.6. Confluent.Kafka's own way to a rebalance asks each partition for its
/// leader's epoch, which version 2.0.2 can't tell.
/// </summary>
internal static unsafe partial class GroupNative
{
    public const int AssignPartitions = -175;
    public const int RevokePartitions = -174;
    public const int Consumer = 1;
    public const int ConfigurationOk = 0;

    private const string Library = "rdkafka";

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial IntPtr rd_kafka_conf_new();

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void rd_kafka_conf_destroy(IntPtr configuration);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_conf_set(IntPtr configuration, string name, string value, byte* error, nuint errorSize);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void rd_kafka_conf_set_opaque(IntPtr configuration, IntPtr opaque);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void rd_kafka_conf_set_log_cb(IntPtr configuration, IntPtr callback);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void rd_kafka_conf_set_rebalance_cb(IntPtr configuration, delegate* unmanaged[Cdecl]<IntPtr, int, Native.PartitionList*, IntPtr, void> callback);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial IntPtr rd_kafka_new(int type, IntPtr configuration, byte* error, nuint errorSize);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_poll_set_consumer(IntPtr client);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_subscribe(IntPtr client, Native.PartitionList* topics);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial Native.Message* rd_kafka_consumer_poll(IntPtr client, int timeoutMs);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial IntPtr rd_kafka_incremental_assign(IntPtr client, Native.PartitionList* partitions);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial IntPtr rd_kafka_incremental_unassign(IntPtr client, Native.PartitionList* partitions);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_pause_partitions(IntPtr client, Native.PartitionList* partitions);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_assignment_lost(IntPtr client);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial byte* rd_kafka_memberid(IntPtr client);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void rd_kafka_mem_free(IntPtr client, byte* memory);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial byte* rd_kafka_error_string(IntPtr error);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void rd_kafka_error_destroy(IntPtr error);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_assignment(IntPtr client, out Native.PartitionList* partitions);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_consumer_close(IntPtr client);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void rd_kafka_destroy(IntPtr client);
}
