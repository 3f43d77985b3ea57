namespace Collections.Tidy;

/// <summary>No file that nothing builds, and no document that nothing leads to.</summary>
internal static class DeadFileRules
{
    public static IEnumerable<Rule> All =>
    [
        new("source-has-project", SourceHasProject,
            Tree.Of(("src/A/A.csproj", "<Project />"), ("src/A/Inner/In.cs", "class In;"), ("src/Lost/Out.cs", "class Out;")),
            "src/Lost/Out.cs"),
        new("documents-are-linked", DocumentsAreLinked,
            Tree.Of(("README.md", "[a](docs/A.md)"), ("docs/A.md", "[b](B.md)"), ("docs/B.md", "End."), ("docs/C.md", "[c](C.md)")),
            "docs/C.md"),
        new("readme-is-there", ReadmeIsThere, Tree.Of(("src/A/A.csproj", "<Project />")), "README.md"),
    ];

    private static IEnumerable<Finding> SourceHasProject(Tree tree)
    {
        string[] folders = [.. Project.Of(tree).Select(static project => project.File.Folder)];
        return from file in tree.CSharp
               where !file.IsUnder(folders)
               select file.Found(1, file.Path, "no project builds this file: it stands in no project's folder");
    }

    /// <summary>From the README and on from what it leads to, so that two forgotten documents can't hold each other up.</summary>
    private static IEnumerable<Finding> DocumentsAreLinked(Tree tree)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(["README.md"]);
        while (open.TryPop(out string? path))
        {
            if (!reached.Add(path) || tree.Find(path) is not { } file || !file.Is(".md"))
                continue;
            foreach ((_, _, string? target, _) in LinkRules.LocalLinks(Markdown.Read(file)))
            {
                if (target is not null)
                    open.Push(target);
            }
        }
        return from file in tree.Files
               where file.IsUnder("docs") && !reached.Contains(file.Path)
               select file.Found(1, file.Path, "nothing leads here from README.md: link it or delete it");
    }

    private static IEnumerable<Finding> ReadmeIsThere(Tree tree)
    {
        if (tree.Find("README.md") is null)
            yield return new Finding("README.md", 1, "README.md", "there is no README.md, so nobody learns how to start");
    }
}
