using System.Text.RegularExpressions;

namespace Collections.Tidy;

/// <summary>The command lines that the documents show can be typed: verbs, options and paths exist.</summary>
internal static class CommandLineRules
{
    private const string Commands = "src/Collections.Server/Commands";

    private const string DotnetVerbs = "add build clean format new nuget pack publish restore run sln test tool workload --info --version --list-sdks";

    private static readonly string[] NoShell = ["csharp", "cs", "json", "yaml", "yml", "xml", "proto", "protobuf", "sql", "csv", "mermaid", "diff", "ini", "toml", "python", "promql"];

    private static readonly string[] BuiltInOptions = ["--help", "-h", "-?", "--version"];

    public static IEnumerable<Rule> All =>
    [
        new("shown-verbs-exist", VerbsExist, Sample("collections fly"), "collections fly"),
        new("shown-options-exist", OptionsExist, Sample("collections serve --wings 2"), "--wings"),
        new("shown-dotnet-verbs-exist", DotnetVerbsExist, Sample("dotnet biuld -c Release"), "dotnet biuld"),
        new("shown-paths-exist", PathsExist, Sample("./eng/gone --all"), "eng/gone"),
    ];

    internal static Tree Sample(string line) => Tree.Of(
        ("README.md", $"```sh\n{line}\n```\n"),
        (Commands + "/ServeCommand.cs", "var data = new Option<string>(\"--data\", \"-d\"); var command = new Command(\"serve\", \"Run\");"),
        ("src/Collections.Server/Collections.Server.csproj", "<Project />"),
        ("eng/test", "#!/usr/bin/env bash\n"));

    private static IEnumerable<(SourceFile File, int Line, string[] Words)> CommandLines(Tree tree)
    {
        foreach ((SourceFile file, FencedBlock block) in Markdown.Of(tree).SelectMany(static markdown => markdown.Blocks.Select(block => (markdown.File, block))))
        {
            if (NoShell.Contains(block.Language, StringComparer.OrdinalIgnoreCase))
                continue;
            bool hasPrompts = block.Lines.Exists(static line => line.StartsWith("$ ", StringComparison.Ordinal));
            for (int i = 0; i < block.Lines.Count; i++)
            {
                int number = block.FirstLine + i;
                string line = block.Lines[i];
                if (hasPrompts && !line.StartsWith("$ ", StringComparison.Ordinal))
                    continue;
                while (line.EndsWith('\\') && i + 1 < block.Lines.Count)
                    line = line[..^1] + block.Lines[++i];
                foreach (string[] words in Split(line))
                    yield return (file, number, words);
            }
        }
    }

    /// <summary>The commands of a line: without prompt, comment and settings of the environment, one for each part of a pipe or list.</summary>
    internal static IEnumerable<string[]> Split(string line)
    {
        string text = Pattern.Of(@"'[^']*'|""[^""]*""").Replace(line, "quoted");
        text = Pattern.Of(@"(^|\s)#.*$").Replace(text, "");
        foreach (string part in Pattern.Of(@"\|\||&&|[|;&](?=\s|$)").Split(text))
        {
            string[] words = part.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            words = [.. words.SkipWhile(static word => word is "$" or "sudo" or "time" or "exec" || Pattern.Of(@"^\w+=").IsMatch(word))];
            if (words.Length > 0)
                yield return words;
        }
    }

    /// <summary>What the line hands to our binary, called by its name, by its path or by `dotnet run … --`; null if it is not ours.</summary>
    private static string[]? OurArguments(string[] words)
    {
        if (words[0].Split('/')[^1] == "collections")
            return words[1..];
        int separator = Array.IndexOf(words, "--");
        return words is ["dotnet", "run", ..] && separator > 0 && Array.Exists(words, static word => word.Contains("Collections.Server", StringComparison.Ordinal)) ? words[(separator + 1)..] : null;
    }

    private static HashSet<string> Literals(Tree tree, string pattern) =>
        tree.CSharp.Where(static file => file.IsUnder(Commands) || file.Path == "src/Collections.Server/Program.cs")
            .SelectMany(file => Pattern.Of(pattern).Matches(file.Text).Select(static match => match.Groups["name"].Value))
            .ToHashSet(StringComparer.Ordinal);

    private static IEnumerable<Finding> VerbsExist(Tree tree)
    {
        HashSet<string> verbs = Literals(tree, @"\bnew\s+Command\(\s*""(?<name>[^""]+)""");
        foreach ((SourceFile file, int line, string[] words) in CommandLines(tree))
        {
            // A word such as "0.1.0:" is what the binary prints, not what is typed.
            if (OurArguments(words) is [var verb, ..] && Pattern.Of("^[a-z][a-z-]*$").IsMatch(verb) && !verbs.Contains(verb))
                yield return file.Found(line, "collections " + verb, $"collections has no verb {verb}; it has {string.Join(", ", verbs.Order(StringComparer.Ordinal))}");
        }
    }

    private static IEnumerable<Finding> OptionsExist(Tree tree)
    {
        HashSet<string> options = Literals(tree, @"""(?<name>--?[a-zA-Z][\w-]*)""");
        return from command in CommandLines(tree)
               let arguments = OurArguments(command.Words)
               where arguments is not null
               from argument in arguments
               let option = argument.Split('=')[0].Trim('[', ']')
               where Pattern.Of("^--?[a-zA-Z]").IsMatch(option) && !options.Contains(option) && !BuiltInOptions.Contains(option, StringComparer.Ordinal)
               select command.File.Found(command.Line, option, $"collections has no option {option}");
    }

    private static IEnumerable<Finding> DotnetVerbsExist(Tree tree) =>
        from command in CommandLines(tree)
        where command.Words is ["dotnet", _, ..] && !DotnetVerbs.Split(' ').Contains(command.Words[1], StringComparer.Ordinal) && !command.Words[1].Contains('/', StringComparison.Ordinal)
        select command.File.Found(command.Line, "dotnet " + command.Words[1], $"dotnet has no verb {command.Words[1]}");

    /// <summary>Scripts that are run, and projects that dotnet is given, are in the repository.</summary>
    private static IEnumerable<Finding> PathsExist(Tree tree)
    {
        foreach ((SourceFile file, int line, string[] words) in CommandLines(tree))
        {
            IEnumerable<string> paths = words[0] == "dotnet"
                ? words.TakeWhile(static word => word != "--").Where(static word => Pattern.Of(@"^(\./)?(src|tests|load|eng)/|\.(sln|csproj)$").IsMatch(word))
                : words.Take(1).Where(static word => Pattern.Of(@"^(\./)?(eng|\.ci|tests|load)/").IsMatch(word));
            foreach (string path in paths.Select(static word => TreePath.Resolve("", word)!).Where(path => !path.Contains("/bin/", StringComparison.Ordinal)))
            {
                if (tree.Find(path) is null && !tree.HasFolder(path))
                    yield return file.Found(line, path, $"there is no {path}");
            }
        }
    }
}
