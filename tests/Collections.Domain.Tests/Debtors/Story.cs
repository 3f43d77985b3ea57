using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;

namespace Collections.Domain.Tests.Debtors;

/// <summary>
/// One debtor told in short lines, for tests that a collections analyst can read. Days are "MM-DD" of 2024, amounts are minor units of EUR
/// unless said otherwise, and each event is known on the day it is true.
/// </summary>
internal sealed class Story : IDisposable
{
    private const string Debtor = "debtor";
    private readonly EventWriter writer = new();
    private readonly DebtorDriver driver;
    private int events;

    public Story(DebtorOptions? options = null) => driver = new DebtorDriver(options);

    public List<Delivery> Deliveries { get; } = [];

    public int Rebuilds => driver.Rebuilds;

    public static Day On(string date) =>
        Day.TryParse(date.Length == 5 ? "2024-" + date : date, out Day day) ? day : throw new FormatException(date);

    public void Dispose() => driver.Dispose();

    public Story Owed(string day, string item, long amount, string due, Component component = Component.Principal, string currency = "EUR", string? id = null) =>
        Add(day, writer.ItemIssued(At(day, id ?? item), Utf8(item), component, amount, Currency.Parse(currency), On(due)));

    public Story Paid(string day, string id, long amount, string currency = "EUR", params (string Item, long Amount)[] allocations) =>
        Add(day, writer.PaymentReceived(At(day, id), amount, Currency.Parse(currency), [.. allocations.Select(static a => (Utf8(a.Item), a.Amount))]));

    public Story Reversed(string day, string payment) => Add(day, writer.PaymentReversed(At(day, "reversal of " + payment), Utf8(payment)));

    public Story Failed(string day, long amount) => Add(day, writer.PaymentFailed(At(day), amount, Currency.Parse("EUR")));

    public Story Adjusted(string day, string item, long amount, string currency = "EUR") =>
        Add(day, writer.ItemAdjusted(At(day), Utf8(item), amount, Currency.Parse(currency)));

    public Story Cancelled(string day, string item) => Add(day, writer.ItemCancelled(At(day), Utf8(item)));

    public Story Redated(string day, string item, string due) => Add(day, writer.DueDateChanged(At(day), Utf8(item), On(due)));

    public Story Promised(string day, string id, long amount, string due) => Add(day, writer.PromiseMade(At(day, id), amount, Currency.Parse("EUR"), On(due)));

    public Story PromiseCancelled(string day, string promise) => Add(day, writer.PromiseCancelled(At(day), Utf8(promise)));

    public Story Disputed(string day, string id, string item, long amount = 0) => Add(day, writer.DisputeOpened(At(day, id), Utf8(item), amount));

    public Story Resolved(string day, string dispute) => Add(day, writer.DisputeResolved(At(day), Utf8(dispute)));

    public Story Held(string day, string id, string until = "") => Add(day, writer.HoldPlaced(At(day, id), "", until.Length == 0 ? Day.None : On(until)));

    public Story Released(string day, string hold) => Add(day, writer.HoldReleased(At(day), Utf8(hold)));

    public Story Registered(string day, string portfolio, string id, params (string, string)[] attributes) =>
        Add(day, writer.DebtorRegistered(At(day, id), Utf8(portfolio), attributes));

    public Story Prefers(string day, string zone, string language, Channel channel) => Add(day, writer.PreferencesChanged(At(day), zone, language, channel));

    public Story Attempt(string day, string id, long msOfDay, Channel channel, AttemptOutcome outcome) =>
        Add(day, writer.AttemptReported(Instant(day, id, msOfDay), channel, outcome));

    public Story Contact(string day, string id, long msOfDay, Channel channel, ContactKind kind) =>
        Add(day, writer.ContactReceived(Instant(day, id, msOfDay), channel, kind));

    /// <summary>Gives the debtor what was told so far, in the order told, at the end of each day; and moves it on to the day asked for.</summary>
    public Debtor AsOf(string day) => Feed(Deliveries, On(day));

    /// <summary>The same events, delivered in another order, all at once.</summary>
    public Debtor Shuffled(int seed, string day)
    {
        Delivery[] order = [.. Deliveries];
        new Random(seed).Shuffle(order);
        return Feed(order, On(day));
    }

    public double Feature(string name, string day)
    {
        AsOf(day);
        return driver.Features(Debtor, Domain.Debtors.AsOf.EndOf(On(day)))[FeatureCatalogue.IndexOf(name)];
    }

    /// <summary>Open amounts by item, "item=open …", and credit.</summary>
    public string Ledger(string day)
    {
        Debtor debtor = AsOf(day);
        var lines = new List<string>();
        foreach (ItemView item in debtor.Items(Domain.Debtors.AsOf.EndOf(On(day))))
        {
            if (item.OpenMinor > 0)
                lines.Add($"{Encoding.UTF8.GetString(item.Name)}={item.OpenMinor}");
        }
        lines.Sort(StringComparer.Ordinal);
        for (int i = 0; i < debtor.CurrencyCount; i++)
        {
            if (debtor.UnappliedMinor(i) > 0)
                lines.Add($"credit={debtor.UnappliedMinor(i)}");
        }
        Assert.True(debtor.LedgerBalances());
        return string.Join(' ', lines);
    }

    private int fed;

    private Debtor Feed(IReadOnlyList<Delivery> order, Day day)
    {
        var asOf = Domain.Debtors.AsOf.EndOf(day);
        for (; fed < order.Count; fed++)
            driver.Deliver(order[fed], asOf);
        Debtor debtor = driver.Open(Debtor);
        debtor.Advance(asOf);
        return debtor;
    }

    private EventAddress At(string day, string? id = null) => new() { Debtor = Utf8(Debtor), Id = Utf8(id ?? $"event {events:D4}"), Effective = On(day) };

    private static EventAddress Instant(string day, string id, long msOfDay) => new() { Debtor = Utf8(Debtor), Id = Utf8(id), EffectiveMs = On(day).StartMs + msOfDay };

    private Story Add(string day, ReadOnlySpan<byte> content)
    {
        events++;
        Deliveries.Add(new Delivery(Debtor, content.ToArray(), On(day).StartMs + 1));
        return this;
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
