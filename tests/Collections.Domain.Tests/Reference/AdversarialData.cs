using System.Globalization;
using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Domain.Tests.Debtors;

namespace Collections.Domain.Tests.Reference;

/// <summary>The adversarial deliveries as the log would hold them, and what must result.</summary>
internal sealed class AdversarialData
{
    public static readonly Lazy<AdversarialData> Instance = new(static () => new AdversarialData());

    private static readonly Currency Usd = Currency.Parse("USD");

    private AdversarialData()
    {
        var writer = new EventWriter();
        foreach (Row row in SharedData.Read("adversarial", "events.csv"))
        {
            long known = DateTimeOffset.Parse(row["known"], CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();
            Deliveries.Add(new Delivery(row["debtor"], Write(writer, row), known));
        }
        foreach (Row row in SharedData.Read("adversarial", "expected-features.csv"))
            Features.Add((row.Date("as_of"), row["debtor"]), row);
        foreach (Row row in SharedData.Read("adversarial", "expected-credit.csv"))
            Credit.Add((row.Date("as_of"), row["debtor"]), row.Long("unapplied_credit"));
        foreach (Row row in SharedData.Read("adversarial", "expected-ledger.csv"))
        {
            (Day, string) key = (row.Date("as_of"), row["debtor"]);
            if (!Ledger.TryGetValue(key, out SortedDictionary<string, long>? items))
                Ledger.Add(key, items = new SortedDictionary<string, long>(StringComparer.Ordinal));
            items.Add(row["item"], row.Long("open"));
        }
        AsOfDates = [.. Features.Keys.Select(static key => key.AsOf).Distinct().Order()];
    }

    public List<Delivery> Deliveries { get; } = [];

    public Day[] AsOfDates { get; }

    public Dictionary<(Day AsOf, string Debtor), Row> Features { get; } = [];

    public Dictionary<(Day AsOf, string Debtor), long> Credit { get; } = [];

    public Dictionary<(Day AsOf, string Debtor), SortedDictionary<string, long>> Ledger { get; } = [];

    private static byte[] Write(EventWriter writer, Row row)
    {
        bool instant = row["effective"].Length > 10;
        var address = new EventAddress
        {
            Debtor = Utf8(row["debtor"]),
            Id = Utf8(row["id"]),
            Effective = instant ? Day.None : row.Date("effective"),
            EffectiveMs = instant ? DateTimeOffset.Parse(row["effective"], CultureInfo.InvariantCulture).ToUnixTimeMilliseconds() : 0,
        };
        ReadOnlySpan<byte> written = row["kind"] switch
        {
            "ItemIssued" => writer.ItemIssued(address, Utf8(row["item"]), Enum.Parse<Component>(row["component"], ignoreCase: true), row.Long("amount"), Usd, row.Date("due")),
            "ItemAdjusted" => writer.ItemAdjusted(address, Utf8(row["item"]), row.Long("amount"), Usd),
            "ItemCancelled" => writer.ItemCancelled(address, Utf8(row["item"])),
            "DueDateChanged" => writer.DueDateChanged(address, Utf8(row["item"]), row.Date("due")),
            "PaymentReceived" => writer.PaymentReceived(address, row.Long("amount"), Usd, Allocations(row["allocations"])),
            "PaymentReversed" => writer.PaymentReversed(address, Utf8(row["payment"])),
            "PaymentFailed" => writer.PaymentFailed(address, row.Long("amount"), Usd),
            "DebtorRegistered" => writer.DebtorRegistered(address, default, []),
            "AttemptReported" => writer.AttemptReported(address, Enum.Parse<Channel>(row["channel"], ignoreCase: true), Enum.Parse<AttemptOutcome>(row["outcome"].Replace("_", "", StringComparison.Ordinal), ignoreCase: true)),
            "ContactReceived" => writer.ContactReceived(address, Enum.Parse<Channel>(row["channel"], ignoreCase: true), Enum.Parse<ContactKind>(row["outcome"].Replace("_", "", StringComparison.Ordinal), ignoreCase: true)),
            "PromiseMade" => writer.PromiseMade(address, row.Long("amount"), Usd, row.Date("promise_due")),
            "PromiseCancelled" => writer.PromiseCancelled(address, Utf8(row["ref"])),
            "DisputeOpened" => writer.DisputeOpened(address, Utf8(row["item"]), row["amount"].Length == 0 ? 0 : row.Long("amount")),
            "DisputeResolved" => writer.DisputeResolved(address, Utf8(row["ref"])),
            string kind => throw new FormatException($"unknown kind '{kind}'"),
        };
        return written.ToArray();
    }

    private static (byte[], long)[] Allocations(string text) =>
        text.Length == 0
            ? []
            : [.. text.Split(';').Select(static part => part.Split(':')).Select(static part => (Utf8(part[0]), long.Parse(part[1], CultureInfo.InvariantCulture)))];

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
