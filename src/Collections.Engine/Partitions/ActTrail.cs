using Collections.Engine.Stores;

namespace Collections.Engine.Partitions;

/// <summary>Acts and dead letters since the last checkpoint, which takes them with it.</summary>
internal sealed class ActTrail
{
    public List<AuditRow> Rows { get; } = [];

    public List<DeadLetter> DeadLetters { get; } = [];

    public bool IsEmpty => Rows.Count == 0 && DeadLetters.Count == 0;

    public void Add(long atMs, AuditKind kind, LeaseRow lease, string detail = "") =>
        Rows.Add(new AuditRow(0, atMs, kind, lease.Tenant, lease.Debtor, detail.Length == 0 ? $"lease {lease.Id}" : $"lease {lease.Id}: {detail}"));
}
