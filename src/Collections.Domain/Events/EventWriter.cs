namespace Collections.Domain.Events;

/// <summary>Whose event it is, its id, and when it is true: a day, or an instant where <see cref="EffectiveMs"/> is set.</summary>
public readonly ref struct EventAddress
{
    public ReadOnlySpan<byte> Tenant { get; init; }
    public required ReadOnlySpan<byte> Debtor { get; init; }
    public required ReadOnlySpan<byte> Id { get; init; }
    public Day Effective { get; init; }

    /// <summary>Unix milliseconds; 0: the event has a day only.</summary>
    public long EffectiveMs { get; init; }
}

/// <summary>
/// Writes events in the wire form of <c>collections.v1.Event</c>, without objects: what the engine itself, imports and simulations append.
/// One writer serves one thread; a span that it returned is valid until its next call.
/// </summary>
public sealed class EventWriter
{
    private readonly WireWriter body = new();
    private readonly WireWriter nested = new();
    private readonly WireWriter whole = new();

    public ReadOnlySpan<byte> ItemIssued(in EventAddress address, ReadOnlySpan<byte> item, Component component, long amountMinor, Currency currency, Day due, ReadOnlySpan<byte> account = default)
    {
        body.Clear();
        body.Bytes(1, item);
        body.BytesUnlessEmpty(2, account);
        body.Varint(3, component switch { Component.Fee => 2u, Component.Interest => 3u, _ => 1u });
        Money(4, amountMinor, currency);
        Date(body, 5, due);
        return Finish(address, EventKind.ItemIssued);
    }

    public ReadOnlySpan<byte> ItemAdjusted(in EventAddress address, ReadOnlySpan<byte> item, long amountMinor, Currency currency)
    {
        body.Clear();
        body.Bytes(1, item);
        Money(2, amountMinor, currency);
        return Finish(address, EventKind.ItemAdjusted);
    }

    public ReadOnlySpan<byte> ItemCancelled(in EventAddress address, ReadOnlySpan<byte> item) => OneName(address, EventKind.ItemCancelled, item);

    public ReadOnlySpan<byte> DueDateChanged(in EventAddress address, ReadOnlySpan<byte> item, Day due)
    {
        body.Clear();
        body.Bytes(1, item);
        Date(body, 2, due);
        return Finish(address, EventKind.DueDateChanged);
    }

    public ReadOnlySpan<byte> PaymentReceived(in EventAddress address, long amountMinor, Currency currency) =>
        PaymentReceived(address, amountMinor, currency, []);

    /// <param name="allocations">Item and minor units, in the payer's order.</param>
    public ReadOnlySpan<byte> PaymentReceived(in EventAddress address, long amountMinor, Currency currency, ReadOnlySpan<(byte[] Item, long AmountMinor)> allocations)
    {
        body.Clear();
        Money(1, amountMinor, currency);
        foreach ((byte[] item, long minor) in allocations)
        {
            nested.Clear();
            nested.Bytes(1, item);
            nested.Varint(2, (ulong)minor);
            body.Bytes(2, nested.Written);
        }
        return Finish(address, EventKind.PaymentReceived);
    }

    public ReadOnlySpan<byte> PaymentReversed(in EventAddress address, ReadOnlySpan<byte> payment) => OneName(address, EventKind.PaymentReversed, payment);

    public ReadOnlySpan<byte> PaymentFailed(in EventAddress address, long amountMinor, Currency currency)
    {
        body.Clear();
        Money(1, amountMinor, currency);
        return Finish(address, EventKind.PaymentFailed);
    }

    /// <param name="attributes">customer_type, product, region; empty values are left out.</param>
    public ReadOnlySpan<byte> DebtorRegistered(in EventAddress address, ReadOnlySpan<byte> portfolio, ReadOnlySpan<(string Name, string Value)> attributes, Channel preferred = Channel.None)
    {
        body.Clear();
        body.BytesUnlessEmpty(1, portfolio);
        foreach ((string name, string value) in attributes)
        {
            nested.Clear();
            nested.Text(1, name);
            nested.Text(2, value);
            body.Bytes(3, nested.Written);
        }
        if (preferred != Channel.None)
            body.Varint(5, (ulong)preferred);
        return Finish(address, EventKind.DebtorRegistered);
    }

    public ReadOnlySpan<byte> AttemptReported(in EventAddress address, Channel channel, AttemptOutcome outcome, ReadOnlySpan<byte> lease = default)
    {
        body.Clear();
        body.Varint(1, (ulong)channel);
        body.Varint(2, (ulong)outcome);
        body.BytesUnlessEmpty(4, lease);
        return Finish(address, EventKind.AttemptReported);
    }

    public ReadOnlySpan<byte> ContactReceived(in EventAddress address, Channel channel, ContactKind kind)
    {
        body.Clear();
        body.Varint(1, (ulong)channel);
        body.Varint(2, (ulong)kind);
        return Finish(address, EventKind.ContactReceived);
    }

    public ReadOnlySpan<byte> PromiseMade(in EventAddress address, long amountMinor, Currency currency, Day due)
    {
        body.Clear();
        Money(1, amountMinor, currency);
        Date(body, 2, due);
        return Finish(address, EventKind.PromiseMade);
    }

    public ReadOnlySpan<byte> PromiseCancelled(in EventAddress address, ReadOnlySpan<byte> promise) => OneName(address, EventKind.PromiseCancelled, promise);

    /// <param name="amountMinor">The disputed part; 0: the whole item.</param>
    public ReadOnlySpan<byte> DisputeOpened(in EventAddress address, ReadOnlySpan<byte> item, long amountMinor)
    {
        body.Clear();
        body.BytesUnlessEmpty(1, item);
        if (amountMinor != 0)
            body.Varint(2, (ulong)amountMinor);
        return Finish(address, EventKind.DisputeOpened);
    }

    public ReadOnlySpan<byte> DisputeResolved(in EventAddress address, ReadOnlySpan<byte> dispute) => OneName(address, EventKind.DisputeResolved, dispute);

    public ReadOnlySpan<byte> PreferencesChanged(in EventAddress address, string timeZone, string language, Channel channel)
    {
        body.Clear();
        if (timeZone.Length > 0)
            body.Text(1, timeZone);
        if (language.Length > 0)
            body.Text(2, language);
        if (channel != Channel.None)
            body.Varint(3, (ulong)channel);
        return Finish(address, EventKind.PreferencesChanged);
    }

    /// <param name="until">The last day of the hold; none: until it is released.</param>
    public ReadOnlySpan<byte> HoldPlaced(in EventAddress address, string reason, Day until)
    {
        body.Clear();
        if (reason.Length > 0)
            body.Text(1, reason);
        if (!until.IsNone)
            Date(body, 2, until);
        return Finish(address, EventKind.HoldPlaced);
    }

    public ReadOnlySpan<byte> HoldReleased(in EventAddress address, ReadOnlySpan<byte> hold) => OneName(address, EventKind.HoldReleased, hold);

    public ReadOnlySpan<byte> ImportEnded(in EventAddress address)
    {
        body.Clear();
        return Finish(address, EventKind.ImportEnded);
    }

    private ReadOnlySpan<byte> OneName(in EventAddress address, EventKind kind, ReadOnlySpan<byte> name)
    {
        body.Clear();
        body.Bytes(1, name);
        return Finish(address, kind);
    }

    private void Money(int field, long amountMinor, Currency currency)
    {
        Span<byte> letters = stackalloc byte[3];
        currency.Format(letters);
        nested.Clear();
        nested.Varint(1, (ulong)amountMinor);
        nested.Bytes(2, letters);
        body.Bytes(field, nested.Written);
    }

    private ReadOnlySpan<byte> Finish(in EventAddress address, EventKind kind)
    {
        whole.Clear();
        whole.BytesUnlessEmpty(1, address.Tenant);
        whole.BytesUnlessEmpty(2, address.Debtor);
        whole.Bytes(3, address.Id);
        if (address.EffectiveMs != 0)
        {
            long seconds = Math.DivRem(address.EffectiveMs, 1000, out long ms);
            nested.Clear();
            nested.Varint(1, (ulong)seconds);
            if (ms != 0)
                nested.Varint(2, (ulong)ms * 1_000_000);
            whole.Bytes(5, nested.Written);
        }
        else if (!address.Effective.IsNone)
        {
            Date(whole, 4, address.Effective);
        }
        whole.Bytes((int)kind, body.Written);
        return whole.Written;
    }

    private static void Date(WireWriter into, int field, Day day)
    {
        Span<byte> iso = stackalloc byte[10];
        day.Format(iso);
        into.Bytes(field, iso);
    }
}
