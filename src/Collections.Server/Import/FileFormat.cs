using System.Text;
using YamlDotNet.RepresentationModel;

namespace Collections.Server.Import;

/// <summary>How a file is written. A section's format takes what it does not say from the mapping's, and that from the defaults.</summary>
internal sealed record FileFormat(Encoding Encoding, byte Delimiter, int SkipLines, DateFormat Dates, InstantFormat Instants, AmountFormat Amounts, IReadOnlyList<string> EmptyValues)
{
    public static readonly FileFormat Default =
        new(Encoding.UTF8, (byte)',', 0, DateFormat.Iso, new InstantFormat([], TimeZoneInfo.Utc), new AmountFormat(), []);

    /// <summary>This format with what a block says otherwise.</summary>
    public FileFormat ReadOver(YamlFields node, MappingErrors errors)
    {
        FileFormat format = this with
        {
            Encoding = node.Choice("encoding", Encoding, ("utf-8", Encoding.UTF8), ("latin-1", Encoding.Latin1), ("windows-1252", CodePagesEncodingProvider.Instance.GetEncoding(1252)!)),
            Delimiter = ReadDelimiter(node, errors),
            SkipLines = node.WholeNumber("skip_lines", 0, 1_000) ?? SkipLines,
            Dates = ReadDates(node, Dates, errors),
            Instants = ReadInstants(node, Instants, errors),
            EmptyValues = node.Scalars("empty_values") is { Count: > 0 } empty ? [.. empty.Select(e => e.Value!)] : EmptyValues,
        };
        if (node.Scalar("time_zone") is { } zone)
        {
            if (TimeZoneInfo.TryFindSystemTimeZoneById(zone.Value!, out TimeZoneInfo? found))
                format = format with { Instants = format.Instants with { Zone = found } };
            else
                errors.Add(zone, $"'{zone.Value}' is no time zone", "write an IANA name, such as Europe/Berlin, or UTC");
        }
        if (node.Fields("amounts") is { } amounts)
            format = format with { Amounts = ReadAmounts(amounts, Amounts, errors) };
        node.RefuseOthers("format");
        return format;
    }

    public static DateFormat ReadDates(YamlFields node, DateFormat inherited, MappingErrors errors)
    {
        IReadOnlyList<YamlScalarNode> patterns = node.Scalars("dates");
        return patterns.Count == 0 ? inherited : new DateFormat(Patterns(patterns, instant: false, errors));
    }

    public static InstantFormat ReadInstants(YamlFields node, InstantFormat inherited, MappingErrors errors)
    {
        IReadOnlyList<YamlScalarNode> patterns = node.Scalars("instants");
        if (patterns.Count == 0)
            return inherited;
        return inherited with { Patterns = patterns is [{ Value: "iso" }] ? [] : Patterns(patterns, instant: true, errors) };
    }

    public static AmountFormat ReadAmounts(YamlFields node, AmountFormat inherited, MappingErrors errors)
    {
        AmountFormat format = inherited with
        {
            Decimal = node.Choice("decimal", inherited.Decimal, ("point", '.'), ("comma", ',')),
            Thousands = node.Choice("thousands", inherited.Thousands, ("none", '\0'), ("comma", ','), ("point", '.'), ("space", ' '), ("apostrophe", '\'')),
            InMinorUnits = node.Choice("unit", inherited.InMinorUnits, ("major", false), ("minor", true)),
            Negative = node.Choice("negative", inherited.Negative, ("minus", NegativeStyle.Minus), ("trailing_minus", NegativeStyle.TrailingMinus), ("parentheses", NegativeStyle.Parentheses)),
            AcceptsTrailingZeros = node.Choice("trailing_zeros", inherited.AcceptsTrailingZeros, ("refused", false), ("accepted", true)),
            Symbol = node.Text("symbol") ?? inherited.Symbol,
        };
        if (format.Decimal == format.Thousands)
            errors.Add(node.Node, "'decimal' and 'thousands' are the same sign", "say both, such as 'decimal: comma' and 'thousands: point'");
        node.RefuseOthers("amounts");
        return format;
    }

    private byte ReadDelimiter(YamlFields node, MappingErrors errors)
    {
        if (node.Scalar("delimiter") is not { } scalar)
            return Delimiter;
        switch (scalar.Value)
        {
            case "comma": return (byte)',';
            case "semicolon": return (byte)';';
            case "tab": return (byte)'\t';
            case "pipe": return (byte)'|';
        }
        if (scalar.Value is [var sign] && char.IsAscii(sign) && !char.IsAsciiLetterOrDigit(sign) && sign is not ('"' or '\r' or '\n' or '\0'))
            return (byte)sign;
        errors.Add(scalar, $"'{scalar.Value}' is no delimiter", "write comma, semicolon, tab, pipe, or one sign in quotes, such as \"^\"");
        return Delimiter;
    }

    private static string[] Patterns(IReadOnlyList<YamlScalarNode> nodes, bool instant, MappingErrors errors)
    {
        foreach (YamlScalarNode node in nodes)
        {
            if (DateFormat.Refuse(node.Value!, instant) is { } problem)
                errors.Add(node, $"the pattern '{node.Value}' {problem}", "write a pattern such as yyyy-MM-dd, M/d/yyyy or dd.MM.yyyy" + (instant ? " with HH:mm:ss, or iso" : ""));
        }
        return [.. nodes.Select(n => n.Value!)];
    }
}
