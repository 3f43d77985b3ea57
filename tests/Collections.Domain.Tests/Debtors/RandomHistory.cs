using System.Globalization;
using System.Text;
using Collections.Domain.Events;

namespace Collections.Domain.Tests.Debtors;

/// <summary>
/// Turns any numbers into a valid history of one debtor: each number is an event, whose references go to what is already there. Ids sort
/// differently by case and by digits; days collide often.
/// </summary>
internal sealed class RandomHistory
{
    public const string Debtor = "debtor";
    private const int Days = 160;
    private static readonly Currency[] Currencies = [Currency.Parse("EUR"), Currency.Parse("EUR"), Currency.Parse("EUR"), Currency.Parse("JPY")];

    private readonly EventWriter writer = new();
    private readonly List<Item> items = [];
    private readonly List<Payment> payments = [];
    private readonly List<(string Id, Day Day)> promises = [];
    private readonly List<(string Id, Day Day)> disputes = [];

    public RandomHistory(IEnumerable<int> numbers)
    {
        int index = 0;
        foreach (int number in numbers)
            Tell(new Random(HashCode(number, index)), index++);
    }

    public static Day First => Day.Of(new DateOnly(2024, 1, 1));

    public static Day Last => First.Plus(Days + 40);

    public List<Delivery> Deliveries { get; } = [];

    /// <summary>Payments with a reversal: places of both in the deliveries.</summary>
    public List<(int Payment, int Reversal)> Reversals { get; } = [];

    private static int HashCode(int number, int index) => (int)Hash64.Of(BitConverter.GetBytes(number), (ulong)index);

    private void Tell(Random random, int index)
    {
        Day day = First.Plus(random.Next(Days));
        string id = string.Create(CultureInfo.InvariantCulture, $"{"aAbB"[random.Next(4)]}{(random.Next(2) == 0 ? "-" : "")}{index}");
        switch (random.Next(16))
        {
            case 0 or 1 or 2 or 3: TellItem(random, day, id); break;
            case 4 or 5 or 6 or 7: TellPayment(random, day, id); break;
            case 8: TellItemChange(random, day, id); break;
            case 9: TellReversal(random, id); break;
            case 10 or 11: TellPromise(random, day, id); break;
            case 12: TellDispute(random, day, id); break;
            case 13: Add(day, writer.PaymentFailed(At(day, id), 1 + random.Next(100), Currencies[0])); break;
            case 14: Add(day, writer.ContactReceived(Instant(random, day, id), (Channel)(1 + random.Next(4)), (ContactKind)(1 + random.Next(4)))); break;
            default: Add(day, writer.AttemptReported(Instant(random, day, id), (Channel)(1 + random.Next(4)), (AttemptOutcome)(1 + random.Next(9)))); break;
        }
    }

    private void TellItem(Random random, Day day, string id)
    {
        Currency currency = Currencies[random.Next(4)];
        long amount = 10 * (1 + random.Next(12));
        string name = random.Next(2) == 0 ? id : "item " + id;
        items.Add(new Item(name, day, currency, amount));
        Add(day, writer.ItemIssued(At(day, id), Utf8(name), (Component)random.Next(3), amount, currency, day.Plus(random.Next(60) - 10)));
    }

    private void TellPayment(Random random, Day day, string id)
    {
        Currency currency = Currencies[random.Next(4)];
        long amount = 10 * (1 + random.Next(30));
        var allocations = new List<(byte[], long)>();
        for (long left = amount; random.Next(3) == 0 && left > 0;)
        {
            string name = items.Count > 0 && random.Next(4) > 0 ? items[random.Next(items.Count)].Name : "never issued";
            long part = 1 + random.NextInt64(left);
            allocations.Add((Utf8(name), part));
            left -= part;
        }
        payments.Add(new Payment(id, day, Deliveries.Count));
        Add(day, writer.PaymentReceived(At(day, id), amount, currency, [.. allocations]));
    }

    private void TellItemChange(Random random, Day day, string id)
    {
        if (items.Count == 0)
            return;
        Item item = items[random.Next(items.Count)];
        Day from = day > item.Issued ? day : item.Issued;
        Day on = from;
        switch (random.Next(4))
        {
            case 0 when item.NotesLeft > 0:
                long note = 1 + random.NextInt64(item.NotesLeft);
                item.NotesLeft -= note;
                Add(on, writer.ItemAdjusted(At(on, id), Utf8(item.Name), -note, item.Currency));
                break;
            case 1: Add(on, writer.ItemAdjusted(At(on, id), Utf8(item.Name), 1 + random.Next(90), item.Currency)); break;
            case 2: Add(on, writer.DueDateChanged(At(on, id), Utf8(item.Name), on.Plus(random.Next(40) - 10))); break;
            case 3 when item.CancelledOn.IsNone:
                // After every change of it that may still be told.
                item.CancelledOn = First.Plus(Days + random.Next(30));
                Add(item.CancelledOn, writer.ItemCancelled(At(item.CancelledOn, id), Utf8(item.Name)));
                break;
        }
    }

    private void TellReversal(Random random, string id)
    {
        if (payments.Count == 0)
            return;
        int index = random.Next(payments.Count);
        Payment payment = payments[index];
        payments.RemoveAt(index);
        Reversals.Add((payment.Delivery, Deliveries.Count));
        Day on = payment.On.Plus(random.Next(70));
        Add(on, writer.PaymentReversed(At(on, id), Utf8(payment.Id)));
    }

    private void TellPromise(Random random, Day day, string id)
    {
        if (promises.Count > 0 && random.Next(4) == 0)
        {
            (string promise, Day made) = promises[random.Next(promises.Count)];
            Day on = made.Plus(random.Next(30));
            Add(on, writer.PromiseCancelled(At(on, id), Utf8(promise)));
            return;
        }
        promises.Add((id, day));
        Add(day, writer.PromiseMade(At(day, id), 10 * (1 + random.Next(20)), Currencies[random.Next(4)], day.Plus(random.Next(30))));
    }

    private void TellDispute(Random random, Day day, string id)
    {
        if (disputes.Count > 0 && random.Next(2) == 0)
        {
            (string dispute, Day opened) = disputes[random.Next(disputes.Count)];
            Day on = opened.Plus(random.Next(30));
            Add(on, writer.DisputeResolved(At(on, id), Utf8(dispute)));
            return;
        }
        disputes.Add((id, day));
        Add(day, writer.DisputeOpened(At(day, id), default, 0));
    }

    private void Add(Day day, ReadOnlySpan<byte> content) => Deliveries.Add(new Delivery(Debtor, content.ToArray(), day.StartMs + 1 + Deliveries.Count));

    private static EventAddress At(Day day, string id) => new() { Debtor = Utf8(Debtor), Id = Utf8(id), Effective = day };

    private static EventAddress Instant(Random random, Day day, string id) =>
        new() { Debtor = Utf8(Debtor), Id = Utf8(id), EffectiveMs = day.StartMs + random.Next(3) * 1_000 };

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private sealed class Item(string name, Day issued, Currency currency, long amount)
    {
        public string Name => name;

        public Day Issued => issued;

        public Currency Currency => currency;

        public long NotesLeft { get; set; } = amount;

        public Day CancelledOn { get; set; }
    }

    private sealed record Payment(string Id, Day On, int Delivery);
}
