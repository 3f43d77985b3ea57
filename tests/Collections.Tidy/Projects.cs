using System.Xml.Linq;

namespace Collections.Tidy;

/// <summary>A project file, as far as the rules look into it.</summary>
internal sealed class Project(SourceFile file)
{
    private readonly XDocument _xml = XDocument.Parse(file.Text, LoadOptions.SetLineInfo);

    public SourceFile File { get; } = file;

    public string Name => File.Name[..^".csproj".Length];

    public static IEnumerable<Project> Of(Tree tree) => tree.Files.Where(static file => file.Is(".csproj")).Select(static file => new Project(file));

    /// <summary>Project files and the files that MSBuild imports into them.</summary>
    public static IEnumerable<Project> WithImports(Tree tree) =>
        tree.Files.Where(static file => file.Is(".csproj", ".props", ".targets")).Select(static file => new Project(file));

    public IEnumerable<XElement> Elements(params string[] names) => _xml.Descendants().Where(element => names.Contains(element.Name.LocalName, StringComparer.Ordinal));

    public static string Include(XElement element) => (string?)element.Attribute("Include") ?? (string?)element.Attribute("Update") ?? "";

    public static int LineOf(XElement element) => ((System.Xml.IXmlLineInfo)element).LineNumber;

    public Finding Found(XElement element, string subject, string message) => File.Found(LineOf(element), subject, message);
}

/// <summary>Paths in the tree.</summary>
internal static class TreePath
{
    /// <summary>The path that a relative one means when it stands in a file of the folder, or null if it leads out of the tree.</summary>
    public static string? Resolve(string folder, string relative)
    {
        var parts = new List<string>(folder.Split('/', StringSplitOptions.RemoveEmptyEntries));
        foreach (string part in relative.Replace('\\', '/').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".")
                continue;
            if (part != "..")
            {
                parts.Add(part);
                continue;
            }
            if (parts.Count == 0)
                return null;
            parts.RemoveAt(parts.Count - 1);
        }
        return string.Join('/', parts);
    }
}
