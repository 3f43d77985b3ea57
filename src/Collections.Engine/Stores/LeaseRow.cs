using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Scoring.Reasons;

namespace Collections.Engine.Stores;

/// <summary>A lease's life. Diagram: Open → Closed (reported, released, expired) | Voided → Closed. The numbers are persisted.</summary>
public enum LeaseState : byte
{
    Open = 1,
    Voided = 2,
    Closed = 3,
}

/// <summary>The time-limited right of one caller to carry out one action.</summary>
/// <param name="Sequence">Unique in its partition, rising.</param>
/// <param name="RequestId">The caller's; a retry with the same id gets the same leases.</param>
/// <param name="DecidedAt">The stream positions at which the action was decided.</param>
public sealed record LeaseRow(
    int Partition, uint Sequence, string Tenant, string Debtor, string Queue, Channel Channel, string Caller, string RequestId,
    long GrantedMs, long ExpiresMs, double Value, double Propensity, ushort ModelVersion, StreamPositions DecidedAt, LeaseState State)
{
    /// <summary>What spoke most for and against, when it was granted; none without a score, or when they were not wanted.</summary>
    public TopReasons Reasons { get; init; }

    public string Id => Ids.Format(Partition, Sequence);

    /// <summary>A lease's public name: partition and sequence, "3-1041".</summary>
    public static class Ids
    {
        public static string Format(int partition, uint sequence) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{partition}-{sequence}");

        public static bool TryParse(string id, out int partition, out uint sequence)
        {
            sequence = 0;
            int dash = id.IndexOf('-', StringComparison.Ordinal);
            return int.TryParse(dash < 0 ? "" : id.AsSpan(0, dash), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out partition)
                && uint.TryParse(id.AsSpan(dash + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out sequence);
        }
    }
}

public enum LeaseChangeKind : byte
{
    /// <summary>A new lease: <see cref="LeaseChange.Row"/> is inserted.</summary>
    Grant = 1,

    /// <summary>Its expiry moves to <see cref="LeaseChange.ExpiresMs"/>.</summary>
    Extend = 2,

    /// <summary>It stays, as voided, so that its holder can be told; <see cref="LeaseChange.ExpiresMs"/> says how long.</summary>
    Void = 3,

    /// <summary>It is removed.</summary>
    Close = 4,
}

/// <summary>A change of one lease, on behalf of the owner with this epoch.</summary>
public readonly record struct LeaseChange(LeaseChangeKind Kind, int Partition, long Epoch, uint Sequence, long ExpiresMs, LeaseRow? Row);
