using System.Runtime.InteropServices;

namespace Collections.Storage.Sqlite;

/// <summary>Files and names that are there after the power went off.</summary>
internal static partial class DurableFiles
{
    /// <summary>Readers see the file whole or not at all.</summary>
    public static void WriteWhole(string path, ReadOnlySpan<byte> content)
    {
        string fresh = path + ".new";
        using (var file = new FileStream(fresh, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        MoveInto(fresh, path);
    }

    /// <summary>Gives a finished, synced file its name.</summary>
    public static void MoveInto(string fresh, string path)
    {
        File.Move(fresh, path, overwrite: true);
        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Creates a directory so that its own name is durable too.</summary>
    public static void CreateDirectory(string path)
    {
        if (Directory.Exists(path))
            return;
        string? parent = Path.GetDirectoryName(Path.GetFullPath(path));
        if (parent != null)
            CreateDirectory(parent);
        Directory.CreateDirectory(path);
        if (parent != null)
            SyncDirectory(parent);
    }

    /// <summary>A rename lasts once its directory has been synced. .NET opens no directories, so this asks the system; Windows needs it not.</summary>
    public static void SyncDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(path, 0);
        if (descriptor < 0)
            throw new IOException($"{path}: can't be opened to be synced (error {Marshal.GetLastPInvokeError()})");
        int result = Sync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (result != 0)
            throw new IOException($"{path}: can't be synced (error {error})");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
