namespace Collections.Server.Tests.Import;

/// <summary>A test on the real data beside the repository; it says why it is skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute()
    {
        if (Folders.Data == null)
            Skip = "there is no folder shared/data beside the repository; the data is not part of it";
    }
}

/// <summary>Where the repository and the data beside it are.</summary>
internal static class Folders
{
    public static string Repository { get; } = Above(AppContext.BaseDirectory, f => File.Exists(Path.Combine(f, "Collections.Engine.sln")))
        ?? throw new InvalidOperationException("the tests run outside the repository: no folder above has Collections.Engine.sln");

    public static string? Data { get; } = Above(Repository, f => Directory.Exists(Path.Combine(f, "shared", "data"))) is { } parent
        ? Path.Combine(parent, "shared", "data")
        : null;

    public static string MappingFile(string name) => Path.Combine(Repository, "src", "Collections.Server", "mappings", name);

    private static string? Above(string folder, Func<string, bool> isIt)
    {
        for (string? at = folder; at != null; at = Path.GetDirectoryName(at))
        {
            if (isIt(at))
                return at;
        }
        return null;
    }
}
