using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Import;

/// <summary>The values of one event, read from a row and not yet written; one object is used again for every event.</summary>
internal sealed class EventValues
{
    private readonly byte[]?[] names = new byte[]?[EventFields.FieldCount];
    private readonly int[] words = new int[EventFields.FieldCount];
    private readonly Day[] days = new Day[EventFields.FieldCount];
    private readonly List<(FieldMapping Field, Day Day)> notedDays = [];

    public EventKind Kind { get; private set; }

    public Currency Currency { get; set; }

    public long AmountMinor { get; set; }

    /// <summary>Unix milliseconds; 0: the event has a date only.</summary>
    public long EffectiveMs { get; set; }

    /// <summary>Unix milliseconds; 0: the mapping does not say.</summary>
    public long KnownMs { get; set; }

    /// <summary>Where the amount came from; null when the event has none.</summary>
    public FieldMapping? AmountField { get; set; }

    public List<(byte[] Item, long AmountMinor)> Allocations { get; } = [];

    public byte[] Tenant => Name(EventField.Tenant);

    public byte[] Debtor => Name(EventField.Debtor);

    public byte[] Id => Name(EventField.Id);

    public byte[] Item => Name(EventField.Item);

    public byte[] Settles => Name(EventField.Settles);

    /// <summary>Every date that was read, to be looked at once the row counts as good.</summary>
    public IReadOnlyList<(FieldMapping Field, Day Day)> NotedDays => notedDays;

    public void Clear(EventKind kind)
    {
        Kind = kind;
        Currency = Currency.None;
        AmountMinor = EffectiveMs = KnownMs = 0;
        AmountField = null;
        Allocations.Clear();
        notedDays.Clear();
        Array.Clear(names);
        Array.Clear(words);
        Array.Clear(days);
        // An item that is of no named component is principal.
        words[(int)EventField.Component] = (int)Component.Principal;
    }

    public void SetName(EventField field, byte[] name) => names[(int)field] = name;

    public void SetWord(EventField field, int number) => words[(int)field] = number;

    public void SetDay(EventField field, Day day) => days[(int)field] = day;

    public void NoteDay(FieldMapping field, Day day) => notedDays.Add((field, day));

    public EventAddress Address =>
        new() { Tenant = Tenant, Debtor = Debtor, Id = Id, Effective = days[(int)EventField.EffectiveDate], EffectiveMs = EffectiveMs };

    /// <summary>Writes the event; the span is valid until the writer's next call.</summary>
    /// <param name="at">This object's <see cref="Address"/>, kept by the caller because the span may refer to it.</param>
    public ReadOnlySpan<byte> Write(EventWriter writer, in EventAddress at)
    {
        return Kind switch
        {
            EventKind.ItemIssued => writer.ItemIssued(at, Item, (Component)words[(int)EventField.Component], AmountMinor, Currency, days[(int)EventField.Due], Name(EventField.Account)),
            EventKind.ItemAdjusted => writer.ItemAdjusted(at, Item, AmountMinor, Currency),
            EventKind.ItemCancelled => writer.ItemCancelled(at, Item),
            EventKind.DueDateChanged => writer.DueDateChanged(at, Item, days[(int)EventField.Due]),
            EventKind.PaymentReceived => writer.PaymentReceived(at, AmountMinor, Currency, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(Allocations)),
            EventKind.PaymentReversed => writer.PaymentReversed(at, Name(EventField.Payment)),
            EventKind.PaymentFailed => writer.PaymentFailed(at, AmountMinor, Currency),
            EventKind.DebtorRegistered => writer.DebtorRegistered(at, Name(EventField.Portfolio), Attributes(), (Channel)words[(int)EventField.PreferredChannel]),
            EventKind.AttemptReported => writer.AttemptReported(at, (Channel)words[(int)EventField.Channel], (AttemptOutcome)words[(int)EventField.Outcome]),
            EventKind.ContactReceived => writer.ContactReceived(at, (Channel)words[(int)EventField.Channel], (ContactKind)words[(int)EventField.Contact]),
            EventKind.PromiseMade => writer.PromiseMade(at, AmountMinor, Currency, days[(int)EventField.Due]),
            EventKind.PromiseCancelled => writer.PromiseCancelled(at, Name(EventField.Promise)),
            EventKind.DisputeOpened => writer.DisputeOpened(at, Item, AmountMinor),
            EventKind.DisputeResolved => writer.DisputeResolved(at, Name(EventField.Dispute)),
            EventKind.PreferencesChanged => writer.PreferencesChanged(at, Text(EventField.TimeZone), Text(EventField.Language), (Channel)words[(int)EventField.Channel]),
            EventKind.HoldPlaced => writer.HoldPlaced(at, Text(EventField.Reason), days[(int)EventField.Until]),
            EventKind.HoldReleased => writer.HoldReleased(at, Name(EventField.Hold)),
            _ => throw new InvalidOperationException($"a mapping can't say {Kind}; EventFields lists the kinds that it can"),
        };
    }

    private byte[] Name(EventField field) => names[(int)field] ?? [];

    private string Text(EventField field) => System.Text.Encoding.UTF8.GetString(Name(field));

    private (string Name, string Value)[] Attributes()
    {
        var attributes = new List<(string, string)>();
        foreach (EventField field in (ReadOnlySpan<EventField>)[EventField.CustomerType, EventField.Product, EventField.Region])
        {
            if (names[(int)field] != null)
                attributes.Add((EventFields.NameOf(field), Text(field)));
        }
        return [.. attributes];
    }
}
