using System.Text;
using Collections.Domain.Events;
using Collections.Engine.Stores;

namespace Collections.Engine.Publishing;

/// <summary>
/// Writes acts in the wire form of <c>collections.v1.Decision</c>, without its <c>sequence</c>: the store gives that one, and it is added when the message
/// leaves. One writer serves one thread.
/// </summary>
public sealed class DecisionWriter
{
    private const int TenantField = 4;
    private const int DebtorField = 5;
    private const int SequenceField = 2;

    private readonly WireWriter whole = new();
    private readonly WireWriter act = new();
    private readonly WireWriter nested = new();

    /// <param name="kind">One of the acts on a lease.</param>
    /// <param name="why">Why it was voided; otherwise unused.</param>
    /// <param name="outcome">What was reported; otherwise unused.</param>
    public byte[] Write(long atMs, AuditKind kind, LeaseRow lease, string why = "", AttemptOutcome outcome = AttemptOutcome.None)
    {
        whole.Clear();
        if (lease.Partition != 0)
            whole.Varint(1, (ulong)lease.Partition);
        whole.Instant(3, atMs);
        Text(whole, TenantField, lease.Tenant);
        Text(whole, DebtorField, lease.Debtor);
        Text(whole, 6, lease.Id);
        Text(whole, 7, lease.Queue);
        if (lease.Channel != Channel.None)
            whole.Varint(8, (ulong)lease.Channel);
        Text(whole, 9, lease.Caller);
        act.Clear();
        switch (kind)
        {
            case AuditKind.LeaseGranted:
                WriteGrant(lease);
                break;
            case AuditKind.LeaseReported when outcome != AttemptOutcome.None:
                act.Varint(1, (ulong)outcome);
                break;
            case AuditKind.LeaseVoided:
                Text(act, 1, why);
                break;
        }
        whole.Bytes(FieldOf(kind), act.Written);
        return whole.Written.ToArray();
    }

    /// <summary>Reads the key by which a consumer finds the debtor: "tenant/debtor".</summary>
    internal static byte[] KeyOf(ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> tenant = default, debtor = default;
        var wire = new WireReader(content);
        while (wire.Next(out int field, out int type))
        {
            if (field == TenantField && type == WireReader.Bytes)
                tenant = wire.ReadBytes();
            else if (field == DebtorField && type == WireReader.Bytes)
                debtor = wire.ReadBytes();
            else
                wire.Skip(type);
        }
        return [.. tenant, (byte)'/', .. debtor];
    }

    /// <summary>The message as it leaves, with its number. Fields may come in any order.</summary>
    internal static byte[] WithSequence(ReadOnlySpan<byte> content, long sequence)
    {
        var number = new WireWriter();
        number.Varint(SequenceField, (ulong)sequence);
        return [.. content, .. number.Written];
    }

    private void WriteGrant(LeaseRow lease)
    {
        if (lease.Value != 0)
            act.Double(1, lease.Value);
        if (lease.Propensity != 0)
            act.Double(2, lease.Propensity);
        if (lease.ModelVersion != 0)
            act.Varint(3, lease.ModelVersion);
        act.Instant(4, lease.ExpiresMs);
        for (int i = 0; i < lease.Reasons.Count; i++)
        {
            nested.Clear();
            nested.Varint(1, (ulong)lease.Reasons[i].Code);
            nested.Double(2, lease.Reasons[i].Contribution);
            act.Bytes(5, nested.Written);
        }
        act.Packed(6, lease.DecidedAt.Invoices, lease.DecidedAt.Payments, lease.DecidedAt.Activity);
        Text(act, 7, lease.RequestId);
    }

    private static int FieldOf(AuditKind kind) => kind switch
    {
        AuditKind.LeaseGranted => 20,
        AuditKind.LeaseReported => 21,
        AuditKind.LeaseReleased => 22,
        AuditKind.LeaseExpired => 23,
        AuditKind.LeaseVoided => 24,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "it is no act on a lease"),
    };

    private static void Text(WireWriter into, int field, string text) => into.BytesUnlessEmpty(field, Encoding.UTF8.GetBytes(text));
}
