using Collections.Storage;

namespace Collections.Server.Hosting;

/// <summary>Where the embedded default keeps everything: the log and the store, each in a folder of its own.</summary>
public sealed record DataDirectory(string Path)
{
    /// <summary>Used where no --data is given.</summary>
    public const string Default = "collections-data";

    /// <summary>Partitions of a log that is created without --partitions: more than any laptop has cores, few enough to look at.</summary>
    public const int PartitionsDefault = 8;

    public string LogPath => System.IO.Path.Combine(Path, "log");

    public string StorePath => System.IO.Path.Combine(Path, "store");

    public bool HasLog => Directory.Exists(LogPath);

    /// <summary>Opens the log, creating it if there is none.</summary>
    /// <param name="partitions">For a new log; null takes the default. An existing log must have the same count.</param>
    public SqliteEventLog OpenLog(int? partitions, TimeProvider time)
    {
        int count = partitions ?? (SqliteEventLog.PartitionsOf(LogPath) ?? PartitionsDefault);
        return new SqliteEventLog(LogPath, new SqliteLogOptions(count), time);
    }

    public SqliteStore OpenStore() => new(StorePath);
}
