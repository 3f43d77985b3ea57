using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Queues;
using Collections.Engine.Stores;
using Collections.Scoring.Reasons;
using Collections.V1;
using Google.Protobuf;

namespace Collections.Server.Cluster;

/// <summary>The engine's values in the form in which nodes send them to each other, and back.</summary>
internal static class PeerMessages
{
    public static PeerOrder Write(PullOrder order) => new()
    {
        Tenant = order.Tenant,
        Queue = order.Queue.ToString(),
        Count = order.Count,
        Caller = order.Caller,
        RequestId = order.RequestId,
        LeaseMs = order.LeaseMs,
        WithReasons = order.WithReasons,
    };

    /// <exception cref="FormatException">It is of no queue.</exception>
    public static PullOrder Read(PeerOrder order) => QueueName.TryParse(order.Queue, out QueueName queue)
        ? new PullOrder(order.Tenant, queue, order.Count, order.Caller, order.RequestId, order.LeaseMs, order.WithReasons)
        : throw new FormatException($"'{order.Queue}' is no queue");

    public static PeerLookResponse Write(SourceHeads seen, int count)
    {
        var response = new PeerLookResponse { Reason = seen.Reason, HasBefore = seen.Before is not null };
        response.Partitions.Add(seen.Partitions);
        // More than were asked for can't be among the best.
        for (int i = 0; i < Math.Min(count, seen.Heads.Count); i++)
            response.Heads.Add(Write(seen.Heads[i], seen.Heads.KeyOf(seen.Heads[i])));
        foreach (LeasedAction action in seen.Before ?? [])
            response.Before.Add(Write(action));
        return response;
    }

    public static SourceHeads Read(PeerLookResponse response)
    {
        var heads = new QueueHeads();
        foreach (PeerHead head in response.Heads)
            heads.Add(head.Partition, head.Slot, head.Value, head.EligibleSinceMs, head.Key.Span);
        return new SourceHeads(heads, response.Partitions, response.Reason, response.HasBefore ? [.. response.Before.Select(Read)] : null);
    }

    /// <summary>A head that was chosen; its key is needed no more.</summary>
    public static PeerHead Write(in Head head, ReadOnlySpan<byte> key = default) => new()
    {
        Partition = head.Partition,
        Slot = head.Slot,
        Value = head.Value,
        EligibleSinceMs = head.EligibleSinceMs,
        Key = ByteString.CopyFrom(key),
    };

    public static Head Read(PeerHead head) => new(head.Partition, head.Slot, head.Value, head.EligibleSinceMs, 0, 0);

    public static PeerAction Write(LeasedAction action)
    {
        LeaseRow row = action.Lease;
        var written = new PeerAction
        {
            Partition = row.Partition,
            Sequence = row.Sequence,
            Tenant = row.Tenant,
            Debtor = row.Debtor,
            Queue = row.Queue,
            Channel = (int)row.Channel,
            Caller = row.Caller,
            RequestId = row.RequestId,
            GrantedMs = row.GrantedMs,
            ExpiresMs = row.ExpiresMs,
            Value = row.Value,
            Propensity = row.Propensity,
            ModelVersion = row.ModelVersion,
            OverdueMinor = action.OverdueMinor,
            Currency = action.Currency.Code,
            OldestDaysPastDue = action.OldestDpd,
            ScoredAtMs = action.ScoredAtMs,
            EligibleSinceMs = action.EligibleSinceMs,
        };
        written.DecidedAt.Add(Write(row.DecidedAt));
        for (int i = 0; i < row.Reasons.Count; i++)
            written.Reasons.Add(new PeerReason { Code = row.Reasons[i].Code, Contribution = row.Reasons[i].Contribution });
        return written;
    }

    public static LeasedAction Read(PeerAction action)
    {
        var row = new LeaseRow(
            action.Partition, action.Sequence, action.Tenant, action.Debtor, action.Queue, (Domain.Events.Channel)action.Channel, action.Caller, action.RequestId,
            action.GrantedMs, action.ExpiresMs, action.Value, action.Propensity, (ushort)action.ModelVersion, Read(action.DecidedAt), LeaseState.Open)
        {
            Reasons = new TopReasons([.. action.Reasons.Select(static reason => new Scoring.Reasons.ReasonWeight(reason.Code, reason.Contribution))]),
        };
        return new LeasedAction(row, action.OverdueMinor, new Currency((ushort)action.Currency), action.OldestDaysPastDue, action.ScoredAtMs, action.EligibleSinceMs);
    }

    public static PeerPosition Write(int partition, StreamPositions next)
    {
        var written = new PeerPosition { Partition = partition };
        written.Next.Add(Write(next));
        return written;
    }

    /// <exception cref="FormatException">There are not three.</exception>
    public static StreamPositions Read(IReadOnlyList<long> positions) =>
        positions is [var invoices, var payments, var activity] ? new StreamPositions(invoices, payments, activity) : throw new FormatException("positions of three streams are three numbers");

    private static long[] Write(StreamPositions positions) => [positions.Invoices, positions.Payments, positions.Activity];
}
