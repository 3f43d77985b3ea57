using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;

namespace Collections.Kafka;

/// <summary>Turns the proto3 JSON form of an event into its wire form; false with what is wrong and where.</summary>
public delegate bool JsonReading(ReadOnlySpan<byte> json, out byte[] wire, out string problem);

/// <summary>
/// Makes log records of Kafka's: finds the form by the header <c>content-type</c> and takes the delivery fields out. What can't be decoded keeps its
/// bytes and its place, so that the partition makes a dead letter of it. One thread.
/// </summary>
internal sealed class RecordDecoder(JsonReading json)
{
    private byte[] stripped = new byte[64 * 1024];

    /// <param name="contentType">The header's value; empty when there is none.</param>
    /// <param name="timestampMs">The record's, in Unix milliseconds; negative when it has none.</param>
    /// <param name="nowMs">Nothing counts as known later than that: clocks of producers differ.</param>
    public void Decode(
        ReadOnlySpan<byte> value, ReadOnlySpan<byte> contentType, long timestampMs, long nowMs, int partition, EventStream stream, long offset, AppendBatch into)
    {
        long knownMs = Math.Min(timestampMs < 0 ? nowMs : timestampMs, nowMs);
        bool history = false;
        if (value.Length > Limits.RecordBytesMax)
        {
            string reason = $"has {value.Length} bytes, and a record has at most {Limits.RecordBytesMax}; these are its first {Limits.OversizeKeptBytes}";
            Add(UndecodedRecord.Of(reason, value[..Limits.OversizeKeptBytes]), hash: 0);
            return;
        }
        ReadOnlySpan<byte> wire = value;
        switch (FormOf(contentType))
        {
            case Form.Json:
                if (!json(value, out byte[] read, out string problem))
                {
                    Add(UndecodedRecord.Of($"is no JSON form of collections.v1.Event: {problem}", value), hash: 0);
                    return;
                }
                wire = read;
                break;
            case Form.Unknown:
                string named = Encoding.UTF8.GetString(contentType[..Math.Min(contentType.Length, 64)]);
                Add(UndecodedRecord.Of($"has the content-type '{named}'; application/json and application/x-protobuf are understood", value), hash: 0);
                return;
        }
        if (stripped.Length < wire.Length)
            stripped = new byte[wire.Length];
        long saidMs = knownMs;
        int length = EventReader.StripDelivery(wire, stripped, ref saidMs, ref history);
        if (length >= 0 && EventReader.TryRead(stripped.AsSpan(0, length), saidMs, history, out Event e, out _))
        {
            knownMs = Math.Min(saidMs, nowMs);
            Add(stripped.AsSpan(0, length), DebtorKey.HashOf(e.Head.Tenant, e.Head.Debtor));
            return;
        }
        history = false;
        // The partition says what is wrong with it; only what could be taken for our own mark needs one.
        if (wire.Length > 0 && wire[0] == 0)
            Add(UndecodedRecord.Of("is no valid protobuf message of type collections.v1.Event", wire), hash: 0);
        else
            Add(wire, hash: 0);

        void Add(ReadOnlySpan<byte> content, ulong hash)
        {
            into.Add(partition, stream, hash, knownMs, history, content);
            into.SetOffset(into.Count - 1, offset);
        }
    }

    /// <summary>Whether a record with this header, or without one, is to be read as JSON.</summary>
    public static bool IsJson(ReadOnlySpan<byte> contentType) => FormOf(contentType) == Form.Json;

    private static Form FormOf(ReadOnlySpan<byte> contentType)
    {
        int end = contentType.IndexOf((byte)';');
        ReadOnlySpan<byte> type = (end < 0 ? contentType : contentType[..end]).Trim((byte)' ');
        if (type.IsEmpty || Ascii.EqualsIgnoreCase(type, "application/json"u8))
            return Form.Json;
        return Ascii.EqualsIgnoreCase(type, "application/x-protobuf"u8) || Ascii.EqualsIgnoreCase(type, "application/protobuf"u8)
            || Ascii.EqualsIgnoreCase(type, "application/vnd.google.protobuf"u8)
            ? Form.Protobuf
            : Form.Unknown;
    }

    private enum Form
    {
        Json,
        Protobuf,
        Unknown,
    }
}
