using System.Globalization;
using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;

namespace Collections.Domain.Tests.Debtors;

/// <summary>Debtors with more of a past, or more of a present, than their lists hold at once.</summary>
public class LongHistoryTests
{
    private static readonly Currency Eur = Currency.Parse("EUR");
    private static readonly Day First = Day.Of(new DateOnly(2020, 1, 1));

    [Fact]
    public void A_history_longer_than_the_lists_hold_is_rebuilt_to_what_live_events_gave()
    {
        List<Delivery> deliveries = Told(days: 1_700, itemsADay: 2);
        using var live = new DebtorDriver();
        foreach (Delivery delivery in deliveries)
            live.Deliver(delivery, AsOf.At(delivery.KnownMs));
        using var rebuilt = new DebtorDriver();
        var end = AsOf.EndOf(First.Plus(1_700));
        rebuilt.Rebuild("big", Enumerable.Reverse(deliveries), end);
        Assert.True(deliveries.Count > 2 * Limits.EntriesMax);
        Assert.Equal(live.Features("big", end), rebuilt.Features("big", end));
        Assert.Equal(live.Open("big").LedgerDigest(), rebuilt.Open("big").LedgerDigest());
        Assert.True(rebuilt.Open("big").LedgerBalances());
    }

    [Fact]
    public void More_than_a_debtor_can_hold_is_refused_with_a_reason_and_changes_nothing()
    {
        var writer = new EventWriter();
        using var pool = new SlabPool();
        var names = new NameTable();
        var record = default(DebtorRecord);
        Debtor.Create(ref record, pool, names, "default"u8, "big"u8);
        var now = AsOf.EndOf(First);
        ApplyOutcome outcome = ApplyOutcome.Applied;
        EventError error = default;
        int taken = 0;
        for (; outcome == ApplyOutcome.Applied; taken++)
        {
            byte[] id = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"item-{taken}"));
            ReadOnlySpan<byte> content = writer.ItemIssued(new EventAddress { Debtor = "big"u8, Id = id, Effective = First }, id, Component.Principal, 100, Eur, First);
            outcome = Apply(ref record, pool, names, content, now, out error);
        }
        Assert.Equal(ApplyOutcome.Invalid, outcome);
        Assert.Equal("debtor", error.Field);
        Assert.Equal(Limits.EntriesMax + 1, taken);
        Assert.Equal(100 * Limits.EntriesMax, new Debtor(ref record, pool, names).Facts(now).OpenMinor);
    }

    private static ApplyOutcome Apply(ref DebtorRecord record, SlabPool pool, NameTable names, ReadOnlySpan<byte> content, AsOf now, out EventError error)
    {
        Assert.True(EventReader.TryRead(content, now.Ms, history: false, out Event e, out _));
        return new Debtor(ref record, pool, names).Apply(e, now, out error);
    }

    /// <summary>Each day some items, and a payment of about their sum; now and then a credit note long after, a reversal, an instruction for an old item.</summary>
    private static List<Delivery> Told(int days, int itemsADay)
    {
        var writer = new EventWriter();
        var random = new Random(11);
        var deliveries = new List<Delivery>();
        for (int d = 0; d < days; d++)
        {
            Day day = First.Plus(d);
            for (int i = 0; i < itemsADay; i++)
                Add(writer.ItemIssued(At($"i{d}-{i}", day), Name($"i{d}-{i}"), Component.Principal, 1_000 + random.Next(100), Eur, day.Plus(random.Next(40))).ToArray());
            Add(writer.PaymentReceived(At($"p{d}", day), itemsADay * 1_000 + random.Next(150), Eur).ToArray());
            // Mostly a recent item; now and then one that has long been folded away.
            string named = $"i{(d % 400 == 399 ? random.Next(d) : d - random.Next(Math.Min(d, 20) + 1))}-0";
            Add(writer.PaymentReceived(At($"q{d}", day), 40, Eur, [(Name(named), 40)]).ToArray());
            Add(writer.PromiseMade(At($"r{d}", day), 1_000 + random.Next(2_000), Eur, day.Plus(random.Next(10))).ToArray());
            if (d % 7 == 3)
                Add(writer.ItemAdjusted(At($"n{d}", day), Name(named), -500, Eur).ToArray());
            if (d % 11 == 5)
                Add(writer.PaymentReversed(At($"x{d}", day), Name($"p{d - random.Next(5)}")).ToArray());
            void Add(byte[] content) => deliveries.Add(new Delivery("big", content, day.StartMs + 1 + deliveries.Count));
        }
        return deliveries;
    }

    private static EventAddress At(string id, Day day) => new() { Debtor = "big"u8, Id = Name(id), Effective = day };

    private static byte[] Name(string name) => Encoding.UTF8.GetBytes(name);
}
