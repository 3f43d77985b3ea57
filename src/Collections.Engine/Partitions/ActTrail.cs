using Collections.Domain.Events;
using Collections.Engine.Publishing;
using Collections.Engine.Stores;

namespace Collections.Engine.Partitions;

/// <summary>Acts and dead letters since the last checkpoint, which takes them with it: for the trail, and for those outside who follow them.</summary>
/// <param name="publishes">Whether somebody outside does.</param>
internal sealed class ActTrail(bool publishes)
{
    private readonly DecisionWriter writer = new();

    public List<AuditRow> Rows { get; } = [];

    public List<DeadLetter> DeadLetters { get; } = [];

    public List<OutboxRow> Outbox { get; } = [];

    public bool IsEmpty => Rows.Count == 0 && DeadLetters.Count == 0;

    /// <param name="detail">Why a lease was voided, and what else the trail is to say.</param>
    /// <param name="outcome">Of an act that reports one.</param>
    public void Add(long atMs, AuditKind kind, LeaseRow lease, string detail = "", AttemptOutcome outcome = AttemptOutcome.None)
    {
        Rows.Add(new AuditRow(0, atMs, kind, lease.Tenant, lease.Debtor, detail.Length == 0 ? $"lease {lease.Id}" : $"lease {lease.Id}: {detail}"));
        if (publishes)
            Outbox.Add(new OutboxRow(0, OutboxKind.Decision, writer.Write(atMs, kind, lease, detail, outcome)));
    }

    /// <param name="key">The record's key; empty where it is not known.</param>
    /// <param name="isEvent">Whether the letter's content is an event in wire form.</param>
    public void Refuse(DeadLetter letter, ReadOnlySpan<byte> key, bool isEvent)
    {
        DeadLetters.Add(letter);
        if (publishes)
            Outbox.Add(new OutboxRow(0, OutboxKind.DeadLetter, DeadLetterForm.Write(letter, key, isEvent)));
    }

    public void Clear()
    {
        Rows.Clear();
        DeadLetters.Clear();
        Outbox.Clear();
    }
}
