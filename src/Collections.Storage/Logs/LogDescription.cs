using System.Text.Json;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Logs;

/// <summary>What is fixed when a log is created: the content of its <c>log.json</c>.</summary>
internal sealed record LogDescription(int LayoutVersion, int Partitions)
{
    public const string FileName = "log.json";
    public const int CurrentLayoutVersion = 1;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Reads the log's description, or writes it when there is no log yet; refuses what doesn't fit.</summary>
    public static LogDescription Agree(string directory, int partitions)
    {
        string path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
        {
            if (Directory.EnumerateDirectories(directory, "p*").Any())
                throw new StorageRefusedException($"{directory} holds partitions, but its {FileName} is missing. Restore it from a copy, or choose an empty directory.");
            var created = new LogDescription(CurrentLayoutVersion, partitions);
            DurableFiles.WriteWhole(path, JsonSerializer.SerializeToUtf8Bytes(created, Json));
            return created;
        }
        LogDescription found = Read(path);
        if (found.LayoutVersion != CurrentLayoutVersion)
            throw new StorageRefusedException($"{path} says layout version {found.LayoutVersion}, and this program reads version {CurrentLayoutVersion}. Run the program that wrote it, or a newer one.");
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
