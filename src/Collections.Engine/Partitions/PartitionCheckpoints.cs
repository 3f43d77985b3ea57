using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Queues;
using Collections.Engine.Stores;

namespace Collections.Engine.Partitions;

/// <summary>
/// Copies what changed into a <see cref="Checkpoint"/>, and puts a partition together again from one. Owns the
/// partition's epoch.
/// </summary>
public sealed class PartitionCheckpoints : ICheckpointSink
{
    private static readonly byte[] DefaultPortfolio = Encoding.UTF8.GetBytes(QueueName.DefaultPortfolio);

    private readonly Partition partition;
    private readonly DebtorTable table;
    private readonly TimerHeap timers;
    private readonly LeaseBook leases;
    private readonly ParkedDebtors parked;
    private readonly DirtySlots dirty;
    private readonly BookSweep sweep;
    private readonly Evaluator evaluator;
    private int namesKept;
    private readonly Dictionary<string, List<LeaseRow>> orphans = [];
    private StreamPositions positionsKept;
    private bool replace;

    /// <summary>Leases that have ended since the last checkpoint was filled, and those whose end is in the one under way.</summary>
    private readonly List<uint> ended = [];
    private readonly List<uint> leaving = [];

    internal PartitionCheckpoints(
        Partition partition, DebtorTable table, TimerHeap timers, LeaseBook leases, ParkedDebtors parked, DirtySlots dirty, BookSweep sweep,
        Evaluator evaluator)
    {
        this.partition = partition;
        this.table = table;
        this.timers = timers;
        this.leases = leases;
        this.parked = parked;
        this.dirty = dirty;
        this.sweep = sweep;
        this.evaluator = evaluator;
    }

    /// <summary>The fencing epoch under which the partition writes.</summary>
    public long Epoch { get; private set; }

    /// <summary>Where the last committed checkpoint stands.</summary>
    public StreamPositions Committed { get; private set; }

    /// <summary>Whether a checkpoint would hold anything new.</summary>
    public bool IsDue => dirty.Count > 0 || partition.Positions != positionsKept || !partition.Trail.IsEmpty;

    /// <summary>Why the stored states can't be taken over and must be folded anew from the log; empty: they can.</summary>
    public string RefoldReason { get; private set; } = "";

    /// <summary>The number of the next lease as the stored checkpoint has it, whether its states can be taken over or not.</summary>
    public uint StoredLeaseSequence { get; private set; }

    /// <summary>Where the stored checkpoint stands, whether its states can be taken over or not.</summary>
    public StreamPositions StoredNext { get; private set; }

    /// <summary>How many events had been read for the stored checkpoint: what became of them is counted there, or they are held.</summary>
    public long StoredEvents { get; private set; }

    /// <summary>Takes the partition over: what is written from now on is written under this epoch.</summary>
    /// <param name="startAnew">Nothing is taken over; the first checkpoint replaces what is stored.</param>
    /// <param name="nextLeaseSequence">Where the numbers of leases go on at least: also one that starts anew gives no number twice.</param>
    public void Own(long epoch, bool startAnew, uint nextLeaseSequence = 0)
    {
        Epoch = epoch;
        replace = startAnew;
        leases.NextSequence = Math.Max(leases.NextSequence, nextLeaseSequence);
    }

    /// <summary>Copies everything that changed since the last checkpoint. Between two slices only.</summary>
    public void Fill(Checkpoint into)
    {
        into.Clear();
        into.Partition = partition.Number;
        into.Epoch = Epoch;
        into.Replace = replace;
        foreach (int slot in dirty.TakeSorted())
        {
            Debtor debtor = table.Debtor(slot);
            debtor.WriteImage(into.AddState(slot, debtor.ImageLength));
            if (into.Readable is { } readable)
                Describe(slot, debtor, readable);
        }
        foreach ((int _, RecordBatch held) in parked.All)
        {
            for (int i = 0; i < held.Count; i++)
                into.Held.Add(held[i]);
        }
        leaving.AddRange(ended);
        ended.Clear();
        into.Audit.AddRange(partition.Trail.Rows);
        into.DeadLetters.AddRange(partition.Trail.DeadLetters);
        into.Outbox.AddRange(partition.Trail.Outbox);
        partition.Trail.Clear();
        if (table.Names.Count != namesKept)
            into.Names = WriteNames();
        if (evaluator.Outcomes.HasChanged)
            into.Outcomes = evaluator.Outcomes.Write();
        into.Header = new CheckpointHeader(
            partition.Positions, partition.ClockMs, leases.NextSequence, DebtorImage.LayoutVersion, sweep.IsRunning ? 0 : sweep.SweptDay.Number,
            partition.Quiet, partition.Counters);
        namesKept = table.Names.Count;
        positionsKept = partition.Positions;
        replace = false;
    }

    /// <summary>The readable row of a debtor, as of the partition's clock.</summary>
    private void Describe(int slot, Debtor debtor, ReadableStates into)
    {
        DebtorFacts facts = debtor.Facts(AsOf.At(partition.ClockMs));
        ref ActedState acted = ref table.Record(slot).Acted;
        bool isScored = acted.ScoredAtMs != 0;
        var figures = new ReadableState(
            facts.OpenMinor, facts.OverdueMinor, facts.Currency, facts.OpenItems > 0 ? facts.OldestDpd : null, acted.Stage,
            isScored ? acted.Score : double.NaN, isScored ? acted.Propensity : double.NaN, acted.Value, (Channel)acted.QueueChannel, acted.ScoredAtMs);
        into.Add(figures, debtor.Tenant, debtor.Name, debtor.PortfolioId == 0 ? DefaultPortfolio : table.Names[debtor.PortfolioId]);
    }

    /// <summary>The store has it.</summary>
    public void OnCommitted(in CheckpointHeader header)
    {
        Committed = header.Next;
        foreach (uint sequence in leaving)
            RemoveRow(sequence);
        leaving.Clear();
    }

    /// <summary>
    /// A lease has ended. Its row goes after the next checkpoint, which knows of the end: until then the row is all that keeps a restart from
    /// giving its number to another lease, which acts on the old one would then hit, and what was done with it from missing in the trail.
    /// </summary>
    internal void Forget(uint sequence)
    {
        partition.Effects.Ended.Add(new LeaseChange(LeaseChangeKind.Close, partition.Number, Epoch, sequence, 0, null));
        ended.Add(sequence);
    }

    private void RemoveRow(uint sequence) =>
        partition.Effects.LeaseChanges.Add(new LeaseChange(LeaseChangeKind.Close, partition.Number, Epoch, sequence, 0, null));

    void ICheckpointSink.Header(CheckpointHeader header)
    {
        StoredLeaseSequence = header.NextLeaseSequence;
        StoredNext = header.Next;
        StoredEvents += header.Counters.Events;
        if (header.LayoutVersion != DebtorImage.LayoutVersion)
        {
            RefoldReason = $"the states are stored in layout {header.LayoutVersion}, this version writes {DebtorImage.LayoutVersion}";
            return;
        }
        partition.Positions = header.Next;
        partition.ClockMs = header.ClockMs;
        partition.Counters = header.Counters;
        partition.Quiet = header.Quiet;
        leases.NextSequence = header.NextLeaseSequence;
        sweep.SweptDay = new Day((ushort)header.SweptDay);
        positionsKept = header.Next;
        Committed = header.Next;
    }

    void ICheckpointSink.Names(ReadOnlySpan<byte> names)
    {
        for (int at = 0; at < names.Length; at += 1 + names[at])
            table.Names.Load((ushort)(table.Names.Count + 1), names.Slice(at + 1, names[at]));
        namesKept = table.Names.Count;
    }

    void ICheckpointSink.Outcomes(ReadOnlySpan<byte> outcomes) => evaluator.Outcomes.Read(outcomes);

    void ICheckpointSink.State(int slot, ReadOnlySpan<byte> image)
    {
        if (RefoldReason.Length > 0)
            return;
        ImageStatus status = table.Restore(slot, image);
        if (status != ImageStatus.Read)
            RefoldReason = $"the state of slot {slot} is {(status == ImageStatus.Corrupt ? "damaged" : "of another layout")}";
    }

    void ICheckpointSink.Held(in LogRecord record)
    {
        StoredEvents++;
        if (RefoldReason.Length == 0)
            partition.RestoreHeld(record);
    }

    /// <summary>The last step of recovery: leases are opened again, then every debtor gets back its place in the queues and its timer.</summary>
    /// <param name="rows">The leases that the store has not closed.</param>
    public void Finish(IReadOnlyList<LeaseRow> rows)
    {
        uint grantedAfter = leases.NextSequence;
        foreach (LeaseRow row in rows)
        {
            // The trail is kept with the checkpoint: of what came after it, the row is the witness.
            partition.Desk.RecordGrantOnce(row, grantedAfter);
            Reopen(row, grantedAfter);
        }
        bool isOfOtherModels = false;
        for (int slot = 0; slot < table.Count; slot++)
        {
            if (table.Record(slot).IsFree)
                continue;
            ref ActedState acted = ref table.Record(slot).Acted;
            if (acted.LeaseSequence != 0 && leases.Find(acted.LeaseSequence) is null)
                acted.LeaseSequence = 0;
            isOfOtherModels |= IsOfOtherModels(acted);
            partition.Requeue(slot);
        }
        // The models have changed since the checkpoint, or their round through the book was cut off.
        if (isOfOtherModels || evaluator.Models.Shadow is not null)
            sweep.Rescore();
        partition.RequestHistories();
    }

    private bool IsOfOtherModels(in ActedState acted) =>
        acted.ScoredAtMs != 0
        && (acted.ModelVersion != (evaluator.Models.Propensity?.Number ?? 0) || acted.RiskModelVersion != (evaluator.Models.PreDueRisk?.Number ?? 0));

    /// <summary>
    /// A lease is open again if it was granted after the checkpoint, or if its debtor's record still names it. Otherwise it was closed or
    /// voided before the checkpoint, and only the removal of its row was lost.
    /// </summary>
    private void Reopen(LeaseRow row, uint grantedAfter)
    {
        int slot = partition.Find(Encoding.UTF8.GetBytes(row.Tenant), Encoding.UTF8.GetBytes(row.Debtor));
        Invariant.Require(slot >= 0 || row.Sequence >= grantedAfter || replace, $"lease {row.Id} is open for '{row.Tenant}/{row.Debtor}', whom the checkpoint does not have");
        if (slot < 0)
        {
            // Its debtor is only in the log so far; nothing is handed out before the log has been read again, and it is adopted then.
            string key = $"{row.Tenant}/{row.Debtor}";
            if (!orphans.TryGetValue(key, out List<LeaseRow>? waiting))
                orphans.Add(key, waiting = []);
            waiting.Add(row);
            leases.NextSequence = Math.Max(leases.NextSequence, row.Sequence + 1);
            return;
        }
        Attach(row, slot, grantedAfter);
    }

    /// <summary>A debtor came back into being: leases that were waiting for it are its own again.</summary>
    internal void Adopt(int slot)
    {
        if (orphans.Count == 0)
            return;
        Debtor debtor = table.Debtor(slot);
        if (!orphans.Remove($"{Encoding.UTF8.GetString(debtor.Tenant)}/{Encoding.UTF8.GetString(debtor.Name)}", out List<LeaseRow>? rows))
            return;
        foreach (LeaseRow row in rows)
            Attach(row, slot, grantedAfter: row.Sequence);
    }

    private void Attach(LeaseRow row, int slot, uint grantedAfter)
    {
        ref ActedState acted = ref table.Record(slot).Acted;
        if (row.State == LeaseState.Voided)
        {
            leases.Add(row, slot, LeaseStage.Voided).Reason = "voided before a restart";
            // The checkpoint may be older than the voiding: the debtor is free, whatever its record says.
            if (acted.LeaseSequence == row.Sequence || row.Sequence >= grantedAfter)
                partition.Trail.Add(partition.ClockMs, AuditKind.LeaseVoided, row, "voided or given back before a restart");
            if (acted.LeaseSequence == row.Sequence)
            {
                acted.LeaseSequence = 0;
                dirty.Add(slot);
            }
        }
        else if (row.Sequence >= grantedAfter || acted.LeaseSequence == row.Sequence)
        {
            acted.LeaseSequence = row.Sequence;
            leases.Reopen(row, slot);
            dirty.Add(slot);
        }
        else
        {
            RemoveRow(row.Sequence);
        }
    }

    private byte[] WriteNames()
    {
        using var names = new MemoryStream();
        for (int id = 1; id <= table.Names.Count; id++)
        {
            ReadOnlySpan<byte> name = table.Names[(ushort)id];
            names.WriteByte((byte)name.Length);
            names.Write(name);
        }
        return names.ToArray();
    }
}
