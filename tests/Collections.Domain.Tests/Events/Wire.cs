using System.Globalization;
using System.Text;

namespace Collections.Domain.Tests.Events;

/// <summary>Writes protobuf from a short notation: <c>1:text 2=7 3{1:nested}</c> — field, then text, number or message.</summary>
internal static class Wire
{
    public static byte[] Encode(string fields)
    {
        int at = 0;
        return Message(fields, ref at);
    }

    private static byte[] Message(string fields, ref int at)
    {
        var bytes = new List<byte>();
        while (at < fields.Length && fields[at] != '}')
        {
            if (fields[at] == ' ')
            {
                at++;
                continue;
            }
            int field = int.Parse(Until(fields, ref at, ":={"), CultureInfo.InvariantCulture);
            switch (fields[at++])
            {
                case '=':
                    Varint(bytes, (ulong)field << 3);
                    Varint(bytes, ulong.Parse(Until(fields, ref at, " }"), CultureInfo.InvariantCulture));
                    break;
                case ':':
                    Bytes(bytes, field, Encoding.UTF8.GetBytes(Until(fields, ref at, " }")));
                    break;
                default:
                    Bytes(bytes, field, Message(fields, ref at));
                    at++;
                    break;
            }
        }
        return [.. bytes];
    }

    private static string Until(string fields, ref int at, string stops)
    {
        int start = at;
        while (at < fields.Length && !stops.Contains(fields[at], StringComparison.Ordinal))
            at++;
        return fields[start..at];
    }

    private static void Bytes(List<byte> into, int field, byte[] value)
    {
        Varint(into, (ulong)field << 3 | 2);
        Varint(into, (ulong)value.Length);
        into.AddRange(value);
    }

    private static void Varint(List<byte> into, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            into.Add((byte)(value | 0x80));
        into.Add((byte)value);
    }
}
