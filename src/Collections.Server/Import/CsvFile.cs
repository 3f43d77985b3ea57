using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace Collections.Server.Import;

internal enum RowOutcome
{
    Row,
    EmptyLine,
    Refused,

    /// <summary>The file can't be read on.</summary>
    Failed,
    End,
}

/// <summary>One file that is being read: its header has been checked against the mapping, and its rows come one by one.</summary>
internal sealed class CsvFile : IDisposable
{
    private readonly Stream stream;
    private readonly CsvTokenizer tokens;
    private readonly FileSection section;
    private readonly string name;
    private CsvRow row = null!;
    private bool atFirstRow;

    private CsvFile(string path, FileSection section, Stream stream, IncrementalHash digest)
    {
        this.section = section;
        this.stream = stream;
        name = Path.GetFileName(path);
        tokens = new CsvTokenizer(stream, section.Delimiter, digest);
    }

    /// <summary>The current row, after <see cref="RowOutcome.Row"/>.</summary>
    public CsvRow Row => row;

    /// <summary>Why the row is refused, after <see cref="RowOutcome.Refused"/> and <see cref="RowOutcome.Failed"/>.</summary>
    public ImportFinding Finding { get; private set; } = null!;

    public long BytesRead => tokens.BytesRead;

    public long BytesTotal => stream.Length;

    /// <summary>Opens a file and checks its header; null, and the reason, if it can't be read by the section.</summary>
    public static CsvFile? Open(string path, FileSection section, IncrementalHash digest, out ImportFinding? refusal)
    {
        CsvFile? file = null;
        try
        {
            // The tokenizer has a buffer of its own.
            file = new CsvFile(path, section, new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0), digest);
            refusal = file.ReadHeader();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            refusal = new ImportFinding(Path.GetFileName(path), 0, "", "", ImportReason.FileUnreadable, $"the file can't be read: {e.Message.TrimEnd('.')}", "check the path and the rights on it");
        }
        if (refusal == null)
            return file;
        file?.Dispose();
        return null;
    }

    public RowOutcome Next()
    {
        try
        {
            // The first line of a file without a header was read to see that there is one.
            CsvOutcome outcome = atFirstRow ? CsvOutcome.Row : tokens.Next();
            if (atFirstRow && tokens.Fault != CsvFault.None)
                outcome = CsvOutcome.Broken;
            atFirstRow = false;
            if (outcome == CsvOutcome.End)
                return RowOutcome.End;
            if (outcome == CsvOutcome.Broken)
                return Refuse(Beginning(), Fault());
        }
        catch (IOException e)
        {
            Finding = new ImportFinding(name, tokens.Line, "", "", ImportReason.FileUnreadable, $"the file can't be read on: {e.Message}", "import it again when it can; what has gone in is recognised");
            return RowOutcome.Failed;
        }
        if (IsEmptyLine())
            return RowOutcome.EmptyLine;
        row.Moved();
        if (CheckBytes() is { } bytes)
            return Refuse(Beginning(), bytes);
        int wanted = row.Header.Count;
        if (tokens.FieldCount == wanted)
            return RowOutcome.Row;
        string why = tokens.FieldCount > wanted
            ? "quote values that hold the delimiter or a line break"
            : "complete the row; if its beginning is on the line above, quote the line break";
        return Refuse(Beginning(), (ImportReason.FieldCount, $"has {tokens.FieldCount} fields, and the header has {wanted}", why));
    }

    public void Dispose() => stream.Dispose();

    private ImportFinding? ReadHeader()
    {
        if (!tokens.SkipByteOrderMark())
            return RefuseFile(0, "", "", (ImportReason.FileEncoding, "the file is UTF-16", "save it as UTF-8"));
        for (int i = 0; i < section.SkipLines; i++)
            tokens.SkipLine();
        CsvOutcome outcome;
        do
            outcome = tokens.Next();
        while (outcome == CsvOutcome.Row && IsEmptyLine());
        if (outcome == CsvOutcome.End)
            return RefuseFile(0, "", "", (ImportReason.FileEmpty, stream.Length == 0 ? "the file is empty" : "the file holds nothing but empty lines", "export it again"));
        if (section.Columns is { } given)
        {
            atFirstRow = true;
            row = new CsvRow(tokens, section.Encoding, name, given, section.EmptyValues);
            return CheckColumns();
        }
        if (outcome == CsvOutcome.Broken)
        {
            (ImportReason _, string problem, string remedy) = Fault();
            return RefuseFile(tokens.Line, "", Beginning(), (ImportReason.HeaderMalformed, $"the header {problem}", remedy));
        }
        if (CheckBytes() is { } bytes)
            return RefuseFile(tokens.Line, "", Beginning(), (ImportReason.FileEncoding, $"the header {bytes.Problem}", bytes.Remedy));
        string[] header = [.. Enumerable.Range(0, tokens.FieldCount).Select(i => CsvRow.Decode(tokens, section.Encoding, i))];
        row = new CsvRow(tokens, section.Encoding, name, header, section.EmptyValues);
        return CheckColumns();
    }

    private ImportFinding? CheckColumns()
    {
        IReadOnlyList<string> header = row.Header;
        string[] missing = [.. NeededColumns().Distinct().Where(c => !row.Has(c))];
        string present = string.Join(", ", header.Select(FindingList.Shorten));
        if (missing.Length > 0)
        {
            string hint = header.Count == 1 && header[0].AsSpan().IndexOfAny(",;\t|") is var at and >= 0
                ? $"the file seems to be separated by '{header[0][at]}': set 'delimiter'"
                : $"{string.Concat(missing.Select(m => NearestName.Hint(m, header)))}name the columns in the mapping as the file does";
            return RefuseFile(tokens.Line, string.Join(", ", missing), "", (ImportReason.ColumnMissing, $"is no column of the file, which has {present}", hint));
        }
        if (NeededColumns().FirstOrDefault(c => header.Count(h => h == c) > 1) is { } twice)
            return RefuseFile(tokens.Line, twice, "", (ImportReason.ColumnAmbiguous, "is the name of more than one column of the file", "rename one of them in the file"));
        IEnumerable<string> words = section.Events.SelectMany(e => e.Fields).Select(f => f.Value).OfType<WordValue>().Select(w => w.Text);
        if (words.FirstOrDefault(header.Contains) is { } word)
            return RefuseFile(tokens.Line, word, "", (ImportReason.ColumnAmbiguous, "is a word of the mapping, and a column of the file", $"write {{constant: {word}}} or {{column: {word}}} in the mapping"));
        return null;
    }

    private IEnumerable<string> NeededColumns() =>
        section.Ignore.Select(c => c.Column)
            .Concat(section.Events.SelectMany(e => e.When.Select(c => c.Column).Concat(e.Fields.SelectMany(f => f.Value.Columns))));

    /// <summary>An empty line, or one of delimiters alone, as spreadsheets leave behind.</summary>
    private bool IsEmptyLine() => tokens.RowBytes.IndexOfAnyExcept([section.Delimiter, (byte)' ', (byte)'\r', (byte)'\n']) < 0;

    private (ImportReason Reason, string Problem, string Remedy)? CheckBytes()
    {
        if (tokens.RowBytes.Contains((byte)0))
            return (ImportReason.NulByte, "holds a NUL byte", "export the file again; if every line has one, it is UTF-16: save it as UTF-8");
        if (section.Encoding is UTF8Encoding && !Utf8.IsValid(tokens.RowBytes))
            return (ImportReason.InvalidEncoding, "is no valid UTF-8", "set 'encoding: windows-1252' or 'latin-1' in the mapping if the whole file is so, else mend the row");
        return null;
    }

    private (ImportReason Reason, string Problem, string Remedy) Fault() => tokens.Fault switch
    {
        CsvFault.UnclosedQuote => (ImportReason.StrayQuote, "opens a quote that is never closed", "close it; a quote inside a quoted value is doubled"),
        CsvFault.TextAfterQuote => (ImportReason.StrayQuote, "has text between a closing quote and the delimiter", "double a quote that belongs to the value, and quote the whole value"),
        CsvFault.QuoteInText => (ImportReason.StrayQuote, "has a quote inside a value that is not quoted", "quote the whole value and double the quote, or check 'delimiter'"),
        CsvFault.LoneCarriageReturn => (ImportReason.LoneCarriageReturn, "has a carriage return without a line feed", "save the file with LF or CRLF line breaks"),
        _ => (ImportReason.RowTooLong, $"is longer than {ImportLimits.RowBytesMax:N0} bytes", "shorten it; a lost quote or a binary value is the usual cause"),
    };

    private RowOutcome Refuse(string value, (ImportReason Reason, string Problem, string Remedy) why)
    {
        Finding = new ImportFinding(name, tokens.Line, "", value, why.Reason, $"the row {why.Problem}", why.Remedy);
        return RowOutcome.Refused;
    }

    private ImportFinding RefuseFile(long line, string column, string value, (ImportReason Reason, string Problem, string Remedy) why) =>
        new(name, line, column, value, why.Reason, why.Problem, $"{why.Remedy} (mapping section of line {section.YamlLine})");

    /// <summary>The beginning of the row's first line, as far as it can be shown.</summary>
    private string Beginning()
    {
        ReadOnlySpan<byte> bytes = tokens.RowBytes;
        int end = bytes.IndexOfAny((byte)'\n', (byte)'\r');
        bytes = end < 0 ? bytes : bytes[..end];
        bool cut = bytes.Length > ImportLimits.ShownCharsMax;
        return FindingList.Shorten(section.Encoding.GetString(cut ? bytes[..ImportLimits.ShownCharsMax] : bytes)) + (cut ? "\u2026" : "");
    }
}
