namespace Collections.Tidy;

/// <summary>One thing that is not tidy. The subject names it within its file, so that an exception can name it too.</summary>
internal sealed record Finding(string Path, int Line, string Subject, string Message)
{
    /// <summary>For rules that measure: what was measured.</summary>
    public int? Measured { get; init; }

    public override string ToString() => $"{Path}:{Line}: {Message}";
}

/// <summary>
/// What must hold in the whole tree. Each rule brings a small bad tree and the subject that it must find there: a rule that can't
/// fail is worthless.
/// </summary>
internal sealed record Rule(string Name, Func<Tree, IEnumerable<Finding>> Check, Tree Bad, string Expected);

/// <summary>All rules, by theme.</summary>
internal static class RuleBook
{
    public static IReadOnlyList<Rule> All { get; } =
    [
        .. LayerRules.All,
        .. PackageRules.All,
        .. WarningRules.All,
        .. CoreBans.All,
        .. GeneralBans.All,
        .. SizeRules.All,
        .. DeadFileRules.All,
        .. LinkRules.All,
        .. CommandLineRules.All,
        .. ProtoRules.All,
        .. ImageRules.All,
        .. TextRules.All,
    ];

    public static Rule Named(string name) => All.Single(rule => rule.Name == name);
}
