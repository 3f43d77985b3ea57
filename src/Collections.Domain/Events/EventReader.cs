namespace Collections.Domain.Events;

/// <summary>
/// Reads an event's envelope from <c>collections.v1.Event</c>'s wire form, and its content through the kind's own reader. What passes
/// <see cref="TryRead"/> and <see cref="BodyReader.Check"/> can be applied; everything else gets an <see cref="EventError"/> that names field and value.
/// </summary>
public static class EventReader
{
    public const int TenantMaxBytes = 64;
    public const int NameMaxBytes = 128;

    /// <summary>The tenant of an event that names none.</summary>
    public static ReadOnlySpan<byte> DefaultTenant => "default"u8;

    /// <summary>Fields that say how an event was delivered, not what happened; the log keeps them beside the content.</summary>
    private const int KnownField = 6;
    private const int HistoryField = 7;

    /// <summary>Reads the envelope.</summary>
    /// <param name="content">The event without delivery fields, as the log keeps it; with them it is read too, at the cost of a copy.</param>
    /// <param name="knownMs">When the log got it; taken where the event itself says nothing.</param>
    /// <param name="history">Whether the log marks it as imported history.</param>
    public static bool TryRead(ReadOnlySpan<byte> content, long knownMs, bool history, out Event e, out EventError error)
    {
        e = default;
        error = default;
        ReadOnlySpan<byte> tenant = DefaultTenant, debtor = default, id = default, body = default;
        EventKind kind = EventKind.None;
        Day day = Day.None;
        long effectiveMs = long.MinValue;
        bool delivered = false;
        var wire = new WireReader(content);
        while (wire.Next(out int field, out int type))
        {
            switch (field)
            {
                case 1 when type == WireReader.Bytes: tenant = wire.ReadBytes(); break;
                case 2 when type == WireReader.Bytes: debtor = wire.ReadBytes(); break;
                case 3 when type == WireReader.Bytes: id = wire.ReadBytes(); break;
                case 4 when type == WireReader.Bytes:
                    ReadOnlySpan<byte> date = wire.ReadBytes();
                    if (!Day.TryParse(date, out day))
                        return Fail(out error, "effective_date", "must be a date from 1970-01-02 to 2149-06-05 as YYYY-MM-DD", date);
                    effectiveMs = day.StartMs;
                    break;
                case 5 when type == WireReader.Bytes:
                    if (!TryTimestamp(wire.ReadBytes(), out effectiveMs))
                        return Fail(out error, "effective_at", "must be an instant from 1970-01-02 to 2149-06-05");
                    day = Day.OfMs(effectiveMs);
                    break;
                case KnownField when type == WireReader.Bytes:
                    if (!TryTimestamp(wire.ReadBytes(), out knownMs))
                        return Fail(out error, "known", "must be an instant from 1970-01-02 to 2149-06-05");
                    delivered = true;
                    break;
                case HistoryField when type == WireReader.Varint:
                    history = wire.ReadVarint() != 0;
                    delivered = true;
                    break;
                case >= 20 and < 160 when type == WireReader.Bytes:
                    if (!EventKinds.IsKnown(field))
                        return Fail(out error, "body", $"holds field {field}, a kind of event that this version does not apply; upgrade the engine or leave it out");
                    kind = (EventKind)field;
                    body = wire.ReadBytes();
                    break;
                default: wire.Skip(type); break;
            }
        }
        if (wire.Failed)
            return Fail(out error, "event", UndecodedRecord.TryRead(content, out string why, out _) ? why : "is no valid protobuf message of type collections.v1.Event");
        if (!CheckNames(tenant, debtor, id, kind, ref error)) return false;
        if (day.IsNone)
        {
            effectiveMs = knownMs;
            day = Day.OfMs(knownMs);
        }
        e = new Event(
            new EventHead
            {
                Kind = kind,
                Tenant = tenant,
                Debtor = debtor,
                Id = id,
                EffectiveMs = effectiveMs,
                Effective = day,
                KnownMs = knownMs,
                History = history,
                ContentHash = (uint)(delivered ? HashWithoutDelivery(content) : Hash64.Of(content)),
            },
            body);
        return true;
    }

    /// <summary>
    /// Copies an event without its delivery fields, as the log keeps it, and returns the length; the fields' values go out beside it. -1: it is no
    /// valid message, or a delivery field holds no valid value; <see cref="TryRead"/> says what is wrong.
    /// </summary>
    public static int StripDelivery(ReadOnlySpan<byte> whole, Span<byte> content, ref long knownMs, ref bool history)
    {
        int length = 0;
        var wire = new WireReader(whole);
        int start = 0;
        while (wire.Next(out int field, out int type))
        {
            if (field == KnownField && type == WireReader.Bytes)
            {
                if (!TryTimestamp(wire.ReadBytes(), out long ms))
                    return -1;
                knownMs = ms;
            }
            else if (field == HistoryField && type == WireReader.Varint)
            {
                history = wire.ReadVarint() != 0;
            }
            else
            {
                wire.Skip(type);
            }
            int end = whole.Length - wire.RestLength;
            if (field is not (KnownField or HistoryField))
            {
                whole[start..end].CopyTo(content[length..]);
                length += end - start;
            }
            start = end;
        }
        return wire.Failed ? -1 : length;
    }

    private static ulong HashWithoutDelivery(ReadOnlySpan<byte> whole)
    {
        byte[] copy = new byte[whole.Length];
        long known = 0;
        bool history = false;
        return Hash64.Of(copy.AsSpan(0, StripDelivery(whole, copy, ref known, ref history)));
    }

    private static bool CheckNames(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor, ReadOnlySpan<byte> id, EventKind kind, ref EventError error)
    {
        if (tenant.IsEmpty || tenant.Length > TenantMaxBytes || tenant.Contains((byte)'/') || !IsText(tenant))
            return Fail(out error, "tenant", $"must be 1 to {TenantMaxBytes} bytes of UTF-8 without '/' or control characters", tenant);
        if (kind == EventKind.None)
            return Fail(out error, "body", "is missing: an event says what happened");
        if (!CheckName(debtor, "debtor", required: kind != EventKind.ImportEnded, ref error))
            return false;
        return CheckName(id, "id", required: true, ref error);
    }

    internal static bool CheckName(ReadOnlySpan<byte> name, string field, bool required, ref EventError error)
    {
        if (name.IsEmpty && required)
            return Fail(out error, field, "is missing");
        if (name.Length > NameMaxBytes || !IsText(name))
            return Fail(out error, field, $"must be at most {NameMaxBytes} bytes of UTF-8 without control characters", name);
        return true;
    }

    internal static bool TryTimestamp(ReadOnlySpan<byte> message, out long unixMs)
    {
        long seconds = 0, nanos = 0;
        var wire = new WireReader(message);
        while (wire.Next(out int field, out int type))
        {
            if (field == 1 && type == WireReader.Varint)
                seconds = (long)wire.ReadVarint();
            else if (field == 2 && type == WireReader.Varint)
                nanos = (long)wire.ReadVarint();
            else
                wire.Skip(type);
        }
        unixMs = 0;
        if (wire.Failed || nanos is < 0 or > 999_999_999 || seconds < Day.Min.StartMs / 1000 || seconds >= Day.Max.EndMs / 1000)
            return false;
        unixMs = seconds * 1000 + nanos / 1_000_000;
        return true;
    }

    internal static bool Fail(out EventError error, string field, string problem, ReadOnlySpan<byte> value = default)
    {
        const int shown = 64;
        string text = value.IsEmpty ? "" : System.Text.Encoding.UTF8.GetString(value.Length > shown ? value[..shown] : value);
        error = new EventError(field, problem, value.Length > shown ? text + "…" : text);
        return false;
    }

    private static bool IsText(ReadOnlySpan<byte> bytes)
    {
        byte seen = 0;
        foreach (byte b in bytes)
        {
            if (b is < 0x20 or 0x7f)
                return false;
            seen |= b;
        }
        return seen < 0x80 || System.Text.Unicode.Utf8.IsValid(bytes);
    }
}
