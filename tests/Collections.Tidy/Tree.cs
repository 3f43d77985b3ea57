using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Collections.Tidy;

/// <summary>The files that belong to the repository, as text; or a few lines that stand for some, to test the rules on.</summary>
internal sealed class Tree
{
    private const string SolutionName = "Collections.Engine.sln";

    /// <summary>What a walk leaves out; with git, .gitignore says so.</summary>
    private static readonly HashSet<string> GeneratedFolders = new(StringComparer.Ordinal)
    {
        ".git", ".idea", ".vs", "artifacts", "bin", "BenchmarkDotNet.Artifacts", "data", "obj", "TestResults",
    };

    private readonly Dictionary<string, SourceFile> _byPath;

    private Tree(IEnumerable<SourceFile> files)
    {
        Files = [.. files.OrderBy(static file => file.Path, StringComparer.Ordinal)];
        _byPath = Files.ToDictionary(static file => file.Path, StringComparer.Ordinal);
    }

    public static Tree Repository { get; } = Load(FindRoot());

    public IReadOnlyList<SourceFile> Files { get; }

    public IEnumerable<SourceFile> CSharp => Files.Where(static file => file.Is(".cs"));

    public static Tree Of(params IEnumerable<(string Path, string Text)> files) =>
        new(files.Select(static file => new SourceFile(file.Path, () => Encoding.UTF8.GetBytes(file.Text))));

    public SourceFile? Find(string path) => _byPath.GetValueOrDefault(path);

    public bool HasFolder(string path) => path.Length == 0 || Files.Any(file => file.IsUnder(path));

    private static string FindRoot()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, SolutionName)))
                return at.FullName;
        }
        throw new InvalidOperationException($"{SolutionName} is in no folder above {AppContext.BaseDirectory}");
    }

    private static Tree Load(string root) => new(
        (Tracked(root) ?? Walk(root))
            .Where(path => File.Exists(Path.Combine(root, path)))
            .Select(path => new SourceFile(path, () => File.ReadAllBytes(Path.Combine(root, path)))));

    /// <summary>What git tracks or would add, or null where there is no git or no clone.</summary>
    private static string[]? Tracked(string root)
    {
        try
        {
            var start = new ProcessStartInfo("git", ["-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            };
            using Process git = Process.Start(start)!;
            git.ErrorDataReceived += static (_, _) => { };
            git.BeginErrorReadLine();
            string output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            return git.ExitCode == 0 ? [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)] : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static IEnumerable<string> Walk(string root)
    {
        var open = new Stack<DirectoryInfo>([new DirectoryInfo(root)]);
        while (open.TryPop(out DirectoryInfo? folder))
        {
            foreach (FileInfo file in folder.EnumerateFiles())
                yield return Path.GetRelativePath(root, file.FullName).Replace('\\', '/');
            foreach (DirectoryInfo inner in folder.EnumerateDirectories())
            {
                if (!GeneratedFolders.Contains(inner.Name))
                    open.Push(inner);
            }
        }
    }
}

/// <summary>One file; its path is relative to the root, with slashes.</summary>
internal sealed class SourceFile(string path, Func<byte[]> read)
{
    private byte[]? _bytes;
    private string? _text;
    private string[]? _lines;
    private CSharpText? _code;

    public string Path { get; } = path;

    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    public string Folder => Path.LastIndexOf('/') is > 0 and var slash ? Path[..slash] : "";

    public byte[] Bytes => _bytes ??= read();

    public string Text => _text ??= Encoding.UTF8.GetString(Bytes).TrimStart('\uFEFF');

    /// <summary>Without line ends; a final line end opens no further line.</summary>
    public string[] Lines => _lines ??= SplitLines(Text);

    public CSharpText Code => _code ??= CSharpText.Read(Text);

    public bool Is(params ReadOnlySpan<string> extensions)
    {
        foreach (string extension in extensions)
        {
            if (Path.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }

    public bool IsUnder(params ReadOnlySpan<string> folders)
    {
        foreach (string folder in folders)
        {
            if (Path.StartsWith(folder + "/", StringComparison.Ordinal))
                return true;
        }
        return false;
    }

    public Finding Found(int line, string subject, string message) => new(Path, line, subject, message);

    private static string[] SplitLines(string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        return lines[^1].Length == 0 ? lines[..^1] : lines;
    }
}
