using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Leases;
using Collections.Engine.Queues;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;
using Collections.Scoring.Reasons;
using Collections.Strategy;

namespace Collections.Engine.Partitions;

/// <summary>What others may see of a partition: copies, made on the partition's thread.</summary>
public sealed class PartitionView
{
    private readonly Partition partition;
    private readonly DebtorTable table;
    private readonly QueueBook queues;
    private readonly LeaseBook leases;
    private readonly Evaluator evaluator;
    private readonly BookSweep sweep;
    private readonly double[] catalogue = new double[FeatureCatalogue.Count];

    internal PartitionView(Partition partition, DebtorTable table, QueueBook queues, LeaseBook leases, Evaluator evaluator, BookSweep sweep)
    {
        this.partition = partition;
        this.table = table;
        this.queues = queues;
        this.leases = leases;
        this.evaluator = evaluator;
        this.sweep = sweep;
    }

    /// <summary>What it scores with.</summary>
    public ModelSet Models => evaluator.Models;

    /// <summary>How far the walk through the book has come that follows a change of models; all of it when none is under way.</summary>
    public (int Done, int Of) Rescored => sweep.IsRescoring ? sweep.Progress : (table.Count, table.Count);

    /// <summary>What became of watched predictions.</summary>
    public IReadOnlyList<KeyValuePair<OutcomeKey, OutcomeSums>> Outcomes() => [.. evaluator.Outcomes.All];

    public int DebtorCount => table.Count;

    public int OpenLeaseCount => leases.OpenCount;

    public long ScoreCount => evaluator.ScoreCount;

    /// <summary>Scores that were known without computing them, since the models were installed.</summary>
    public long SkipCount => evaluator.SkipCount;

    /// <summary>Decisions made since the start, by <see cref="Eligibility"/>.</summary>
    public ReadOnlySpan<long> DecisionCounts => evaluator.DecisionCounts;

    /// <summary>Memory of the debtors: records, lists in use, index and queue entries, and what tells an unchanged row, in bytes.</summary>
    public long BytesUsed => table.TableBytes + table.Pool.BytesUsed + evaluator.MemoBytes;

    /// <summary>One debtor in full; null if the partition has none of that name.</summary>
    public DebtorSnapshot? Debtor(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> name)
    {
        int slot = partition.Find(tenant, name);
        if (slot < 0)
            return null;
        Debtor debtor = table.Debtor(slot);
        AsOf now = AsOf.At(partition.ClockMs);
        DebtorFacts facts = debtor.Facts(now);
        ActedState acted = table.Record(slot).Acted;
        var features = new double[FeatureCatalogue.Count];
        debtor.Features(now, features);
        Decision decision = BuiltInStrategy.Decide(facts, acted.Propensity, now);
        return new DebtorSnapshot(
            Encoding.UTF8.GetString(tenant), Encoding.UTF8.GetString(name), PortfolioOf(facts.PortfolioId), facts, acted, features,
            Items(debtor, now), Promises(debtor, now), Standing(slot), decision.Eligibility,
            partition.IsParked(slot), debtor.IsQuiet, partition.ClockMs)
        { Scored = Scored(slot) };
    }

    /// <summary>
    /// The row that a debtor's score was made of, copied for its reasons to be found elsewhere. Its features are told again as of the moment of the
    /// score: whatever has touched the debtor since has scored it again. Null without a score, or when the model that gave it is gone.
    /// </summary>
    public ScoredRow? Scored(int slot)
    {
        ref ActedState acted = ref table.Record(slot).Acted;
        if (acted.ScoredAtMs == 0 || evaluator.ModelOf(acted.ModelVersion) is not { } model)
            return null;
        Debtor debtor = table.Debtor(slot);
        debtor.Features(AsOf.At(acted.ScoredAtMs), catalogue);
        var values = new double[model.Ensemble.FeatureCount];
        model.Gather(catalogue, debtor, values);
        return new ScoredRow(model, values, acted.Score);
    }

    /// <summary>What a caller wants to see of a leased debtor; null if the lease is not in its holder's hand.</summary>
    public LeasedAction? Describe(LeaseRow row)
    {
        if (leases.Find(row.Sequence) is not { Stage: LeaseStage.Held } lease)
            return null;
        DebtorFacts facts = table.Debtor(lease.Slot).Facts(AsOf.At(partition.ClockMs));
        ref ActedState acted = ref table.Record(lease.Slot).Acted;
        return new LeasedAction(lease.Row, facts.OverdueMinor, facts.Currency, facts.OldestDpd, acted.ScoredAtMs, acted.EligibleSinceMs);
    }

    public IEnumerable<QueueFigures> Queues()
    {
        foreach (RankedQueue queue in queues.All)
        {
            ReadOnlySpan<RankedEntry> best = queue.Count == 0 ? [] : queue.Best(1);
            yield return new QueueFigures(
                Encoding.UTF8.GetString(table.Names[queue.Tenant]), queues.NameOf(queue), queue.Count, best.IsEmpty ? 0 : best[0].Value);
        }
    }

    /// <summary>Queues so far; the one at an index stays there.</summary>
    public int QueueCount => queues.All.Count;

    public (string Tenant, QueueName Queue) QueueAt(int index) => (Encoding.UTF8.GetString(table.Names[queues.All[index].Tenant]), queues.NameOf(queues.All[index]));

    /// <summary>Debtors that wait in the queue at an index. Unlike <see cref="Queues"/> this looks at no entry.</summary>
    public int WaitingIn(int index) => queues.All[index].Count;

    /// <summary>Open leases by queue name, with their tenants.</summary>
    public IEnumerable<(string Tenant, string Queue)> OpenLeases() =>
        leases.All.Where(l => l.Stage is LeaseStage.Held or LeaseStage.Reporting).Select(l => (l.Row.Tenant, l.Row.Queue));

    /// <summary>A digest of every debtor's ledger in this partition that does not depend on the order of arrival.</summary>
    public ulong LedgerDigest()
    {
        ulong sum = 0;
        for (int slot = 0; slot < table.Count; slot++)
        {
            if (table.Record(slot).IsFree)
                continue;
            Debtor debtor = table.Debtor(slot);
            sum += Hash64.Of(BitConverter.GetBytes(debtor.LedgerDigest()), DebtorKey.HashOf(debtor.Tenant, debtor.Name));
        }
        return sum;
    }

    /// <summary>Whether every debtor's ledger keeps its invariant, and nobody who owes nothing overdue stands in a queue.</summary>
    /// <param name="ledgers">Whether to add up every ledger, which takes longest.</param>
    public BookCheck Check(bool ledgers = true)
    {
        int unbalanced = 0, paidStillQueued = 0, doubleLeased = 0;
        AsOf now = AsOf.At(partition.ClockMs);
        for (int slot = 0; slot < table.Count; slot++)
        {
            if (table.Record(slot).IsFree)
                continue;
            Debtor debtor = table.Debtor(slot);
            if (ledgers && !debtor.LedgerBalances())
                unbalanced++;
            if (table.Standing(slot).Queue != 0 && debtor.Facts(now).OverdueMinor <= 0)
                paidStillQueued++;
            if (table.Standing(slot).Queue != 0 && leases.Find(table.Record(slot).Acted.LeaseSequence) is not null)
                doubleLeased++;
        }
        doubleLeased += leases.All.Where(l => l.Stage != LeaseStage.Voided).GroupBy(l => l.Slot).Count(g => g.Count() > 1);
        return new BookCheck(unbalanced, paidStillQueued, doubleLeased);
    }

    private string PortfolioOf(ushort id) => id == 0 ? QueueName.DefaultPortfolio : Encoding.UTF8.GetString(table.Names[id]);

    private QueueStanding? Standing(int slot)
    {
        ref Standing standing = ref table.Standing(slot);
        ref ActedState acted = ref table.Record(slot).Acted;
        if (acted.LeaseSequence != 0 && leases.Find(acted.LeaseSequence) is { } lease)
            return new QueueStanding(lease.Row.Queue, lease.Row.Value, acted.EligibleSinceMs, lease.Row.Id, lease.Row.ExpiresMs) { Reasons = lease.Row.Reasons };
        if (standing.Queue == 0)
            return null;
        return new QueueStanding(queues.NameOf(queues.All[standing.Queue - 1]).ToString(), standing.Value, standing.EligibleSinceMs, "", 0);
    }

    private static List<ItemSnapshot> Items(Debtor debtor, AsOf now)
    {
        var items = new List<ItemSnapshot>();
        foreach (ItemView item in debtor.Items(now))
        {
            if (!item.Cancelled)
                items.Add(new ItemSnapshot(Encoding.UTF8.GetString(item.Name), item.Component, item.Currency, item.AmountMinor, item.OpenMinor, item.Issued, item.Due, item.Dpd));
        }
        return items;
    }

    private static List<PromiseSnapshot> Promises(Debtor debtor, AsOf now)
    {
        var promises = new List<PromiseSnapshot>();
        foreach (PromiseView promise in debtor.Promises(now))
            promises.Add(new PromiseSnapshot(Encoding.UTF8.GetString(promise.Name), promise.AmountMinor, promise.PaidMinor, promise.Made, promise.Due, promise.State));
        return promises;
    }
}

/// <summary>An action in its caller's hand, with what a caller wants to see of its debtor.</summary>
public sealed record LeasedAction(LeaseRow Lease, long OverdueMinor, Currency Currency, int OldestDpd, long ScoredAtMs, long EligibleSinceMs);

/// <summary>One debtor as of the partition's clock.</summary>
public sealed record DebtorSnapshot(
    string Tenant, string Name, string Portfolio, DebtorFacts Facts, ActedState Acted, double[] Features, IReadOnlyList<ItemSnapshot> Items,
    IReadOnlyList<PromiseSnapshot> Promises, QueueStanding? Standing, Eligibility Eligibility, bool IsParked, bool IsQuiet, long AsOfMs)
{
    /// <summary>The row that the score was made of; null if there is none.</summary>
    public ScoredRow? Scored { get; init; }
}

public sealed record ItemSnapshot(string Name, Component Component, Currency Currency, long AmountMinor, long OpenMinor, Day Issued, Day Due, int Dpd);

public sealed record PromiseSnapshot(string Name, long AmountMinor, long PaidMinor, Day Made, Day Due, PromiseState State);

/// <summary>Where a debtor stands: in a queue, or under a lease.</summary>
public sealed record QueueStanding(string Queue, double Value, long EligibleSinceMs, string Lease, long LeaseExpiresMs)
{
    /// <summary>Those that were kept with the lease.</summary>
    public TopReasons Reasons { get; init; }
}

public readonly record struct QueueFigures(string Tenant, QueueName Queue, int Waiting, double BestValue);

/// <summary>What a walk over the whole book found; all zero in a sound book.</summary>
public readonly record struct BookCheck(int UnbalancedLedgers, int PaidStillQueued, int DoubleLeased);
