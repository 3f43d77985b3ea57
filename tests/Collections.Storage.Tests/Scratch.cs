namespace Collections.Storage.Tests;

/// <summary>A directory for one test.</summary>
public sealed class Scratch : IDisposable
{
    public Scratch() => System.IO.Directory.CreateDirectory(Directory);

    public string Directory { get; } = Path.Combine(Path.GetTempPath(), $"collections-storage-{Guid.NewGuid():N}");

    /// <summary>
    /// A copy as a killed process leaves its files: the databases and their WALs. The shared-memory files are not part of what is durable, and
    /// the lock is let go of by the system.
    /// </summary>
    public static void CopyAsKilled(string from, string to)
    {
        foreach (string file in System.IO.Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(from, file);
            if (name.EndsWith("-shm", StringComparison.Ordinal) || Path.GetFileName(name).StartsWith("lock", StringComparison.Ordinal))
                continue;
            string target = Path.Combine(to, name);
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using FileStream copy = File.Create(target);
            source.CopyTo(copy);
        }
    }

    /// <summary>The bytes of a file that another connection has open.</summary>
    public static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    public void Dispose()
    {
        if (System.IO.Directory.Exists(Directory))
            System.IO.Directory.Delete(Directory, recursive: true);
    }
}

/// <summary>A clock that stands where the test puts it.</summary>
public sealed class StandingClock(DateTimeOffset now) : TimeProvider
{
    public static readonly DateTimeOffset Morning = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    public StandingClock()
        : this(Morning)
    {
    }

    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}
