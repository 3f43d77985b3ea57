using System.Runtime.InteropServices;

namespace Collections.Kafka;

/// <summary>
/// The calls of librdkafka that Confluent.Kafka makes an object a record for, or makes by functions that version 2.0.2 does not have. All of
/// them are in its public header since 1.0.
/// </summary>
internal static unsafe partial class Native
{
    public const int NoError = 0;
    public const int PartitionEof = -191;
    public const int AutoOffsetReset = -140;
    public const int OffsetOutOfRange = 1;

    /// <summary>For <see cref="rd_kafka_purge"/>: what waits, and what is under way.</summary>
    public const int PurgeAll = 3;

    private const string Library = "rdkafka";

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial IntPtr rd_kafka_queue_get_consumer(IntPtr client);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void rd_kafka_queue_destroy(IntPtr queue);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint rd_kafka_consume_batch_queue(IntPtr queue, int timeoutMs, Message** messages, nuint count);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void rd_kafka_message_destroy(Message* message);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial byte* rd_kafka_topic_name(IntPtr topic);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial long rd_kafka_message_timestamp(Message* message, out int type);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_message_headers(Message* message, out IntPtr headers);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_header_get_last(IntPtr headers, byte* name, out byte* value, out nuint size);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial byte* rd_kafka_err2str(int error);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_fatal_error(IntPtr client, byte* text, nuint size);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_purge(IntPtr client, int flags);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial PartitionList* rd_kafka_topic_partition_list_new(int size);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial PartitionEntry* rd_kafka_topic_partition_list_add(PartitionList* list, string topic, int partition);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial void rd_kafka_topic_partition_list_destroy(PartitionList* list);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_offsets_for_times(IntPtr client, PartitionList* list, int timeoutMs);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int rd_kafka_commit(IntPtr client, PartitionList* list, int async);

    public static string Text(byte* text) => Marshal.PtrToStringUTF8((IntPtr)text) ?? "";

    /// <summary>As <c>rd_kafka_message_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Message
    {
        public int Error;
        public IntPtr Topic;
        public int Partition;
        public byte* Value;
        public nuint Length;
        public byte* Key;
        public nuint KeyLength;
        public long Offset;
        public IntPtr Own;
    }

    /// <summary>As <c>rd_kafka_topic_partition_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PartitionEntry
    {
        public byte* Topic;
        public int Partition;
        public long Offset;
        public IntPtr Metadata;
        public nuint MetadataLength;
        public IntPtr Opaque;
        public int Error;
        public IntPtr Own;
    }

    /// <summary>As <c>rd_kafka_topic_partition_list_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PartitionList
    {
        public int Count;
        public int Size;
        public PartitionEntry* Entries;
    }
}
