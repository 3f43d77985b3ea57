using Collections.Domain.Events;

namespace Collections.Server.Import;

/// <summary>
/// What a mapping can say of an event. The order is the order of reading: an amount needs its currency, allocations the payment's amount.
/// The names in the file are these in lower case with underscores.
/// </summary>
internal enum EventField
{
    Tenant,
    Debtor,
    Id,
    EffectiveDate,
    EffectiveAt,
    KnownDate,
    KnownAt,
    Currency,
    Amount,
    Item,
    Account,
    Component,
    Due,
    Settles,
    Allocations,
    Payment,
    Portfolio,
    CustomerType,
    Product,
    Region,
    PreferredChannel,
    Channel,
    Outcome,
    Contact,
    Promise,
    Dispute,
    TimeZone,
    Language,
    Reason,
    Until,
    Hold,
}

internal enum FieldType
{
    Name,
    Date,
    Instant,
    Currency,
    PositiveAmount,
    SignedAmount,
    Allocations,
    Component,
    Channel,
    Outcome,
    Contact,
}

internal readonly record struct FieldRule(EventField Field, FieldType Type, bool Required);

/// <summary>Which fields each kind of event takes: one table, from which mappings are checked, rows are read and the manual is written.</summary>
internal static class EventFields
{
    public const int FieldCount = (int)EventField.Hold + 1;

    private static readonly FieldRule[] Common =
    [
        Optional(EventField.Tenant), Required(EventField.Debtor), Required(EventField.Id),
        Optional(EventField.EffectiveDate, FieldType.Date), Optional(EventField.EffectiveAt, FieldType.Instant),
        Optional(EventField.KnownDate, FieldType.Date), Optional(EventField.KnownAt, FieldType.Instant),
    ];

    private static readonly FieldRule RequiredCurrency = Required(EventField.Currency, FieldType.Currency);
    private static readonly FieldRule PositiveAmount = Required(EventField.Amount, FieldType.PositiveAmount);

    private static readonly Dictionary<EventKind, FieldRule[]> Kinds = new()
    {
        [EventKind.ItemIssued] =
        [
            Required(EventField.Item), RequiredCurrency, PositiveAmount, Required(EventField.Due, FieldType.Date), Optional(EventField.Account),
            Optional(EventField.Component, FieldType.Component),
        ],
        [EventKind.ItemAdjusted] = [Required(EventField.Item), RequiredCurrency, Required(EventField.Amount, FieldType.SignedAmount)],
        [EventKind.ItemCancelled] = [Required(EventField.Item)],
        [EventKind.DueDateChanged] = [Required(EventField.Item), Required(EventField.Due, FieldType.Date)],
        [EventKind.PaymentReceived] =
            [RequiredCurrency, PositiveAmount, Optional(EventField.Settles), Optional(EventField.Allocations, FieldType.Allocations)],
        [EventKind.PaymentReversed] = [Required(EventField.Payment)],
        [EventKind.PaymentFailed] = [RequiredCurrency, PositiveAmount],
        [EventKind.DebtorRegistered] =
        [
            Optional(EventField.Portfolio), Optional(EventField.CustomerType), Optional(EventField.Product), Optional(EventField.Region),
            Optional(EventField.PreferredChannel, FieldType.Channel),
        ],
        [EventKind.AttemptReported] = [Required(EventField.Channel, FieldType.Channel), Required(EventField.Outcome, FieldType.Outcome)],
        [EventKind.ContactReceived] = [Required(EventField.Channel, FieldType.Channel), Required(EventField.Contact, FieldType.Contact)],
        [EventKind.PromiseMade] = [RequiredCurrency, PositiveAmount, Required(EventField.Due, FieldType.Date)],
        [EventKind.PromiseCancelled] = [Required(EventField.Promise)],
        [EventKind.DisputeOpened] =
            [Optional(EventField.Item), Optional(EventField.Currency, FieldType.Currency), Optional(EventField.Amount, FieldType.PositiveAmount)],
        [EventKind.DisputeResolved] = [Required(EventField.Dispute)],
        [EventKind.PreferencesChanged] =
            [Optional(EventField.TimeZone), Optional(EventField.Language), Optional(EventField.Channel, FieldType.Channel)],
        [EventKind.HoldPlaced] = [Optional(EventField.Reason), Optional(EventField.Until, FieldType.Date)],
        [EventKind.HoldReleased] = [Required(EventField.Hold)],
    };

    private static readonly Dictionary<string, EventField> ByName = Enum.GetValues<EventField>().ToDictionary(NameOf);

    public static IEnumerable<string> KindNames => Kinds.Keys.Select(k => k.ToString());

    public static bool TryKind(string name, out EventKind kind) => Enum.TryParse(name, out kind) && Kinds.ContainsKey(kind) && kind.ToString() == name;

    public static bool TryField(string name, out EventField field) => ByName.TryGetValue(name, out field);

    /// <summary>All fields of a kind, those of every event first.</summary>
    public static FieldRule[] Of(EventKind kind) => [.. Common, .. Kinds[kind]];

    public static string NameOf(EventField field) =>
        FieldWords.Snake(field.ToString());

    private static FieldRule Required(EventField field, FieldType type = FieldType.Name) => new(field, type, true);

    private static FieldRule Optional(EventField field, FieldType type = FieldType.Name) => new(field, type, false);
}

internal static class FieldTypes
{
    /// <summary>Whether the value is a word or a name, as against a date or a number.</summary>
    public static bool TakesWords(this FieldType type) =>
        type is FieldType.Name or FieldType.Currency or FieldType.Component or FieldType.Channel or FieldType.Outcome or FieldType.Contact;
}

/// <summary>The words of the fields that take one of a few, as the file and the mapping write them.</summary>
internal static class FieldWords
{
    private static readonly Dictionary<FieldType, Dictionary<string, int>> Words = new()
    {
        [FieldType.Component] = WordsOf<Component>(_ => true),
        [FieldType.Channel] = WordsOf<Channel>(w => w != Channel.None),
        [FieldType.Outcome] = WordsOf<AttemptOutcome>(w => w != AttemptOutcome.None),
        [FieldType.Contact] = WordsOf<ContactKind>(w => w != ContactKind.None),
    };

    /// <summary>The words of a type; none for a type that takes anything.</summary>
    public static IReadOnlyCollection<string> Of(FieldType type) => Words.TryGetValue(type, out var words) ? words.Keys : [];

    /// <summary>Capitals or not, with underscores, hyphens or blanks: "No answer" is no_answer.</summary>
    public static bool TryRead(FieldType type, string text, out int number) =>
        Words[type].TryGetValue(text.ToLowerInvariant().Replace(' ', '_').Replace('-', '_'), out number);

    /// <summary>RightParty → right_party.</summary>
    public static string Snake(string name) =>
        string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));

    private static Dictionary<string, int> WordsOf<T>(Func<T, bool> taken)
        where T : struct, Enum =>
        Enum.GetValues<T>().Where(taken).ToDictionary(
            w => Snake(w.ToString()),
            w => Convert.ToInt32(w, System.Globalization.CultureInfo.InvariantCulture));
}
