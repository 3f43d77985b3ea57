using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Collections.Server.Tests.Deployment;

/// <summary>A value of a YAML file, with the way to it for messages. Anchors, aliases and merges are resolved.</summary>
internal sealed class YamlValue(object? value, string path)
{
    private readonly object? value = value;

    public string Path { get; } = path;

    public string Text => value as string ?? throw new InvalidDataException($"{Path} is no text");

    public int Number => int.Parse(Text, CultureInfo.InvariantCulture);

    public IEnumerable<string> Keys => Mapping.Keys.Cast<string>();

    public IReadOnlyList<YamlValue> Items => value is List<object> list ? [.. list.Select((item, i) => new YamlValue(item, $"{Path}[{i}]"))] : throw new InvalidDataException($"{Path} is no list");

    /// <summary>Values that are texts, by their keys.</summary>
    public IReadOnlyDictionary<string, string> Texts => Keys.ToDictionary(static key => key, key => this[key].Text);

    private Dictionary<object, object?> Mapping => value as Dictionary<object, object?> ?? throw new InvalidDataException($"{Path} is no mapping");

    public YamlValue this[string key] => Find(key) ?? throw new InvalidDataException($"{Path} has no {key}");

    /// <summary>A file that was copied beside the tests.</summary>
    public static IReadOnlyList<YamlValue> Read(params string[] place)
    {
        string file = System.IO.Path.Combine([AppContext.BaseDirectory, .. place]);
        using var reader = new StreamReader(file);
        var parser = new MergingParser(new Parser(reader));
        IDeserializer form = new Deserializer();
        var documents = new List<YamlValue>();
        parser.Consume<YamlDotNet.Core.Events.StreamStart>();
        while (!parser.Accept<YamlDotNet.Core.Events.StreamEnd>(out _))
            documents.Add(new YamlValue(form.Deserialize<Dictionary<object, object?>>(parser), System.IO.Path.GetFileName(file)));
        return documents;
    }

    public YamlValue? Find(string key) => Mapping.TryGetValue(key, out object? found) ? new YamlValue(found, $"{Path}.{key}") : null;
}
