using Collections.Domain.Debtors;
using Collections.Engine.Logs;

namespace Collections.Engine.History;

/// <summary>
/// The debtors of one partition as they were at a moment of the past: folded from the log, from what was effective and known by then,
/// through the same code that folds them live. One pass over the partition's log; its records are held in memory.
/// </summary>
public sealed class HistoricalBook : IDisposable
{
    private readonly PartitionHistory history;
    private readonly HistoricalFold fold;
    private int debtor = -1;

    public HistoricalBook(IEventLog log, int partition, AsOf asOf)
    {
        AsOf = asOf;
        history = new PartitionHistory(log, partition, HistorySelection.All with { KnownUntilMs = asOf.LastMs });
        fold = new HistoricalFold(history);
    }

    public AsOf AsOf { get; }

    /// <summary>The debtor that <see cref="Next"/> moved to; valid until the next call.</summary>
    public Debtor Debtor => fold.Debtor;

    /// <summary>Moves to the next debtor, in the order of (tenant, name), that had any event by then; false at the end.</summary>
    public bool Next()
    {
        while (++debtor < history.DebtorCount)
        {
            if (fold.TryFoldAsKnown(debtor, AsOf))
                return true;
        }
        return false;
    }

    public void Dispose() => fold.Dispose();
}
