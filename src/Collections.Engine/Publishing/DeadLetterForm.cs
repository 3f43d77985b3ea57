using System.Text;
using Collections.Domain.Events;
using Collections.Engine.Stores;

namespace Collections.Engine.Publishing;

/// <summary>
/// The form of a dead letter in the outbox, as protobuf's wire form has it; it is persisted, and read here alone.
/// <code>
/// 1  at, Unix milliseconds   2  stream   3  offset   4  reason   5  key   6  value   7  length of the record where the value is its beginning
/// 8  1: the value is an event in wire form
/// </code>
/// </summary>
public static class DeadLetterForm
{
    /// <param name="key">The record's key; empty where it is not known.</param>
    /// <param name="isEvent">Whether the content is an event in wire form; otherwise it is bytes as they came.</param>
    public static byte[] Write(DeadLetter letter, ReadOnlySpan<byte> key, bool isEvent)
    {
        var form = new WireWriter();
        form.Varint(1, (ulong)letter.AtMs);
        form.Varint(2, letter.Stream);
        form.Varint(3, (ulong)letter.Offset);
        form.Text(4, letter.Reason);
        form.BytesUnlessEmpty(5, key);
        form.Bytes(6, letter.Content.AsSpan(0, Math.Min(letter.Content.Length, Limits.DeadLetterBytesMax)));
        if (letter.Content.Length > Limits.DeadLetterBytesMax)
            form.Varint(7, (ulong)letter.Content.Length);
        if (isEvent)
            form.Varint(8, 1);
        return form.Written.ToArray();
    }

    /// <summary>The message of a row.</summary>
    /// <exception cref="Domain.InvariantBrokenException">It is no dead letter in this form.</exception>
    internal static OutboxMessage Read(int partition, in OutboxRow row)
    {
        ReadOnlySpan<byte> reason = default, key = default, value = default;
        var numbers = new ulong[9];
        var wire = new WireReader(row.Content);
        while (wire.Next(out int field, out int type))
        {
            if (type == WireReader.Varint && field < numbers.Length)
                numbers[field] = wire.ReadVarint();
            else if (type == WireReader.Bytes && field == 4)
                reason = wire.ReadBytes();
            else if (type == WireReader.Bytes && field == 5)
                key = wire.ReadBytes();
            else if (type == WireReader.Bytes && field == 6)
                value = wire.ReadBytes();
            else
                wire.Skip(type);
        }
        Domain.Invariant.Require(!wire.Failed, $"dead letter {row.Sequence} in the outbox of partition {partition} can't be read");
        return new OutboxMessage(key.IsEmpty ? null : key.ToArray(), value.ToArray(), HeadersOf(
            OutboxMessage.IdOf(partition, row.Sequence), Encoding.UTF8.GetString(reason), StreamName((EventStream)numbers[2]), partition, (long)numbers[3], (long)numbers[1],
            numbers[8] != 0 ? OutboxMessage.Protobuf : OutboxMessage.AnyBytes, (long)numbers[7]));
    }

    /// <summary>What is said of a dead letter beside its bytes.</summary>
    /// <param name="id">Empty: it has none.</param>
    /// <param name="stream">Or the topic that it came from.</param>
    /// <param name="fullLength">The record's length where only its beginning is kept; otherwise 0.</param>
    public static IReadOnlyList<OutboxHeader> HeadersOf(string id, string reason, string stream, int partition, long offset, long atMs, string contentType, long fullLength)
    {
        var headers = new List<OutboxHeader>(8);
        if (id.Length > 0)
            headers.Add(OutboxHeader.Of("id", id));
        headers.Add(OutboxHeader.Of("reason", reason));
        headers.Add(OutboxHeader.Of("stream", stream));
        headers.Add(OutboxHeader.Of("partition", FormattableString.Invariant($"{partition}")));
        headers.Add(OutboxHeader.Of("offset", FormattableString.Invariant($"{offset}")));
        headers.Add(OutboxHeader.Of("at", FormattableString.Invariant($"{atMs}")));
        headers.Add(OutboxHeader.Of("content-type", contentType));
        if (fullLength > 0)
            headers.Add(OutboxHeader.Of("full-length", FormattableString.Invariant($"{fullLength}")));
        return headers;
    }

    private static string StreamName(EventStream stream) => stream switch
    {
        EventStream.Invoices => "invoices",
        EventStream.Payments => "payments",
        _ => "activity",
    };
}
