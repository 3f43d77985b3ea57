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
    /// <exception cref="StorageRefusedException">It is in use, or there is none.</exception>
    public SqliteEventLog OpenPast(TimeProvider time) => SqliteEventLog.OpenToRead(Path, time);

    /// <summary>Failures whose message tells a user what is wrong and what to do; anything else is a defect.</summary>
    public static bool IsExpected(Exception failure) => failure
        is IOException or UnauthorizedAccessException or StorageRefusedException or KafkaRefusedException
        or LogUnavailableException or LogCorruptException or StoreCorruptException or StoreUnavailableException;
}
