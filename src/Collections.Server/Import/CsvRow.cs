using System.Globalization;
using System.Text;

namespace Collections.Server.Import;

/// <summary>The row that a tokenizer stands on, by column name. Values are decoded when they are asked for, once, without the blanks around them.</summary>
internal sealed class CsvRow
{
    /// <summary>Columns that every file has: they tell rows apart where the file itself does not.</summary>
    public const string LineColumn = "#line";
    public const string FileColumn = "#file";

    private readonly CsvTokenizer tokens;
    private readonly Encoding encoding;
    private readonly Dictionary<string, int> columns;
    private readonly IReadOnlyList<string> emptyValues;
    private readonly string?[] decoded;

    public CsvRow(CsvTokenizer tokens, Encoding encoding, string file, IReadOnlyList<string> header, IReadOnlyList<string> emptyValues)
    {
        this.tokens = tokens;
        this.encoding = encoding;
        this.emptyValues = emptyValues;
        File = file;
        Header = header;
        decoded = new string?[header.Count];
        columns = [];
        for (int i = 0; i < header.Count; i++)
            columns.TryAdd(header[i], i);
    }

    public string File { get; }

    public IReadOnlyList<string> Header { get; }

    public long Line => tokens.Line;

    /// <summary>The value of a column that the header has.</summary>
    public string this[string column]
    {
        get
        {
            if (columns.TryGetValue(column, out int index))
                return decoded[index] ??= Value(index);
            return column == LineColumn ? Line.ToString(CultureInfo.InvariantCulture) : File;
        }
    }

    public bool Has(string column) => column is LineColumn or FileColumn || columns.ContainsKey(column);

    /// <summary>To be called whenever the tokenizer has moved.</summary>
    public void Moved() => Array.Clear(decoded);

    private string Value(int index)
    {
        string text = Decode(tokens, encoding, index);
        return emptyValues.Count > 0 && emptyValues.Contains(text) ? "" : text;
    }

    public static string Decode(CsvTokenizer tokens, Encoding encoding, int index)
    {
        string text = encoding.GetString(tokens.FieldBytes(index));
        return (tokens.IsEscaped(index) ? text.Replace("\"\"", "\"", StringComparison.Ordinal) : text).Trim();
    }
}
