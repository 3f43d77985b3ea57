using System.Globalization;
using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;

namespace Collections.Simulation;

/// <summary>
/// What the world tells the engine, from a seed: every kind of event about a few debtors, and besides what goes wrong in practice: events that
/// come late, twice, with another event's id, on the wrong partition, or broken.
/// </summary>
internal sealed class EventSource
{
    private static readonly string[] Tenants = ["bank", "telco"];
    private static readonly string[] Portfolios = ["cards", "loans", ""];
    private static readonly Currency[] Currencies = [Currency.Parse("EUR"), Currency.Parse("EUR"), Currency.Parse("USD"), Currency.Parse("JPY")];

    /// <summary>
    /// An id comes again with other content within the time for which fingerprints are kept: later, with a fresh date, it is known only to
    /// whoever has to look at the whole history for another reason.
    /// </summary>
    private const long ConflictMsMax = 4 * Day.MsPerDay;

    private readonly Random random;
    private readonly int partitions;
    private readonly EventWriter writer = new();
    private readonly List<Told> told = [];
    private readonly List<Subject> subjects = [];
    private int numbers;

    public EventSource(int seed, int partitions, int debtors)
    {
        random = new Random(seed);
        this.partitions = partitions;
        for (int i = 0; i < debtors; i++)
            subjects.Add(new Subject(Tenants[i % 2], string.Create(CultureInfo.InvariantCulture, $"{"abC"[i % 3]}{i}")));
    }

    public IEnumerable<(string Tenant, string Debtor)> Debtors => subjects.Select(subject => (subject.Tenant, subject.Name));

    /// <summary>The share of events that are out of order in some way, 0 to 1.</summary>
    public double Trouble { get; init; } = 0.25;

    /// <summary>Whether bulk history comes in between, quiet until its end.</summary>
    public bool Imports { get; init; }

    /// <summary>Adds one or two events that become known at a moment.</summary>
    public void Tell(long knownMs, AppendBatch into)
    {
        if (told.Count > 0 && random.NextDouble() < Trouble)
            TellTrouble(knownMs, into);
        else if (Imports && random.Next(40) == 0)
            EndImport(knownMs, into);
        else
            TellNews(knownMs, into);
    }

    /// <summary>Ends the quiet of imported history in every partition.</summary>
    public void EndImport(long knownMs, AppendBatch into)
    {
        for (int partition = 0; partition < partitions; partition++)
        {
            into.Add(
                partition, EventStream.Activity, 0, knownMs, history: false,
                writer.ImportEnded(new EventAddress { Tenant = "bank"u8, Debtor = default, Id = Utf8($"end-{partition}-{numbers++}") }));
        }
    }

    private void TellTrouble(long knownMs, AppendBatch into)
    {
        Told before = told[random.Next(told.Count)];
        switch (random.Next(6))
        {
            case 0 or 1:
                Add(before, knownMs, into);
                break;
            case 2 when knownMs - before.KnownMs < ConflictMsMax:
                // The same id, something else.
                Subject subject = before.Subject;
                byte[] other = before.Stream switch
                {
                    EventStream.Invoices => writer.ItemIssued(At(subject, before.Id, Day.OfMs(knownMs).Plus(-1)), Utf8($"other {numbers++}"), Component.Fee, 77, Currencies[0], Day.OfMs(knownMs)).ToArray(),
                    EventStream.Payments => writer.PaymentReceived(At(subject, before.Id, Day.OfMs(knownMs).Plus(-1)), 77, Currencies[0]).ToArray(),
                    _ => writer.ContactReceived(At(subject, before.Id, Day.OfMs(knownMs)), Channel.Email, ContactKind.Reply).ToArray(),
                };
                Add(before with { Content = other }, knownMs, into);
                break;
            case 3:
                into.Add((before.Partition + 1) % partitions, before.Stream, before.Hash, knownMs, history: false, before.Content);
                break;
            case 4:
                byte[] broken = before.Content[..^Math.Min(before.Content.Length, 1 + random.Next(6))];
                into.Add(before.Partition, before.Stream, before.Hash, knownMs, history: false, broken);
                break;
            default:
                byte[] noise = new byte[random.Next(40)];
                random.NextBytes(noise);
                into.Add(before.Partition, before.Stream, before.Hash, knownMs, history: false, noise);
                break;
        }
    }

    private void TellNews(long knownMs, AppendBatch into)
    {
        Subject subject = subjects[random.Next(subjects.Count)];
        Day today = Day.OfMs(knownMs);
        Day day = random.Next(10) switch
        {
            0 => today.Plus(-random.Next(45)),
            1 => today.Plus(1 + random.Next(4)),
            2 or 3 => today.Plus(-random.Next(4)),
            _ => today,
        };
        string id = string.Create(CultureInfo.InvariantCulture, $"e{numbers++}");
        EventAddress at = At(subject, id, day);
        ReadOnlySpan<byte> content = random.Next(24) switch
        {
            < 7 => Issue(subject, at, id, day),
            < 10 => Pay(subject, at, id),
            10 => writer.PaymentReversed(at, Utf8(Any(subject.Payments))),
            11 => writer.PaymentFailed(at, 1_000, Currencies[0]),
            12 => writer.ItemAdjusted(at, Utf8(Any(subject.Items)), random.Next(2) == 0 ? -random.Next(1, 5_000) : random.Next(1, 900), Currencies[0]),
            13 => random.Next(3) == 0 ? writer.ItemCancelled(at, Utf8(Any(subject.Items))) : writer.DueDateChanged(at, Utf8(Any(subject.Items)), day.Plus(random.Next(20) - 10)),
            14 => writer.DebtorRegistered(at, Utf8(Portfolios[random.Next(3)]), [("product", "7")], (Channel)random.Next(4)),
            15 => writer.AttemptReported(Moment(subject, id, knownMs), (Channel)(1 + random.Next(3)), (AttemptOutcome)(1 + random.Next(8))),
            16 => writer.ContactReceived(Moment(subject, id, knownMs), (Channel)(1 + random.Next(3)), (ContactKind)(1 + random.Next(4))),
            17 => Promise(subject, at, id, day),
            18 => writer.PromiseCancelled(at, Utf8(Any(subject.Promises))),
            19 => Dispute(subject, at, id),
            20 => writer.DisputeResolved(at, Utf8(Any(subject.Disputes))),
            21 => Hold(subject, at, id, day),
            22 => writer.HoldReleased(at, Utf8(Any(subject.Holds))),
            _ => writer.PreferencesChanged(at, "Europe/Berlin", random.Next(2) == 0 ? "de" : "", (Channel)random.Next(4)),
        };
        ulong hash = DebtorKey.HashOf(Utf8(subject.Tenant), Utf8(subject.Name));
        int partition = DebtorKey.PartitionOf(Utf8(subject.Tenant), Utf8(subject.Name), partitions);
        EventReader.TryRead(content, knownMs, history: false, out Event e, out _);
        var news = new Told(subject, partition, e.Head.Stream, hash, id, content.ToArray(), knownMs);
        told.Add(news);
        into.Add(partition, news.Stream, hash, knownMs, Imports && random.Next(8) == 0, news.Content);
    }

    private static void Add(Told one, long knownMs, AppendBatch into) =>
        into.Add(one.Partition, one.Stream, one.Hash, knownMs, history: false, one.Content);

    private ReadOnlySpan<byte> Issue(Subject subject, in EventAddress at, string id, Day day)
    {
        subject.Items.Add(id);
        // Amounts so wide that two values are never equal by chance.
        return writer.ItemIssued(at, Utf8(id), (Component)random.Next(3), 1_000 + random.NextInt64(50_000_000), Currencies[random.Next(4)], day.Plus(random.Next(25) - 20));
    }

    private ReadOnlySpan<byte> Pay(Subject subject, in EventAddress at, string id)
    {
        subject.Payments.Add(id);
        long amount = random.Next(3) == 0 ? 900_000_000 : 1 + random.NextInt64(9_000_000);
        if (random.Next(3) > 0)
            return writer.PaymentReceived(at, amount, Currencies[random.Next(4)]);
        (byte[], long)[] allocations = [(Utf8(Any(subject.Items)), 1 + random.NextInt64(amount))];
        return writer.PaymentReceived(at, amount, Currencies[0], allocations);
    }

    private ReadOnlySpan<byte> Promise(Subject subject, in EventAddress at, string id, Day day)
    {
        subject.Promises.Add(id);
        return writer.PromiseMade(at, 1 + random.Next(100_000), Currencies[0], day.Plus(random.Next(6)));
    }

    private ReadOnlySpan<byte> Dispute(Subject subject, in EventAddress at, string id)
    {
        subject.Disputes.Add(id);
        return writer.DisputeOpened(at, default, 0);
    }

    private ReadOnlySpan<byte> Hold(Subject subject, in EventAddress at, string id, Day day)
    {
        subject.Holds.Add(id);
        return writer.HoldPlaced(at, "asked for", random.Next(2) == 0 ? Day.None : day.Plus(random.Next(3)));
    }

    private string Any(List<string> names) => names.Count == 0 ? "never told" : names[random.Next(names.Count)];

    private static EventAddress At(Subject subject, string id, Day day) =>
        new() { Tenant = Utf8(subject.Tenant), Debtor = Utf8(subject.Name), Id = Utf8(id), Effective = day };

    private EventAddress Moment(Subject subject, string id, long knownMs) => new()
    {
        Tenant = Utf8(subject.Tenant),
        Debtor = Utf8(subject.Name),
        Id = Utf8(id),
        EffectiveMs = knownMs - random.Next(3) * Day.MsPerDay / 3 + (random.Next(6) == 0 ? random.Next(7_200_000) : 0),
    };

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private sealed record Told(Subject Subject, int Partition, EventStream Stream, ulong Hash, string Id, byte[] Content, long KnownMs);

    private sealed class Subject(string tenant, string name)
    {
        public string Tenant => tenant;

        public string Name => name;

        public List<string> Items { get; } = [];

        public List<string> Payments { get; } = [];

        public List<string> Promises { get; } = [];

        public List<string> Disputes { get; } = [];

        public List<string> Holds { get; } = [];
    }
}
