using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Engine.History;

namespace Collections.Engine.Training;

/// <summary>
/// The rows that the debtors of one <see cref="PartitionHistory"/> give, in the order of (as-of date, tenant, debtor). What a row knows is what the
/// engine knew at the end of its as-of date, folded and evaluated by the engine's own code; only its outcome looks beyond.
/// </summary>
public sealed class TrainingRows : IDisposable
{
    /// <summary>Days that the true state at a horizon's end keeps beyond the horizon, so that no item of it is folded away.</summary>
    private const int SpareDays = 30;

    private readonly PartitionHistory history;
    private readonly TrainingPlan plan;
    private readonly HistoricalFold known;
    private readonly HistoricalFold truth;
    private readonly ItemsToCome items = new();
    private int date;
    private int debtor = -1;

    public TrainingRows(PartitionHistory history, TrainingPlan plan)
    {
        this.history = history;
        this.plan = plan;
        known = new HistoricalFold(history);
        truth = new HistoricalFold(history, DebtorOptions.Default with { HorizonDays = Math.Max(DebtorOptions.Default.HorizonDays, plan.HorizonDays + SpareDays) });
    }

    public Day Date => plan.Dates[date];

    public AsOf AsOf => AsOf.EndOf(Date);

    /// <summary>Its place in the history.</summary>
    public int DebtorPlace => debtor;

    /// <summary>As it was known on the date; valid until the next call.</summary>
    public Debtor Debtor => known.Debtor;

    public ReadOnlySpan<byte> Portfolio => known.Portfolio;

    public DebtorFacts Facts { get; private set; }

    /// <summary>Why the debtor gives no row on the date; <see cref="Exclusion.None"/>: it gives one.</summary>
    public Exclusion Exclusion { get; private set; }

    /// <summary>The outcome of a row.</summary>
    public bool IsPositive { get; private set; }

    /// <summary>Whether an attempt was made in the horizon of a row: part of the outcome, not of what was known.</summary>
    public bool WasAttempted { get; private set; }

    /// <summary>Moves to the next debtor that was on the book on a date, whether it gives a row or not; false at the end.</summary>
    public bool Next()
    {
        for (; date < plan.Dates.Count; date++)
        {
            while (++debtor < history.DebtorCount)
            {
                if (!known.TryFoldAsKnown(debtor, AsOf))
                    continue;
                Facts = known.Debtor.Facts(AsOf);
                Exclusion = Judge();
                return true;
            }
            debtor = -1;
        }
        return false;
    }

    public void Dispose()
    {
        known.Dispose();
        truth.Dispose();
    }

    private Exclusion Judge()
    {
        (IsPositive, WasAttempted) = (false, false);
        AsOf end = AsOf.EndOf(Date.Plus(plan.HorizonDays));
        bool preDue = plan.Label.Kind == LabelKind.PastDue;
        if (preDue)
            items.Note(known.Debtor, AsOf, end, plan.Label.Days, Facts.Currency);
        if (preDue && !items.Any)
            return Exclusion.NothingFallsDue;
        if (!preDue && Facts.OverdueMinor <= 0)
            return Exclusion.NothingOverdue;
        if (Facts.DisputesOpen > 0)
            return Exclusion.DisputeOpen;
        if (Facts.OnHold)
            return Exclusion.OnHold;
        if (end.Day > plan.CompleteThrough)
            return Exclusion.HorizonNotOver;
        Aftermath after = Aftermath.Of(history, debtor, AsOf, end, Facts.Currency);
        if (after.Disputed)
            return Exclusion.DisputeInHorizon;
        if (after.Held)
            return Exclusion.HoldInHorizon;
        WasAttempted = after.Attempted;
        if (preDue)
            return JudgeItems(end);
        IsPositive = plan.Label.Kind == LabelKind.AnyPayment ? after.AnyPayment : (decimal)after.ReceivedMinor >= plan.Label.Share * Facts.OverdueMinor;
        return Exclusion.None;
    }

    private Exclusion JudgeItems(AsOf end)
    {
        if (!truth.TryFoldAsItWas(debtor, end) || items.BecamePastDue(truth.Debtor, end, plan.Label.Days) is not { } became)
            return Exclusion.ClosedOtherwise;
        IsPositive = became;
        return Exclusion.None;
    }
}
