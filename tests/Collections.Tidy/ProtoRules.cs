using System.Globalization;
using System.Text.RegularExpressions;

namespace Collections.Tidy;

/// <summary>Field numbers are for ever: none twice, none that is reserved, and an event's in the range of its stream.</summary>
internal static class ProtoRules
{
    private const string EventsFile = "protos/collections/v1/events.proto";
    private const string KindsFile = "src/Collections.Domain/Events/EventKinds.cs";

    public static IEnumerable<Rule> All =>
    [
        new("proto-numbers-are-unique", NumbersAreUnique, Sample("string a = 1; oneof b { string c = 1; }"), "c"),
        new("proto-reserved-stay-reserved", ReservedStayReserved, Sample("string a = 5; reserved 2, 4 to 6;"), "a"),
        new("proto-events-in-stream-ranges", EventsInStreamRanges, Sample("oneof body {\n// Stream payments: 40 to 59.\nItemIssued item_issued = 20;\n}"), "item_issued"),
        new("proto-event-numbers-are-accounted-for", EventNumbersAccountedFor, Sample("string a = 1; string b = 3;"), "2"),
        new("proto-kinds-are-the-domains", KindsAreTheDomains,
            Tree.Of((EventsFile, "message Event { oneof body { ItemIssued item_issued = 20; } }"), (KindsFile, "enum EventKind : byte { None = 0, ItemIssued = 21, }")),
            "ItemIssued"),
        new("proto-money-is-integer", MoneyIsInteger, Sample("double amount_minor = 1;"), "amount_minor"),
    ];

    private static Tree Sample(string body) => Tree.Of((EventsFile, $"message Event {{ {body} }}"));

    private static IEnumerable<ProtoMessage> Messages(Tree tree) => tree.Files.Where(static file => file.Is(".proto")).SelectMany(ProtoMessage.Read);

    private static IEnumerable<Finding> NumbersAreUnique(Tree tree) =>
        from message in Messages(tree)
        from fields in message.Fields.GroupBy(static field => field.Number)
        from field in fields.Skip(1)
        select message.File.Found(field.Line, field.Name, $"{message.Name}.{field.Name} = {field.Number}, which is {fields.First().Name} already");

    private static IEnumerable<Finding> ReservedStayReserved(Tree tree) =>
        from message in Messages(tree)
        from field in message.Fields
        where message.Reserved.Exists(range => field.Number >= range.From && field.Number <= range.To)
        select message.File.Found(field.Line, field.Name, $"{message.Name}.{field.Name} = {field.Number}, which is reserved");

    private static ProtoMessage? EventOf(Tree tree) => Messages(tree).FirstOrDefault(static message => message is { Name: "Event", File.Path: EventsFile });

    private static IEnumerable<Finding> EventsInStreamRanges(Tree tree)
    {
        if (EventOf(tree) is not { } message)
            yield break;
        string stream = "";
        int from = 0, to = 0;
        foreach (ProtoField field in message.Fields.Where(static field => field.OneOf == "body"))
        {
            Match declared = Pattern.Of(@"//\s*Stream (?<stream>\w+): (?<from>\d+) to (?<to>\d+)").Matches(message.TextBefore(field)).LastOrDefault() ?? Match.Empty;
            if (!declared.Success)
            {
                yield return message.File.Found(field.Line, field.Name, $"{field.Name} stands under no \"// Stream …: N to M.\"");
                continue;
            }
            (stream, from, to) = (declared.Groups["stream"].Value, ProtoMessage.Number(declared.Groups["from"].Value), ProtoMessage.Number(declared.Groups["to"].Value));
            if (field.Number < from || field.Number > to)
                yield return message.File.Found(field.Line, field.Name, $"{field.Name} = {field.Number}, but stream {stream} has {from} to {to}");
        }
    }

    /// <summary>A field that is taken out leaves a reservation, so a gap is a number that could come back with another meaning.</summary>
    private static IEnumerable<Finding> EventNumbersAccountedFor(Tree tree)
    {
        if (EventOf(tree) is not { } message)
            return [];
        int last = message.Fields.Select(static field => field.Number).Concat(message.Reserved.Select(static range => range.To)).Max();
        return from number in Enumerable.Range(1, last)
               where !message.Fields.Exists(field => field.Number == number) && !message.Reserved.Exists(range => number >= range.From && number <= range.To)
               select message.File.Found(1, number.ToString(CultureInfo.InvariantCulture), $"number {number} of Event is neither a field nor reserved");
    }

    private static IEnumerable<Finding> KindsAreTheDomains(Tree tree)
    {
        if (EventOf(tree) is not { } message || tree.Find(KindsFile) is not { } kinds)
            yield break;
        string body = Pattern.Of(@"\benum EventKind\b[^{]*\{(?<body>[^}]*)\}").Match(kinds.Code.Code).Groups["body"].Value;
        var ours = Pattern.Of(@"(?<name>\w+)\s*=\s*(?<number>\d+)").Matches(body).ToDictionary(
            static match => match.Groups["name"].Value, static match => ProtoMessage.Number(match.Groups["number"].Value), StringComparer.Ordinal);
        ours.Remove("None");
        foreach (ProtoField field in message.Fields.Where(static field => field.OneOf == "body"))
        {
            string name = string.Concat(field.Name.Split('_').Select(static part => char.ToUpperInvariant(part[0]) + part[1..]));
            if (!ours.Remove(name, out int number) || number != field.Number)
                yield return message.File.Found(field.Line, name, $"{field.Name} = {field.Number} is not EventKind.{name} of {KindsFile}");
        }
        foreach ((string name, int number) in ours)
            yield return kinds.Found(1, name, $"EventKind.{name} = {number} is no event of {EventsFile}");
    }

    private static IEnumerable<Finding> MoneyIsInteger(Tree tree) =>
        from message in Messages(tree)
        from field in message.Fields
        where field.Name.Contains("minor", StringComparison.Ordinal) && field.Type is not "int64"
        select message.File.Found(field.Line, field.Name, $"{message.Name}.{field.Name} is {field.Type}; an amount in minor units is an int64");
}

internal sealed record ProtoField(string Type, string Name, int Number, string OneOf, int Line, int Index);

/// <summary>A message of a .proto file: its own fields, those of its oneofs included, and what it reserves.</summary>
internal sealed class ProtoMessage(SourceFile file, string name, int index)
{
    private static readonly Regex Token = Pattern.Of(
        @"(?<open>\b(message|enum|oneof|service|extend|rpc)\s+(?<name>\w+)[^;{}]*\{)"
        + @"|(?<block>\{)|(?<close>\})"
        + @"|\breserved\s+(?<reserved>[^;]+);"
        + @"|(?<type>\bmap\s*<[^>]*>|[\w.]+)\s+(?<field>\w+)\s*=\s*(?<number>\d+)\s*(\[[^\]]*\])?\s*;");

    public SourceFile File { get; } = file;

    public string Name { get; } = name;

    public List<ProtoField> Fields { get; } = [];

    public List<(int From, int To)> Reserved { get; } = [];

    public string TextBefore(ProtoField field) => File.Text[index..field.Index];

    public static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    public static IEnumerable<ProtoMessage> Read(SourceFile file)
    {
        // Comments and strings of a .proto file are written as those of C#.
        CSharpText text = file.Code;
        var found = new List<ProtoMessage>();
        var open = new Stack<(string Kind, string Name, ProtoMessage? Message)>([("file", "", null)]);
        foreach (Match match in Token.Matches(text.Code))
        {
            (string kind, string name, ProtoMessage? message) = open.Peek();
            if (match.Groups["open"].Success)
            {
                kind = match.Value.Split((char[]?)null, 2)[0];
                name = match.Groups["name"].Value;
                if (kind == "message")
                    found.Add(message = new ProtoMessage(file, name, match.Index));
                open.Push((kind, name, kind is "message" or "oneof" ? message : null));
            }
            else if (match.Groups["block"].Success)
            {
                open.Push(("block", "", null));
            }
            else if (match.Groups["close"].Success)
            {
                if (open.Count > 1)
                    open.Pop();
            }
            else if (message is not null && match.Groups["reserved"].Success)
            {
                message.Reserve(match.Groups["reserved"].Value);
            }
            else if (message is not null)
            {
                message.Fields.Add(new ProtoField(
                    match.Groups["type"].Value, match.Groups["field"].Value, Number(match.Groups["number"].Value), kind == "oneof" ? name : "", text.LineOf(match.Index), match.Index));
            }
        }
        return found;
    }

    private void Reserve(string ranges)
    {
        foreach (Match range in Pattern.Of(@"\b(?<from>\d+)(\s+to\s+(?<to>\d+|max))?").Matches(ranges))
        {
            int from = Number(range.Groups["from"].Value);
            string to = range.Groups["to"].Value;
            Reserved.Add((from, to switch { "" => from, "max" => (1 << 29) - 1, _ => Number(to) }));
        }
    }
}
