using System.Text;
using System.Text.RegularExpressions;

namespace Collections.Tidy;

/// <summary>Files as every editor and every diff wants them, and words that belong to a machine or a chat, not to the product.</summary>
internal static class TextRules
{
    private static readonly string[] SourceExtensions =
    [
        ".cs", ".csproj", ".props", ".targets", ".proto", ".json", ".yaml", ".yml", ".md", ".sh", ".py", ".js", ".css", ".razor", ".cshtml",
        ".sql", ".xml", ".editorconfig", ".gitignore", ".gitattributes", "LICENSE", "exceptions.txt", "Dockerfile",
    ];

    // Taken apart, so that this file does not hold what it looks for.
    private static readonly Regex MachinePath = Pattern.Of(@"(?<![\w.~*<>-])/(wo" + @"rk|ro" + @"ot|tmp/bash_" + @"jobs)(/|\b(?=\s|[""'`:;,)]|$))|\b(api\.)?nuget" + @"\.org\b|\bregistry\.npm" + @"js\b");

    private static readonly Regex Word = Pattern.Of(@"\b(cla" + @"ude|anthro" + @"pic|chat" + @"gpt|LL" + @"Ms?|sub-?ag" + @"ents?|as an A" + @"I|A" + @"I-generated|language mod" + @"els?)\b", RegexOptions.IgnoreCase);

    public static IEnumerable<Rule> All =>
    [
        new("text-has-no-tabs", file => OfLines(file, static line => line.Contains('\t', StringComparison.Ordinal), "tab", "indent by spaces"), Tree.Of(("a.cs", "class A\n{\n\tint b;\n}\n")), "tab"),
        new("text-has-no-trailing-space", file => OfLines(file, static line => line.Length > 0 && char.IsWhiteSpace(line[^1]), "trailing space", "nothing follows the last character of a line"),
            Tree.Of(("a.proto", "message A { } \n")), "trailing space"),
        new("text-form", Form, Tree.Of(("a.md", "\uFEFFend")), "byte order mark"),
        new("no-machine-paths", MachinePaths, Tree.Of(("docs/A.md", "Look into /wo" + "rk/main.\n")), "/wo" + "rk/"),
        new("no-foreign-words", Words, Tree.Of(("src/A/A.cs", "// Written by an LL" + "M.\n")), "LL" + "M"),
    ];

    public static bool IsSource(SourceFile file) => file.Is(SourceExtensions) || IsScript(file);

    /// <summary>Scripts without an extension are known by their first line.</summary>
    private static bool IsScript(SourceFile file) => !file.Name.Contains('.', StringComparison.Ordinal) && file.Bytes.AsSpan().StartsWith("#!"u8);

    private static IEnumerable<Finding> OfLines(Tree tree, Func<string, bool> isBad, string subject, string message) =>
        from file in tree.Files
        where IsSource(file) && !file.Is(".md", "LICENSE")
        from line in file.Lines.Index()
        where isBad(line.Item)
        select file.Found(line.Index + 1, subject, $"{subject}: {message}");

    private static IEnumerable<Finding> Form(Tree tree)
    {
        var strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        foreach (SourceFile file in tree.Files.Where(IsSource))
        {
            byte[] bytes = file.Bytes;
            if (bytes.AsSpan().StartsWith("\uFEFF"u8))
                yield return file.Found(1, "byte order mark", "no byte order mark: UTF-8 needs none");
            if (Array.IndexOf(bytes, (byte)'\r') >= 0)
                yield return file.Found(1, "line end", "lines end in LF alone");
            if (bytes.Length > 0 && bytes[^1] != (byte)'\n')
                yield return file.Found(file.Lines.Length, "final line end", "the last line ends in a line end too");
            if (bytes.AsSpan().EndsWith("\n\n"u8))
                yield return file.Found(file.Lines.Length, "final line end", "no empty lines at the end");
            if (!IsValid(strict, bytes))
                yield return file.Found(1, "encoding", "the text is not UTF-8");
        }
    }

    private static bool IsValid(UTF8Encoding encoding, byte[] bytes)
    {
        try
        {
            encoding.GetCharCount(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static IEnumerable<Finding> MachinePaths(Tree tree) => Matches(tree, MachinePath, "belongs to one machine: name paths relative to the repository, and no hosts that packages come from");

    private static IEnumerable<Finding> Words(Tree tree) => Matches(tree, Word, "is no word of this product: say what it does");

    private static IEnumerable<Finding> Matches(Tree tree, Regex pattern, string message) =>
        from file in tree.Files
        where IsSource(file) || file.Is(".txt", ".sln", ".csv")
        from line in file.Lines.Index()
        from match in pattern.Matches(line.Item)
        select file.Found(line.Index + 1, match.Value, $"{match.Value} {message}");
}
