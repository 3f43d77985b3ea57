using System.Text.Json;
using System.Text.Json.Serialization;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Logs;

/// <summary>What is fixed when a log is created: the content of its <c>log.json</c>.</summary>
/// <param name="IsArchive">Whether it keeps the records of a log elsewhere, at their offsets there.</param>
internal sealed record LogDescription(int LayoutVersion, int Partitions, bool IsArchive = false)
{
    public const string FileName = "log.json";
    public const int CurrentLayoutVersion = 1;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    /// <summary>Reads the log's description, or writes it when there is no log yet; refuses what doesn't fit.</summary>
    public static LogDescription Agree(string directory, int partitions, LogUse use)
    {
        string path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
        {
            if (Directory.EnumerateDirectories(directory, "p*").Any())
                throw new StorageRefusedException($"{directory} holds partitions, but its {FileName} is missing. Restore it from a copy, or choose an empty directory.");
            var created = new LogDescription(CurrentLayoutVersion, partitions, use == LogUse.Archive);
            DurableFiles.WriteWhole(path, JsonSerializer.SerializeToUtf8Bytes(created, Json));
            return created;
        }
        LogDescription found = Read(path);
        if (found.LayoutVersion != CurrentLayoutVersion)
            throw new StorageRefusedException($"{path} says layout version {found.LayoutVersion}, and this program reads version {CurrentLayoutVersion}. Run the program that wrote it, or a newer one.");
        if (found.IsArchive && use == LogUse.Log)
            throw new StorageRefusedException($"{path} describes the archive of a Kafka log, whose events come from there. Start with --kafka, or choose another directory.");
        if (!found.IsArchive && use != LogUse.Log)
            throw new StorageRefusedException($"{path} describes a log of its own, which can't become the archive of a Kafka log. Start without --kafka, or choose another directory.");
        if (found.Partitions != partitions)
            throw new StorageRefusedException($"{path} says {found.Partitions} partitions, and {partitions} were asked for. The count is fixed when a log is created: ask for {found.Partitions}, or import the events into a new directory.");
        return found;
    }

    /// <summary>The description of the log in a directory; null if there is no log.</summary>
    public static LogDescription? Find(string directory)
    {
        string path = Path.Combine(directory, FileName);
        return File.Exists(path) ? Read(path) : null;
    }

    private static LogDescription Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<LogDescription>(File.ReadAllBytes(path), Json) ?? throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            throw new StorageRefusedException($"{path} can't be read: {e.Message}. Restore it from a copy.", e);
        }
    }
}
