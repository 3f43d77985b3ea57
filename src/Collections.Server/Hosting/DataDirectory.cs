using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Kafka;
using Collections.Storage;
using Collections.Storage.Postgres;

namespace Collections.Server.Hosting;

/// <summary>Where the embedded default keeps everything: the log and the store, each in a folder of its own.</summary>
public sealed record DataDirectory(string Path)
{
    /// <summary>Used where no --data is given.</summary>
    public const string Default = "collections-data";

    /// <summary>Partitions of a log that is created without --partitions: more than any laptop has cores, few enough to look at.</summary>
    public const int PartitionsDefault = 8;

    /// <summary>Where the store is, if it is not in the directory: PostgreSQL's connection string or URI.</summary>
    public string? Store { get; init; }

    /// <summary>For what is told of the node: empty for the embedded store.</summary>
    public string StorePlace => Store is null ? "" : $", store in {PostgresSettings.Parse(Store)}";

    public bool HasLog => SqliteEventLog.PartitionsIn(Path) is not null;

    /// <summary>Opens the log, creating it if there is none.</summary>
    /// <param name="partitions">For a new log; null takes the default. An existing log must have the same count.</param>
    /// <exception cref="StorageRefusedException">It is in use, or was created with another count; the message says what to do.</exception>
    public SqliteEventLog OpenLog(int? partitions, TimeProvider time) =>
        new(Path, new SqliteLogOptions(partitions ?? SqliteEventLog.PartitionsIn(Path) ?? PartitionsDefault), time);

    /// <summary>Opens the store; creates it, or brings its schema up to date, if need be.</summary>
    /// <exception cref="StorageRefusedException">It is in use, the connection can't be read, or the schema is not one for this program; the message says what to do.</exception>
    public IStore OpenStore() => Store is null ? new SqliteStore(Path) : new PostgresStore(PostgresSettings.Parse(Store));

    /// <summary>Opens what there is to look at the past: the log, or the archive of a Kafka log.</summary>
    /// <param name="incomplete">Whether an archive that is known to miss something is read as it is.</param>
    /// <param name="missing">What it misses, in words; null: nothing.</param>
    /// <exception cref="StorageRefusedException">It is in use, there is none, or it misses something; the message says what to do.</exception>
    public SqliteEventLog OpenPast(TimeProvider time, bool incomplete, out string? missing)
    {
        SqliteEventLog log = SqliteEventLog.OpenToRead(Path, time);
        IReadOnlyList<ArchiveFault> faults = log.Faults;
        missing = faults.Count == 0 ? null : ArchiveFault.Describe(faults);
        if (faults.Count > 0 && !incomplete)
        {
            log.Dispose();
            string fetch = faults.Any(static fault => fault.CanBeFetched) ? $"complete it with 'collections kafka archive --kafka HOST:PORT --data {Path}', or " : "";
            throw new StorageRefusedException($"--data: the archive in {System.IO.Path.GetFullPath(Path)} is not complete. {char.ToUpperInvariant(missing![0])}{missing[1..]}. To go on, {fetch}say --incomplete to leave out what is not there");
        }
        log.PassOver();
        return log;
    }

    /// <summary>Failures whose message tells a user what is wrong and what to do; anything else is a defect.</summary>
    public static bool IsExpected(Exception failure) => failure
        is IOException or UnauthorizedAccessException or StorageRefusedException or KafkaRefusedException
        or LogUnavailableException or LogCorruptException or StoreCorruptException or StoreUnavailableException;
}
