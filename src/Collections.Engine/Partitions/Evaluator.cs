using Collections.Domain;
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
internal sealed class Evaluator
{
    private readonly DebtorTable table;
    private readonly QueueBook queues;
    private readonly LeaseBook leases;
    private readonly LeaseDesk desk;
    private readonly DirtySlots dirty;
    /// <summary>The place of the feature that is missing when nothing is due ahead.</summary>
    public static readonly int DaysToNextDue = FeatureCatalogue.IndexOf("days_to_next_due");

    private readonly double[] catalogue = new double[FeatureCatalogue.Count];
    private readonly int[] batch = new int[Limits.EvaluationBatch];
    private readonly long[] times = new long[Limits.EvaluationBatch];
    private readonly List<(int Slot, long AtMs)> waiting = [];
    private readonly long[] decisions = new long[Enum.GetValues<Eligibility>().Length];
    private readonly bool[] hasDueAhead = new bool[Limits.EvaluationBatch];
    private ScoringBatch? propensity;

    /// <summary>The model before the present one: until the book has been scored anew, scores of it are still there to be explained.</summary>
    private ScoringModel? before;
    private ScoringBatch? risk;
    private ScoringBatch? shadow;

    public Evaluator(DebtorTable table, QueueBook queues, LeaseBook leases, LeaseDesk desk, DirtySlots dirty, ModelSet models)
    {
        this.table = table;
        this.queues = queues;
        this.leases = leases;
        this.desk = desk;
        this.dirty = dirty;
        Models = models;
        Outcomes = new OutcomeWatch(table);
        Install(models);
    }

    public ModelSet Models { get; private set; }

    public ShadowScores Shadow { get; } = new();

    public OutcomeWatch Outcomes { get; }

    /// <summary>The model that gave the scores of a version; null if this partition has it no more.</summary>
    public ScoringModel? ModelOf(ushort version) => Models.Propensity?.Number == version ? Models.Propensity : before?.Number == version ? before : null;

    /// <summary>Scores made since the start.</summary>
    public long ScoreCount { get; private set; }

    /// <summary>Decisions made since the start, by <see cref="Eligibility"/>.</summary>
    public ReadOnlySpan<long> DecisionCounts => decisions;

    /// <summary>Scores since the models were installed that were known without computing them: nothing that the model looks at had changed.</summary>
    public long SkipCount => (propensity?.SkipCount ?? 0) + (risk?.SkipCount ?? 0) + (shadow?.SkipCount ?? 0);

    /// <summary>Bytes kept to know them by.</summary>
    public long MemoBytes => (propensity?.MemoBytes ?? 0) + (risk?.MemoBytes ?? 0) + (shadow?.MemoBytes ?? 0);

    public bool HasWork => waiting.Count > 0;

    public bool IsWaiting(int slot) => (table.Standing(slot).Flags & StandingFlags.ToEvaluate) != 0;

    /// <summary>Scores with these models from now on. Nobody waits: a batch is scored with one set.</summary>
    public void Install(ModelSet models)
    {
        Invariant.Require(waiting.Count == 0, "models change when nobody waits to be evaluated");
        if (models.Shadow?.Number != Models.Shadow?.Number)
            Shadow.Clear();
        if (models.Propensity?.Number != Models.Propensity?.Number)
            before = Models.Propensity;
        Models = models;
        propensity = BatchOf(models.Propensity);
        risk = BatchOf(models.PreDueRisk);
        shadow = BatchOf(models.Shadow);
    }

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
                Keep(batch[i], i);
                Decide(batch[i], AsOf.At(times[i]));
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
        if (propensity is null && risk is null && shadow is null)
            return;
        for (int i = 0; i < count; i++)
        {
            Debtor debtor = table.Debtor(batch[i]);
            debtor.Features(AsOf.At(times[i]), catalogue);
            hasDueAhead[i] = !double.IsNaN(catalogue[DaysToNextDue]);
            propensity?.Put(i, catalogue, debtor);
            risk?.Put(i, catalogue, debtor);
            shadow?.Put(i, catalogue, debtor);
        }
        ReadOnlySpan<int> slots = batch.AsSpan(0, count);
        propensity?.Run(slots);
        risk?.Run(slots);
        shadow?.Run(slots);
        ScoreCount += count;
    }

    /// <summary>Writes the scores of one row down, each with the version of the model that made it.</summary>
    private void Keep(int slot, int row)
    {
        ref ActedState acted = ref table.Record(slot).Acted;
        acted.Score = propensity is null ? double.NaN : propensity.Raw[row];
        acted.Propensity = propensity is null ? double.NaN : propensity.Probability[row];
        acted.ModelVersion = propensity?.Model.Number ?? 0;
        acted.PreDueRisk = risk is null || !hasDueAhead[row] ? double.NaN : risk.Probability[row];
        acted.RiskModelVersion = risk?.Model.Number ?? 0;
        acted.ScoredAtMs = times[row];
        if (shadow is not null)
            Shadow.Put(slot, shadow.Probability[row]);
    }

    private void Decide(int slot, AsOf now)
    {
        ref ActedState acted = ref table.Record(slot).Acted;
        DebtorFacts facts = table.Debtor(slot).Facts(now);
        // A log that is read again is scored with today's model, back to its beginning.
        Outcomes.Look(slot, facts, now.Ms >= Models.PropensitySinceMs ? propensity?.Model : null, now);
        Decision decision = BuiltInStrategy.Decide(facts, acted.Propensity, now);
        decisions[(int)decision.Eligibility]++;
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

    private static ScoringBatch? BatchOf(ScoringModel? model) => model is null ? null : new ScoringBatch(model);

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
