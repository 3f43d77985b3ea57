using System.Runtime.InteropServices;
using System.Text;

namespace Collections.Kafka.Tests;

/// <summary>A message as a consumer that knows nothing of the engine sees it.</summary>
/// <param name="Key">In UTF-8; null: it has none.</param>
internal sealed record SeenMessage(int Partition, long Offset, string? Key, byte[] Value, IReadOnlyDictionary<string, string> Headers)
{
    public string Id => Headers["id"];
}

/// <summary>Reads whole topics, by librdkafka's own consumer of single partitions.</summary>
internal static unsafe partial class TopicReader
{
    private const string Library = "librdkafka.so.1";
    private const int Consumer = 1;
    private const long Beginning = -2;
    private const int PartitionEof = -191;

    /// <summary>Everything that a topic has now, partition by partition.</summary>
    public static List<SeenMessage> ReadAll(string bootstrap, string topic, int partitions)
    {
        byte[] error = new byte[256];
        IntPtr configuration = rd_kafka_conf_new();
        foreach ((string name, string value) in ((string, string)[])[("bootstrap.servers", bootstrap), ("enable.partition.eof", "true"), ("fetch.wait.max.ms", "5"), ("log_level", "3")])
            Assert.Equal(0, rd_kafka_conf_set(configuration, name, value, error, (nuint)error.Length));
        IntPtr client = rd_kafka_new(Consumer, configuration, error, (nuint)error.Length);
        IntPtr handle = rd_kafka_topic_new(client, topic, IntPtr.Zero);
        var found = new List<SeenMessage>();
        for (int partition = 0; partition < partitions; partition++)
        {
            Assert.Equal(0, rd_kafka_consume_start(handle, partition, Beginning));
            Read(handle, partition, found);
            Assert.Equal(0, rd_kafka_consume_stop(handle, partition));
        }
        rd_kafka_topic_destroy(handle);
        rd_kafka_destroy(client);
        return found;
    }

    private static void Read(IntPtr topic, int partition, List<SeenMessage> into)
    {
        // Nothing at all for a minute: the cluster is gone.
        while (rd_kafka_consume(topic, partition, 60_000) is var message && message != null)
        {
            int error = message->Error;
            if (error == 0)
                into.Add(Copy(message));
            rd_kafka_message_destroy(message);
            if (error == PartitionEof)
                return;
        }
        Assert.Fail($"partition {partition} did not answer");
    }

    private static SeenMessage Copy(Message* message)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        if (rd_kafka_message_headers(message, out IntPtr list) == 0)
        {
            for (nuint i = 0; rd_kafka_header_get_all(list, i, out byte* name, out byte* value, out nuint size) == 0; i++)
                headers.Add(Marshal.PtrToStringUTF8((IntPtr)name)!, Encoding.UTF8.GetString(value, (int)size));
        }
        string? key = message->Key == null ? null : Encoding.UTF8.GetString(message->Key, (int)message->KeyLength);
        return new SeenMessage(message->Partition, message->Offset, key, new ReadOnlySpan<byte>(message->Value, (int)message->Length).ToArray(), headers);
    }

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr rd_kafka_conf_new();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_conf_set(IntPtr configuration, string name, string value, byte[] error, nuint errorLength);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr rd_kafka_new(int type, IntPtr configuration, byte[] error, nuint errorLength);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void rd_kafka_destroy(IntPtr client);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial IntPtr rd_kafka_topic_new(IntPtr client, string topic, IntPtr configuration);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void rd_kafka_topic_destroy(IntPtr topic);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_consume_start(IntPtr topic, int partition, long offset);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_consume_stop(IntPtr topic, int partition);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial Message* rd_kafka_consume(IntPtr topic, int partition, int timeoutMs);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void rd_kafka_message_destroy(Message* message);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_message_headers(Message* message, out IntPtr headers);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int rd_kafka_header_get_all(IntPtr headers, nuint index, out byte* name, out byte* value, out nuint size);

    /// <summary>As <c>rd_kafka_message_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
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
}
