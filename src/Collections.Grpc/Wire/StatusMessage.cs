using System.Buffers;
using System.Globalization;
using System.Text;

namespace Collections.Grpc;

/// <summary>The value of the header grpc-message: UTF-8 of which all but printable ASCII is percent-encoded.</summary>
internal static class StatusMessage
{
    private static readonly SearchValues<char> Unencoded = SearchValues.Create(
        " !\"#$&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    /// <summary>
    /// Encodes a status detail, cut off between characters at <see cref="GrpcLimits.StatusMessageBytesMax"/>: a message
    /// that does not fit a client's limit on headers would hide the status as well.
    /// </summary>
    public static string Encode(string detail)
    {
        if (detail.Length <= GrpcLimits.StatusMessageBytesMax && !detail.AsSpan().ContainsAnyExcept(Unencoded))
            return detail;

        var encoded = new StringBuilder(detail.Length + 32);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in detail.EnumerateRunes())
        {
            var plain = rune.IsAscii && Unencoded.Contains((char)rune.Value);
            var length = rune.EncodeToUtf8(utf8);
            if (encoded.Length + (plain ? 1 : 3 * length) > GrpcLimits.StatusMessageBytesMax)
                break;
            if (plain)
            {
                encoded.Append((char)rune.Value);
                continue;
            }

            foreach (var value in utf8[..length])
                encoded.Append('%').Append(value.ToString("X2", CultureInfo.InvariantCulture));
        }

        return encoded.ToString();
    }

    /// <summary>Decodes a message; what is not a valid percent-encoding stays as it is, as the protocol asks.</summary>
    public static string Decode(string message)
    {
        if (!message.Contains('%', StringComparison.Ordinal))
            return message;

        var bytes = new ArrayBufferWriter<byte>(message.Length);
        for (var i = 0; i < message.Length; i++)
        {
            if (message[i] == '%' && i + 2 < message.Length
                && byte.TryParse(message.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Write([value]);
                i += 2;
                continue;
            }

            Encoding.UTF8.GetBytes(message.AsSpan(i, 1), bytes);
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
