using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Stores;

namespace Collections.Engine.Partitions;

/// <summary>
/// What a partition has decided and its host must do: deciding and doing are apart, so that the partition does no I/O. The host takes
/// the effects after each slice and clears them.
/// </summary>
public sealed class PartitionEffects
{
    /// <summary>Events to append on the engine's own account: attempts that a lease's expiry assumes.</summary>
    public AppendBatch Events { get; private set; } = new();

    /// <summary>Changes of leases to commit; none of them is waited for.</summary>
    public List<LeaseChange> LeaseChanges { get; } = [];

    /// <summary>Leases that have ended in any way, to be made known; what the store keeps of them is in <see cref="LeaseChanges"/>.</summary>
    public List<LeaseChange> Ended { get; } = [];

    /// <summary>Holders to be told that their lease is void.</summary>
    public List<LeaseVoidedNotice> Voided { get; } = [];

    /// <summary>Parked debtors whose history must be read.</summary>
    public List<HistoryRequest> HistoryRequests { get; } = [];

    /// <summary>Records that lie on the wrong partition, to be appended to the right one.</summary>
    public AppendBatch Misplaced { get; private set; } = new();

    /// <summary>Hands over what is to be appended; null if there is nothing.</summary>
    public AppendBatch? TakeEvents()
    {
        if (Events.Count == 0)
            return null;
        AppendBatch taken = Events;
        Events = new AppendBatch();
        return taken;
    }

    /// <summary>Hands over what lies on the wrong partition; null if there is nothing.</summary>
    public AppendBatch? TakeMisplaced()
    {
        if (Misplaced.Count == 0)
            return null;
        AppendBatch taken = Misplaced;
        Misplaced = new AppendBatch();
        return taken;
    }
}

/// <summary>A lease that must not be carried out any more, and why.</summary>
public readonly record struct LeaseVoidedNotice(LeaseRow Row, string Reason);

/// <summary>Asks for everything that the log has of a debtor before the positions.</summary>
public readonly record struct HistoryRequest(int Slot, ulong DebtorHash, StreamPositions Until);
