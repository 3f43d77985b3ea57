using System.Xml.Linq;

namespace Collections.Tidy;

/// <summary>
/// Dependencies point one way: Domain ← {Scoring, Strategy} ← Engine ← {Storage, Kafka} ← Server. Adapters never see each other, and
/// Grpc stands in for a package, so it sees nothing of ours.
/// </summary>
internal static class LayerRules
{
    private const string Core = "Domain Scoring Strategy Engine";

    /// <summary>The project, and what it may reference.</summary>
    private static readonly Dictionary<string, string> MayReference = new(StringComparer.Ordinal)
    {
        ["Domain"] = "",
        ["Scoring"] = "Domain",
        ["Strategy"] = "Domain",
        ["Engine"] = "Domain Scoring Strategy",
        ["Storage"] = Core,
        ["Kafka"] = Core,
        ["Grpc"] = "",
        ["Server"] = Core + " Storage Kafka Grpc",
        ["Simulation"] = Core + " Storage",
        ["Tidy"] = "",
        ["Load"] = "Server",
        ["Benchmarks"] = Core + " Storage Kafka Grpc",
    };

    public static IEnumerable<Rule> All =>
    [
        new("layers", Layers,
            Tree.Of(
                ("src/Collections.Domain/Collections.Domain.csproj", Referencing("../Collections.Engine/Collections.Engine.csproj")),
                ("src/Collections.Engine/Collections.Engine.csproj", Referencing())),
            "Collections.Engine"),
        new("tests-reference-what-they-test", TestsReferenceWhatTheyTest,
            Tree.Of(("tests/Collections.Domain.Tests/Collections.Domain.Tests.csproj", Referencing("../../src/Collections.Engine/Collections.Engine.csproj"))),
            "Collections.Domain"),
        new("solution-has-all-projects", SolutionHasAllProjects,
            Tree.Of(
                ("Collections.Engine.sln", "Project(\"{F}\") = \"Gone\", \"src\\Gone\\Gone.csproj\", \"{1}\"\n"),
                ("src/Collections.Domain/Collections.Domain.csproj", Referencing())),
            "src/Collections.Domain/Collections.Domain.csproj"),
    ];

    internal static string Referencing(params string[] projects) =>
        $"<Project>{string.Concat(projects.Select(static project => $"<ProjectReference Include=\"{project}\" />"))}</Project>";

    private static IEnumerable<Finding> Layers(Tree tree)
    {
        foreach (Project project in Project.Of(tree))
        {
            if (Allowed(project.Name) is not { } allowed)
            {
                yield return project.File.Found(1, project.Name, $"the layer of {project.Name} is not known; give it a row in LayerRules");
                continue;
            }
            foreach (XElement reference in project.Elements("ProjectReference"))
            {
                string target = TargetOf(reference);
                if (!allowed.Contains(target))
                    yield return project.Found(reference, target, $"{project.Name} may not see {target}; it may see {(allowed.Count == 0 ? "no other project" : string.Join(", ", allowed))}");
                else if (tree.Find(TreePath.Resolve(project.File.Folder, Project.Include(reference)) ?? "") is null)
                    yield return project.Found(reference, target, $"there is no project at {Project.Include(reference)}");
            }
        }
    }

    private static HashSet<string>? Allowed(string project)
    {
        string name = project.Replace("Collections.", "", StringComparison.Ordinal);
        string tested = name.EndsWith(".Tests", StringComparison.Ordinal) ? name[..^".Tests".Length] : "";
        if (!MayReference.TryGetValue(tested.Length > 0 ? tested : name, out string? list))
            return null;
        return [.. (list + " " + tested).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static allowed => "Collections." + allowed)];
    }

    private static string TargetOf(XElement reference) => Project.Include(reference).Replace('\\', '/').Split('/')[^1].Replace(".csproj", "", StringComparison.Ordinal);

    private static IEnumerable<Finding> TestsReferenceWhatTheyTest(Tree tree)
    {
        foreach (Project project in Project.Of(tree).Where(static project => project.Name.EndsWith(".Tests", StringComparison.Ordinal)))
        {
            string tested = project.Name[..^".Tests".Length];
            if (!project.Elements("ProjectReference").Any(reference => TargetOf(reference) == tested))
                yield return project.File.Found(1, tested, $"{project.Name} does not reference {tested}, which it is named for");
        }
    }

    private static IEnumerable<Finding> SolutionHasAllProjects(Tree tree)
    {
        if (tree.Files.FirstOrDefault(static file => file.Is(".sln") && file.Folder.Length == 0) is not { } solution)
            yield break;
        string[] listed =
        [
            .. Pattern.Of("\"(?<path>[^\"]+\\.csproj)\"").Matches(solution.Text).Select(static match => match.Groups["path"].Value.Replace('\\', '/')),
        ];
        foreach (Project project in Project.Of(tree).Where(project => !listed.Contains(project.File.Path, StringComparer.Ordinal)))
            yield return project.File.Found(1, project.File.Path, $"{project.File.Path} is not in {solution.Path}: nothing builds it; add it with `dotnet sln add`");
        foreach (string path in listed.Where(path => tree.Find(path) is null))
            yield return solution.Found(1, path, $"{solution.Path} lists {path}, which is not there");
    }
}
