using System.Globalization;
using System.Text;

namespace Collections.Server.Operations;

/// <summary>What a family of series is, by the words of Prometheus' text format.</summary>
internal enum FamilyType
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>
/// Prometheus' text format 0.0.4: names made of what it allows, text escaped as it demands. Names and units of OpenTelemetry become
/// Prometheus' by the rules that OpenTelemetry gives for it: points become underscores, units are written out, counters end in _total.
/// </summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>The name of a family.</summary>
    /// <param name="unit">As UCUM writes it: "s", "By"; what stands in braces is a remark and no unit.</param>
    public static string NameOf(string instrument, string? unit, FamilyType type)
    {
        string name = Sanitize(instrument, allowColon: true);
        string suffix = unit switch { "s" => "seconds", "ms" => "milliseconds", "By" => "bytes", _ => "" };
        // The two that mark parts of a histogram; libraries name gauges so.
        if (type == FamilyType.Gauge && (name.EndsWith("_count", StringComparison.Ordinal) || name.EndsWith("_sum", StringComparison.Ordinal)))
            name = name[..name.LastIndexOf('_')] + "_number";
        if (suffix.Length > 0 && !name.EndsWith("_" + suffix, StringComparison.Ordinal))
            name += "_" + suffix;
        if (type == FamilyType.Counter && !name.EndsWith("_total", StringComparison.Ordinal))
            name += "_total";
        return name;
    }

    public static void Head(StringBuilder page, string name, string help, FamilyType type)
    {
        page.Append("# HELP ").Append(name).Append(' ');
        Escape(page, help, quotes: false);
        page.Append("\n# TYPE ").Append(name).Append(' ').Append(type switch { FamilyType.Counter => "counter", FamilyType.Gauge => "gauge", _ => "histogram" }).Append('\n');
    }

    /// <param name="labels">As <see cref="Labels"/> writes them.</param>
    /// <param name="more">A label of the series' own, such as a bucket's bound; empty: none.</param>
    public static void Sample(StringBuilder page, string name, string labels, double value, string more = "")
    {
        page.Append(name);
        if (labels.Length + more.Length > 0)
            page.Append('{').Append(labels).Append(labels.Length > 0 && more.Length > 0 ? "," : "").Append(more).Append('}');
        page.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary>The labels without their braces, in the order of their names, so that one set has one text. Of two that become one name, the first stays.</summary>
    public static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
            return "";
        var named = new List<(string Name, string Value)>(tags.Length);
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            string name = Sanitize(tag.Key, allowColon: false);
            if (!named.Exists(label => label.Name == name))
                named.Add((name, TextOf(tag.Value)));
        }
        named.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        var text = new StringBuilder();
        foreach ((string name, string value) in named)
        {
            text.Append(text.Length > 0 ? "," : "").Append(name).Append("=\"");
            Escape(text, value, quotes: true);
            text.Append('"');
        }
        return text.ToString();
    }

    public static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string TextOf(object? value) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    /// <summary>Letters, digits and underscores, no digit first.</summary>
    private static string Sanitize(string name, bool allowColon)
    {
        var clean = new StringBuilder(name.Length + 1);
        foreach (char c in name)
            clean.Append(char.IsAsciiLetterOrDigit(c) || (allowColon && c == ':') ? c : '_');
        if (clean.Length == 0 || char.IsAsciiDigit(clean[0]))
            clean.Insert(0, '_');
        return clean.ToString();
    }

    private static void Escape(StringBuilder into, string text, bool quotes)
    {
        foreach (char c in text)
        {
            _ = c switch
            {
                '\\' => into.Append("\\\\"),
                '\n' => into.Append("\\n"),
                '"' when quotes => into.Append("\\\""),
                _ => into.Append(c),
            };
        }
    }
}
