using System.Globalization;
using Collections.V1;
using Google.Protobuf.WellKnownTypes;

namespace Collections.Server.Tests.Services;

/// <summary>Events as a producer writes them, with the generated classes of the contract.</summary>
internal sealed class EventsOf(string tenant)
{
    public Event Registered(string debtor, string portfolio, Channel preferred = Channel.Unspecified, string id = "") =>
        On(debtor, id.Length > 0 ? id : $"{debtor}-registered", new DateOnly(2020, 1, 1), e => e.DebtorRegistered = new DebtorRegistered { Portfolio = portfolio, PreferredChannel = preferred });

    public Event Issued(string debtor, string item, long minor, DateOnly issued, DateOnly due, string currency = "EUR") =>
        On(debtor, $"{item}-issued", issued, e => e.ItemIssued = new ItemIssued { Item = item, Component = Component.Principal, Amount = Of(minor, currency), DueDate = Iso(due) });

    public Event Paid(string debtor, string id, long minor, DateOnly on, string currency = "EUR", params (string Item, long Minor)[] allocations) =>
        On(debtor, id, on, e =>
        {
            e.PaymentReceived = new PaymentReceived { Amount = Of(minor, currency) };
            e.PaymentReceived.Allocations.AddRange(allocations.Select(a => new Allocation { Item = a.Item, MinorUnits = a.Minor }));
        });

    public Event Promised(string debtor, string id, long minor, DateOnly on, DateOnly due) =>
        On(debtor, id, on, e => e.PromiseMade = new PromiseMade { Amount = Of(minor, "EUR"), DueDate = Iso(due) });

    public Event Disputed(string debtor, string id, string item, DateOnly on) => On(debtor, id, on, e => e.DisputeOpened = new DisputeOpened { Item = item });

    public Event Resolved(string debtor, string id, string dispute, DateOnly on) => On(debtor, id, on, e => e.DisputeResolved = new DisputeResolved { Dispute = dispute });

    public Event Held(string debtor, string id, DateOnly on) => On(debtor, id, on, e => e.HoldPlaced = new HoldPlaced { Reason = "test" });

    public Event Attempted(string debtor, string id, DateTimeOffset at, Channel channel, AttemptOutcome outcome) => new()
    {
        Tenant = tenant,
        Debtor = debtor,
        Id = id,
        EffectiveAt = Timestamp.FromDateTimeOffset(at),
        AttemptReported = new AttemptReported { Channel = channel, Outcome = outcome },
    };

    public static Money Of(long minor, string currency) => new() { MinorUnits = minor, Currency = currency };

    public static string Iso(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public Event On(string debtor, string id, DateOnly day, Action<Event> body)
    {
        var e = new Event { Tenant = tenant, Debtor = debtor, Id = id, EffectiveDate = Iso(day) };
        body(e);
        return e;
    }
}
