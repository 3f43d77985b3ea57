using Collections.Domain.Debtors;
using Collections.Engine.Leases;
using Collections.Engine.Queues;
using Collections.Engine.Scoring;
using Collections.Strategy;

namespace Collections.Engine.Partitions;

/// <summary>
/// Evaluates debtors: features, score, decision, place in the queue, each as of the moment at which it was touched. The touched ones
/// are gathered and scored as a batch; a debtor that is touched again is evaluated first, so that the outcome does not depend on
/// how the records were cut into slices.
/// </summary>
internal sealed class Evaluator(DebtorTable table, QueueBook queues, LeaseBook leases, LeaseDesk desk, DirtySlots dirty, ScoringModel? model)
{
    private readonly double[] catalogue = new double[FeatureCatalogue.Count];
    private readonly double[] rows = new double[Limits.EvaluationBatch * (model?.Ensemble.FeatureCount ?? 0)];
    private readonly double[] raw = new double[Limits.EvaluationBatch];
    private readonly double[] propensity = new double[Limits.EvaluationBatch];
    private readonly int[] batch = new int[Limits.EvaluationBatch];
    private readonly long[] times = new long[Limits.EvaluationBatch];
    private readonly List<(int Slot, long AtMs)> waiting = [];

    public ScoringModel? Model { get; } = model;

    /// <summary>The model that gave the scores of a version; null if this partition has it no more.</summary>
    public ScoringModel? ModelOf(ushort version) => Model?.Version == version ? Model : null;

    /// <summary>Scores made since the start.</summary>
    public long ScoreCount { get; private set; }

    public bool HasWork => waiting.Count > 0;

    public bool IsWaiting(int slot) => (table.Standing(slot).Flags & StandingFlags.ToEvaluate) != 0;

    /// <param name="atMs">The moment as of which it is to be evaluated, in Unix milliseconds.</param>
    public void Add(int slot, long atMs)
    {
        ref Standing standing = ref table.Standing(slot);
        if ((standing.Flags & StandingFlags.ToEvaluate) != 0)
            return;
        standing.Flags |= StandingFlags.ToEvaluate;
        waiting.Add((slot, atMs));
    }

    /// <summary>Evaluates all that wait.</summary>
    /// <param name="reschedule">Called for each afterwards, when its timers may have moved.</param>
    public void Run(Action<int> reschedule)
    {
        int done = 0;
        while (done < waiting.Count)
        {
            int count = 0;
            for (; done < waiting.Count && count < batch.Length; done++)
            {
                (int slot, long atMs) = waiting[done];
                table.Standing(slot).Flags &= ~StandingFlags.ToEvaluate;
                if (!CanEvaluate(slot, AsOf.At(atMs)))
                {
                    reschedule(slot);
                    continue;
                }
                times[count] = atMs;
                batch[count++] = slot;
            }
            Score(count);
            for (int i = 0; i < count; i++)
            {
                Decide(batch[i], raw[i], propensity[i], AsOf.At(times[i]));
                reschedule(batch[i]);
            }
        }
        waiting.Clear();
    }

    private bool CanEvaluate(int slot, AsOf now)
    {
        if ((table.Standing(slot).Flags & StandingFlags.Parked) != 0)
            return false;
        Debtor debtor = table.Debtor(slot);
        if (debtor.IsQuiet)
        {
            queues.Leave(slot);
            return false;
        }
        debtor.Advance(now);
        return true;
    }

    private void Score(int count)
    {
        if (Model is null)
        {
            Array.Fill(raw, double.NaN, 0, count);
            Array.Fill(propensity, double.NaN, 0, count);
            return;
        }
        int width = Model.Ensemble.FeatureCount;
        for (int i = 0; i < count; i++)
        {
            table.Debtor(batch[i]).Features(AsOf.At(times[i]), catalogue);
            Model.Gather(catalogue, rows.AsSpan(i * width, width));
        }
        Model.Ensemble.PredictRaw(rows.AsSpan(0, count * width), count, raw);
        Model.Ensemble.Transform(raw, count, propensity);
        ScoreCount += count;
    }

    private void Decide(int slot, double rawScore, double likely, AsOf now)
    {
        DebtorFacts facts = table.Debtor(slot).Facts(now);
        Decision decision = BuiltInStrategy.Decide(facts, likely, now);
        ref ActedState acted = ref table.Record(slot).Acted;
        acted.Score = rawScore;
        acted.Propensity = likely;
        acted.ScoredAtMs = now.Ms;
        acted.ModelVersion = Model?.Version ?? 0;
        acted.RestUntilMs = decision.NotBeforeMs == long.MaxValue ? 0 : decision.NotBeforeMs;
        dirty.Add(slot);
        if (!decision.IsEligible)
        {
            acted.Value = 0;
            acted.EligibleSinceMs = 0;
            acted.QueueChannel = 0;
            queues.Leave(slot);
            desk.VoidLeaseOf(slot, decision.Eligibility, now.Ms);
            return;
        }
        acted.Value = decision.Value;
        acted.QueueChannel = (byte)decision.Channel;
        if (acted.EligibleSinceMs == 0)
            acted.EligibleSinceMs = now.Ms;
        if (acted.LeaseSequence != 0 && leases.Find(acted.LeaseSequence) is not null)
            queues.Leave(slot);
        else
            Rank(slot, acted, queues.Of(table.TenantOf(slot), facts.PortfolioId, decision.Channel));
    }

    private void Rank(int slot, in ActedState acted, RankedQueue queue)
    {
        ref Standing standing = ref table.Standing(slot);
        if (standing.Queue == queue.Number)
        {
            queue.Update(slot, acted.Value);
            return;
        }
        queues.Leave(slot);
        queue.Add(slot, acted.Value, acted.EligibleSinceMs);
    }

    /// <summary>Puts a debtor back where its record says it stood, without evaluating it: after a restart, or when a lease is given back.</summary>
    public void Requeue(int slot)
    {
        ref ActedState acted = ref table.Record(slot).Acted;
        if (acted.QueueChannel == 0 || acted.LeaseSequence != 0)
            return;
        Debtor debtor = table.Debtor(slot);
        if (debtor.IsQuiet)
            return;
        Rank(slot, acted, queues.Of(table.TenantOf(slot), debtor.PortfolioId, (Domain.Events.Channel)acted.QueueChannel));
    }
}
