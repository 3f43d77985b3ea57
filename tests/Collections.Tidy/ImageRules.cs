namespace Collections.Tidy;

/// <summary>What the Dockerfile copies is there, is sent to its builder, and is what the program is restored and built from.</summary>
internal static class ImageRules
{
    private const string Recipe = "Dockerfile";

    public static IEnumerable<Rule> All =>
    [
        new("image-copies-exist", CopiesExist, Sample("COPY src/A/B.csproj src/A/", "*\n!src\n"), "src/A/B.csproj"),
        new("image-copies-are-sent", CopiesAreSent, Sample("COPY src/A/A.csproj src/A/", "*\n!protos\n"), "src/A/A.csproj"),
        new("image-copies-suffice", CopiesSuffice, Sample("COPY src/A/A.csproj src/A/", "*\n!src\n"), "src/Other/Other.csproj"),
        new("image-copies-what-is-embedded", EmbeddedIsCopied, Sample("COPY src/ src/", "*\n!src\n"), "models/model.txt"),
    ];

    private static Tree Sample(string copy, string ignored) => Tree.Of(
        (Recipe, $"FROM sdk AS build\n{copy}\nRUN dotnet restore src/A/A.csproj\nCOPY src/ src/\nRUN dotnet publish src/A/A.csproj\nFROM runtime\nCOPY --from=build /app /app\n"),
        (".dockerignore", ignored),
        ("src/A/A.csproj", "<Project><ProjectReference Include=\"../Other/Other.csproj\" /><EmbeddedResource Include=\"../../models/model.txt\" /></Project>"),
        ("src/Other/Other.csproj", "<Project />"),
        ("models/model.txt", "tree\n"));

    /// <summary>What is copied out of the tree, without the slash at a folder's end; only what stands before the instruction, if one is named.</summary>
    private static IEnumerable<(int Line, string Source)> Copies(SourceFile recipe, string before = "\0") =>
        from line in recipe.Lines.Index().TakeWhile(line => !line.Item.StartsWith(before, StringComparison.Ordinal))
        let words = line.Item.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        where words is ["COPY", ..] && !words[1].StartsWith("--from", StringComparison.Ordinal)
        from source in words[1..^1]
        select (line.Index + 1, source.TrimEnd('/'));

    private static IEnumerable<Finding> CopiesExist(Tree tree) =>
        tree.Find(Recipe) is not { } recipe ? [] :
        from copy in Copies(recipe)
        where tree.Find(copy.Source) is null && !tree.HasFolder(copy.Source)
        select recipe.Found(copy.Line, copy.Source, $"there is no {copy.Source} to copy");

    private static IEnumerable<Finding> CopiesAreSent(Tree tree) =>
        tree.Find(Recipe) is not { } recipe ? [] :
        from copy in Copies(recipe)
        where !(tree.Find(".dockerignore")?.Lines ?? []).Any(line => line.StartsWith('!') && IsIn(copy.Source, line[1..]))
        select recipe.Found(copy.Line, copy.Source, $".dockerignore does not send {copy.Source} to the builder: add a line with ! and its folder");

    private static IEnumerable<Finding> CopiesSuffice(Tree tree)
    {
        const string restore = "RUN dotnet restore ";
        if (tree.Find(Recipe) is not { } recipe)
            return [];
        string[] copied = [.. Copies(recipe, before: restore).Select(static copy => copy.Source)];
        return from line in recipe.Lines.Index()
               where line.Item.StartsWith(restore, StringComparison.Ordinal)
               from project in Closure(tree, line.Item[restore.Length..].Split(' ')[0])
               where !copied.Any(source => IsIn(project.File.Path, source))
               select recipe.Found(line.Index + 1, project.File.Path, $"{project.File.Path} is needed for the restore: copy it before");
    }

    private static IEnumerable<Finding> EmbeddedIsCopied(Tree tree)
    {
        const string publish = "RUN dotnet publish ";
        if (tree.Find(Recipe) is not { } recipe)
            return [];
        string[] copied = [.. Copies(recipe, before: publish).Select(static copy => copy.Source)];
        return from line in recipe.Lines.Index()
               where line.Item.StartsWith(publish, StringComparison.Ordinal)
               from project in Closure(tree, line.Item[publish.Length..].Split(' ')[0])
               from element in project.Elements("EmbeddedResource", "Protobuf", "Content", "None")
               let path = TreePath.Resolve(project.File.Folder, Project.Include(element).Split('*')[0])
               where path is not null && !copied.Any(source => IsIn(path, source))
               select recipe.Found(line.Index + 1, path, $"{project.Name} is built from {path}: copy it before");
    }

    /// <summary>A project and those that it refers to, directly or not.</summary>
    private static IEnumerable<Project> Closure(Tree tree, string path)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([path]);
        while (open.TryPop(out string? next))
        {
            if (!reached.Add(next) || tree.Find(next) is not { } file)
                continue;
            var project = new Project(file);
            foreach (string reference in project.Elements("ProjectReference").Select(Project.Include))
                open.Push(TreePath.Resolve(file.Folder, reference) ?? reference);
            yield return project;
        }
    }

    private static bool IsIn(string path, string folder) => path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal);
}
