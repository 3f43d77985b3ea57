using System.Buffers.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Server.Demo.Portfolio;

namespace Collections.Load;

/// <summary>
/// The debtors that are loaded: the simulated portfolio's, with months of bills and payments up to yesterday, and then whatever events a scenario
/// wants of today, as many as it wants. The same seed, debtors and day give the same events. For one thread.
/// </summary>
internal sealed class Book
{
    private static readonly Currency Euro = Currency.Parse("EUR");

    private readonly SimulatedPortfolio portfolio;
    private readonly string tenant;
    private readonly Random random;
    private readonly EventWriter writer = new();
    private readonly byte[] debtorName = new byte[DebtorNames.ByteCount];
    private readonly byte[] id = new byte[16];
    private readonly List<int> registered = [];
    private readonly bool[] isRegistered;
    private int written;

    public Book(LoadOptions options, string tenant, Day today)
    {
        this.tenant = tenant;
        Today = today;
        portfolio = new SimulatedPortfolio(options.Debtors, Limits.HistoryMonths, (ulong)options.Seed, Day.Of(today.ToDateOnly().AddMonths(-Limits.HistoryMonths)));
        isRegistered = new bool[options.Debtors];
        random = new Random(options.Seed);
    }

    public Day Today { get; }

    public string Tenant => tenant;

    /// <summary>Debtors of whom the history tells; only they get events of today, and are looked at.</summary>
    public int DebtorCount => registered.Count;

    /// <summary>The past, in batches. To be read once, before anything else.</summary>
    public IEnumerable<EventBatch> History()
    {
        (Queue<EventBatch> full, EventBatch batch) = (new Queue<EventBatch>(), new EventBatch(tenant));
        void Add(in SimulatedEvent e)
        {
            batch.Add(e.Stream, e.Debtor, e.Content);
            if (batch.Count == Limits.FillBatch)
            {
                full.Enqueue(batch);
                batch = new EventBatch(tenant);
            }
            if (!isRegistered[e.Debtor])
                registered.Add(e.Debtor);
            isRegistered[e.Debtor] = true;
        }
        for (Day day = portfolio.FirstDay; day < portfolio.FirstLiveDay; day = day.Plus(1))
        {
            portfolio.WriteHistoryDay(day, Add);
            while (full.TryDequeue(out EventBatch? next))
                yield return next;
        }
        if (batch.Count > 0)
            yield return batch;
    }

    /// <summary>So many events of today, of debtors that chance picks.</summary>
    public EventBatch Live(int count, EventMix mix)
    {
        var batch = new EventBatch(tenant);
        double whole = mix.Invoices + mix.Payments + mix.Activity;
        for (int i = 0; i < count; i++)
        {
            int debtor = AnyDebtor();
            DebtorNames.Format(debtor, debtorName);
            double kind = random.NextDouble() * whole;
            (EventStream stream, EventKind what) = kind < mix.Invoices ? (EventStream.Invoices, EventKind.ItemIssued)
                : kind < mix.Invoices + mix.Payments ? (EventStream.Payments, EventKind.PaymentReceived)
                : (EventStream.Activity, Activity());
            Add(batch, stream, debtor, what);
        }
        return batch;
    }

    public string NameOfAnyDebtor()
    {
        DebtorNames.Format(AnyDebtor(), debtorName);
        return System.Text.Encoding.ASCII.GetString(debtorName);
    }

    private int AnyDebtor() => registered[random.Next(registered.Count)];

    /// <summary>In the shares of the book's own history, rounded: other systems' attempts, replies and calls, promises.</summary>
    private EventKind Activity() => random.Next(20) switch { < 14 => EventKind.AttemptReported, < 19 => EventKind.ContactReceived, _ => EventKind.PromiseMade };

    private void Add(EventBatch batch, EventStream stream, int debtor, EventKind kind)
    {
        id[0] = (byte)'L';
        Utf8Formatter.TryFormat(++written, id.AsSpan(1), out int digits);
        ReadOnlySpan<byte> name = id.AsSpan(0, 1 + digits);
        var address = new EventAddress { Debtor = debtorName, Id = name, Effective = Today };
        long amountMinor = random.Next(1_000, 30_000);
        ReadOnlySpan<byte> content = kind switch
        {
            EventKind.ItemIssued => writer.ItemIssued(address, name, Component.Principal, amountMinor, Euro, Today.Plus(14)),
            EventKind.PaymentReceived => writer.PaymentReceived(address, amountMinor, Euro),
            EventKind.PromiseMade => writer.PromiseMade(address, amountMinor, Euro, Today.Plus(7)),
            EventKind.AttemptReported => writer.AttemptReported(address, Channel.Voice, AttemptOutcome.NoAnswer),
            _ => writer.ContactReceived(address, Channel.Email, ContactKind.Reply),
        };
        batch.Add(stream, debtor, content);
    }
}
