using System.Globalization;

namespace Collections.Scoring;

/// <summary>A cursor over the lines of a model file that knows the number of the line it stands on.</summary>
internal ref struct ModelText(ReadOnlySpan<char> text)
{
    private readonly ReadOnlySpan<char> _text = text;
    private int _next;

    /// <summary>The number of the line last read, from 1; 0 before the first.</summary>
    public int Line { get; private set; }

    /// <summary>The offset of the line last read.</summary>
    public int LineStart { get; private set; }

    /// <summary>Reads the next line without its end; false at the end of the text.</summary>
    public bool TryRead(out ReadOnlySpan<char> line)
    {
        if (_next >= _text.Length)
        {
            line = default;
            return false;
        }

        ReadOnlySpan<char> rest = _text[_next..];
        int end = rest.IndexOf('\n');
        line = end < 0 ? rest : rest[..end];
        LineStart = _next;
        _next += end < 0 ? rest.Length : end + 1;
        Line++;
        if (line.Length > 0 && line[^1] == '\r') line = line[..^1];
        return true;
    }
}

/// <summary>Where a key's value stands in the text: offsets rather than a copy, for the values of a large model are most of its file.</summary>
internal readonly record struct ModelField(int Line, int Start, int Length)
{
    /// <summary>True when the key was seen; lines count from 1.</summary>
    public bool IsPresent => Line > 0;

    public ReadOnlySpan<char> In(ReadOnlySpan<char> text) => text.Slice(Start, Length);
}

/// <summary>Numbers as LightGBM reads them, and lists of them, refused as a whole when one is not a number.</summary>
internal static class NumberText
{
    /// <summary>
    /// A correctly rounded double, as LightGBM's precise parser gives; also <c>inf</c>, <c>infinity</c> and <c>nan</c> with a sign,
    /// which it leaves to strtod. What overflows is infinite, as it is there.
    /// </summary>
    public static bool TryDouble(ReadOnlySpan<char> token, out double value)
    {
        if (double.TryParse(token, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value))
        {
            return true;
        }

        bool negative = token.Length > 0 && token[0] == '-';
        ReadOnlySpan<char> word = token.Length > 0 && token[0] is '-' or '+' ? token[1..] : token;
        if (word.Equals("inf", StringComparison.OrdinalIgnoreCase) || word.Equals("infinity", StringComparison.OrdinalIgnoreCase))
        {
            value = negative ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        value = double.NaN;
        return word.Equals("nan", StringComparison.OrdinalIgnoreCase);
    }

    public static bool TryInt(ReadOnlySpan<char> token, out int value) =>
        int.TryParse(token, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    public static bool TryUInt(ReadOnlySpan<char> token, out uint value) =>
        uint.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <summary>Tokens between spaces. Counted before anything is allocated, so that a false count in the file costs nothing.</summary>
    public static int CountTokens(ReadOnlySpan<char> list)
    {
        int count = 0;
        while (TryTakeToken(ref list, out _)) count++;
        return count;
    }

    /// <summary>Takes the next token off the front of a list.</summary>
    public static bool TryTakeToken(ref ReadOnlySpan<char> list, out ReadOnlySpan<char> token)
    {
        list = list.TrimStart(' ');
        int end = list.IndexOf(' ');
        token = end < 0 ? list : list[..end];
        list = end < 0 ? default : list[end..];
        return token.Length > 0;
    }

    /// <summary>A value as a message shows it: quoted, and cut when it is long.</summary>
    public static string Quote(ReadOnlySpan<char> value) =>
        value.Length <= Limits.QuotedValueCharsMax ? $"'{value}'" : $"'{value[..Limits.QuotedValueCharsMax]}…'";
}
