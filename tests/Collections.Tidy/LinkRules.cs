using System.Globalization;
using System.Text.RegularExpressions;

namespace Collections.Tidy;

/// <summary>Links inside the repository lead somewhere.</summary>
internal static class LinkRules
{
    private static readonly Regex Elsewhere = Pattern.Of(@"^([a-z][a-z0-9+.-]*:|//)", RegexOptions.IgnoreCase);

    public static IEnumerable<Rule> All =>
    [
        new("links-resolve", LinksResolve, Tree.Of(("README.md", "[gone](docs/gone.md)\n")), "docs/gone.md"),
        new("anchors-resolve", AnchorsResolve, Tree.Of(("README.md", "# Start\n[gone](#end)\n")), "#end"),
    ];

    /// <summary>The files of the tree that a Markdown file links to: their path, and the anchor without its #.</summary>
    public static IEnumerable<(int Line, string Target, string? Path, string Anchor)> LocalLinks(Markdown markdown)
    {
        foreach ((int line, string target) in markdown.Links.Where(static link => !Elsewhere.IsMatch(link.Target)))
        {
            string[] parts = target.Split('#', 2);
            string relative = Uri.UnescapeDataString(parts[0].Split('?')[0]);
            string? path = relative.Length == 0 ? markdown.File.Path
                : relative.StartsWith('/') ? TreePath.Resolve("", relative)
                : TreePath.Resolve(markdown.File.Folder, relative);
            yield return (line, target, path, parts.Length > 1 ? parts[1] : "");
        }
    }

    private static IEnumerable<Finding> LinksResolve(Tree tree) =>
        from markdown in Markdown.Of(tree)
        from link in LocalLinks(markdown)
        where link.Path is null || (tree.Find(link.Path) is null && !tree.HasFolder(link.Path))
        select markdown.File.Found(link.Line, link.Target, $"{link.Target} leads nowhere: there is no {link.Path ?? "such path inside the repository"}");

    private static IEnumerable<Finding> AnchorsResolve(Tree tree) =>
        from markdown in Markdown.Of(tree)
        from link in LocalLinks(markdown)
        where link.Anchor.Length > 0 && link.Path is not null && tree.Find(link.Path) is { } file && !HasAnchor(file, link.Anchor)
        select markdown.File.Found(link.Line, link.Target, $"{link.Target} leads nowhere: {link.Path} has no anchor #{link.Anchor}");

    private static bool HasAnchor(SourceFile file, string anchor)
    {
        if (file.Is(".md"))
            return Markdown.Read(file).Anchors.Contains(anchor);
        Match lines = Pattern.Of(@"^L(?<first>\d+)(-L(?<last>\d+))?$").Match(anchor);
        string last = lines.Groups["last"].Success ? lines.Groups["last"].Value : lines.Groups["first"].Value;
        return lines.Success && int.Parse(last, CultureInfo.InvariantCulture) <= file.Lines.Length;
    }
}
