namespace Collections.Server.Import;

/// <summary>Finds what was probably meant by a name that is not there.</summary>
internal static class NearestName
{
    /// <summary>The candidate that takes the fewest edits, if these are at most a third of the name; else null.</summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        string? nearest = null;
        int least = Math.Max(1, name.Length / 3) + 1;
        foreach (string candidate in candidates)
        {
            int distance = Distance(Plain(name), Plain(candidate));
            if (distance < least)
                (nearest, least) = (candidate, distance);
        }
        return nearest;
    }

    /// <summary>A sentence that names the nearest candidate, or nothing.</summary>
    public static string Hint(string name, IEnumerable<string> candidates) => Of(name, candidates) is { } nearest ? $"did you mean '{nearest}'? " : "";

    // Case, blanks, underscores and hyphens are what people get wrong most often, so they count for nothing.
    private static string Plain(string name) =>
        string.Concat(name.Where(c => c is not (' ' or '_' or '-' or '.')).Select(char.ToLowerInvariant).Take(64));

    private static int Distance(string a, string b)
    {
        Span<int> above = stackalloc int[65];
        Span<int> row = stackalloc int[65];
        for (int j = 0; j <= b.Length; j++)
            above[j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
                row[j] = Math.Min(Math.Min(row[j - 1], above[j]) + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            row.CopyTo(above);
        }
        return above[b.Length];
    }
}
