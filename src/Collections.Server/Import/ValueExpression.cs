using System.Text;

namespace Collections.Server.Import;

/// <summary>Where a field's value comes from. What an analyst writes in one line is one of these.</summary>
internal abstract record ValueExpression
{
    /// <summary>The columns that it reads, as the file's header names them.</summary>
    public abstract IReadOnlyList<string> Columns { get; }

    /// <summary>The value in a row; empty when the row has none.</summary>
    public abstract string In(CsvRow row);
}

/// <summary>The value of one column.</summary>
internal sealed record ColumnValue(string Column) : ValueExpression
{
    public override IReadOnlyList<string> Columns => [Column];

    public override string In(CsvRow row) => row[Column];
}

/// <summary>The same for every row.</summary>
internal record ConstantValue(string Text) : ValueExpression
{
    public override IReadOnlyList<string> Columns => [];

    public override string In(CsvRow row) => Text;
}

/// <summary>A word of a field that takes one of a few, written where a column could stand; a file that has such a column makes it unclear, and is refused.</summary>
internal sealed record WordValue(string Text) : ConstantValue(Text);

/// <summary>Text with columns put in: "{customerID}-{invoice}". Empty when one of its columns is: half an id would be shared by many rows.</summary>
internal sealed record TemplateValue(IReadOnlyList<(string Text, bool IsColumn)> Parts) : ValueExpression
{
    public override IReadOnlyList<string> Columns { get; } = [.. Parts.Where(p => p.IsColumn).Select(p => p.Text)];

    public override string In(CsvRow row)
    {
        var text = new StringBuilder();
        foreach ((string part, bool isColumn) in Parts)
        {
            string value = isColumn ? row[part] : part;
            if (isColumn && value.Length == 0)
                return "";
            text.Append(value);
        }
        return text.ToString();
    }

    /// <summary>Reads "{a}-{b}"; doubled braces stand for themselves. Null when a brace is left open or a name is empty.</summary>
    public static TemplateValue? Parse(string template)
    {
        var parts = new List<(string, bool)>();
        var text = new StringBuilder();
        for (int i = 0; i < template.Length; i++)
        {
            char c = template[i];
            if (c is '{' or '}' && i + 1 < template.Length && template[i + 1] == c)
            {
                text.Append(c);
                i++;
            }
            else if (c == '{')
            {
                int end = template.IndexOf('}', i);
                if (end < 0 || end == i + 1)
                    return null;
                if (text.Length > 0)
                    parts.Add((text.ToString(), false));
                text.Clear();
                parts.Add((template[(i + 1)..end].Trim(), true));
                i = end;
            }
            else if (c == '}')
            {
                return null;
            }
            else
            {
                text.Append(c);
            }
        }
        if (text.Length > 0)
            parts.Add((text.ToString(), false));
        return new TemplateValue(parts);
    }
}

/// <summary>The earlier or later of several date columns; empty ones don't count. Dates are compared by the reader of the field, which knows their format.</summary>
internal sealed record ExtremeDate(bool Earliest, IReadOnlyList<string> Names) : ValueExpression
{
    public override IReadOnlyList<string> Columns => Names;

    public override string In(CsvRow row) => throw new InvalidOperationException("an 'earlier of' or 'later of' is read as dates, column by column");
}

/// <summary>A value translated by a list: "INV: principal". A value that is not in the list is refused unless there is an 'otherwise'.</summary>
internal sealed record TranslatedValue(ValueExpression Source, IReadOnlyDictionary<string, string> Values, string? Otherwise) : ValueExpression
{
    public override IReadOnlyList<string> Columns => Source.Columns;

    public override string In(CsvRow row) => TryIn(row, out string value) ? value : "";

    public bool TryIn(CsvRow row, out string value)
    {
        string source = Source.In(row);
        if (Values.TryGetValue(source, out string? found) || (found = Otherwise) != null)
        {
            value = found;
            return true;
        }
        value = source;
        // An empty value that nobody translated is simply empty; the field's own rule says whether it may be.
        return source.Length == 0;
    }
}
