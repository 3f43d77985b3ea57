using System.Text;
using Collections.Domain.Debtors;
using Collections.Engine.Queues;
using Collections.Engine.Scoring;
using Collections.Scoring.Registry;
using Collections.Strategy;

namespace Collections.Engine.Partitions;

/// <summary>
/// Looks through the book without changing it, some debtors a call, so that nobody waits long behind it: the partition may go on in
/// between, and a survey is a picture of minutes, not of one instant.
/// </summary>
public sealed class BookSurvey
{
    private readonly Partition partition;
    private readonly DebtorTable table;
    private readonly QueueBook queues;
    private readonly Evaluator evaluator;
    private readonly double[] catalogue = new double[FeatureCatalogue.Count];

    internal BookSurvey(Partition partition, DebtorTable table, QueueBook queues, Evaluator evaluator)
    {
        this.partition = partition;
        this.table = table;
        this.queues = queues;
        this.evaluator = evaluator;
    }

    /// <summary>Holds the active model's scores of a tenant's debtors against the shadow's.</summary>
    /// <param name="from">The first slot to look at; 0 to begin.</param>
    /// <returns>Where to go on; −1 at the end.</returns>
    public int Compare(int from, string tenant, ComparisonTally into)
    {
        byte[] tenantName = Encoding.UTF8.GetBytes(tenant);
        int end = Math.Min(table.Count, from + Limits.SurveyChunk);
        for (int slot = from; slot < end; slot++)
        {
            if (!IsToBeLookedAt(slot) || !table.Debtor(slot).Tenant.SequenceEqual(tenantName))
                continue;
            ref ActedState acted = ref table.Record(slot).Acted;
            if (acted.ScoredAtMs == 0)
                continue;
            double shadow = evaluator.Shadow.Of(slot);
            into.Add(partition.Number, ComparisonSums.Of(acted.Propensity, shadow));
            ushort queue = table.Standing(slot).Queue;
            if (queue == 0 || double.IsNaN(shadow))
                continue;
            Debtor debtor = table.Debtor(slot);
            Decision decision = BuiltInStrategy.Decide(debtor.Facts(AsOf.At(acted.ScoredAtMs)), shadow, AsOf.At(acted.ScoredAtMs));
            into.AddQueue(
                queues.NameOf(queues.All[queue - 1]).ToString(), waiting: 1, [new ComparedEntry(Encoding.UTF8.GetString(debtor.Name), acted.Value, decision.Value, acted.EligibleSinceMs)]);
        }
        return end < table.Count ? end : -1;
    }

    /// <summary>How many queues the tenant has here.</summary>
    public int QueueCount(string tenant) => table.Names.TryFind(Encoding.UTF8.GetBytes(tenant), out ushort id) ? queues.All.Count(queue => queue.Tenant == id) : 0;

    /// <summary>Counts those whom a model is for into the bins of its training rows, as of the partition's clock.</summary>
    /// <param name="from">The first slot to look at; 0 to begin.</param>
    /// <returns>Where to go on; −1 at the end.</returns>
    public int Measure(int from, ModelTarget target, DriftTally into)
    {
        AsOf now = AsOf.At(partition.ClockMs);
        int end = Math.Min(table.Count, from + Limits.SurveyChunk);
        for (int slot = from; slot < end; slot++)
        {
            if (!IsToBeLookedAt(slot))
                continue;
            Debtor debtor = table.Debtor(slot);
            if (target == ModelTarget.Propensity && debtor.Facts(now).OverdueMinor <= 0)
                continue;
            debtor.Features(now, catalogue);
            if (target == ModelTarget.PreDueRisk && double.IsNaN(catalogue[Evaluator.DaysToNextDue]))
                continue;
            into.Add(catalogue, debtor);
        }
        return end < table.Count ? end : -1;
    }

    private bool IsToBeLookedAt(int slot) => !table.Record(slot).IsFree && !partition.IsParked(slot) && !table.Debtor(slot).IsQuiet;
}
