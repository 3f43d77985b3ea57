using Collections.Engine.Stores;

namespace Collections.Engine.Leases;

/// <summary>The leases of one partition that are not gone, by sequence. Plain objects: there are thousands of them, not millions.</summary>
internal sealed class LeaseBook
{
    private readonly SortedDictionary<uint, OpenLease> bySequence = [];
    private readonly PriorityQueue<uint, long> voidedByExpiry = new();
    private readonly List<OpenLease> awaitingReplay = [];

    /// <summary>The next lease's sequence; from 1, so that 0 can say "none" in a record.</summary>
    public uint NextSequence { get; set; } = 1;

    /// <summary>Leases that keep a debtor out of the queues.</summary>
    public int OpenCount { get; private set; }

    public bool AwaitsReplay => awaitingReplay.Count > 0;

    public IEnumerable<OpenLease> All => bySequence.Values;

    public OpenLease? Find(uint sequence) => bySequence.GetValueOrDefault(sequence);

    public OpenLease Add(LeaseRow row, int slot, LeaseStage stage)
    {
        var lease = new OpenLease(row, slot, stage);
        bySequence.Add(row.Sequence, lease);
        NextSequence = Math.Max(NextSequence, row.Sequence + 1);
        if (stage == LeaseStage.Voided)
            voidedByExpiry.Enqueue(row.Sequence, row.ExpiresMs);
        else
            OpenCount++;
        return lease;
    }

    /// <summary>A lease that a recovery opens again.</summary>
    public void Reopen(LeaseRow row, int slot)
    {
        OpenLease lease = Add(row, slot, LeaseStage.Held);
        lease.AwaitsReplay = true;
        awaitingReplay.Add(lease);
    }

    /// <summary>Those whose replay has come up to their grant, in order of their sequence; each once.</summary>
    public List<OpenLease> TakeReplayed(long nowMs)
    {
        List<OpenLease> replayed = awaitingReplay.FindAll(lease => lease.Row.GrantedMs <= nowMs);
        awaitingReplay.RemoveAll(lease => lease.Row.GrantedMs <= nowMs);
        foreach (OpenLease lease in replayed)
            lease.AwaitsReplay = false;
        return replayed;
    }

    public void Void(OpenLease lease, string reason, long keptUntilMs)
    {
        lease.TransitionTo(LeaseStage.Voided);
        lease.Reason = reason;
        lease.Row = lease.Row with { ExpiresMs = keptUntilMs, State = LeaseState.Voided };
        voidedByExpiry.Enqueue(lease.Row.Sequence, keptUntilMs);
        OpenCount--;
    }

    public void Remove(OpenLease lease)
    {
        if (bySequence.Remove(lease.Row.Sequence) && lease.Stage != LeaseStage.Voided)
            OpenCount--;
    }

    /// <summary>A voided lease whose time to be remembered is over; null: none.</summary>
    public OpenLease? TakeForgotten(long nowMs)
    {
        while (voidedByExpiry.TryPeek(out uint sequence, out long keptUntilMs) && keptUntilMs <= nowMs)
        {
            voidedByExpiry.Dequeue();
            if (bySequence.Remove(sequence, out OpenLease? lease))
                return lease;
        }
        return null;
    }
}
