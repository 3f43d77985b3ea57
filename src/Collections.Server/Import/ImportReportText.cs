using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Collections.Domain;

namespace Collections.Server.Import;

/// <summary>An import's report for people, and the same as JSON for programs.</summary>
public static class ImportReportText
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(), new CurrencyConverter(), new KindTotalConverter() },
    };

    /// <summary>The whole report as text: files with their sums, then what was refused, then what is odd.</summary>
    public static string Render(ImportReport report)
    {
        var text = new StringBuilder();
        foreach (FileReport file in report.Files)
            AppendFile(text, file);
        if (report.Files.Count > 1)
        {
            AppendLine(text, $"all files: {report.RowCount:N0} rows, {report.ImportedRowCount:N0} imported, {report.RefusedRowCount:N0} refused, {report.IgnoredRowCount:N0} ignored: {report.EventCount:N0} events");
            AppendTotals(text, report.Totals);
        }
        if (report.RepeatedEventCount > 0)
            AppendLine(text, $"{report.RepeatedEventCount:N0} events came more than once with the same content; they change nothing");
        AppendFindings(text, "refused", report.Refusals, report.RefusalCounts);
        AppendFindings(text, "imported, but suspicious", report.Suspicions, report.SuspicionCounts);
        foreach (string note in report.Notes)
            AppendLine(text, $"note: {note}");
        AppendLine(text, report.ExitCode switch
        {
            0 => $"all rows went in",
            1 => $"some rows or files were refused; mend them and import again: what went in is recognised",
            _ => $"nothing was imported",
        });
        return text.ToString();
    }

    /// <summary>The report as indented JSON; amounts are numbers in major units, written exactly.</summary>
    public static string RenderJson(ImportReport report) => JsonSerializer.Serialize(report, Json);

    /// <summary>The mistakes of a mapping, one a line, as compilers write them.</summary>
    public static string Render(IEnumerable<MappingError> errors) => string.Concat(errors.Select(e => e + "\n"));

    private static void AppendFile(StringBuilder text, FileReport file)
    {
        if (file.Refusal != null && file.RowCount == 0)
        {
            string column = file.Refusal.Column.Length == 0 ? "" : file.Refusal.Column + " ";
            AppendLine(text, $"{file.File}: nothing imported: {column}{file.Refusal.Problem}");
            return;
        }
        AppendLine(text, $"{file.File}: {file.RowCount:N0} rows, {file.ImportedRowCount:N0} imported, {file.RefusedRowCount:N0} refused, {file.IgnoredRowCount:N0} ignored: {file.EventCount:N0} events");
        AppendTotals(text, file.Totals);
        if (file.EmptyLineCount > 0)
            AppendLine(text, $"  {file.EmptyLineCount:N0} empty lines skipped");
    }

    private static void AppendTotals(StringBuilder text, IReadOnlyList<KindTotal> totals)
    {
        foreach (KindTotal total in totals)
        {
            string sum = total.Currency.IsNone ? "" : $"  {total.Currency} {AmountFormat.Show(total.SumMinor, total.Currency),22}";
            AppendLine(text, $"  {total.Kind,-18} {total.EventCount,12:N0}{sum}");
        }
    }

    private static void AppendFindings(StringBuilder text, string title, IReadOnlyList<ImportFinding> listed, IReadOnlyList<ReasonCount> counts)
    {
        long all = counts.Sum(c => c.Count);
        if (all == 0)
            return;
        AppendLine(text, $"{title}: {string.Join(", ", counts.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Reason} {c.Count:N0}")))}");
        foreach (ImportFinding finding in listed)
        {
            string place = finding.Line == 0 ? finding.File : string.Create(CultureInfo.InvariantCulture, $"{finding.File}:{finding.Line}");
            string column = finding.Column.Length == 0 ? "" : $" {finding.Column}";
            string value = finding.Value.Length == 0 ? "" : $" '{finding.Value}'";
            // A value reads as the subject of the problem; a whole row is shown behind it.
            string said = finding.Column.Length == 0 ? $" {finding.Problem}{(value.Length == 0 ? "" : ":" + value)}" : $"{column}{value} {finding.Problem}";
            AppendLine(text, $"  {place}:{said}; {finding.Remedy}");
        }
        if (all > listed.Count)
            AppendLine(text, $"  and {all - listed.Count:N0} more");
    }

    private static void AppendLine(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private sealed class CurrencyConverter : JsonConverter<Currency>
    {
        public override Currency Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Currency.Parse(reader.GetString() ?? "");

        public override void Write(Utf8JsonWriter writer, Currency value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }

    /// <summary>Sums go out in major units: what a person compares with the file's own.</summary>
    private sealed class KindTotalConverter : JsonConverter<KindTotal>
    {
        public override KindTotal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("a report is only written");

        public override void Write(Utf8JsonWriter writer, KindTotal value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            writer.WriteString("kind", value.Kind.ToString());
            writer.WriteNumber("eventCount", value.EventCount);
            if (!value.Currency.IsNone)
            {
                writer.WriteString("currency", value.Currency.ToString());
                writer.WriteNumber("sum", value.SumMinor / value.Currency.MinorPerMajor);
            }
            writer.WriteEndObject();
        }
    }
}
