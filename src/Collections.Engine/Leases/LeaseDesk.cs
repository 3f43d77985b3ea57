using System.Globalization;
using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Partitions;
using Collections.Engine.Queues;
using Collections.Engine.Stores;
using Collections.Scoring.Reasons;
using Collections.Strategy;

namespace Collections.Engine.Leases;

/// <summary>
/// Where a partition hands out its actions: heads of queues are looked at, chosen ones reserved, confirmed once the store has them, and
/// closed by what is reported. Runs on the partition's thread.
/// </summary>
public sealed class LeaseDesk
{
    private readonly Partition partition;
    private readonly DebtorTable table;
    private readonly QueueBook queues;
    private readonly LeaseBook leases;
    private readonly DirtySlots dirty;
    private readonly EventWriter writer = new();

    internal LeaseDesk(Partition partition, DebtorTable table, QueueBook queues, LeaseBook leases, DirtySlots dirty)
    {
        this.partition = partition;
        this.table = table;
        this.queues = queues;
        this.leases = leases;
        this.dirty = dirty;
    }

    /// <summary>Adds the partition's best entries of a queue, without taking them; what those that are there already leave no room for stays out.</summary>
    public void Look(PullOrder order, QueueHeads into)
    {
        if (Find(order) is not { } queue)
            return;
        foreach (ref readonly RankedEntry entry in queue.Best(order.Count, into.LeastValue))
            into.Add(partition.Number, entry.Slot, entry.Value, entry.EligibleSinceMs, table.Debtor(entry.Slot).Name);
    }

    /// <summary>Reserves an entry that was seen at the head of its queue; null if it is not there any more.</summary>
    public LeaseRow? Reserve(PullOrder order, int slot, long nowMs)
    {
        ref Standing standing = ref table.Standing(slot);
        if (Find(order) is not { } queue || standing.Queue != queue.Number)
            return null;
        queue.Remove(slot);
        Debtor debtor = table.Debtor(slot);
        ref ActedState acted = ref table.Record(slot).Acted;
        var row = new LeaseRow(
            partition.Number, leases.NextSequence, order.Tenant, Encoding.UTF8.GetString(debtor.Name), order.Queue.ToString(), order.Queue.Channel,
            order.Caller, order.RequestId, nowMs, nowMs + order.LeaseMs, acted.Value, acted.Propensity, acted.ModelVersion, partition.Positions, LeaseState.Open);
        leases.Add(row, slot, LeaseStage.Reserved);
        acted.LeaseSequence = row.Sequence;
        acted.Flags |= (byte)ActedFlags.GrantUntold;
        dirty.Add(slot);
        return row;
    }

    /// <summary>The lease is in the store: it may be handed out now, unless it was voided meanwhile.</summary>
    /// <param name="reasons">Those that the store has with it.</param>
    public bool Confirm(uint sequence, in TopReasons reasons = default)
    {
        if (leases.Find(sequence) is not { Stage: LeaseStage.Reserved } lease)
            return false;
        lease.TransitionTo(LeaseStage.Held);
        lease.Row = lease.Row with { Reasons = reasons };
        RecordGrant(lease.Row);
        EndUntold(lease.Slot);
        partition.Reschedule(lease.Slot);
        return true;
    }

    /// <summary>The lease could not be committed: its debtor goes back.</summary>
    public void Unreserve(uint sequence)
    {
        if (leases.Find(sequence) is { Stage: LeaseStage.Reserved } lease)
            GiveBack(lease);
    }

    /// <summary>An outcome is about to be appended; while it is on its way the lease can't expire.</summary>
    public LeaseAnswer BeginReport(uint sequence)
    {
        if (leases.Find(sequence) is not { } lease)
            return WhenUnknown(sequence);
        if (lease.Stage == LeaseStage.Held)
            lease.TransitionTo(LeaseStage.Reporting);
        // Who tells it again while it is on its way appends it again, under the same id: whether the first one arrives, nobody knows yet.
        return lease.Stage == LeaseStage.Reporting ? new LeaseAnswer(LeaseStatus.Open, lease.Row, "") : Answer(lease);
    }

    /// <summary>
    /// The outcome could not be appended: the lease is as before. Its debtor is evaluated again, because nothing could void the lease meanwhile.
    /// </summary>
    public bool AbortReport(uint sequence)
    {
        if (leases.Find(sequence) is not { Stage: LeaseStage.Reporting } lease)
            return false;
        lease.TransitionTo(LeaseStage.Held);
        partition.Touch(lease.Slot);
        return true;
    }

    /// <summary>Whether the lease may be extended: open and in its holder's hand.</summary>
    public LeaseAnswer CheckHeld(uint sequence) => leases.Find(sequence) is { } lease ? Answer(lease) : WhenUnknown(sequence);

    /// <summary>The longer time is in the store.</summary>
    public LeaseAnswer Extend(uint sequence, long expiresMs)
    {
        LeaseAnswer now = CheckHeld(sequence);
        if (now.Status != LeaseStatus.Open)
            return now;
        OpenLease lease = leases.Find(sequence)!;
        lease.Row = lease.Row with { ExpiresMs = Math.Max(expiresMs, lease.Row.ExpiresMs) };
        partition.Reschedule(lease.Slot);
        return now with { Row = lease.Row };
    }

    /// <summary>The holder gives the lease back unused: the debtor is free again at once.</summary>
    public LeaseAnswer Release(uint sequence)
    {
        LeaseAnswer now = CheckHeld(sequence);
        if (now.Status != LeaseStatus.Open)
            return now;
        OpenLease lease = leases.Find(sequence)!;
        partition.Trail.Add(partition.ClockMs, AuditKind.LeaseReleased, lease.Row);
        GiveBack(lease);
        return now with { Status = LeaseStatus.Closed };
    }

    /// <summary>An attempt was applied: if it names a lease, that lease is done.</summary>
    internal void CloseReported(in Event e, int slot, long nowMs)
    {
        EventError error = default;
        if (!BodyReader.TryRead(e.Body, out AttemptReported attempt, ref error) || attempt.Lease.IsEmpty)
            return;
        if (!LeaseRow.Ids.TryParse(Encoding.UTF8.GetString(attempt.Lease), out int number, out uint sequence) || number != partition.Number)
            return;
        if (leases.Find(sequence) is not { } lease || lease.Slot != slot)
            return;
        // It had run out before the restart, and its event has come instead of its timer.
        if (lease.AwaitsReplay && attempt.Outcome == AttemptOutcome.Unconfirmed && lease.Row.ExpiresMs <= nowMs)
            partition.Trail.Add(lease.Row.ExpiresMs, AuditKind.LeaseExpired, lease.Row);
        partition.Trail.Add(nowMs, AuditKind.LeaseReported, lease.Row, attempt.Outcome.ToString(), attempt.Outcome);
        Close(lease);
    }

    /// <summary>A lease whose time is over: that the attempt may have been made becomes an event, and the lease ends when it is applied.</summary>
    internal void ExpireIfDue(int slot, long dueMs)
    {
        uint sequence = table.Record(slot).Acted.LeaseSequence;
        if (sequence == 0 || leases.Find(sequence) is not { Stage: LeaseStage.Held, AwaitsReplay: false } lease || lease.Row.ExpiresMs > dueMs)
            return;
        lease.TransitionTo(LeaseStage.Expired);
        partition.Trail.Add(dueMs, AuditKind.LeaseExpired, lease.Row);
        AssumeAttempted(lease);
    }

    /// <summary>After a restart, leases that had expired ask for their event again; the same id makes that harmless.</summary>
    internal void AssumeAttempted(OpenLease lease)
    {
        Debtor debtor = table.Debtor(lease.Slot);
        byte[] id = Encoding.UTF8.GetBytes(lease.Row.Id);
        ReadOnlySpan<byte> content = writer.AttemptReported(
            new EventAddress { Tenant = debtor.Tenant, Debtor = debtor.Name, Id = ReportId(lease.Row.Id), EffectiveMs = lease.Row.GrantedMs },
            lease.Row.Channel, AttemptOutcome.Unconfirmed, id);
        partition.Effects.Events.Add(
            partition.Number, EventStream.Activity, DebtorKey.HashOf(debtor.Tenant, debtor.Name), partition.ClockMs, history: false, content);
    }

    /// <summary>The id of the event that tells a lease's outcome: one a lease, whoever tells it.</summary>
    public static byte[] ReportId(string leaseId) => Encoding.UTF8.GetBytes("lease:" + leaseId);

    /// <summary>The debtor may no longer be contacted: an open lease is void, and its holder is told.</summary>
    internal void VoidLeaseOf(int slot, Eligibility why, long nowMs)
    {
        ref ActedState acted = ref table.Record(slot).Acted;
        if (acted.LeaseSequence == 0 || leases.Find(acted.LeaseSequence) is not { } lease)
            return;
        // What is being reported has happened already: its event closes the lease.
        if (lease.Stage is LeaseStage.Reporting or LeaseStage.Expired)
            return;
        // What is read again of before its grant was known then; after its end it was expired, which its event tells, or the end of the replay.
        if (lease.AwaitsReplay && (nowMs < lease.Row.GrantedMs || nowMs >= lease.Row.ExpiresMs))
            return;
        string reason = ReasonOf(why);
        long keptUntilMs = Math.Max(lease.Row.ExpiresMs, nowMs) + Limits.VoidedKeptMs;
        // Of one that was never in anybody's hand nobody is told.
        if (lease.Stage != LeaseStage.Reserved)
            partition.Trail.Add(nowMs, AuditKind.LeaseVoided, lease.Row, reason);
        leases.Void(lease, reason, keptUntilMs);
        acted.LeaseSequence = 0;
        EndUntold(slot);
        var change = new LeaseChange(LeaseChangeKind.Void, partition.Number, partition.Checkpoints.Epoch, lease.Row.Sequence, keptUntilMs, null);
        partition.Effects.LeaseChanges.Add(change);
        partition.Effects.Ended.Add(change);
        partition.Effects.Voided.Add(new LeaseVoidedNotice(lease.Row, reason));
    }

    /// <summary>The log has been read again to its end: a lease that was opened again stands or falls by what is known now.</summary>
    internal void EndReplay()
    {
        foreach (OpenLease lease in leases.TakeReplayed(partition.ClockMs))
        {
            if (!partition.IsParked(lease.Slot))
                ExpireIfDue(lease.Slot, partition.ClockMs);
            partition.Touch(lease.Slot);
        }
    }

    /// <summary>A restart has found a lease in the store: its grant goes on the trail unless it is there.</summary>
    /// <param name="grantedAfter">Leases from this number on came after the checkpoint.</param>
    internal void RecordGrantOnce(LeaseRow row, uint grantedAfter)
    {
        int slot = partition.Find(Encoding.UTF8.GetBytes(row.Tenant), Encoding.UTF8.GetBytes(row.Debtor));
        bool isUntold = slot >= 0 && table.Record(slot).Acted is var acted && acted.LeaseSequence == row.Sequence && (acted.Flags & (byte)ActedFlags.GrantUntold) != 0;
        if (row.Sequence >= grantedAfter || isUntold)
            RecordGrant(row);
        if (isUntold)
            EndUntold(slot);
    }

    private void EndUntold(int slot)
    {
        ref ActedState acted = ref table.Record(slot).Acted;
        acted.Flags &= unchecked((byte)~ActedFlags.GrantUntold);
        dirty.Add(slot);
    }

    private void RecordGrant(LeaseRow row) => partition.Trail.Add(row.GrantedMs, AuditKind.LeaseGranted, row, FormattableString.Invariant(
        $"{row.Queue} to '{row.Caller}', value {row.Value:R}, propensity {row.Propensity:R}, model {row.ModelVersion}{Describe(row.Reasons)}"));

    internal void LeaveForParking(int slot, long nowMs)
    {
        queues.Leave(slot);
        table.Record(slot).Acted.ScoredAtMs = nowMs;
    }

    internal void ForgetVoided(long nowMs)
    {
        while (leases.TakeForgotten(nowMs) is { } lease)
            partition.Checkpoints.Forget(lease.Row.Sequence);
    }

    private static string Describe(in TopReasons reasons)
    {
        var text = new StringBuilder();
        for (int i = 0; i < reasons.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? ", reasons" : "")} {reasons[i].Code}:{reasons[i].Contribution:R}");
        return text.ToString();
    }

    private RankedQueue? Find(PullOrder order)
    {
        if (!table.Names.TryFind(Encoding.UTF8.GetBytes(order.Tenant), out ushort tenant) || !queues.TryPortfolio(order.Queue.Portfolio, out ushort portfolio))
            return null;
        return queues.Find(tenant, portfolio, order.Queue.Channel);
    }

    private void Close(OpenLease lease)
    {
        leases.Remove(lease);
        ref ActedState acted = ref table.Record(lease.Slot).Acted;
        if (acted.LeaseSequence == lease.Row.Sequence)
            acted.LeaseSequence = 0;
        EndUntold(lease.Slot);
        partition.Checkpoints.Forget(lease.Row.Sequence);
    }

    private void GiveBack(OpenLease lease)
    {
        Close(lease);
        partition.Requeue(lease.Slot);
    }

    private LeaseAnswer WhenUnknown(uint sequence) =>
        sequence < leases.NextSequence ? new LeaseAnswer(LeaseStatus.Closed, null, "it was reported or released before") : LeaseAnswer.Unknown;

    private static LeaseAnswer Answer(OpenLease lease) => lease.Stage switch
    {
        LeaseStage.Held => new LeaseAnswer(LeaseStatus.Open, lease.Row, ""),
        LeaseStage.Voided => new LeaseAnswer(LeaseStatus.Voided, lease.Row, lease.Reason),
        LeaseStage.Expired => new LeaseAnswer(LeaseStatus.Expired, lease.Row, "its time ran out; the attempt counts as made"),
        LeaseStage.Reporting => new LeaseAnswer(LeaseStatus.Closed, lease.Row, "its outcome is on the way"),
        _ => LeaseAnswer.Unknown,
    };

    private static string ReasonOf(Eligibility why) => why switch
    {
        Eligibility.NothingOverdue => "nothing is overdue any more",
        Eligibility.Disputed => "the debt is disputed",
        Eligibility.OnHold => "the debtor is on hold",
        Eligibility.PromiseOpen => "the debtor has promised to pay",
        Eligibility.Resting => "the debtor has been contacted meanwhile",
        Eligibility.CoveredByCredit => "credit in hand covers what is overdue",
        _ => "the debtor may not be contacted",
    };
}
