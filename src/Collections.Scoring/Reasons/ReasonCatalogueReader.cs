using System.Text.Json;
using Collections.Domain.Debtors;

namespace Collections.Scoring.Reasons;

/// <summary>
/// Reads a catalogue of reasons: an object with <c>languages</c>, and <c>reasons</c> of <c>code</c>, <c>id</c>, <c>features</c> and, for every
/// language, <c>texts</c> of <c>title</c>, <c>raises</c> and <c>lowers</c>. Every feature must belong to exactly one reason.
/// </summary>
public static class ReasonCatalogueReader
{
    /// <summary>Reads a catalogue.</summary>
    /// <param name="json">Its text.</param>
    /// <param name="error">Where it is wrong and what to do; empty if it is not.</param>
    /// <returns>The catalogue, or null. Never throws on any text.</returns>
    public static ReasonCatalogue? Read(string json, out string error)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return Read(document.RootElement, out error);
        }
        catch (JsonException broken)
        {
            error = $"line {broken.LineNumber + 1}: it is no JSON; mend it there";
            return null;
        }
    }

    private static ReasonCatalogue? Read(JsonElement root, out string error)
    {
        if (!TryList(root, "languages", out string[] languages) || !languages.Contains(ReasonCatalogue.DefaultLanguage))
        {
            error = $"languages: must be a list of language codes with \"{ReasonCatalogue.DefaultLanguage}\" among them";
            return null;
        }

        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("reasons", out JsonElement list) || list.ValueKind != JsonValueKind.Array)
        {
            error = "reasons: must be a list";
            return null;
        }

        List<Reason> reasons = [];
        int[] reasonOf = new int[FeatureCatalogue.Count];
        Array.Fill(reasonOf, -1);
        foreach (JsonElement entry in list.EnumerateArray())
        {
            error = ReadReason(entry, languages, reasons.Count > 0 ? reasons[^1].Code : 0, out Reason? reason);
            if (error.Length == 0 && reasons.Exists(other => other.Id == reason!.Id)) error = "its id is another's; give it its own";
            if (error.Length == 0) error = Claim(reason!, reasons.Count, reasonOf);
            if (error.Length > 0)
            {
                error = $"reasons[{reasons.Count}]: {error}";
                return null;
            }

            reasons.Add(reason!);
        }

        int orphan = Array.IndexOf(reasonOf, -1);
        error = orphan < 0 ? "" : $"the feature '{FeatureCatalogue.Names[orphan]}' belongs to no reason; add it to the features of one";
        return orphan < 0 ? new ReasonCatalogue(languages, [.. reasons], reasonOf) : null;
    }

    private static string ReadReason(JsonElement entry, string[] languages, int codeBefore, out Reason? reason)
    {
        reason = null;
        if (entry.ValueKind != JsonValueKind.Object) return "must be an object";
        if (!entry.TryGetProperty("code", out JsonElement number) || number.ValueKind != JsonValueKind.Number
            || !number.TryGetInt32(out int code) || code <= codeBefore || code > Limits.ReasonCodeMax)
        {
            return $"code: must be a whole number above the {codeBefore} before it, at most {Limits.ReasonCodeMax}";
        }

        if (!TryText(entry, "id", out string id)) return "id: must be a short name";
        if (!TryList(entry, "features", out string[] features)) return "features: must be a list of names";
        if (!entry.TryGetProperty("texts", out JsonElement texts) || texts.ValueKind != JsonValueKind.Object) return "texts: must be an object with a member for each language";
        Dictionary<string, ReasonText> byLanguage = [];
        foreach (string language in languages)
        {
            if (!texts.TryGetProperty(language, out JsonElement text) || !TryText(text, "title", out string title)
                || !TryText(text, "raises", out string raises) || !TryText(text, "lowers", out string lowers))
            {
                return $"texts.{language}: must have title, raises and lowers";
            }

            byLanguage.Add(language, new ReasonText(title, raises, lowers));
        }

        reason = new Reason(code, id, features, byLanguage);
        return "";
    }

    private static string Claim(Reason reason, int place, int[] reasonOf)
    {
        foreach (string feature in reason.Features)
        {
            int index = FeatureCatalogue.IndexOf(feature);
            if (index < 0) return $"features: '{feature}' is no feature of the catalogue";
            if (reasonOf[index] >= 0) return $"features: '{feature}' belongs to an earlier reason already; name it once";
            reasonOf[index] = place;
        }

        return "";
    }

    private static bool TryText(JsonElement entry, string name, out string text)
    {
        text = entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        return text.Trim().Length > 0;
    }

    private static bool TryList(JsonElement entry, string name, out string[] values)
    {
        values = [];
        if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty(name, out JsonElement list) || list.ValueKind != JsonValueKind.Array) return false;
        if (list.EnumerateArray().Any(static item => item.ValueKind != JsonValueKind.String)) return false;
        values = [.. list.EnumerateArray().Select(static item => item.GetString()!)];
        return true;
    }
}
