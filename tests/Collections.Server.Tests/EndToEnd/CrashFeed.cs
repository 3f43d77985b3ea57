using Collections.Server.Tests.Services;
using Collections.V1;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>What a crash run sends: unique ids, invoices, payments, attempts, promises and disputes of many debtors, from one seed.</summary>
internal static class CrashFeed
{
    public const string Portfolio = "crash";
    public static readonly string[] Channels = ["voice", "sms"];

    /// <summary>The events of a run, in an order of sending that is not the order of effect.</summary>
    public static List<Event> Create(int seed, int debtors, int eventsPerDebtor)
    {
        var random = new Random(seed);
        var events = new EventsOf("default");
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        var all = new List<Event>();
        for (int d = 0; d < debtors; d++)
        {
            string name = $"debtor-{d:000}";
            all.Add(events.Registered(name, Portfolio, random.Next(2) == 0 ? Channel.Voice : Channel.Sms));
            all.Add(events.Issued(name, $"{name}-first", 100_000 + random.Next(900_000), today.AddDays(-50), today.AddDays(-20)));
            for (int n = 0; n < eventsPerDebtor; n++)
                all.Add(OneOf(events, random, name, n, today));
        }
        Event[] sent = [.. all];
        random.Shuffle(sent);
        return [.. sent];
    }

    private static Event OneOf(EventsOf events, Random random, string name, int n, DateOnly today)
    {
        string id = $"{name}-{n}";
        DateOnly day = today.AddDays(-random.Next(60));
        long minor = 500 + random.Next(60_000);
        return random.Next(20) switch
        {
            < 8 => events.Issued(name, id, minor, day, day.AddDays(random.Next(40))),
            < 14 => events.Paid(name, id, minor, day),
            14 => events.Paid(name, id, minor, day, "EUR", ($"{name}-first", minor / 2), ($"{name}-{random.Next(20)}", minor / 3)),
            // Enough to pay everything: whoever holds a lease on the debtor loses it.
            15 => events.Paid(name, id, 5_000_000, day),
            16 => events.On(name, id, day, e => e.PaymentReversed = new PaymentReversed { Payment = $"{name}-{random.Next(20)}" }),
            17 => events.On(name, id, day, e => e.ItemAdjusted = new ItemAdjusted { Item = $"{name}-first", Amount = EventsOf.Of(-1 - random.Next(5_000), "EUR"), Reason = AdjustmentReason.CreditNote }),
            18 => events.Attempted(name, id, DateTimeOffset.UtcNow.AddDays(-2 - random.Next(20)), Channel.Sms, AttemptOutcome.Delivered),
            _ => events.Promised(name, id, minor, today.AddDays(-40), today.AddDays(-30)),
        };
    }
}
