using System.Globalization;
using System.Text;
using Collections.Domain.Debtors;

namespace Collections.Server.Training;

/// <summary>The catalogue as columns of a CSV, the same wherever features are written.</summary>
internal static class FeatureColumns
{
    /// <summary>Appends ",name" for each feature.</summary>
    public static void AppendHeader(StringBuilder line)
    {
        foreach (string name in FeatureCatalogue.Names)
            line.Append(',').Append(name);
    }

    /// <summary>
    /// Appends ",value" for each feature: numbers so that they read back as the same double, a missing one as NaN; a category that is no integer
    /// as the text that was registered.
    /// </summary>
    public static void Append(StringBuilder line, Debtor debtor, ReadOnlySpan<double> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            line.Append(',');
            ReadOnlySpan<byte> text = FeatureCatalogue.IsCategorical(i) && double.IsNaN(values[i]) ? debtor.Category(i) : default;
            if (text.IsEmpty)
                line.Append(CultureInfo.InvariantCulture, $"{values[i]:R}");
            else
                AppendField(line, Encoding.UTF8.GetString(text));
        }
    }

    /// <summary>Appends a text, quoted where it has to be.</summary>
    public static void AppendField(StringBuilder line, string field)
    {
        if (field.AsSpan().IndexOfAny(",\"\r\n") < 0)
            line.Append(field);
        else
            line.Append('"').Append(field.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
    }
}
