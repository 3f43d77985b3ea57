using System.Buffers.Text;
using System.Globalization;
using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Demo.Portfolio;

/// <summary>
/// Writes the simulated events in wire form and hands them to the sink. An event's id is its debtor's name and a number of its own,
/// <c>D0000001-17</c>; a bill is named for its month.
/// </summary>
internal sealed class EventScribe
{
    private const string PortfolioName = "cards";

    private static readonly Currency Euro = Currency.Parse("EUR");
    private static readonly string[] Codes = [.. Enumerable.Range(0, 32).Select(i => i.ToString(CultureInfo.InvariantCulture))];
    private static readonly string[] TimeZones = ["Europe/Berlin", "Europe/Vienna", "Europe/Amsterdam", "Europe/Madrid"];
    private static readonly string[] Languages = ["de", "de-AT", "nl", "es"];

    private readonly EventWriter writer = new();
    private readonly byte[] name = new byte[DebtorNames.ByteCount];
    private readonly byte[] id = new byte[DebtorNames.ByteCount + 12];
    private readonly byte[] reference = new byte[DebtorNames.ByteCount + 12];
    private readonly byte[] item = new byte[BillingCalendar.MonthNameByteCount];
    private readonly (string Name, string Value)[] attributes = new (string, string)[3];
    private readonly (byte[] Item, long AmountMinor)[] oneAllocation = new (byte[], long)[1];
    private EventSink? sink;
    private int debtor;
    private long knownMs;

    /// <summary>Where the following events go.</summary>
    public void WriteTo(EventSink into) => sink = into;

    /// <summary>Whom the following events are about, and when they become known.</summary>
    public void About(int whom, long atMs)
    {
        debtor = whom;
        knownMs = atMs;
        DebtorNames.Format(whom, name);
        name.CopyTo(id, 0);
        name.CopyTo(reference, 0);
    }

    public void Registered(ref SimulatedDebtor s)
    {
        attributes[0] = ("customer_type", Codes[s.CustomerType]);
        attributes[1] = ("product", Codes[s.Product]);
        attributes[2] = ("region", Codes[s.Region]);
        Pass(EventKind.DebtorRegistered, writer.DebtorRegistered(OfToday(ref s), System.Text.Encoding.ASCII.GetBytes(PortfolioName), attributes, s.Preferred));
    }

    public void Issued(ref SimulatedDebtor s, int number, int amountMinor, Day due) =>
        Pass(EventKind.ItemIssued, writer.ItemIssued(OfToday(ref s), Item(s, number), Component.Principal, amountMinor, Euro, due));

    public void Credited(ref SimulatedDebtor s, int number, int amountMinor) =>
        Pass(EventKind.ItemAdjusted, writer.ItemAdjusted(OfToday(ref s), Item(s, number), -(long)amountMinor, Euro));

    /// <param name="forItem">The item that the payer names; −1: none.</param>
    public void Received(ref SimulatedDebtor s, int amountMinor, Day valueDay, int forItem)
    {
        EventAddress address = Of(ref s, valueDay, effectiveMs: 0);
        if (forItem < 0)
        {
            Pass(EventKind.PaymentReceived, writer.PaymentReceived(address, amountMinor, Euro));
            return;
        }
        Item(s, forItem);
        oneAllocation[0] = (item, amountMinor);
        Pass(EventKind.PaymentReceived, writer.PaymentReceived(address, amountMinor, Euro, oneAllocation));
    }

    public void Reversed(ref SimulatedDebtor s, int payment) =>
        Pass(EventKind.PaymentReversed, writer.PaymentReversed(OfToday(ref s), Reference(payment)));

    public void Failed(ref SimulatedDebtor s, int amountMinor) =>
        Pass(EventKind.PaymentFailed, writer.PaymentFailed(OfToday(ref s), amountMinor, Euro));

    public void Attempted(ref SimulatedDebtor s, Channel channel, AttemptOutcome outcome) =>
        Pass(EventKind.AttemptReported, writer.AttemptReported(OfNow(ref s), channel, outcome));

    public void Contacted(ref SimulatedDebtor s, Channel channel, ContactKind kind) =>
        Pass(EventKind.ContactReceived, writer.ContactReceived(OfNow(ref s), channel, kind));

    public void Promised(ref SimulatedDebtor s, int amountMinor, Day due) =>
        Pass(EventKind.PromiseMade, writer.PromiseMade(OfToday(ref s), amountMinor, Euro, due));

    /// <param name="amountMinor">The disputed part; 0: the whole item.</param>
    public void Disputed(ref SimulatedDebtor s, int number, int amountMinor) =>
        Pass(EventKind.DisputeOpened, writer.DisputeOpened(OfToday(ref s), Item(s, number), amountMinor));

    public void Resolved(ref SimulatedDebtor s, int dispute) =>
        Pass(EventKind.DisputeResolved, writer.DisputeResolved(OfToday(ref s), Reference(dispute)));

    public void Prefers(ref SimulatedDebtor s)
    {
        int country = s.Region % TimeZones.Length;
        Pass(EventKind.PreferencesChanged, writer.PreferencesChanged(OfToday(ref s), TimeZones[country], Languages[country], s.Preferred));
    }

    public void Held(ref SimulatedDebtor s, string reason, Day until) =>
        Pass(EventKind.HoldPlaced, writer.HoldPlaced(OfToday(ref s), reason, until));

    private void Pass(EventKind kind, ReadOnlySpan<byte> content)
    {
        var e = new SimulatedEvent
        {
            Stream = EventKinds.StreamOf(kind),
            Kind = kind,
            Debtor = debtor,
            DebtorName = name,
            KnownMs = knownMs,
            Content = content,
        };
        sink!(e);
    }

    private EventAddress OfToday(ref SimulatedDebtor s) => Of(ref s, Day.OfMs(knownMs), effectiveMs: 0);

    private EventAddress OfNow(ref SimulatedDebtor s) => Of(ref s, Day.None, knownMs);

    private EventAddress Of(ref SimulatedDebtor s, Day effective, long effectiveMs)
    {
        int idLength = FormatId(++s.Sequence, id);
        return new EventAddress { Debtor = name, Id = id.AsSpan(0, idLength), Effective = effective, EffectiveMs = effectiveMs };
    }

    private ReadOnlySpan<byte> Reference(int number) => reference.AsSpan(0, FormatId(number, reference));

    // The name is there already (see About).
    private static int FormatId(int number, byte[] into)
    {
        into[DebtorNames.ByteCount] = (byte)'-';
        Utf8Formatter.TryFormat(number, into.AsSpan(DebtorNames.ByteCount + 1), out int digits);
        return DebtorNames.ByteCount + 1 + digits;
    }

    private byte[] Item(in SimulatedDebtor s, int number)
    {
        BillingCalendar.FormatMonth(s.FirstMonth + number, item);
        return item;
    }
}
