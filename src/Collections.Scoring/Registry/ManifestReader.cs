using System.Buffers;
using System.Text.Json;

namespace Collections.Scoring.Registry;

/// <summary>Reads a model's manifest from JSON; what is wrong is said by field and value, and nothing is taken then.</summary>
public static class ManifestReader
{
    /// <summary>The format that is read.</summary>
    public const int Format = 1;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 16, AllowTrailingCommas = false, CommentHandling = JsonCommentHandling.Disallow };

    /// <returns>The manifest, or null and why it can't be taken.</returns>
    public static ModelManifest? Read(string json, out string error)
    {
        if (json.Length > Limits.ManifestCharsMax)
        {
            error = $"the manifest has {json.Length} characters; at most {Limits.ManifestCharsMax} are read";
            return null;
        }
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            var fields = new JsonFields(document.RootElement);
            ModelManifest? manifest = Read(fields);
            error = fields.Error;
            return error.Length == 0 ? manifest : null;
        }
        catch (JsonException malformed)
        {
            error = $"the manifest is no JSON: line {malformed.LineNumber + 1}, byte {malformed.BytePositionInLine + 1}";
            return null;
        }
        catch (InvalidOperationException)
        {
            // An escape such as \ud800 is JSON all the same, and told when its text is read.
            error = "the manifest has a text that is no Unicode: half of a surrogate pair";
            return null;
        }
    }

    /// <summary>Whether a text can name a model or a version: 1 to 64 of a–z, 0–9, '.', '_' and '-', the first a letter or a digit.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= 64 && char.IsAsciiLetterOrDigit(text[0])
        && !text.AsSpan().ContainsAnyExcept(NameCharacters);

    private static ModelManifest? Read(JsonFields fields)
    {
        int format = (int)fields.Integer("format", Format, Format);
        string name = fields.Text("name", required: true), version = fields.Text("version", required: true), target = fields.Text("target", required: true);
        if (!IsName(name))
            fields.Fail("name", "must be 1 to 64 of a-z, 0-9, '.', '_' and '-'", name);
        if (!IsName(version))
            fields.Fail("version", "must be 1 to 64 of a-z, 0-9, '.', '_' and '-'", version);
        if (!ModelTargets.TryParse(target, out ModelTarget known))
            fields.Fail("target", "must be propensity or pre-due-risk", target);
        string hash = fields.Text("sha256", required: false);
        if (hash.Length > 0 && (hash.Length != 64 || hash.AsSpan().ContainsAnyExcept(HexDigits)))
            fields.Fail("sha256", "must be 64 hexadecimal digits in lower case", hash);
        var manifest = new ModelManifest
        {
            Name = name,
            Version = version,
            Target = known,
            HorizonDays = (int)fields.Integer("horizon_days", 1, Limits.HorizonDaysMax),
            Label = fields.Text("label", required: false),
            Outcome = fields.Text("outcome", required: false),
            Sha256 = hash,
            Features = fields.Texts("features"),
            CategoryCodes = Codes(fields.Object("category_codes")),
            Training = Training(fields.Object("training")),
            Metrics = Metrics(fields.Object("metrics")),
            Calibration = ReadCalibration(fields.Object("calibration")),
            ScoreShares = Shares(fields.Object("distribution")?.Object("score"), "distribution.score"),
            FeatureShares = FeatureShares(fields.Object("distribution")?.Object("features")),
        };
        return format == Format ? manifest : null;
    }

    private static Dictionary<string, IReadOnlyDictionary<string, int>> Codes(JsonFields? features)
    {
        var all = new Dictionary<string, IReadOnlyDictionary<string, int>>();
        foreach (string feature in features?.Names() ?? [])
        {
            var codes = new Dictionary<string, int>();
            JsonFields values = features!.Object(feature) ?? features;
            foreach (string value in values == features ? [] : values.Names())
                codes[value] = (int)values.Integer(value, 0, int.MaxValue);
            all[feature] = codes;
        }
        return all;
    }

    private static TrainingWindow Training(JsonFields? fields) => fields is null
        ? new TrainingWindow("", "", "", 0, 0, 0)
        : new TrainingWindow(
            fields.Text("source", required: false), fields.Text("from", required: false), fields.Text("to", required: false),
            fields.Integer("rows", 0, long.MaxValue, 0), fields.Integer("debtors", 0, long.MaxValue, 0), fields.Integer("positives", 0, long.MaxValue, 0));

    private static Dictionary<string, double> Metrics(JsonFields? fields)
    {
        var metrics = new Dictionary<string, double>();
        foreach (string name in fields?.Names() ?? [])
        {
            if (fields!.IsObject(name))
            {
                foreach ((string nested, double value) in Metrics(fields.Object(name)))
                    metrics[$"{name}.{nested}"] = value;
            }
            else
            {
                metrics[name] = fields.Number(name);
            }
        }
        return metrics;
    }

    private static Calibration? ReadCalibration(JsonFields? fields)
    {
        if (fields is null)
            return null;
        Calibration? calibration = Calibration.Create(fields.Text("method", required: true), fields.Numbers("raw"), fields.Numbers("probability"), out string error);
        if (error.Length > 0)
            fields.Fail(error);
        return calibration;
    }

    private static BinnedShares? Shares(JsonFields? fields, string path)
    {
        if (fields is null)
            return null;
        BinnedShares? shares = BinnedShares.Create(path, fields.Numbers("edges"), fields.Numbers("shares"), fields.Number("missing"), out string error);
        if (error.Length > 0)
            fields.Fail(error);
        return shares;
    }

    private static Dictionary<string, BinnedShares> FeatureShares(JsonFields? fields)
    {
        var all = new Dictionary<string, BinnedShares>();
        foreach (string name in fields?.Names() ?? [])
        {
            if (Shares(fields!.Object(name), $"distribution.features.{name}") is { } shares)
                all[name] = shares;
        }
        return all;
    }
}
