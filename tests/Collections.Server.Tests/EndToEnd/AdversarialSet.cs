using System.Globalization;
using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Engine.History;
using Collections.Engine.Logs;
using Collections.Server.Tests.Import;
using Collections.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>A debtor as of a date: what is open by item, the credit, and the features by name.</summary>
internal sealed record DebtorState(Dictionary<string, long> Open, long CreditMinor, Dictionary<string, double> Features);

/// <summary>The deliveries in hard orders, and what an independent program says must result.</summary>
internal sealed class AdversarialSet
{
    public static readonly string[] Dates = ["2024-02-29", "2024-05-26", "2024-08-24", "2024-09-29", "2024-11-29", "2025-01-15"];

    private static readonly Lazy<AdversarialSet> Loaded = new(() => new AdversarialSet());
    private readonly Dictionary<string, Dictionary<string, DebtorState>> expected = [];

    private AdversarialSet()
    {
        foreach (Dictionary<string, string> row in Tables.Rows(File("expected-features.csv")))
        {
            if (!expected.TryGetValue(row["as_of"], out Dictionary<string, DebtorState>? states))
                expected.Add(row["as_of"], states = []);
            states.Add(row["debtor"], new DebtorState([], 0, row.Where(p => p.Key is not ("as_of" or "debtor")).ToDictionary(p => p.Key, p => Tables.Number(p.Value))));
        }
        foreach (Dictionary<string, string> row in Tables.Rows(File("expected-ledger.csv")))
            expected[row["as_of"]][row["debtor"]].Open.Add(row["item"], long.Parse(row["open"]));
        foreach (Dictionary<string, string> row in Tables.Rows(File("expected-credit.csv")))
            expected[row["as_of"]][row["debtor"]] = expected[row["as_of"]][row["debtor"]] with { CreditMinor = long.Parse(row["unapplied_credit"]) };
        Assert.Equal(Dates, expected.Keys.Order(StringComparer.Ordinal));
    }

    public static AdversarialSet Instance => Loaded.Value;

    public List<Dictionary<string, string>> Deliveries { get; } = [.. Tables.Rows(File("events.csv"))];

    public static string File(string name) => Path.Combine(Folders.Data!, "adversarial", name);

    public Dictionary<string, DebtorState> Expected(string date) => expected[date];

    /// <summary>Compares what a reading of the book gives with what must result.</summary>
    /// <param name="ageTolerance">In days, for states that were taken a little before the end of the day.</param>
    public void Judge(string date, Dictionary<string, DebtorState> actual, string reading, double ageTolerance = 0)
    {
        var differences = new Differences($"{reading}, as of {date}");
        foreach ((string debtor, DebtorState must) in expected[date])
        {
            if (!actual.TryGetValue(debtor, out DebtorState? got))
            {
                differences.Add($"{debtor} is missing");
                continue;
            }
            foreach (string item in must.Open.Keys.Union(got.Open.Keys))
            {
                if (must.Open.GetValueOrDefault(item) != got.Open.GetValueOrDefault(item))
                    differences.Add($"{debtor} {item}: open {must.Open.GetValueOrDefault(item)} expected, got {got.Open.GetValueOrDefault(item)}");
            }
            if (must.CreditMinor != got.CreditMinor)
                differences.Add($"{debtor}: credit {must.CreditMinor} expected, got {got.CreditMinor}");
            foreach ((string name, double value) in must.Features)
            {
                if (!Tables.Agree(value, got.Features[name], ageTolerance))
                    differences.Add($"{debtor} {name}: {value:R} expected, got {got.Features[name]:R}");
            }
        }
        foreach (string debtor in actual.Keys.Except(expected[date].Keys))
            differences.Add($"{debtor} is there, but has no event that counts");
        differences.RequireNone();
    }

    /// <summary>The book as the log has it as of the end of a day, through the engine's own reading of history.</summary>
    public static Dictionary<string, DebtorState> Read(IEventLog log, string date)
    {
        var states = new Dictionary<string, DebtorState>();
        Assert.True(Day.TryParse(date, out Day day));
        var values = new double[FeatureCatalogue.Count];
        for (int partition = 0; partition < log.PartitionCount; partition++)
        {
            using var book = new HistoricalBook(log, partition, AsOf.EndOf(day));
            while (book.Next())
            {
                var open = new Dictionary<string, long>();
                foreach (Domain.Debtors.ItemView item in book.Debtor.Items(book.AsOf))
                {
                    if (item.OpenMinor > 0)
                        open.Add(Encoding.UTF8.GetString(item.Name), item.OpenMinor);
                }
                book.Debtor.Features(book.AsOf, values);
                long credit = book.Debtor.CurrencyCount > 0 ? book.Debtor.UnappliedMinor(0) : 0;
                states.Add(Encoding.UTF8.GetString(book.Debtor.Name), new DebtorState(open, credit, ByName(values)));
            }
        }
        return states;
    }

    public static Dictionary<string, double> ByName(double[] values) => FeatureCatalogue.Names.ToArray().Zip(values).ToDictionary(p => p.First, p => p.Second);

    /// <summary>When a delivery was known.</summary>
    public static long KnownMs(Dictionary<string, string> row) =>
        DateTimeOffset.Parse(row["known"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds();

    /// <summary>A delivery as a producer writes it, without the time of knowledge; read by this test, not by the program's import.</summary>
    public static byte[] EventOf(Dictionary<string, string> row)
    {
        var e = new Event { Debtor = row["debtor"], Id = row["id"] };
        if (row["kind"] is "AttemptReported" or "ContactReceived")
            e.EffectiveAt = Timestamp.FromDateTimeOffset(DateTimeOffset.Parse(row["effective"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));
        else
            e.EffectiveDate = row["effective"];
        Money Amount() => new() { MinorUnits = long.Parse(row["amount"], CultureInfo.InvariantCulture), Currency = "USD" };
        switch (row["kind"])
        {
            case "ItemIssued":
                Component component = row["component"] switch { "fee" => Component.Fee, "interest" => Component.Interest, _ => Component.Principal };
                e.ItemIssued = new ItemIssued { Item = row["item"], Component = component, Amount = Amount(), DueDate = row["due"] };
                break;
            case "ItemAdjusted": e.ItemAdjusted = new ItemAdjusted { Item = row["item"], Amount = Amount() }; break;
            case "ItemCancelled": e.ItemCancelled = new ItemCancelled { Item = row["item"] }; break;
            case "DueDateChanged": e.DueDateChanged = new DueDateChanged { Item = row["item"], DueDate = row["due"] }; break;
            case "PaymentReceived":
                e.PaymentReceived = new PaymentReceived { Amount = Amount() };
                foreach (string[] part in row["allocations"].Split(';', StringSplitOptions.RemoveEmptyEntries).Select(a => a.Split(':')))
                    e.PaymentReceived.Allocations.Add(new Allocation { Item = part[0], MinorUnits = long.Parse(part[1], CultureInfo.InvariantCulture) });
                break;
            case "PaymentReversed": e.PaymentReversed = new PaymentReversed { Payment = row["payment"] }; break;
            case "PaymentFailed": e.PaymentFailed = new PaymentFailed { Amount = Amount() }; break;
            case "DebtorRegistered": e.DebtorRegistered = new DebtorRegistered(); break;
            case "AttemptReported": e.AttemptReported = new AttemptReported { Channel = Named<Channel>(row["channel"]), Outcome = Named<AttemptOutcome>(row["outcome"]) }; break;
            case "ContactReceived": e.ContactReceived = new ContactReceived { Channel = Named<Channel>(row["channel"]), Kind = Named<ContactKind>(row["outcome"]) }; break;
            case "PromiseMade": e.PromiseMade = new PromiseMade { Amount = Amount(), DueDate = row["promise_due"] }; break;
            case "PromiseCancelled": e.PromiseCancelled = new PromiseCancelled { Promise = row["ref"] }; break;
            case "DisputeOpened":
                e.DisputeOpened = new DisputeOpened { Item = row["item"], MinorUnits = row["amount"].Length == 0 ? 0 : long.Parse(row["amount"], CultureInfo.InvariantCulture) };
                break;
            case "DisputeResolved": e.DisputeResolved = new DisputeResolved { Dispute = row["ref"] }; break;
            default: throw new InvalidOperationException($"the data has a kind that this test does not know: {row["kind"]}");
        }
        return e.ToByteArray();
    }

    private static T Named<T>(string snake)
        where T : struct, System.Enum => System.Enum.Parse<T>(snake.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
}
