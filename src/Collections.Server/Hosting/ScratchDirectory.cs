using Collections.Server.Commands;

namespace Collections.Server.Hosting;

/// <summary>A data directory for one run: the one that was named, which must be empty, or a temporary one that is deleted afterwards.</summary>
internal static class ScratchDirectory
{
    public static async Task<int> UseAsync(string purpose, string? named, Func<DataDirectory, Task<int>> run)
    {
        string path = named ?? Path.Combine(Path.GetTempPath(), $"collections-{purpose}-{Guid.NewGuid():N}");
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
            return Output.Fail($"--data: {path} is not empty; the {purpose} writes a log of its own");
        try
        {
            return await run(new DataDirectory(path));
        }
        catch (Exception failure) when (DataDirectory.IsExpected(failure))
        {
            return Output.Fail(failure.Message);
        }
        finally
        {
            if (named is null && Directory.Exists(path))
                Directory.Delete(path, recursive: true);
        }
    }
}
