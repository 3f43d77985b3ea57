using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Engine.Logs;

namespace Collections.Engine.History;

/// <summary>Folds one debtor at a time out of a <see cref="PartitionHistory"/>, through the code that folds them live.</summary>
public sealed class HistoricalFold(PartitionHistory history, DebtorOptions? options = null) : IDisposable
{
    private readonly NameTable names = new();
    private readonly SlabPool pool = new(options);
    private readonly HistoryBatch batch = new();
    private DebtorRecord record;

    /// <summary>The debtor that was folded last; valid until the next fold.</summary>
    public Debtor Debtor => new(ref record, pool, names);

    /// <summary>The name of a portfolio of the debtor that was folded last; empty: none.</summary>
    public ReadOnlySpan<byte> Portfolio => Debtor.PortfolioId == 0 ? default : names[Debtor.PortfolioId];

    /// <summary>
    /// The debtor as a node knew it at an instant: everything known by then, what is effective later still waiting as it waited there. False when
    /// nothing that was known was effective yet.
    /// </summary>
    public bool TryFoldAsKnown(int debtor, AsOf asOf) => TryFold(debtor, asOf, asOf.LastMs, effectiveUntilMs: long.MaxValue);

    /// <summary>The debtor as it truly stood at an instant, by all that the log knows today. False when nothing was effective yet.</summary>
    public bool TryFoldAsItWas(int debtor, AsOf asOf) => TryFold(debtor, asOf, long.MaxValue, asOf.LastMs);

    public void Dispose() => pool.Dispose();

    private bool TryFold(int debtor, AsOf asOf, long knownUntilMs, long effectiveUntilMs)
    {
        if (!record.IsFree)
            Debtor.Free();
        batch.Clear();
        bool any = false;
        foreach (ref readonly EventMoment moment in history.MomentsOf(debtor))
        {
            // In the order of knowledge: the rest is later still.
            if (moment.KnownMs > knownUntilMs)
                break;
            if (moment.EffectiveMs > effectiveUntilMs)
                continue;
            any |= moment.EffectiveMs <= asOf.LastMs;
            LogRecord one = history.RecordOf(moment);
            batch.Add(one.Content, moment.KnownMs, one.History);
        }
        if (!any)
            return false;
        record = default;
        Domain.Debtors.Debtor.Create(ref record, pool, names, history.TenantOf(debtor), history.NameOf(debtor));
        Debtor.Rebuild(batch, asOf, out _);
        return true;
    }
}
