using System.Globalization;

namespace Collections.Storage.Sqlite;

/// <summary>
/// A directory belongs to one process at a time: two writers would give the same offsets twice. The system lets go of the lock when the
/// process ends, however it ends.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    private readonly FileStream file;

    private DirectoryLock(FileStream file) => this.file = file;

    public static DirectoryLock Take(string directory)
    {
        // The process id lies beside the lock, because a locked file can't be read.
        string owner = Path.Combine(directory, "lock.owner");
        try
        {
            var file = new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(owner, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return new DirectoryLock(file);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException))
        {
            string by = File.Exists(owner) ? $"by process {File.ReadAllText(owner)}" : "by another process";
            throw new StorageRefusedException($"{directory} is in use {by}. Stop that process, or choose another directory: one process at a time may open it.", e);
        }
    }

    public void Dispose() => file.Dispose();
}
