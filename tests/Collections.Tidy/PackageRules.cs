using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Collections.Tidy;

/// <summary>Each package has its owner, and each version its place: Directory.Packages.props.</summary>
internal static class PackageRules
{
    private const string VersionsFile = "Directory.Packages.props";
    private const string Core = "Collections.Domain Collections.Scoring Collections.Strategy Collections.Engine";

    /// <summary>A package or a family of packages, and where it may be referenced: projects, or folders ending in a slash.</summary>
    private static readonly (string Package, string Owners)[] Owners =
    [
        ("Microsoft.Data.Sqlite", "Collections.Storage"),
        ("SQLitePCLRaw", "Collections.Storage"),
        ("Npgsql", "Collections.Storage"),
        ("Confluent", "Collections.Kafka Collections.Kafka.Tests Collections.Load Collections.Server.Tests"),
        ("Google.Protobuf", "Collections.Grpc Collections.Server tests/ load/"),
        ("Grpc.Tools", "Collections.Grpc Collections.Server tests/ load/"),
        ("Spectre.Console", "Collections.Server"),
        ("System.CommandLine", "Collections.Server"),
        ("CsvHelper", "tests/"),
        ("YamlDotNet", "Collections.Server"),
        ("NodaTime", "Collections.Server"),
        ("OpenTelemetry", "Collections.Server"),
        ("Microsoft.IdentityModel", "Collections.Server"),
        ("Microsoft.AspNetCore.Authentication", "Collections.Server"),
        ("Microsoft.AspNetCore.OpenApi", "Collections.Server"),
        ("Polly", "Collections.Storage Collections.Kafka Collections.Server"),
        ("Microsoft.AspNetCore.TestHost", "tests/"),
        ("Microsoft.NET.Test.Sdk", "tests/"),
        ("Microsoft.Playwright", "tests/"),
        ("xunit", "tests/"),
        ("FsCheck", "tests/"),
        ("FSharp.Core", "tests/"),
        ("Shouldly", "tests/"),
        ("NSubstitute", "tests/"),
        ("coverlet", "tests/"),
        ("BenchmarkDotNet", "Collections.Benchmarks"),
        ("Microsoft.CodeAnalysis", "Collections.Benchmarks"),
        ("Microsoft.Diagnostics.Tracing.TraceEvent", "Collections.Benchmarks"),
        ("System.Management", "Collections.Benchmarks"),
    ];

    private static readonly string[] Analyzers = ["Meziantou.Analyzer", "Roslynator.Analyzers"];

    private static readonly Regex Pinned = Pattern.Of(@"^\d+\.\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?$");

    public static IEnumerable<Rule> All =>
    [
        new("packages-have-owners", PackagesHaveOwners,
            Tree.Of(("src/Collections.Kafka/Collections.Kafka.csproj", """<Project><PackageReference Include="Npgsql" /></Project>""")),
            "Npgsql"),
        new("core-has-no-packages", CoreHasNoPackages,
            Tree.Of(("src/Collections.Domain/Collections.Domain.csproj", """<Project><PackageReference Include="NodaTime" /></Project>""")),
            "NodaTime"),
        new("versions-are-central", VersionsAreCentral,
            Tree.Of(("src/Collections.Kafka/Collections.Kafka.csproj", """<Project><PackageReference Include="Confluent.Kafka" VersionOverride="2.0.0" /></Project>""")),
            "Confluent.Kafka"),
        new("versions-are-pinned", VersionsArePinned,
            Tree.Of((VersionsFile, """<Project><PackageVersion Include="Npgsql" Version="10.*" /></Project>""")),
            "Npgsql"),
    ];

    private static IEnumerable<(Project Project, XElement Element, string Package)> References(Tree tree) =>
        from project in Project.WithImports(tree)
        from element in project.Elements("PackageReference", "PackageDownload", "Reference")
        where element.Name.LocalName != "Reference" || element.Attribute("HintPath") is not null || element.Elements().Any(static child => child.Name.LocalName == "HintPath")
        select (project, element, Project.Include(element));

    private static bool IsOf(string package, string family) =>
        package.StartsWith(family, StringComparison.OrdinalIgnoreCase) && (package.Length == family.Length || package[family.Length] == '.');

    private static IEnumerable<Finding> PackagesHaveOwners(Tree tree)
    {
        foreach ((Project project, XElement element, string package) in References(tree))
        {
            if (Analyzers.Contains(package, StringComparer.Ordinal))
                continue;
            string? owners = Owners.FirstOrDefault(row => IsOf(package, row.Package)).Owners;
            if (owners is null)
                yield return project.Found(element, package, $"{package} has no owner; give it a row in PackageRules, and a reason in the commit");
            else if (!owners.Split(' ').Any(owner => owner.EndsWith('/') ? project.File.IsUnder(owner.TrimEnd('/')) : project.Name == owner))
                yield return project.Found(element, package, $"{package} belongs to {owners}; reach it through that project");
        }
    }

    private static IEnumerable<Finding> CoreHasNoPackages(Tree tree) =>
        from reference in References(tree)
        where Core.Split(' ').Contains(reference.Project.Name, StringComparer.Ordinal) && !Analyzers.Contains(reference.Package, StringComparer.Ordinal)
        select reference.Project.Found(reference.Element, reference.Package, $"{reference.Project.Name} is pure and has no packages; put what needs {reference.Package} into an adapter or the server");

    private static IEnumerable<Finding> VersionsAreCentral(Tree tree)
    {
        foreach (Project project in Project.WithImports(tree))
        {
            foreach (XElement element in project.Elements("PackageReference"))
            {
                if (Value(element, "Version") is not null || Value(element, "VersionOverride") is not null)
                    yield return project.Found(element, Project.Include(element), $"the version of {Project.Include(element)} belongs into {VersionsFile}");
            }
            foreach (XElement element in project.Elements("PackageVersion").Where(_ => project.File.Path != VersionsFile))
                yield return project.Found(element, Project.Include(element), $"PackageVersion belongs into {VersionsFile}");
            foreach (XElement element in project.Elements("PackageDownload"))
            {
                Match property = Pattern.Of(@"^\[\$\((?<name>\w+)\)\]$").Match(Value(element, "Version") ?? "");
                if (!property.Success || !(tree.Find(VersionsFile)?.Text.Contains($"<{property.Groups["name"].Value}>", StringComparison.Ordinal) ?? false))
                    yield return project.Found(element, Project.Include(element), $"a download's version is [$(Name)], with the property Name in {VersionsFile}");
            }
        }
    }

    private static IEnumerable<Finding> VersionsArePinned(Tree tree)
    {
        if (tree.Find(VersionsFile) is not { } file)
            yield break;
        var versions = new Project(file);
        foreach (XElement element in versions.Elements("PackageVersion", "GlobalPackageReference"))
        {
            if (!Pinned.IsMatch(Value(element, "Version") ?? ""))
                yield return versions.Found(element, Project.Include(element), $"{Project.Include(element)} {Value(element, "Version")} is not one version; write it out, such as 1.2.3");
        }
    }

    private static string? Value(XElement element, string name) =>
        (string?)element.Attribute(name) ?? (string?)element.Elements().FirstOrDefault(child => child.Name.LocalName == name);
}
