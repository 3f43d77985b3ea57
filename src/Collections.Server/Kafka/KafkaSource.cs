using Collections.Engine.Logs;
using Collections.Kafka;
using Collections.Kafka.Topics;
using Collections.Server.Hosting;
using Collections.Storage;

namespace Collections.Server.Kafka;

/// <summary>A Kafka log over its archive, opened together.</summary>
internal sealed class KafkaSource : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private readonly SqliteArchive archive;

    private KafkaSource(SqliteArchive archive, KafkaEventLog log)
    {
        this.archive = archive;
        Log = log;
    }

    public KafkaEventLog Log { get; }

    /// <summary>Whether the archive has no gap that is still being filled.</summary>
    public bool IsWhole => Enumerable.Range(0, archive.PartitionCount).All(partition => archive.GapOf(partition) is null);

    /// <summary>Opens both; while brokers can't be reached it says so and tries again, as they may come up after the node.</summary>
    /// <param name="partitions">What the topics must have; null: whatever they have.</param>
    /// <exception cref="KafkaRefusedException">Settings, topics or the archive don't fit: the message says what to do.</exception>
    /// <exception cref="StorageRefusedException">The directory can't be used as an archive.</exception>
    public static async Task<KafkaSource> OpenAsync(
        KafkaLogOptions options, DataDirectory directory, int? partitions, TimeProvider time, Action<string> warn, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return Open(options, directory, partitions, time, warn);
            }
            catch (LogUnavailableException unavailable)
            {
                warn($"{unavailable.Message}; tried again until it answers");
                await Task.Delay(RetryAfter, time, cancellation);
            }
        }
    }

    public void Dispose()
    {
        Log.Dispose();
        archive.Dispose();
    }

    private static KafkaSource Open(KafkaLogOptions options, DataDirectory directory, int? partitions, TimeProvider time, Action<string> warn)
    {
        int found;
        using (var admin = new KafkaTopicAdmin(options))
            found = TopicSetup.PartitionsOf(admin, options);
        if (partitions is { } wanted && wanted != found)
            throw new KafkaRefusedException($"--partitions: {wanted} were asked for, but the topics have {found}; leave it out, or use topics of that count");
        var archive = new SqliteArchive(directory.Path, new SqliteLogOptions(found), time);
        try
        {
            return new KafkaSource(archive, new KafkaEventLog(options, archive, EventJson.TryToWire, time, warn));
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }
}
