using System.Globalization;
using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Domain.Tests.Debtors;

namespace Collections.Domain.Tests.Reference;

/// <summary>250 debtors whose events come in hard orders; an independent program has computed what must result.</summary>
public class AdversarialTests
{
    private static readonly DebtorOptions ShortHorizon = new() { HorizonDays = 5, HorizonSlackDays = 0, FingerprintDays = 3 };

    private static AdversarialData Data => AdversarialData.Instance.Value;

    [ReferenceFact]
    public void Live_events_in_order_of_arrival_give_every_value_at_every_date() => RunLive(DebtorOptions.Default);

    [ReferenceFact]
    public void A_short_horizon_changes_no_value() => RunLive(ShortHorizon);

    [ReferenceFact]
    public void A_horizon_of_a_month_changes_no_value() => RunLive(new DebtorOptions { HorizonDays = 30, HorizonSlackDays = 1, FingerprintDays = 10 });

    [ReferenceFact]
    public void Rebuilding_from_history_gives_every_value_at_every_date()
    {
        foreach (DebtorOptions options in new[] { DebtorOptions.Default, ShortHorizon })
        {
            using var driver = new DebtorDriver(options);
            foreach (Day day in Data.AsOfDates)
            {
                var asOf = AsOf.EndOf(day);
                foreach (IGrouping<string, Delivery> debtor in Data.Deliveries.Where(d => d.KnownMs <= asOf.LastMs).GroupBy(static d => d.Debtor))
                    driver.Rebuild(debtor.Key, debtor.Reverse(), asOf);
                CheckAll(driver, day);
            }
        }
    }

    [ReferenceFact]
    public void Random_orders_of_arrival_end_in_the_same_state()
    {
        Day last = Data.AsOfDates[^1];
        for (int seed = 1; seed <= 10; seed++)
        {
            using var driver = new DebtorDriver(seed % 2 == 0 ? ShortHorizon : DebtorOptions.Default);
            Delivery[] shuffled = [.. Data.Deliveries.Where(d => d.KnownMs <= AsOf.EndOf(last).LastMs)];
            new Random(seed).Shuffle(shuffled);
            // Odd seeds deliver all at the last date, the others while the clock runs over the year, so that many events lie in the future.
            long[] clock = [.. shuffled.Select(static d => d.KnownMs).Order()];
            for (int i = 0; i < shuffled.Length; i++)
                driver.Deliver(shuffled[i] with { KnownMs = seed % 3 == 0 ? shuffled[i].KnownMs : clock[i] }, seed % 4 < 2 ? AsOf.EndOf(last) : AsOf.At(clock[i]));
            CheckAll(driver, last);
        }
    }

    [ReferenceFact]
    public void Interleavings_that_keep_each_stream_in_its_order_end_in_the_same_state()
    {
        Day last = Data.AsOfDates[^1];
        Delivery[] all = [.. Data.Deliveries.Where(d => d.KnownMs <= AsOf.EndOf(last).LastMs)];
        for (int turn = 0; turn < 3; turn++)
        {
            using var driver = new DebtorDriver();
            IEnumerable<Delivery> ordered = all.OrderBy(d => (StreamOf(d) + turn) % 3);
            foreach (Delivery delivery in ordered)
                driver.Deliver(delivery, AsOf.EndOf(last));
            CheckAll(driver, last);
        }
    }

    private static int StreamOf(Delivery delivery)
    {
        EventReader.TryRead(delivery.Content, delivery.KnownMs, history: false, out Event e, out _);
        return (int)e.Head.Stream;
    }

    private static void RunLive(DebtorOptions options)
    {
        using var driver = new DebtorDriver(options);
        int next = 0;
        foreach (Day day in Data.AsOfDates)
        {
            var asOf = AsOf.EndOf(day);
            for (; next < Data.Deliveries.Count && Data.Deliveries[next].KnownMs <= asOf.LastMs; next++)
                driver.Deliver(Data.Deliveries[next], AsOf.At(Data.Deliveries[next].KnownMs));
            CheckAll(driver, day);
        }
        Assert.True(driver.Rebuilds > 0, "the data reaches behind the horizon, so some debtors were rebuilt");
    }

    private static void CheckAll(DebtorDriver driver, Day day)
    {
        var wrong = new List<string>();
        foreach (string debtor in driver.Debtors)
            Check(driver, day, debtor, wrong);
        int expected = Data.Features.Keys.Count(key => key.AsOf == day);
        Assert.True(wrong.Count == 0, $"{wrong.Count} wrong as of {day}:\n{string.Join('\n', wrong.Take(40))}");
        Assert.True(expected <= driver.Debtors.Count());
    }

    private static void Check(DebtorDriver driver, Day day, string name, List<string> wrong)
    {
        if (!Data.Features.TryGetValue((day, name), out Row? expected))
            return;
        var asOf = AsOf.EndOf(day);
        double[] values = driver.Features(name, asOf);
        for (int i = 0; i < values.Length; i++)
        {
            string feature = FeatureCatalogue.Names[i];
            if (!expected.Has(feature))
                continue;
            double want = expected.Double(feature);
            if (!Close(values[i], want))
                wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{name} {feature}: {values[i]:R}, expected {want:R}"));
        }
        Debtor debtor = driver.Open(name);
        var open = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (ItemView item in debtor.Items(asOf))
        {
            if (item.OpenMinor > 0)
                open.Add(Encoding.UTF8.GetString(item.Name), item.OpenMinor);
        }
        SortedDictionary<string, long> ledger = Data.Ledger.GetValueOrDefault((day, name)) ?? new SortedDictionary<string, long>(StringComparer.Ordinal);
        if (!open.SequenceEqual(ledger))
            wrong.Add($"{name} ledger: {string.Join(' ', open)}, expected {string.Join(' ', ledger)}");
        long credit = debtor.CurrencyCount == 0 ? 0 : debtor.UnappliedMinor(0);
        if (credit != Data.Credit[(day, name)])
            wrong.Add($"{name} credit: {credit}, expected {Data.Credit[(day, name)]}");
        if (!debtor.LedgerBalances())
            wrong.Add($"{name} does not balance");
    }

    private static bool Close(double actual, double expected) =>
        double.IsNaN(expected) ? double.IsNaN(actual) : Math.Abs(actual - expected) <= 1e-9 * Math.Max(1, Math.Abs(expected));
}
