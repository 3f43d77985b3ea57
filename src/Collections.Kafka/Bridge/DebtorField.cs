using System.Text.Json;

namespace Collections.Kafka.Bridge;

/// <summary>Takes the debtor from a field that an event does not have: <c>{"customer": 17, …}</c> becomes <c>{"debtor": "17", …}</c>.</summary>
internal static class DebtorField
{
    /// <param name="problem">What is wrong with the record.</param>
    public static bool TryRename(ReadOnlySpan<byte> json, string field, out byte[] renamed, out string problem)
    {
        renamed = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(json.ToArray());
            JsonElement named = default;
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty(field, out named))
            {
                problem = $"has no field '{field}', by which its debtor is to be known";
                return false;
            }
            string? debtor = named.ValueKind == JsonValueKind.String ? named.GetString() : named.ValueKind == JsonValueKind.Number && named.TryGetInt64(out _) ? named.GetRawText() : null;
            if (debtor is null)
            {
                problem = $"has {named.ValueKind} in the field '{field}', by which its debtor is to be known; it must be a text or an integer";
                return false;
            }
            using var bytes = new MemoryStream();
            using (var writer = new Utf8JsonWriter(bytes))
            {
                writer.WriteStartObject();
                writer.WriteString("debtor", debtor);
                foreach (JsonProperty property in document.RootElement.EnumerateObject().Where(property => property.Name != field && property.Name != "debtor"))
                    property.WriteTo(writer);
                writer.WriteEndObject();
            }
            renamed = bytes.ToArray();
            problem = "";
            return true;
        }
        catch (Exception refused) when (refused is JsonException or InvalidOperationException)
        {
            problem = $"is no JSON: {refused.Message}";
            return false;
        }
    }
}
