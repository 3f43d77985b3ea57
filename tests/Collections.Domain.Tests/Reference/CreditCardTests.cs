using System.Globalization;
using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Domain.Tests.Debtors;

namespace Collections.Domain.Tests.Reference;

/// <summary>A real book without allocations: cash application decides.</summary>
public class CreditCardTests
{
    private static readonly Currency Twd = Currency.Parse("TWD");

    [ReferenceFact]
    public void Features_of_the_first_thousand_customers_are_those_of_an_independent_reading()
    {
        Day day = Day.Of(new DateOnly(2005, 9, 30));
        var asOf = AsOf.EndOf(day);
        Row[] expected = [.. SharedData.Read("credit-card", "features-expected.csv")];
        var wanted = expected.Select(static row => row["debtor"]).ToHashSet();
        using var driver = new DebtorDriver();
        foreach (Delivery delivery in Deliveries(wanted).Where(d => d.KnownMs <= asOf.LastMs).OrderBy(static d => d.KnownMs))
            driver.Deliver(delivery, AsOf.At(delivery.KnownMs));
        foreach (Row row in expected)
        {
            double[] values = driver.Features(row["debtor"], asOf);
            for (int i = 0; i < values.Length; i++)
            {
                string feature = FeatureCatalogue.Names[i];
                if (!row.Has(feature))
                    continue;
                double want = row.Double(feature);
                bool close = double.IsNaN(want) ? double.IsNaN(values[i]) : Math.Abs(values[i] - want) <= 1e-9 * Math.Max(1, Math.Abs(want));
                Assert.True(close, string.Create(CultureInfo.InvariantCulture, $"{row["debtor"]} {feature}: {values[i]:R}, expected {want:R}"));
            }
        }
        Assert.Equal(1_000, expected.Length);
        Assert.Equal(0, driver.Rebuilds);
    }

    private static IEnumerable<Delivery> Deliveries(HashSet<string> wanted)
    {
        var writer = new EventWriter();
        foreach (Row row in SharedData.Read("credit-card", "debtors.csv").Where(row => wanted.Contains(row["debtor"])))
        {
            EventAddress address = Address(row["debtor"], "registered", row.Date("registered"));
            yield return Known(row["debtor"], writer.DebtorRegistered(address, "cards"u8, [("customer_type", row["customer_type"]), ("product", row["product"])]).ToArray(), row.Date("registered"));
        }
        foreach (Row row in SharedData.Read("credit-card", "invoices.csv").Where(row => wanted.Contains(row["debtor"])))
        {
            EventAddress address = Address(row["debtor"], row["invoice"], row.Date("issue_date"));
            yield return Known(row["debtor"], writer.ItemIssued(address, Encoding.UTF8.GetBytes(row["invoice"]), Component.Principal, Minor(row["amount"]), Twd, row.Date("due_date")).ToArray(), row.Date("issue_date"));
        }
        foreach (Row row in SharedData.Read("credit-card", "payments.csv").Where(row => wanted.Contains(row["debtor"])))
        {
            EventAddress address = Address(row["debtor"], row["payment"], row.Date("value_date"));
            yield return Known(row["debtor"], writer.PaymentReceived(address, Minor(row["amount"]), Twd).ToArray(), row.Date("value_date"));
        }
    }

    private static EventAddress Address(string debtor, string id, Day day) =>
        new() { Debtor = Encoding.UTF8.GetBytes(debtor), Id = Encoding.UTF8.GetBytes(id), Effective = day };

    private static Delivery Known(string debtor, byte[] content, Day day) => new(debtor, content, day.StartMs + 3_600_000);

    private static long Minor(string amount) => (long)(decimal.Parse(amount, CultureInfo.InvariantCulture) * 100);
}
