using System.Text.Json;

namespace Collections.Scoring.Registry;

/// <summary>The fields of a JSON object, each read as what it must be; the first thing that is wrong is kept, with its path and value.</summary>
internal sealed class JsonFields
{
    private readonly JsonElement element;

    /// <summary>A JSON element looks for a field from one to the next; a million of them would take hours.</summary>
    private readonly Dictionary<string, JsonElement> fields = [];
    private readonly string path;
    private readonly JsonFields root;
    private string error = "";

    public JsonFields(JsonElement element)
        : this(element, "", null)
    {
    }

    private JsonFields(JsonElement element, string path, JsonFields? root)
    {
        this.element = element;
        this.path = path;
        this.root = root ?? this;
        if (element.ValueKind != JsonValueKind.Object)
            Fail(path.Length == 0 ? "the manifest must be a JSON object" : $"{path}: must be an object, but is '{Quote(element)}'");
        else
            Take();
    }

    /// <summary>What is wrong first; empty when nothing is.</summary>
    public string Error => root.error;

    public void Fail(string message)
    {
        if (root.error.Length == 0)
            root.error = message;
    }

    public void Fail(string name, string problem, string value) => Fail($"{PathOf(name)}: {problem}, but is '{value}'");

    public IEnumerable<string> Names() => fields.Keys;

    public bool IsObject(string name) => TryGet(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object;

    /// <summary>A nested object; null when the field is absent or null.</summary>
    public JsonFields? Object(string name) => TryGet(name, out JsonElement value) ? new JsonFields(value, PathOf(name), root) : null;

    public string Text(string name, bool required)
    {
        if (!TryGet(name, out JsonElement value))
        {
            if (required)
                Fail($"{PathOf(name)}: is missing");
            return "";
        }
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString()!;
        Fail(name, "must be a text", Quote(value));
        return "";
    }

    public IReadOnlyList<string> Texts(string name)
    {
        var texts = new List<string>();
        foreach (JsonElement item in Items(name))
        {
            if (item.ValueKind == JsonValueKind.String)
                texts.Add(item.GetString()!);
            else
                Fail(name, "must be a list of texts", Quote(item));
        }
        return texts;
    }

    /// <param name="absent">What an absent field counts as; null: it must be there.</param>
    public long Integer(string name, long least, long most, long? absent = null)
    {
        if (!TryGet(name, out JsonElement value))
        {
            if (absent is null)
                Fail($"{PathOf(name)}: is missing");
            return absent ?? least;
        }
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= least && number <= most)
            return number;
        Fail(name, least == most ? $"must be {least}" : $"must be an integer from {least} to {most}", Quote(value));
        return least;
    }

    /// <summary>A finite number.</summary>
    public double Number(string name)
    {
        if (TryGet(name, out JsonElement value))
            return Number(name, value);
        Fail($"{PathOf(name)}: is missing");
        return 0;
    }

    public double[] Numbers(string name) => [.. Items(name).Select(item => Number(name, item))];

    private double Number(string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number))
            return number;
        Fail(name, "must be a finite number", Quote(value));
        return 0;
    }

    private IEnumerable<JsonElement> Items(string name)
    {
        if (!TryGet(name, out JsonElement value))
            return [];
        if (value.ValueKind == JsonValueKind.Array)
            return value.EnumerateArray();
        Fail(name, "must be a list", Quote(value));
        return [];
    }

    private bool TryGet(string name, out JsonElement value) => fields.TryGetValue(name, out value) && value.ValueKind != JsonValueKind.Null;

    private void Take()
    {
        foreach (JsonProperty field in element.EnumerateObject())
        {
            // JSON leaves open which of two would count.
            if (!fields.TryAdd(field.Name, field.Value))
                Fail($"{PathOf(field.Name)}: is there twice");
        }
    }

    private string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Quote(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length > Limits.QuotedValueCharsMax ? text[..Limits.QuotedValueCharsMax] + "…" : text;
    }
}
