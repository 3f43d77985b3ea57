using System.Text;
using Collections.V1;
using Google.Protobuf;

namespace Collections.Server.Kafka;

/// <summary>Reads events in proto3 JSON form, strictly: a field that nobody knows is a mistake, not a remark.</summary>
internal static class EventJson
{
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default);
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static bool TryToWire(ReadOnlySpan<byte> json, out byte[] wire, out string problem)
    {
        try
        {
            wire = Parser.Parse<Event>(Strict.GetString(json)).ToByteArray();
            problem = "";
            return true;
        }
        catch (Exception refused) when (refused is IOException or ArgumentException or FormatException or OverflowException or InvalidOperationException)
        {
            wire = [];
            problem = refused.Message;
            return false;
        }
    }
}
