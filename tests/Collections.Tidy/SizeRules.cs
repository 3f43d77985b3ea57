namespace Collections.Tidy;

/// <summary>Small files and methods. The largest file of a code base is where it starts to rot.</summary>
internal static class SizeRules
{
    public const int FileLinesMax = 500;
    public const int MethodLinesMax = 70;

    public static IEnumerable<Rule> All =>
    [
        new("size-file", Files, Tree.Of(("src/A/Long.cs", string.Concat(Enumerable.Repeat("// a line\n", FileLinesMax + 1)))), "Long.cs"),
        new("size-method", Methods,
            Tree.Of(("src/A/Long.cs", "class Long\n{\n    void Walk()\n    {\n" + string.Concat(Enumerable.Repeat("        Step();\n", MethodLinesMax)) + "    }\n}\n")),
            "Walk"),
    ];

    private static IEnumerable<Finding> Files(Tree tree) =>
        from file in tree.CSharp
        where file.Lines.Length > FileLinesMax
        select file.Found(1, file.Name, $"{file.Lines.Length} lines, at most {FileLinesMax}: move a part that has a name of its own into its own file") with { Measured = file.Lines.Length };

    private static IEnumerable<Finding> Methods(Tree tree) =>
        from file in tree.CSharp
        where file.IsUnder("src", "load")
        from member in MemberScanner.MembersOf(file.Code)
        where member.Lines > MethodLinesMax
        select file.Found(member.FirstLine, member.Name, $"{member.Name} has {member.Lines} lines, at most {MethodLinesMax}: give its steps names") with { Measured = member.Lines };
}
