using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;

namespace Collections.Engine.History;

/// <summary>
/// The debtors of one partition as they were at a moment of the past: folded from the log, from what was effective and known by then,
/// through the same code that folds them live. One pass over the partition's log; its records are held in memory.
/// </summary>
public sealed class HistoricalBook : IDisposable
{
    private readonly RecordBatch records = new();
    private readonly Dictionary<ulong, List<int>> byDebtor = [];
    private readonly NameTable names = new();
    private readonly SlabPool pool = new();
    private readonly HistoryBatch history = new();
    private Dictionary<ulong, List<int>>.Enumerator debtors;
    private DebtorRecord record;

    public HistoricalBook(IEventLog log, int partition, AsOf asOf)
    {
        AsOf = asOf;
        Read(log, partition);
        debtors = byDebtor.GetEnumerator();
    }

    public AsOf AsOf { get; }

    /// <summary>The debtor that <see cref="Next"/> moved to; valid until the next call.</summary>
    public Debtor Debtor => new(ref record, pool, names);

    /// <summary>Moves to the next debtor that had any event by then; false at the end.</summary>
    public bool Next()
    {
        if (!record.IsFree)
            Debtor.Free();
        while (debtors.MoveNext())
        {
            if (TryFold(debtors.Current.Value))
                return true;
        }
        return false;
    }

    public void Dispose()
    {
        debtors.Dispose();
        pool.Dispose();
    }

    private bool TryFold(List<int> places)
    {
        history.Clear();
        ReadOnlySpan<byte> tenant = default, debtor = default;
        foreach (int place in places)
        {
            LogRecord one = records[place];
            if (!EventReader.TryRead(one.Content, one.KnownMs, one.History, out Event e, out _) || e.Head.EffectiveMs > AsOf.LastMs)
                continue;
            tenant = e.Head.Tenant;
            debtor = e.Head.Debtor;
            history.Add(one.Content, one.KnownMs, one.History);
        }
        if (history.Count == 0)
            return false;
        record = default;
        Domain.Debtors.Debtor.Create(ref record, pool, names, tenant, debtor);
        Debtor.Rebuild(history, AsOf, out _);
        return true;
    }

    private void Read(IEventLog log, int partition)
    {
        StreamPositions next = StreamPositions.Start;
        var slice = new RecordBatch();
        while (log.Read(partition, ref next, Limits.SliceRecordsMax, slice) > 0)
        {
            for (int i = 0; i < slice.Count; i++)
                Keep(slice[i]);
            slice.Clear();
        }
    }

    private void Keep(in LogRecord one)
    {
        if (one.KnownMs > AsOf.LastMs || !EventReader.TryRead(one.Content, one.KnownMs, one.History, out Event e, out _) || e.Head.Kind == EventKind.ImportEnded)
            return;
        ulong hash = DebtorKey.HashOf(e.Head.Tenant, e.Head.Debtor);
        if (!byDebtor.TryGetValue(hash, out List<int>? places))
            byDebtor.Add(hash, places = []);
        places.Add(records.Count);
        records.Add(one);
    }
}
