using Collections.Engine.Stores;

namespace Collections.Engine.Leases;

/// <summary>
/// Where a lease stands inside its partition.
/// <code>
/// Reserved ──commit──▶ Held ──report──▶ Reporting ──event applied──▶ (gone)
///    │                  │ ╲──expiry──▶ Expired ───event applied──▶ (gone)
///    └──commit failed   ╰──release──▶ (gone)
/// any of them ──the debtor may no longer be contacted──▶ Voided ──forgotten after its expiry──▶ (gone)
/// </code>
/// While a lease is in any of these but Voided, its debtor stands in no queue.
/// </summary>
public enum LeaseStage : byte
{
    /// <summary>Chosen for a pull, not yet committed to the store; the caller doesn't know of it.</summary>
    Reserved,

    /// <summary>In a caller's hand.</summary>
    Held,

    /// <summary>Its outcome is on the way through the log.</summary>
    Reporting,

    /// <summary>Ran out; that the attempt may have been made is on the way through the log.</summary>
    Expired,

    /// <summary>Must not be carried out any more; kept so that its holder can be told.</summary>
    Voided,
}

/// <summary>The partition's own bits in a debtor's record; the numbers are persisted.</summary>
[Flags]
internal enum ActedFlags : byte
{
    None = 0,

    /// <summary>
    /// The grant of its lease is not on the trail: the store is still being asked. A checkpoint that is taken meanwhile counts the lease, so that this alone
    /// tells a restart, which finds the lease in the store, that nobody has been told of it.
    /// </summary>
    GrantUntold = 1,
}

/// <summary>A lease as its partition knows it.</summary>
internal sealed class OpenLease(LeaseRow row, int slot, LeaseStage stage)
{
    public LeaseRow Row { get; set; } = row;

    public int Slot { get; } = slot;

    public LeaseStage Stage { get; private set; } = stage;

    /// <summary>
    /// Whether it was opened again by a recovery whose replay has not come up to its grant: what is read of the time before was known when it was
    /// granted, and can't void it; nor does it expire, because its outcome may be in what is still to be read.
    /// </summary>
    public bool AwaitsReplay { get; set; }

    /// <summary>Why it was voided.</summary>
    public string Reason { get; set; } = "";

    public void TransitionTo(LeaseStage next)
    {
        bool allowed = (Stage, next) switch
        {
            (LeaseStage.Reserved, LeaseStage.Held or LeaseStage.Voided) => true,
            (LeaseStage.Held, LeaseStage.Reporting or LeaseStage.Expired or LeaseStage.Voided) => true,
            (LeaseStage.Reporting, LeaseStage.Held or LeaseStage.Voided) => true,
            (LeaseStage.Expired, LeaseStage.Voided) => true,
            _ => false,
        };
        Domain.Invariant.Require(allowed, $"lease {Row.Id} can't go from {Stage} to {next}");
        Stage = next;
    }
}
