using System.Xml.Linq;

namespace Collections.Tidy;

/// <summary>Warnings are errors; where one is off, it says why, at the place.</summary>
internal static class WarningRules
{
    public static IEnumerable<Rule> All =>
    [
        new("warnings-stay-on", WarningsStayOn,
            Tree.Of(("src/A/A.csproj", "<Project><PropertyGroup><NoWarn>CA1000</NoWarn></PropertyGroup></Project>")),
            "NoWarn"),
        new("pragma-has-reason", PragmasHaveReasons,
            Tree.Of(("src/A/A.cs", "class A\n{\n#pragma warning disable CA1000\n}\n")),
            "CA1000"),
        new("suppression-has-reason", SuppressionsHaveReasons,
            Tree.Of(("src/A/A.cs", "[SuppressMessage(\"Design\", \"CA1000\")]\nclass A;\n")),
            "SuppressMessage"),
    ];

    private static IEnumerable<Finding> WarningsStayOn(Tree tree)
    {
        foreach (Project project in Project.WithImports(tree))
        {
            foreach (XElement element in project.Elements("NoWarn", "WarningsNotAsErrors", "MSBuildWarningsAsMessages"))
                yield return project.Found(element, element.Name.LocalName, $"no {element.Name.LocalName}: mend the warning, or turn it off in .editorconfig with a reason, or at the place by a pragma with one");
            foreach (XElement element in project.Elements("TreatWarningsAsErrors", "EnforceCodeStyleInBuild").Where(static element => element.Value != "true"))
                yield return project.Found(element, element.Name.LocalName, $"{element.Name.LocalName} stays true");
            foreach (XElement element in project.Elements("PackageReference", "ProjectReference").Where(static element => element.Attribute("NoWarn") is not null))
                yield return project.Found(element, "NoWarn", "no NoWarn on a reference: mend what it warns of");
        }
    }

    private static IEnumerable<Finding> PragmasHaveReasons(Tree tree)
    {
        foreach (SourceFile file in tree.CSharp)
        {
            foreach ((int line, string text) in file.Code.Directives)
            {
                if (!Pattern.Of(@"^#\s*pragma\s+warning\s+disable\b").IsMatch(text))
                    continue;
                string codes = Pattern.Of(@"\bdisable\s*(?<codes>[^/]*)").Match(text).Groups["codes"].Value.Trim();
                bool hasReason = IsReason(text) || (line > 1 && file.Lines[line - 2].TrimStart().StartsWith("//", StringComparison.Ordinal) && IsReason(file.Lines[line - 2]));
                if (codes.Length == 0)
                    yield return file.Found(line, "pragma", "a pragma names the warnings that it turns off");
                else if (!hasReason)
                    yield return file.Found(line, codes, $"say why {codes} is off, in a comment on the same line or the one before");
            }
        }
    }

    private static bool IsReason(string line) => line.IndexOf("//", StringComparison.Ordinal) is >= 0 and var at && line[(at + 2)..].Trim(' ', '/').Length > 10;

    private static IEnumerable<Finding> SuppressionsHaveReasons(Tree tree) =>
        from file in tree.CSharp
        from match in Pattern.Of(@"\bSuppressMessage\s*\([^)]*\)").Matches(file.Code.Code)
        where !match.Value.Contains("Justification", StringComparison.Ordinal)
        select file.Found(file.Code.LineOf(match.Index), "SuppressMessage", "a suppression has a Justification");
}
