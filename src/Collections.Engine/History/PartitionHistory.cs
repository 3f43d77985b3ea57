using System.Runtime.InteropServices;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;

namespace Collections.Engine.History;

/// <summary>When an event is true and since when it is known, and where it lies.</summary>
/// <param name="Place">Of its record.</param>
/// <param name="IdHash">Of its id; equal ids have equal ones.</param>
/// <param name="EffectiveMs">In Unix milliseconds; for a date, the first instant of the day.</param>
/// <param name="KnownMs">In Unix milliseconds, by the rule of the selection.</param>
public readonly record struct EventMoment(int Place, EventKind Kind, ulong IdHash, long EffectiveMs, long KnownMs);

/// <summary>
/// What the log says of the debtors of one partition: read once, held in memory, by debtor in the order of (tenant, name), and for each debtor in the
/// order in which it became known. Records that can't be read, or lie on a wrong partition, are left out, as the partition leaves them out.
/// </summary>
public sealed class PartitionHistory
{
    private readonly RecordBatch records = new();
    private readonly Dictionary<ulong, int> byHash = [];
    private readonly List<(byte[] Tenant, byte[] Name)> names = [];
    private readonly List<(int Debtor, EventMoment Moment)> read = [];
    private readonly HistorySelection selection;
    private readonly int partition;
    private readonly int partitionCount;
    private readonly int[] order;
    private readonly int[] starts;
    private readonly EventMoment[] moments;

    /// <exception cref="LogUnavailableException">The log can't be read now.</exception>
    /// <exception cref="LogCorruptException">What is stored can't be trusted.</exception>
    public PartitionHistory(IEventLog log, int partition, HistorySelection selection)
    {
        this.selection = selection;
        this.partition = partition;
        partitionCount = log.PartitionCount;
        Read(log);
        order = [.. Enumerable.Range(0, names.Count)];
        Array.Sort(order, Compare);
        (starts, moments) = Arrange();
        read.Clear();
        read.TrimExcess();
        byHash.Clear();
        byHash.TrimExcess();
    }

    public int DebtorCount => order.Length;

    public ReadOnlySpan<byte> TenantOf(int debtor) => names[order[debtor]].Tenant;

    public ReadOnlySpan<byte> NameOf(int debtor) => names[order[debtor]].Name;

    /// <summary>A debtor's events in the order in which they became known; redeliveries too.</summary>
    public ReadOnlySpan<EventMoment> MomentsOf(int debtor) => moments.AsSpan(starts[debtor]..starts[debtor + 1]);

    /// <summary>The record of an event; valid as long as the history.</summary>
    public LogRecord RecordOf(in EventMoment moment) => records[moment.Place];

    /// <summary>Reads an event again.</summary>
    public Event EventOf(in EventMoment moment)
    {
        LogRecord record = records[moment.Place];
        bool readable = EventReader.TryRead(record.Content, record.KnownMs, record.History, out Event e, out _);
        Invariant.Require(readable, "what was read once is read again");
        return e;
    }

    private void Read(IEventLog log)
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

    private void Keep(in LogRecord record)
    {
        if (!EventReader.TryRead(record.Content, record.KnownMs, record.History, out Event e, out _) || e.Head.Kind == EventKind.ImportEnded)
            return;
        long knownMs = selection.KnownMs(e.Head);
        ulong hash = DebtorKey.HashOf(e.Head.Tenant, e.Head.Debtor);
        if (knownMs > selection.KnownUntilMs || !selection.Takes(hash) || DebtorKey.PartitionOf(e.Head.Tenant, e.Head.Debtor, partitionCount) != partition)
            return;
        read.Add((DebtorOf(hash, e.Head), new EventMoment(records.Count, e.Head.Kind, Hash64.Of(e.Head.Id), e.Head.EffectiveMs, knownMs)));
        records.Add(record);
    }

    private int DebtorOf(ulong hash, in EventHead head)
    {
        // Two debtors of one hash take neighbouring keys.
        for (; ; hash++)
        {
            ref int debtor = ref CollectionsMarshal.GetValueRefOrAddDefault(byHash, hash, out bool exists);
            if (!exists)
            {
                debtor = names.Count;
                names.Add((TenantAs(head.Tenant), head.Debtor.ToArray()));
            }
            if (names[debtor].Name.AsSpan().SequenceEqual(head.Debtor) && names[debtor].Tenant.AsSpan().SequenceEqual(head.Tenant))
                return debtor;
        }
    }

    /// <summary>Neighbours mostly share their tenant.</summary>
    private byte[] TenantAs(ReadOnlySpan<byte> tenant) => names.Count > 0 && tenant.SequenceEqual(names[^1].Tenant) ? names[^1].Tenant : tenant.ToArray();

    private int Compare(int a, int b)
    {
        int byTenant = names[a].Tenant.AsSpan().SequenceCompareTo(names[b].Tenant);
        return byTenant != 0 ? byTenant : names[a].Name.AsSpan().SequenceCompareTo(names[b].Name);
    }

    private (int[] Starts, EventMoment[] Moments) Arrange()
    {
        int[] rank = new int[order.Length];
        for (int i = 0; i < order.Length; i++)
            rank[order[i]] = i;
        int[] begins = new int[order.Length + 1];
        foreach ((int debtor, _) in read)
            begins[rank[debtor] + 1]++;
        for (int i = 0; i < order.Length; i++)
            begins[i + 1] += begins[i];
        int[] next = begins[..^1];
        var arranged = new EventMoment[read.Count];
        foreach ((int debtor, EventMoment moment) in read)
            arranged[next[rank[debtor]]++] = moment;
        for (int i = 0; i < order.Length; i++)
            arranged.AsSpan(begins[i]..begins[i + 1]).Sort(static (a, b) => a.KnownMs != b.KnownMs ? a.KnownMs.CompareTo(b.KnownMs) : a.Place.CompareTo(b.Place));
        return (begins, arranged);
    }
}
