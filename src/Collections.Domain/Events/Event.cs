namespace Collections.Domain.Events;

/// <summary>What every event carries, read from its wire form; the spans point into the record.</summary>
public readonly ref struct EventHead
{
    public required EventKind Kind { get; init; }
    public required ReadOnlySpan<byte> Tenant { get; init; }
    public required ReadOnlySpan<byte> Debtor { get; init; }
    public required ReadOnlySpan<byte> Id { get; init; }

    /// <summary>When it is true, in Unix milliseconds; the start of the day in UTC for an event that has a date only.</summary>
    public required long EffectiveMs { get; init; }

    /// <summary>The day on which it is true.</summary>
    public required Day Effective { get; init; }

    /// <summary>When the engine got to know it, in Unix milliseconds.</summary>
    public required long KnownMs { get; init; }

    /// <summary>Over the whole content except <c>known</c>: two deliveries of one event agree in it.</summary>
    public required uint ContentHash { get; init; }

    /// <summary>Part of a bulk import of history: quiet until ImportEnded.</summary>
    public required bool History { get; init; }

    public EventStream Stream => EventKinds.StreamOf(Kind);

    public uint IdHash => (uint)(Hash64.Of(Id, (ulong)Stream + 1) >> 32);
}

/// <summary>An event as read from the log: its head, and its body still in wire form until the kind's own reader takes it.</summary>
public readonly ref struct Event(EventHead head, ReadOnlySpan<byte> body)
{
    public readonly EventHead Head = head;
    public readonly ReadOnlySpan<byte> Body = body;
}

/// <summary>Why something can't be taken as an event: the field, what is wrong with it, and the value seen.</summary>
public readonly record struct EventError(string Field, string Problem, string Value = "")
{
    public override string ToString() => string.IsNullOrEmpty(Value) ? $"{Field}: {Problem}" : $"{Field}: {Problem}, but is '{Value}'";
}

public readonly ref struct ItemIssued
{
    public required ReadOnlySpan<byte> Item { get; init; }
    public required ReadOnlySpan<byte> Account { get; init; }
    public required Component Component { get; init; }
    public required long AmountMinor { get; init; }
    public required Currency Currency { get; init; }
    public required Day Due { get; init; }
}

public readonly ref struct ItemAdjusted
{
    public required ReadOnlySpan<byte> Item { get; init; }

    /// <summary>Negative: a credit note, a write-off; positive: a correction upwards. Never 0.</summary>
    public required long AmountMinor { get; init; }
    public required Currency Currency { get; init; }
}

public readonly ref struct ItemCancelled
{
    public required ReadOnlySpan<byte> Item { get; init; }
}

public readonly ref struct DueDateChanged
{
    public required ReadOnlySpan<byte> Item { get; init; }
    public required Day Due { get; init; }
}

public readonly ref struct PaymentReceived
{
    public required long AmountMinor { get; init; }
    public required Currency Currency { get; init; }

    /// <summary>The explicit allocations, in the order given; checked when the event was read.</summary>
    public required AllocationList Allocations { get; init; }
}

public readonly ref struct PaymentReversed
{
    public required ReadOnlySpan<byte> Payment { get; init; }
}

public readonly ref struct PaymentFailed
{
    public required long AmountMinor { get; init; }
    public required Currency Currency { get; init; }
}

public readonly ref struct DebtorRegistered
{
    public required ReadOnlySpan<byte> Portfolio { get; init; }
    public required ReadOnlySpan<byte> CustomerType { get; init; }
    public required ReadOnlySpan<byte> Product { get; init; }
    public required ReadOnlySpan<byte> Region { get; init; }
    public required Channel PreferredChannel { get; init; }
}

public readonly ref struct AttemptReported
{
    public required Channel Channel { get; init; }
    public required AttemptOutcome Outcome { get; init; }
    public required ReadOnlySpan<byte> Lease { get; init; }
}

public readonly ref struct ContactReceived
{
    public required Channel Channel { get; init; }
    public required ContactKind Kind { get; init; }
}

public readonly ref struct PromiseMade
{
    public required long AmountMinor { get; init; }
    public required Currency Currency { get; init; }
    public required Day Due { get; init; }
}

public readonly ref struct PromiseCancelled
{
    public required ReadOnlySpan<byte> Promise { get; init; }
}

public readonly ref struct DisputeOpened
{
    /// <summary>Empty: the whole debt.</summary>
    public required ReadOnlySpan<byte> Item { get; init; }

    /// <summary>The disputed part; 0: the whole item.</summary>
    public required long AmountMinor { get; init; }
}

public readonly ref struct DisputeResolved
{
    public required ReadOnlySpan<byte> Dispute { get; init; }
}

public readonly ref struct PreferencesChanged
{
    public required ReadOnlySpan<byte> TimeZone { get; init; }
    public required ReadOnlySpan<byte> Language { get; init; }

    /// <summary><see cref="Channel.None"/>: stays as it is.</summary>
    public required Channel Channel { get; init; }
}

public readonly ref struct HoldPlaced
{
    /// <summary>The last day of the hold; none: until it is released.</summary>
    public required Day Until { get; init; }
}

public readonly ref struct HoldReleased
{
    public required ReadOnlySpan<byte> Hold { get; init; }
}
