using System.Globalization;

namespace Collections.Tidy;

internal sealed record ExceptionEntry(int Line, string Rule, string Path, string Subject, int? AtMost, string Reason)
{
    public bool Covers(string rule, Finding finding) => Rule == rule && Path == finding.Path && Subject == finding.Subject;
}

/// <summary>What the rules let pass. It may only shrink.</summary>
internal sealed class ExceptionList(List<ExceptionEntry> entries)
{
    public const string FilePath = "tests/Collections.Tidy/exceptions.txt";

    /// <summary>A measured exception may be this much higher than what is measured, so that not every edit touches the list.</summary>
    public const int SlackMax = 10;

    public IReadOnlyList<ExceptionEntry> Entries => entries;

    public static ExceptionList Of(Tree tree) => Parse(tree.Find(FilePath)?.Text ?? throw new InvalidOperationException($"there is no {FilePath}"));

    public static ExceptionList Parse(string text)
    {
        var entries = new List<ExceptionEntry>();
        foreach ((int index, string line) in text.Split('\n').Index())
        {
            if (line.Length == 0 || line.StartsWith('#'))
                continue;
            string[] parts = line.Split(" | ");
            if (parts is not [var rule, var path, var subject, var atMost, { Length: > 0 } reason])
                throw new FormatException($"{FilePath}:{index + 1}: not \"rule | path | subject | at most | reason\": {line}");
            entries.Add(new ExceptionEntry(index + 1, rule, path, subject, atMost == "-" ? null : int.Parse(atMost, CultureInfo.InvariantCulture), reason));
        }
        return new ExceptionList(entries);
    }

    /// <summary>What is left of a rule's findings, with a finding for each entry of that rule that is needed no more.</summary>
    public List<Finding> Judge(string rule, IEnumerable<Finding> findings)
    {
        var left = new List<Finding>();
        var used = new Dictionary<ExceptionEntry, int?>();
        foreach (Finding finding in findings)
        {
            ExceptionEntry? covering = entries.Find(entry => entry.Covers(rule, finding));
            if (covering is not null)
                used[covering] = Math.Max(used.GetValueOrDefault(covering) ?? 0, finding.Measured ?? 0);
            if (covering is null || finding.Measured > covering.AtMost)
                left.Add(finding);
        }
        foreach (ExceptionEntry entry in entries.Where(entry => entry.Rule == rule))
        {
            if (!used.TryGetValue(entry, out int? measured))
                left.Add(Stale(entry, "this exception is needed no more; delete it"));
            else if (entry.AtMost - measured > SlackMax)
                left.Add(Stale(entry, $"{entry.Subject} is down to {measured}; lower the exception to that"));
        }
        return left;
    }

    private static Finding Stale(ExceptionEntry entry, string message) => new(FilePath, entry.Line, entry.Subject, message);
}
