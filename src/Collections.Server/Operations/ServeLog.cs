using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Collections.Server.Operations;

/// <summary>
/// What a running node says to its operator. For people: its life on standard output, what is wrong on standard error. For programs
/// (<c>--log-format json</c>): everything on standard error, one JSON object a line with time, level, event, message and the event's own fields; the
/// names of events and fields do not change.
/// </summary>
internal sealed class ServeLog(bool asJson, TextWriter output, TextWriter errors, TimeProvider time)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock gate = new();

    /// <summary>A step of the node's life.</summary>
    public void Tell(string name, string message, params ReadOnlySpan<(string Name, object Value)> fields) => Write("info", name, message, output, "", fields);

    /// <summary>Something that an operator should know of.</summary>
    public void Warn(string name, string message, params ReadOnlySpan<(string Name, object Value)> fields) => Write("warning", name, message, errors, "warning: ", fields);

    /// <summary>A warning of the engine, which is a sentence.</summary>
    public void Warn(string message) => Warn("engine_warning", message);

    /// <summary>An error that ends the command.</summary>
    /// <returns>The exit code: 2, nothing could be done.</returns>
    public int Fail(string message)
    {
        Write("error", "failed", message, errors, "error: ", []);
        return 2;
    }

    private void Write(string level, string name, string message, TextWriter people, string prefix, ReadOnlySpan<(string Name, object Value)> fields)
    {
        // One line at a time, whoever writes.
        lock (gate)
        {
            if (asJson)
                errors.WriteLine(Json(level, name, message, fields));
            else
                people.WriteLine(prefix + message);
        }
    }

    private string Json(string level, string name, string message, ReadOnlySpan<(string Name, object Value)> fields)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", level);
            json.WriteString("event", name);
            json.WriteString("message", message);
            foreach ((string field, object value) in fields)
            {
                json.WritePropertyName(field);
                JsonSerializer.Serialize(json, value);
            }
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(bytes.ToArray());
    }
}
