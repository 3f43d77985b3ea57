namespace Collections.Server.Import;

/// <summary>Counts every finding by its reason and keeps the first ones, so that a file of a million bad rows makes a short report.</summary>
internal sealed class FindingList(int listedMax)
{
    private readonly List<ImportFinding> listed = [];
    private readonly SortedDictionary<ImportReason, long> counts = [];

    public IReadOnlyList<ImportFinding> Listed => listed;

    public IReadOnlyList<ReasonCount> Counts => [.. counts.Select(c => new ReasonCount(c.Key, c.Value)).OrderByDescending(c => c.Count)];

    public void Add(ImportFinding finding)
    {
        counts[finding.Reason] = counts.GetValueOrDefault(finding.Reason) + 1;
        if (listed.Count < listedMax)
            listed.Add(finding);
    }

    /// <summary>A value as the report shows it: on one line, and short.</summary>
    public static string Shorten(string value)
    {
        bool cut = value.Length > ImportLimits.ShownCharsMax;
        string shown = cut ? value[..ImportLimits.ShownCharsMax] : value;
        shown = string.Concat(shown.Select(c => char.IsControl(c) ? '\u00B7' : c));
        return cut ? $"{shown}\u2026 ({value.Length} characters)" : shown;
    }
}
