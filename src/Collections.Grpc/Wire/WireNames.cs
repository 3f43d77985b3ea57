using Grpc.Core;

namespace Collections.Grpc;

/// <summary>The names that the protocol gives to headers and encodings.</summary>
internal static class WireNames
{
    public const string ContentType = "application/grpc";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string AcceptedEncodings = "identity,gzip";

    // Headers that belong to HTTP or to the protocol. They never become metadata, nor may metadata forge them.
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "te", "content-type", "content-length", "content-encoding", "host", "connection", "transfer-encoding", "trailer",
        "date", "server", "grpc-message-type", Timeout, Encoding, AcceptEncoding, Status, Message,
    };

    /// <summary>Whether a header is HTTP's or the protocol's own.</summary>
    public static bool IsReserved(string name) => name.Length == 0 || name[0] == ':' || Reserved.Contains(name);

    /// <summary>Whether a content type is gRPC with protobuf, which is all that is spoken here.</summary>
    public static bool IsGrpcContentType(string? contentType)
    {
        if (contentType is null || !contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase))
            return false;
        var rest = contentType.AsSpan(ContentType.Length);
        if (rest.StartsWith("+proto", StringComparison.OrdinalIgnoreCase))
            rest = rest["+proto".Length..];
        rest = rest.TrimStart();
        return rest.IsEmpty || rest[0] == ';';
    }

    /// <summary>Reads grpc-encoding; null when it is one that is not supported.</summary>
    public static MessageEncoding? ParseEncoding(string? value) => value switch
    {
        null or "" or "identity" => MessageEncoding.Identity,
        "gzip" => MessageEncoding.Gzip,
        _ => null,
    };

    /// <summary>Fails for a key that is not an application's to send.</summary>
    public static void RequireApplicationKey(string key)
    {
        if (IsReserved(key))
            throw new ArgumentException($"The metadata key \"{key}\" belongs to the protocol; use another name.");
    }

    /// <summary>Reads one header into metadata.</summary>
    public static void AddReceived(Metadata metadata, string name, string value)
    {
        if (IsReserved(name))
            return;
        var key = name.ToLowerInvariant();
        if (!key.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal))
        {
            metadata.Add(Metadata.Entry.Received(key, value));
            return;
        }

        // Several values of one key may have been joined on the way; a comma is in no base64 text.
        foreach (var range in value.AsSpan().Split(','))
            metadata.Add(Metadata.Entry.Received(key, FromBase64(key, value.AsSpan(range).Trim())));
    }

    /// <summary>The text that stands for an entry's value in a header.</summary>
    public static string HeaderValue(Metadata.Entry entry) =>
        entry.IsBinary ? Convert.ToBase64String(entry.BinaryValue).TrimEnd('=') : entry.Value;

    private static byte[] FromBase64(string key, ReadOnlySpan<char> text)
    {
        // Senders should leave the padding out, and receivers must take both.
        var unpadded = text.TrimEnd('=');
        Span<char> padded = new char[(unpadded.Length + 3) / 4 * 4];
        unpadded.CopyTo(padded);
        padded[unpadded.Length..].Fill('=');
        var bytes = new byte[padded.Length / 4 * 3];
        if (!Convert.TryFromBase64Chars(padded, bytes, out var written))
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"The value of the metadata \"{key}\" is not base64."));
        return bytes[..written];
    }
}

/// <summary>How a message's bytes are encoded.</summary>
internal enum MessageEncoding
{
    Identity,
    Gzip,
}
