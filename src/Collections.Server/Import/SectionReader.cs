using Collections.Domain.Events;
using YamlDotNet.RepresentationModel;

namespace Collections.Server.Import;

/// <summary>Reads one entry of <c>files</c>: a layout and the events of its rows.</summary>
internal sealed class SectionReader(MappingErrors errors, FieldMappingReader fields)
{
    public FileSection Read(YamlFields node, FileFormat inherited)
    {
        YamlScalarNode? pattern = node.Scalar("file");
        if (node.Value("file") == null)
            errors.Add(node.Node, "'file' is missing", "write the name of the file that this section is for; * stands for any text, such as \"invoices*.csv\"");
        else if (pattern?.Value!.AsSpan().IndexOfAny('/', '\\') >= 0)
            errors.Add(pattern, $"'{pattern.Value}' names a folder", "write the file's name alone; the folder is given on the command line");
        FileFormat format = node.Fields("format") is { } block ? inherited.ReadOver(block, errors) : inherited;
        IReadOnlyList<RowCondition> ignore = ReadConditions(node, "ignore");
        IReadOnlyList<string> columns = [.. node.Scalars("columns").Select(c => c.Value!)];
        IReadOnlyList<YamlFields> blocks = node.Blocks("events", "- event: ItemIssued");
        var common = new Dictionary<EventField, YamlNode>();
        foreach (string key in node.Keys.ToList())
        {
            if (EventFields.TryField(key, out EventField field))
                common[field] = node.Value(key)!;
        }
        var events = new List<EventMapping>();
        var used = new HashSet<EventField>();
        foreach (YamlFields block2 in blocks)
        {
            if (ReadEvent(block2, common, used, format) is { } mapping)
                events.Add(mapping);
        }
        foreach ((EventField field, YamlNode at) in common.Where(c => events.Count > 0 && !used.Contains(c.Key)))
            errors.Add(at, $"'{EventFields.NameOf(field)}' is used by no event of this section", "move it to the event that it belongs to, or leave it out");
        node.RefuseOthers("a section of 'files'");
        return new FileSection
        {
            Pattern = pattern?.Value ?? "",
            YamlLine = node.Node.Start.Line,
            Encoding = format.Encoding,
            Delimiter = format.Delimiter,
            SkipLines = format.SkipLines,
            Amounts = format.Amounts,
            EmptyValues = format.EmptyValues,
            Columns = columns.Count > 0 ? columns : null,
            Ignore = ignore,
            Events = events,
        };
    }

    private EventMapping? ReadEvent(YamlFields node, Dictionary<EventField, YamlNode> common, HashSet<EventField> used, FileFormat format)
    {
        YamlScalarNode? name = node.Scalar("event");
        if (name == null || !EventFields.TryKind(name.Value!, out EventKind kind))
        {
            string hint = name == null ? "" : NearestName.Hint(name.Value!, EventFields.KindNames);
            errors.Add(name ?? node.Node, name == null ? "'event' is missing" : $"'{name.Value}' is no kind of event", $"{hint}it is one of {string.Join(", ", EventFields.KindNames)}");
            return null;
        }
        IReadOnlyList<RowCondition> when = ReadConditions(node, "when");
        var mapped = new List<FieldMapping>();
        FieldRule[] rules = EventFields.Of(kind);
        foreach (FieldRule rule in rules)
        {
            YamlNode? own = node.Value(EventFields.NameOf(rule.Field));
            YamlNode? inherited = own == null && !SaysOtherwise(node, rule.Field) ? common.GetValueOrDefault(rule.Field) : null;
            if (inherited != null)
                used.Add(rule.Field);
            if (fields.Read(own ?? inherited, rule, format) is { } field)
                mapped.Add(field);
            else if (own == null && inherited == null && rule.Required)
                errors.Add(node.Node, $"{kind} needs '{EventFields.NameOf(rule.Field)}'", $"add '{EventFields.NameOf(rule.Field)}: COLUMN' to the event or its section");
        }
        node.RefuseOthers(kind.ToString());
        CheckTogether(node.Node, kind, mapped);
        return new EventMapping(kind, when, [.. mapped.OrderBy(m => m.Rule.Field)]);
    }

    /// <summary>A date and an instant say the same thing in two ways; an event's own one replaces whichever the section has.</summary>
    private static bool SaysOtherwise(YamlFields node, EventField field) => field switch
    {
        EventField.EffectiveDate => node.Keys.Contains("effective_at"),
        EventField.EffectiveAt => node.Keys.Contains("effective_date"),
        EventField.KnownDate => node.Keys.Contains("known_at"),
        EventField.KnownAt => node.Keys.Contains("known_date"),
        _ => false,
    };

    private void CheckTogether(YamlNode at, EventKind kind, List<FieldMapping> mapped)
    {
        bool Has(EventField field) => mapped.Any(m => m.Rule.Field == field);
        if (errors.Any)
            return;
        if (Has(EventField.EffectiveDate) == Has(EventField.EffectiveAt))
            errors.Add(at, $"{kind} needs either 'effective_date' or 'effective_at'", "name the column that says on which date, or at which instant, this was true");
        if (Has(EventField.KnownDate) && Has(EventField.KnownAt))
            errors.Add(at, "'known_date' and 'known_at' exclude each other", "keep one of them");
        if (Has(EventField.Settles) && Has(EventField.Allocations))
            errors.Add(at, "'settles' and 'allocations' exclude each other", "keep 'settles' for one item paid in full, 'allocations' for a column item:amount;item:amount");
        if (Has(EventField.Amount) && !Has(EventField.Currency))
            errors.Add(at, "'amount' needs a 'currency'", "add 'currency: USD', or the column that names it");
    }

    private List<RowCondition> ReadConditions(YamlFields node, string key)
    {
        var conditions = new List<RowCondition>();
        foreach (YamlScalarNode scalar in node.Scalars(key))
        {
            if (RowCondition.Parse(scalar.Value!) is { } condition)
                conditions.Add(condition);
            else
                errors.Add(scalar, $"'{scalar.Value}' is no condition", RowCondition.Forms);
        }
        return conditions;
    }
}
