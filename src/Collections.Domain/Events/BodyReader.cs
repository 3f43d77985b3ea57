namespace Collections.Domain.Events;

/// <summary>
/// Reads the body of each kind of event from its wire form. Every reader checks what the kind requires, so that the debtor never meets
/// a zero amount, an unknown currency or a missing name.
/// </summary>
public static class BodyReader
{
    /// <summary>An amount may be at most 10^15 minor units: with at most 4,000 items in a debtor's window their sum stays below 2^63.</summary>
    public const long AmountMaxMinor = 1_000_000_000_000_000;

    /// <summary>Checks an event's body without applying it, as the door of the engine does.</summary>
    public static bool Check(in Event e, out EventError error)
    {
        error = default;
        return e.Head.Kind switch
        {
            EventKind.ItemIssued => TryRead(e.Body, out ItemIssued _, ref error),
            EventKind.ItemAdjusted => TryRead(e.Body, out ItemAdjusted _, ref error),
            EventKind.ItemCancelled => TryRead(e.Body, out ItemCancelled _, ref error),
            EventKind.DueDateChanged => TryRead(e.Body, out DueDateChanged _, ref error),
            EventKind.PaymentReceived => TryRead(e.Body, out PaymentReceived _, ref error),
            EventKind.PaymentReversed => TryRead(e.Body, out PaymentReversed _, ref error),
            EventKind.PaymentFailed => TryRead(e.Body, out PaymentFailed _, ref error),
            EventKind.DebtorRegistered => TryRead(e.Body, out DebtorRegistered _, ref error),
            EventKind.AttemptReported => TryRead(e.Body, out AttemptReported _, ref error),
            EventKind.ContactReceived => TryRead(e.Body, out ContactReceived _, ref error),
            EventKind.PromiseMade => TryRead(e.Body, out PromiseMade _, ref error),
            EventKind.PromiseCancelled => TryRead(e.Body, out PromiseCancelled _, ref error),
            EventKind.DisputeOpened => TryRead(e.Body, out DisputeOpened _, ref error),
            EventKind.DisputeResolved => TryRead(e.Body, out DisputeResolved _, ref error),
            EventKind.PreferencesChanged => TryRead(e.Body, out PreferencesChanged _, ref error),
            EventKind.HoldPlaced => TryRead(e.Body, out HoldPlaced _, ref error),
            EventKind.HoldReleased => TryRead(e.Body, out HoldReleased _, ref error),
            EventKind.ImportEnded => true,
            _ => EventReader.Fail(out error, "body", "is of a kind that this version does not apply"),
        };
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out ItemIssued e, ref EventError error)
    {
        e = default;
        ReadOnlySpan<byte> item = default, account = default, money = default, due = default;
        ulong component = 0;
        var wire = new WireReader(body);
        while (wire.Next(out int field, out int type))
        {
            switch (field)
            {
                case 1 when type == WireReader.Bytes: item = wire.ReadBytes(); break;
                case 2 when type == WireReader.Bytes: account = wire.ReadBytes(); break;
                case 3 when type == WireReader.Varint: component = wire.ReadVarint(); break;
                case 4 when type == WireReader.Bytes: money = wire.ReadBytes(); break;
                case 5 when type == WireReader.Bytes: due = wire.ReadBytes(); break;
                default: wire.Skip(type); break;
            }
        }
        if (!Whole(wire, ref error) || !EventReader.CheckName(item, "item", required: true, ref error)
            || !EventReader.CheckName(account, "account", required: false, ref error)
            || !TryMoney(money, Sign.Positive, out long minor, out Currency currency, ref error) || !TryDate(due, "due_date", out Day dueDay, ref error))
            return false;
        if (component > 3)
            return EventReader.Fail(out error, "component", "must be PRINCIPAL, FEE or INTEREST");
        e = new ItemIssued
        {
            Item = item,
            Account = account,
            Component = component switch { 2 => Component.Fee, 3 => Component.Interest, _ => Component.Principal },
            AmountMinor = minor,
            Currency = currency,
            Due = dueDay,
        };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out ItemAdjusted e, ref EventError error)
    {
        e = default;
        ReadNameAndBytes(body, out ReadOnlySpan<byte> item, out ReadOnlySpan<byte> money, out WireReader wire);
        if (!Whole(wire, ref error) || !EventReader.CheckName(item, "item", required: true, ref error)
            || !TryMoney(money, Sign.NotZero, out long minor, out Currency currency, ref error))
            return false;
        e = new ItemAdjusted { Item = item, AmountMinor = minor, Currency = currency };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out ItemCancelled e, ref EventError error)
    {
        bool ok = TryName(body, "item", out ReadOnlySpan<byte> item, ref error);
        e = new ItemCancelled { Item = item };
        return ok;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out DueDateChanged e, ref EventError error)
    {
        e = default;
        ReadNameAndBytes(body, out ReadOnlySpan<byte> item, out ReadOnlySpan<byte> due, out WireReader wire);
        if (!Whole(wire, ref error) || !EventReader.CheckName(item, "item", required: true, ref error) || !TryDate(due, "due_date", out Day day, ref error))
            return false;
        e = new DueDateChanged { Item = item, Due = day };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out PaymentReceived e, ref EventError error)
    {
        e = default;
        ReadOnlySpan<byte> money = default;
        bool allocated = false;
        var wire = new WireReader(body);
        while (wire.Next(out int field, out int type))
        {
            if (field == 1 && type == WireReader.Bytes)
                money = wire.ReadBytes();
            else
            {
                allocated |= field == AllocationList.Field;
                wire.Skip(type);
            }
        }
        if (!Whole(wire, ref error) || !TryMoney(money, Sign.Positive, out long minor, out Currency currency, ref error))
            return false;
        if (allocated && !AllocationList.Check(body, minor, ref error))
            return false;
        e = new PaymentReceived { AmountMinor = minor, Currency = currency, Allocations = allocated ? new AllocationList(body) : default };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out PaymentReversed e, ref EventError error)
    {
        bool ok = TryName(body, "payment", out ReadOnlySpan<byte> payment, ref error);
        e = new PaymentReversed { Payment = payment };
        return ok;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out PaymentFailed e, ref EventError error)
    {
        e = default;
        ReadNameAndBytes(body, out ReadOnlySpan<byte> money, out _, out WireReader wire);
        if (!Whole(wire, ref error) || !TryMoney(money, Sign.Positive, out long minor, out Currency currency, ref error))
            return false;
        e = new PaymentFailed { AmountMinor = minor, Currency = currency };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out DebtorRegistered e, ref EventError error)
    {
        e = default;
        ReadOnlySpan<byte> portfolio = default, customerType = default, product = default, region = default;
        ulong channel = 0;
        var wire = new WireReader(body);
        while (wire.Next(out int field, out int type))
        {
            switch (field)
            {
                case 1 when type == WireReader.Bytes: portfolio = wire.ReadBytes(); break;
                case 3 when type == WireReader.Bytes:
                    ReadNameAndBytes(wire.ReadBytes(), out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out WireReader entry);
                    if (entry.Failed || !EventReader.CheckName(value, "attributes", required: false, ref error))
                        return entry.Failed ? EventReader.Fail(out error, "attributes", "is malformed") : false;
                    if (key.SequenceEqual("customer_type"u8)) customerType = value;
                    else if (key.SequenceEqual("product"u8)) product = value;
                    else if (key.SequenceEqual("region"u8)) region = value;
                    break;
                case 5 when type == WireReader.Varint: channel = wire.ReadVarint(); break;
                default: wire.Skip(type); break;
            }
        }
        if (!Whole(wire, ref error) || !EventReader.CheckName(portfolio, "portfolio", required: false, ref error)
            || !TryChannel(channel, "preferred_channel", required: false, ref error))
            return false;
        e = new DebtorRegistered
        {
            Portfolio = portfolio,
            CustomerType = customerType,
            Product = product,
            Region = region,
            PreferredChannel = (Channel)channel,
        };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out AttemptReported e, ref EventError error)
    {
        e = default;
        ulong channel = 0, outcome = 0;
        ReadOnlySpan<byte> lease = default;
        var wire = new WireReader(body);
        while (wire.Next(out int field, out int type))
        {
            switch (field)
            {
                case 1 when type == WireReader.Varint: channel = wire.ReadVarint(); break;
                case 2 when type == WireReader.Varint: outcome = wire.ReadVarint(); break;
                case 4 when type == WireReader.Bytes: lease = wire.ReadBytes(); break;
                default: wire.Skip(type); break;
            }
        }
        if (!Whole(wire, ref error) || !TryChannel(channel, "channel", required: true, ref error) || !EventReader.CheckName(lease, "lease", required: false, ref error))
            return false;
        if (outcome is 0 or > 9)
            return EventReader.Fail(out error, "outcome", "must be one of collections.v1.AttemptOutcome: RIGHT_PARTY (1) to UNCONFIRMED (9)", Number(outcome));
        e = new AttemptReported { Channel = (Channel)channel, Outcome = (AttemptOutcome)outcome, Lease = lease };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out ContactReceived e, ref EventError error)
    {
        e = default;
        ulong channel = 0, kind = 0;
        var wire = new WireReader(body);
        while (wire.Next(out int field, out int type))
        {
            switch (field)
            {
                case 1 when type == WireReader.Varint: channel = wire.ReadVarint(); break;
                case 2 when type == WireReader.Varint: kind = wire.ReadVarint(); break;
                default: wire.Skip(type); break;
            }
        }
        if (!Whole(wire, ref error) || !TryChannel(channel, "channel", required: true, ref error))
            return false;
        if (kind is 0 or > 4)
            return EventReader.Fail(out error, "kind", "must be one of collections.v1.ContactKind: REPLY (1) to OPT_OUT (4)", Number(kind));
        e = new ContactReceived { Channel = (Channel)channel, Kind = (ContactKind)kind };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out PromiseMade e, ref EventError error)
    {
        e = default;
        ReadNameAndBytes(body, out ReadOnlySpan<byte> money, out ReadOnlySpan<byte> due, out WireReader wire);
        if (!Whole(wire, ref error) || !TryMoney(money, Sign.Positive, out long minor, out Currency currency, ref error)
            || !TryDate(due, "due_date", out Day day, ref error))
            return false;
        e = new PromiseMade { AmountMinor = minor, Currency = currency, Due = day };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out PromiseCancelled e, ref EventError error)
    {
        bool ok = TryName(body, "promise", out ReadOnlySpan<byte> promise, ref error);
        e = new PromiseCancelled { Promise = promise };
        return ok;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out DisputeOpened e, ref EventError error)
    {
        e = default;
        ReadOnlySpan<byte> item = default;
        long minor = 0;
        var wire = new WireReader(body);
        while (wire.Next(out int field, out int type))
        {
            switch (field)
            {
                case 1 when type == WireReader.Bytes: item = wire.ReadBytes(); break;
                case 2 when type == WireReader.Varint: minor = (long)wire.ReadVarint(); break;
                default: wire.Skip(type); break;
            }
        }
        if (!Whole(wire, ref error) || !EventReader.CheckName(item, "item", required: false, ref error))
            return false;
        if (minor is < 0 or > AmountMaxMinor)
            return EventReader.Fail(out error, "minor_units", "must be 0 (the whole item) or the disputed part", Number((ulong)minor));
        e = new DisputeOpened { Item = item, AmountMinor = minor };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out DisputeResolved e, ref EventError error)
    {
        bool ok = TryName(body, "dispute", out ReadOnlySpan<byte> dispute, ref error);
        e = new DisputeResolved { Dispute = dispute };
        return ok;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out PreferencesChanged e, ref EventError error)
    {
        e = default;
        ulong channel = 0;
        ReadNameAndBytes(body, out ReadOnlySpan<byte> zone, out ReadOnlySpan<byte> language, out WireReader named);
        var wire = new WireReader(body);
        while (wire.Next(out int field, out int type))
        {
            if (field == 3 && type == WireReader.Varint)
                channel = wire.ReadVarint();
            else
                wire.Skip(type);
        }
        if (!Whole(named, ref error) || !EventReader.CheckName(zone, "time_zone", required: false, ref error)
            || !EventReader.CheckName(language, "language", required: false, ref error) || !TryChannel(channel, "channel", required: false, ref error))
            return false;
        e = new PreferencesChanged { TimeZone = zone, Language = language, Channel = (Channel)channel };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out HoldPlaced e, ref EventError error)
    {
        e = default;
        ReadNameAndBytes(body, out _, out ReadOnlySpan<byte> until, out WireReader wire);
        Day day = Day.None;
        if (!Whole(wire, ref error) || (!until.IsEmpty && !TryDate(until, "until_date", out day, ref error)))
            return false;
        e = new HoldPlaced { Until = day };
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> body, out HoldReleased e, ref EventError error)
    {
        bool ok = TryName(body, "hold", out ReadOnlySpan<byte> hold, ref error);
        e = new HoldReleased { Hold = hold };
        return ok;
    }

    private enum Sign
    {
        Positive,
        NotZero,
    }

    private static bool TryName(ReadOnlySpan<byte> body, string field, out ReadOnlySpan<byte> name, ref EventError error)
    {
        ReadNameAndBytes(body, out name, out _, out WireReader wire);
        return Whole(wire, ref error) && EventReader.CheckName(name, field, required: true, ref error);
    }

    /// <summary>Many bodies are two length-delimited fields, 1 and 2.</summary>
    private static void ReadNameAndBytes(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> first, out ReadOnlySpan<byte> second, out WireReader wire)
    {
        first = default;
        second = default;
        wire = new WireReader(body);
        while (wire.Next(out int field, out int type))
        {
            if (field == 1 && type == WireReader.Bytes)
                first = wire.ReadBytes();
            else if (field == 2 && type == WireReader.Bytes)
                second = wire.ReadBytes();
            else
                wire.Skip(type);
        }
    }

    private static bool TryMoney(ReadOnlySpan<byte> message, Sign sign, out long minor, out Currency currency, ref EventError error)
    {
        minor = 0;
        currency = Currency.None;
        ReadOnlySpan<byte> letters = default;
        var wire = new WireReader(message);
        while (wire.Next(out int field, out int type))
        {
            if (field == 1 && type == WireReader.Varint)
                minor = (long)wire.ReadVarint();
            else if (field == 2 && type == WireReader.Bytes)
                letters = wire.ReadBytes();
            else
                wire.Skip(type);
        }
        if (wire.Failed)
            return EventReader.Fail(out error, "amount", "is malformed");
        if (minor == 0 || (sign == Sign.Positive && minor < 0) || minor is < -AmountMaxMinor or > AmountMaxMinor)
        {
            string rule = sign == Sign.Positive ? "must be more than 0" : "must not be 0";
            return EventReader.Fail(out error, "amount.minor_units", $"{rule} and at most {AmountMaxMinor}", Number((ulong)minor));
        }
        if (!Currency.TryParse(letters, out currency))
            return EventReader.Fail(out error, "amount.currency", "must be an ISO 4217 code of three capital letters", letters);
        return true;
    }

    private static bool TryDate(ReadOnlySpan<byte> iso, string field, out Day day, ref EventError error) =>
        Day.TryParse(iso, out day) || EventReader.Fail(out error, field, "must be a date from 1970-01-02 to 2149-06-05 as YYYY-MM-DD", iso);

    private static bool TryChannel(ulong channel, string field, bool required, ref EventError error) =>
        channel <= 7 && (channel != 0 || !required)
        || EventReader.Fail(out error, field, "must be one of collections.v1.Channel: VOICE (1) to FIELD (7)", Number(channel));

    private static bool Whole(WireReader wire, ref EventError error) =>
        !wire.Failed || EventReader.Fail(out error, "body", "is malformed");

    private static ReadOnlySpan<byte> Number(ulong value) =>
        System.Text.Encoding.ASCII.GetBytes(((long)value).ToString(System.Globalization.CultureInfo.InvariantCulture));
}
