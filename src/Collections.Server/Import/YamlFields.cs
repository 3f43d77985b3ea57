using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Collections.Server.Import;

/// <summary>Collects the mistakes of one mapping file.</summary>
internal sealed class MappingErrors(string file)
{
    private readonly List<MappingError> errors = [];

    public bool Any => errors.Count > 0;

    public IReadOnlyList<MappingError> All => errors;

    public void Add(YamlNode at, string problem, string remedy) => Add(at.Start, problem, remedy);

    public void Add(Mark at, string problem, string remedy)
    {
        if (errors.Count < ImportLimits.MappingErrorsMax)
            errors.Add(new MappingError(file, at.Line, at.Column, problem, remedy));
    }
}

/// <summary>
/// One block of <c>key: value</c> lines. Every key that the format knows is asked for; those that nobody asked for are mistakes, and
/// <see cref="RefuseOthers"/> says so.
/// </summary>
internal sealed class YamlFields
{
    private readonly Dictionary<string, YamlNode> values = [];
    private readonly Dictionary<string, YamlNode> keys = [];
    private readonly HashSet<string> known = [];
    private readonly MappingErrors errors;

    public YamlFields(YamlMappingNode node, MappingErrors errors)
    {
        Node = node;
        this.errors = errors;
        foreach ((YamlNode key, YamlNode value) in node.Children)
        {
            if (key is YamlScalarNode { Value: { Length: > 0 } name })
            {
                values[name] = value;
                keys[name] = key;
            }
            else
            {
                errors.Add(key, "a key must be a word", "write 'key: value'");
            }
        }
    }

    public YamlNode Node { get; }

    public IEnumerable<string> Keys => values.Keys;

    public YamlNode? Value(string key)
    {
        known.Add(key);
        return values.GetValueOrDefault(key);
    }

    /// <summary>A single value; null when the key is absent, or was wrong.</summary>
    public YamlScalarNode? Scalar(string key) => Value(key) is { } node ? AsScalar(node, $"'{key}'") : null;

    public string? Text(string key) => Scalar(key)?.Value;

    /// <summary>A value or a list of values.</summary>
    public IReadOnlyList<YamlScalarNode> Scalars(string key)
    {
        if (Value(key) is not { } node)
            return [];
        if (node is not YamlSequenceNode list)
            return AsScalar(node, $"'{key}'") is { } single ? [single] : [];
        return [.. list.Children.Select(c => AsScalar(c, $"an entry of '{key}'")).OfType<YamlScalarNode>()];
    }

    public YamlFields? Fields(string key)
    {
        if (Value(key) is not { } node)
            return null;
        if (node is YamlMappingNode map)
            return new YamlFields(map, errors);
        errors.Add(node, $"'{key}' must be a block of 'key: value' lines", "indent its keys below it");
        return null;
    }

    /// <summary>A list of blocks.</summary>
    public IReadOnlyList<YamlFields> Blocks(string key, string example)
    {
        if (Value(key) is not { } node)
        {
            errors.Add(Node, $"'{key}' is missing", $"add it with at least one entry, such as {example}");
            return [];
        }
        if (node is not YamlSequenceNode { Children.Count: > 0 } list)
        {
            errors.Add(node, $"'{key}' must be a list with at least one entry", $"begin each entry with '- ', such as {example}");
            return [];
        }
        foreach (YamlNode wrong in list.Children.Where(c => c is not YamlMappingNode))
            errors.Add(wrong, $"an entry of '{key}' must be a block of 'key: value' lines", $"write it such as {example}");
        return [.. list.Children.OfType<YamlMappingNode>().Select(c => new YamlFields(c, errors))];
    }

    /// <summary>One of a few words; the fallback when the key is absent or wrong.</summary>
    public T Choice<T>(string key, T fallback, params ReadOnlySpan<(string Word, T Value)> choices)
    {
        if (Scalar(key) is not { } node)
            return fallback;
        var words = new List<string>();
        foreach ((string word, T value) in choices)
        {
            if (word == node.Value)
                return value;
            words.Add(word);
        }
        errors.Add(node, $"'{key}' can't be '{node.Value}'", $"{NearestName.Hint(node.Value ?? "", words)}it is one of {string.Join(", ", words)}");
        return fallback;
    }

    /// <summary>A whole number in a range; null when the key is absent or wrong.</summary>
    public int? WholeNumber(string key, int min, int max)
    {
        if (Scalar(key) is not { } node)
            return null;
        if (int.TryParse(node.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max)
            return number;
        errors.Add(node, $"'{key}' can't be '{node.Value}'", $"write a whole number from {min} to {max}");
        return null;
    }

    /// <summary>Refuses every key that was not asked for.</summary>
    public void RefuseOthers(string place)
    {
        foreach (string key in values.Keys.Where(k => !known.Contains(k)))
        {
            errors.Add(
                keys[key],
                $"'{key}' is no key of {place}",
                $"{NearestName.Hint(key, known.Except(values.Keys))}the keys are {string.Join(", ", known)}");
        }
    }

    private YamlScalarNode? AsScalar(YamlNode node, string what)
    {
        if (node is YamlScalarNode { Value: { Length: > 0 } } scalar)
            return scalar;
        bool empty = node is YamlScalarNode;
        errors.Add(node, empty ? $"{what} is empty" : $"{what} must be a single value", empty ? "give it a value, or leave the key out" : "write it on one line");
        return null;
    }
}
