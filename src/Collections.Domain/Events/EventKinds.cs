namespace Collections.Domain.Events;

/// <summary>The three streams of the log. The numbers are persisted.</summary>
public enum EventStream : byte
{
    Invoices = 0,
    Payments = 1,
    Activity = 2,
}

/// <summary>
/// What happened. The numbers are the field numbers of <c>collections.v1.Event</c>, so that the wire form needs no table; they are persisted.
/// </summary>
public enum EventKind : byte
{
    None = 0,
    ItemIssued = 20,
    ItemAdjusted = 21,
    ItemCancelled = 22,
    DueDateChanged = 23,
    PaymentReceived = 40,
    PaymentReversed = 41,
    PaymentFailed = 42,
    DebtorRegistered = 60,
    AttemptReported = 61,
    ContactReceived = 62,
    PromiseMade = 65,
    PromiseCancelled = 66,
    DisputeOpened = 71,
    DisputeResolved = 72,
    PreferencesChanged = 74,
    HoldPlaced = 79,
    HoldReleased = 80,
    ImportEnded = 84,
}

/// <summary>What an item is for; the order is the waterfall's: fees before interest before principal.</summary>
public enum Component : byte
{
    Fee = 0,
    Interest = 1,
    Principal = 2,
}

/// <summary>Numbers as in <c>collections.v1.Channel</c>; persisted.</summary>
public enum Channel : byte
{
    None = 0,
    Voice = 1,
    Sms = 2,
    Email = 3,
    Letter = 4,
    Portal = 5,
    Chatbot = 6,
    Field = 7,
}

/// <summary>Numbers as in <c>collections.v1.AttemptOutcome</c>; persisted.</summary>
public enum AttemptOutcome : byte
{
    None = 0,
    RightParty = 1,
    WrongParty = 2,
    NoAnswer = 3,
    Voicemail = 4,
    Busy = 5,
    OutOfService = 6,
    Delivered = 7,
    Bounced = 8,
    Unconfirmed = 9,
}

/// <summary>Numbers as in <c>collections.v1.ContactKind</c>; persisted.</summary>
public enum ContactKind : byte
{
    None = 0,
    Reply = 1,
    Click = 2,
    InboundCall = 3,
    OptOut = 4,
}

public static class EventKinds
{
    public const int StreamCount = 3;

    /// <summary>Whether a field of <c>collections.v1.Event</c> holds a kind that this version applies.</summary>
    public static bool IsKnown(int field) =>
        field is >= 20 and <= 23 or >= 40 and <= 42 or >= 60 and <= 62 or 65 or 66 or 71 or 72 or 74 or 79 or 80 or 84;

    public static EventStream StreamOf(EventKind kind) => (int)kind switch
    {
        < 40 => EventStream.Invoices,
        < 60 => EventStream.Payments,
        _ => EventStream.Activity,
    };
}
