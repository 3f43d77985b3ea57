namespace Collections.Storage.Postgres;

/// <summary>PostgreSQL's text has no character zero, and what callers say may: it is kept as <c>\0</c>, and a backslash as two.</summary>
internal static class TextForm
{
    public static string Write(string text) => text.AsSpan().ContainsAny('\0', '\\')
        ? text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\0", "\\0", StringComparison.Ordinal)
        : text;

    public static string Read(string stored)
    {
        if (!stored.Contains('\\', StringComparison.Ordinal))
            return stored;
        var text = new System.Text.StringBuilder(stored.Length);
        for (int i = 0; i < stored.Length; i++)
        {
            bool isPair = stored[i] == '\\' && i + 1 < stored.Length;
            text.Append(!isPair ? stored[i] : stored[++i] == '0' ? '\0' : stored[i]);
        }
        return text.ToString();
    }
}
