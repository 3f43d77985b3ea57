using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using FsCheck;
using FsCheck.Fluent;

namespace Collections.Domain.Tests.Debtors;

/// <summary>What holds for every history; a failure shows the numbers from which <see cref="RandomHistory"/> makes it again.</summary>
public class DebtorProperties
{
    private static readonly DebtorOptions ShortHorizon = new() { HorizonDays = 12, HorizonSlackDays = 0, FingerprintDays = 6 };
    private static readonly AsOf End = AsOf.EndOf(RandomHistory.Last);

    [Fact]
    public void The_ledger_balances_after_every_event() => Check(static (history, options) =>
    {
        using var driver = new DebtorDriver(options);
        foreach (Delivery delivery in history.Deliveries)
        {
            driver.Deliver(delivery, End);
            Assert.True(driver.Open(RandomHistory.Debtor).LedgerBalances());
        }
    });

    [Fact]
    public void Any_interleaving_ends_in_the_same_state() => Check(static (history, options) =>
    {
        string expected = Run(history.Deliveries, options: null, atTheEnd: true);
        Delivery[] shuffled = [.. history.Deliveries];
        new Random(history.Deliveries.Count).Shuffle(shuffled);
        Assert.Equal(expected, Run(shuffled, options, atTheEnd: true));
    });

    [Fact]
    public void Taking_effect_by_timer_ends_in_the_same_state_as_coming_in_time() => Check(static (history, options) =>
    {
        string expected = Run(history.Deliveries, options: null, atTheEnd: true);
        Assert.Equal(expected, Run(history.Deliveries, options, atTheEnd: false));
    });

    [Fact]
    public void Delivering_everything_again_changes_nothing() => Check(static (history, options) =>
    {
        string expected = Run(history.Deliveries, options, atTheEnd: true);
        Assert.Equal(expected, Run([.. history.Deliveries, .. history.Deliveries], options, atTheEnd: true));
    });

    [Fact]
    public void A_reversal_leaves_what_would_be_without_the_payment() => Check(static (history, options) =>
    {
        if (history.Reversals.Count == 0)
            return;
        HashSet<int> left = [.. history.Reversals.SelectMany(static pair => new[] { pair.Payment, pair.Reversal })];
        Assert.Equal(
            Ledger(history.Deliveries.Where((_, i) => !left.Contains(i)), options: null),
            Ledger(history.Deliveries, options));
    });

    [Fact]
    public void Rebuilding_from_history_equals_having_taken_each_event() => Check(static (history, options) =>
    {
        using var driver = new DebtorDriver(options);
        string expected = Run(history.Deliveries, options, atTheEnd: true);
        driver.Rebuild(RandomHistory.Debtor, Enumerable.Reverse(history.Deliveries), End);
        Assert.Equal(expected, Snapshot(driver.Open(RandomHistory.Debtor)));
    });

    [Fact]
    public void A_history_folded_in_parts_ends_as_one_folded_at_once() => Check(static (history, options) =>
    {
        string expected = Run(history.Deliveries, options, atTheEnd: true);
        using var driver = new DebtorDriver(options with { HistoryPartEntries = 3 });
        driver.Rebuild(RandomHistory.Debtor, Enumerable.Reverse(history.Deliveries), End);
        Assert.Equal(expected, Snapshot(driver.Open(RandomHistory.Debtor)));
        Assert.True(driver.Open(RandomHistory.Debtor).LedgerBalances());
    });

    [Fact]
    public void An_image_behaves_as_the_debtor_it_was_taken_of() => Check(static (history, options) =>
    {
        using var driver = new DebtorDriver(options);
        using var otherPool = new SlabPool(options);
        int half = history.Deliveries.Count / 2;
        foreach (Delivery delivery in history.Deliveries.Take(half))
            driver.Deliver(delivery, End);
        Debtor debtor = driver.Open(RandomHistory.Debtor);
        byte[] image = new byte[debtor.ImageLength];
        debtor.WriteImage(image);
        var copied = default(DebtorRecord);
        Assert.Equal(ImageStatus.Read, Debtor.ReadImage(ref copied, otherPool, image));
        var copy = new Debtor(ref copied, otherPool, driver.Names);
        foreach (Delivery delivery in history.Deliveries.Skip(half))
        {
            Assert.True(EventReader.TryRead(delivery.Content, delivery.KnownMs, history: false, out Event e, out _));
            Assert.Equal(debtor.Apply(e, End, out _), copy.Apply(e, End, out _));
        }
        Assert.Equal(Snapshot(debtor), Snapshot(copy));
        Assert.Equal(debtor.NextTimerMs, copy.NextTimerMs);
    });

    [Fact]
    public void A_corrupt_image_is_refused() => Check(static (history, options) =>
    {
        using var driver = new DebtorDriver(options);
        foreach (Delivery delivery in history.Deliveries)
            driver.Deliver(delivery, End);
        Debtor debtor = driver.Open(RandomHistory.Debtor);
        byte[] image = new byte[debtor.ImageLength];
        debtor.WriteImage(image);
        var random = new Random(image.Length);
        for (int i = 0; i < 20; i++)
        {
            int at = i < 8 ? i * 3 : random.Next(image.Length);
            image[at] ^= (byte)(1 << random.Next(8));
            Refused(driver.Pool, image);
            debtor.WriteImage(image);
            Refused(driver.Pool, image.AsSpan(0, random.Next(image.Length)));
        }
    });

    private static void Refused(SlabPool pool, ReadOnlySpan<byte> image)
    {
        var record = default(DebtorRecord);
        Assert.NotEqual(ImageStatus.Read, Debtor.ReadImage(ref record, pool, image));
        Assert.True(record.IsFree);
    }

    private static void Check(Action<RandomHistory, DebtorOptions> property, [CallerMemberName] string name = "")
    {
        Config config = Config.QuickThrowOnFailure.WithMaxTest(150).WithEndSize(90).WithName(name);
        Prop.ForAll(ArbMap.Default.ArbFor<int[]>(), numbers =>
        {
            var history = new RandomHistory(numbers);
            if (history.Deliveries.Count == 0)
                return;
            property(history, DebtorOptions.Default);
            property(history, ShortHorizon);
        }).Check(config);
    }

    private static string Run(IReadOnlyList<Delivery> deliveries, DebtorOptions? options, bool atTheEnd)
    {
        using var driver = new DebtorDriver(options);
        for (int i = 0; i < deliveries.Count; i++)
        {
            long now = RandomHistory.First.StartMs + (End.Ms - RandomHistory.First.StartMs) * i / deliveries.Count;
            driver.Deliver(atTheEnd ? deliveries[i] : deliveries[i] with { KnownMs = now }, atTheEnd ? End : AsOf.At(now));
        }
        return Snapshot(driver.Open(RandomHistory.Debtor));
    }

    private static ulong Ledger(IEnumerable<Delivery> deliveries, DebtorOptions? options)
    {
        using var driver = new DebtorDriver(options);
        foreach (Delivery delivery in deliveries)
            driver.Deliver(delivery, AsOf.EndOf(RandomHistory.Last.Plus(60)));
        return driver.Open(RandomHistory.Debtor).LedgerDigest();
    }

    /// <summary>All that can be seen of a debtor and does not depend on how far its past has been folded away.</summary>
    private static string Snapshot(Debtor debtor)
    {
        debtor.Advance(End);
        double[] values = new double[FeatureCatalogue.Count];
        debtor.Features(End, values);
        var text = new StringBuilder();
        for (int i = 0; i < values.Length; i++)
            text.Append(CultureInfo.InvariantCulture, $"{FeatureCatalogue.Names[i]}={values[i]:R} ");
        text.Append(debtor.Facts(End)).Append(debtor.LedgerDigest());
        var open = new List<string>();
        foreach (ItemView item in debtor.Items(End))
        {
            if (item.OpenMinor > 0)
                open.Add($"{Encoding.UTF8.GetString(item.Name)}={item.OpenMinor} due {item.Due}");
        }
        open.Sort(StringComparer.Ordinal);
        return text.AppendJoin(' ', open).ToString();
    }
}
