using System.Text;
using Collections.Domain;
using YamlDotNet.RepresentationModel;

namespace Collections.Server.Import;

/// <summary>
/// Reads what stands behind a field's name. One line: a column, a template with {columns}, "earlier of A, B", or, where a field takes
/// one of a few words, such a word. A block says the same by name and adds how the value is written.
/// </summary>
internal sealed class FieldMappingReader(MappingErrors errors, string tenant, string? currency)
{
    private static readonly string[] Sources = ["column", "constant", "template", "earlier_of", "later_of"];

    /// <summary>The field's mapping; null when there is none, or it is wrong.</summary>
    public FieldMapping? Read(YamlNode? node, FieldRule rule, FileFormat format)
    {
        var mapping = new FieldMapping
        {
            Rule = rule,
            Value = new ConstantValue(""),
            Dates = format.Dates,
            Instants = format.Instants,
            Amounts = format.Amounts,
            Negate = false,
        };
        switch (node)
        {
            case null:
                return Inherited(rule.Field) is { } text ? mapping with { Value = new ConstantValue(text) } : null;
            case YamlScalarNode { Value: { Length: > 0 } line } scalar:
                return ReadLine(scalar, line, rule) is { } value ? mapping with { Value = value } : null;
            case YamlMappingNode block:
                return ReadBlock(new YamlFields(block, errors), mapping);
            default:
                errors.Add(node, $"'{EventFields.NameOf(rule.Field)}' is empty or a list", "name a column, or write a block such as {column: NAME, values: {…}}");
                return null;
        }
    }

    private string? Inherited(EventField field) => field switch
    {
        EventField.Tenant => tenant,
        EventField.Currency => currency,
        _ => null,
    };

    private ValueExpression? ReadLine(YamlScalarNode node, string line, FieldRule rule)
    {
        const string earlier = "earlier of ";
        const string later = "later of ";
        bool isEarlier = line.StartsWith(earlier, StringComparison.Ordinal);
        if (isEarlier || line.StartsWith(later, StringComparison.Ordinal))
            return ReadExtreme(node, isEarlier, (isEarlier ? line[earlier.Length..] : line[later.Length..]).Split(',', StringSplitOptions.TrimEntries), rule);
        if (line.AsSpan().IndexOfAny('{', '}') >= 0)
            return ReadTemplate(node, line);
        return IsWord(rule.Type, line) ? new WordValue(line) : new ColumnValue(line.Trim());
    }

    private TemplateValue? ReadTemplate(YamlScalarNode node, string text)
    {
        if (TemplateValue.Parse(text) is { } template)
            return template;
        errors.Add(node, $"the template '{text}' has a brace that is not closed, or names no column", "write \"{COLUMN}-text\"; a brace itself is doubled: {{ and }}");
        return null;
    }

    private ExtremeDate? ReadExtreme(YamlNode node, bool earliest, string[] names, FieldRule rule)
    {
        if (rule.Type is FieldType.Date or FieldType.Instant && names.Length >= 2 && names.All(n => n.Length > 0))
            return new ExtremeDate(earliest, names);
        string word = earliest ? "earlier of" : "later of";
        errors.Add(
            node,
            rule.Type is FieldType.Date or FieldType.Instant ? $"'{word}' takes two columns or more" : $"'{word}' is for dates, and '{EventFields.NameOf(rule.Field)}' is none",
            $"write '{word} DueDate, SettledDate' (in quotes inside {{…}}); a column that is really called so is written {{column: …}}");
        return null;
    }

    private FieldMapping? ReadBlock(YamlFields block, FieldMapping mapping)
    {
        FieldRule rule = mapping.Rule;
        string[] given = [.. Sources.Where(s => block.Value(s) != null)];
        if (given.Length != 1)
        {
            errors.Add(block.Node, $"'{mapping.Name}' needs exactly one of {string.Join(", ", Sources)}", "say where the value comes from");
            block.RefuseOthers($"'{mapping.Name}'");
            return null;
        }
        IReadOnlyList<YamlScalarNode> source = block.Scalars(given[0]);
        ValueExpression? value = source.Count == 0 ? null : given[0] switch
        {
            "column" => new ColumnValue(source[0].Value!.Trim()),
            "constant" => ReadConstant(source[0], rule),
            "template" => ReadTemplate(source[0], source[0].Value!),
            "earlier_of" => ReadExtreme(block.Node, true, [.. source.Select(s => s.Value!.Trim())], rule),
            _ => ReadExtreme(block.Node, false, [.. source.Select(s => s.Value!.Trim())], rule),
        };
        value = ReadTranslation(block, value, rule);
        bool isAmount = rule.Type is FieldType.PositiveAmount or FieldType.SignedAmount;
        if (rule.Type == FieldType.Date)
            mapping = mapping with { Dates = given[0] == "constant" ? DateFormat.Iso : FileFormat.ReadDates(block, mapping.Dates, errors) };
        if (rule.Type == FieldType.Instant)
            mapping = mapping with { Instants = FileFormat.ReadInstants(block, mapping.Instants, errors) };
        if ((isAmount || rule.Type == FieldType.Allocations) && block.Fields("amounts") is { } amounts)
            mapping = mapping with { Amounts = FileFormat.ReadAmounts(amounts, mapping.Amounts, errors) };
        if (isAmount)
            mapping = mapping with { Negate = block.Choice("negate", false, ("true", true), ("false", false)) };
        block.RefuseOthers($"'{mapping.Name}'");
        return value == null ? null : mapping with { Value = value };
    }

    private ConstantValue? ReadConstant(YamlScalarNode node, FieldRule rule)
    {
        if (RefuseConstant(rule.Type, node.Value!) is not { } problem)
            return new ConstantValue(node.Value!);
        errors.Add(node, $"'{node.Value}' {problem}", "write a value that the field takes");
        return null;
    }

    private ValueExpression? ReadTranslation(YamlFields block, ValueExpression? source, FieldRule rule)
    {
        YamlScalarNode? otherwise = block.Scalar("otherwise");
        if (block.Value("values") is not { } node)
        {
            if (otherwise != null)
                errors.Add(otherwise, "'otherwise' needs 'values'", "list the values that are translated, or leave 'otherwise' out");
            return source;
        }
        if (node is not YamlMappingNode { Children.Count: > 0 } list || source is ConstantValue or ExtremeDate || !rule.Type.TakesWords())
        {
            errors.Add(node, "'values' is for fields that are words or names, and must be a list of 'value in the file: value meant' under a column or template", "write 'values: {INV: principal, FEE: fee}'");
            return null;
        }
        var values = new Dictionary<string, string>();
        foreach ((YamlNode from, YamlNode to) in list.Children)
        {
            if (from is not YamlScalarNode { Value: { } key } || to is not YamlScalarNode { Value: { Length: > 0 } target })
                errors.Add(from, "a line of 'values' must be 'value in the file: value meant'", "write 'INV: principal'");
            else if (RefuseConstant(rule.Type, target) is { } problem)
                errors.Add(to, $"'{target}' {problem}", "write a value that the field takes");
            else
                values[key] = target;
        }
        if (otherwise != null && RefuseConstant(rule.Type, otherwise.Value!) is { } wrong)
            errors.Add(otherwise, $"'{otherwise.Value}' {wrong}", "write a value that the field takes");
        return source == null ? null : new TranslatedValue(source, values, otherwise?.Value);
    }

    private static bool IsWord(FieldType type, string text) =>
        type == FieldType.Currency ? Currency.TryParse(Encoding.UTF8.GetBytes(text), out _) : FieldWords.Of(type).Contains(text);

    /// <summary>Why a text can't be a field's value whatever the row; null when it may be.</summary>
    private static string? RefuseConstant(FieldType type, string text) => type switch
    {
        FieldType.Currency => IsWord(type, text) ? null : "is no ISO 4217 currency (three capital letters, such as USD)",
        FieldType.Date => Day.TryParse(text, out _) ? null : "is no date as 2026-11-22",
        _ when FieldWords.Of(type) is { Count: > 0 } words => FieldWords.TryRead(type, text, out _) ? null : $"is none of {string.Join(", ", words)}",
        _ => null,
    };
}
