using System.Diagnostics;
using Collections.Domain.Events;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>What a pull gave.</summary>
/// <param name="Leases">Best first.</param>
/// <param name="Reason">Why some partitions gave nothing; empty when all were asked.</param>
public sealed record PullResult(IReadOnlyList<LeasedAction> Leases, string Reason);

/// <summary>
/// Hands out the best actions over all partitions: looks at the heads, chooses, reserves, commits the leases to the store in one
/// transaction, and only then answers. What is reported goes through the log like any other event.
/// </summary>
public sealed class ActionDesk
{
    private readonly Node node;
    private readonly Lock gate = new();
    private readonly Dictionary<(string Tenant, string Caller, string Request), Task<PullResult>> requests = [];
    private readonly Queue<(string Tenant, string Caller, string Request)> requestOrder = [];
    private readonly Dictionary<(string Tenant, string Caller, string Request), List<LeaseRow>> earlier = [];

    internal ActionDesk(Node node) => this.node = node;

    /// <summary>The best actions of a queue, each under a lease.</summary>
    /// <exception cref="StoreUnavailableException">The leases could not be committed: nothing was handed out.</exception>
    public async Task<PullResult> PullAsync(PullOrder order)
    {
        using Activity? span = NodeMeters.Spans.StartActivity("pull");
        span?.SetTag("collections.tenant", order.Tenant).SetTag("collections.queue", order.Queue.ToString()).SetTag("collections.wanted", order.Count);
        long began = node.Cadence.GetTimestamp();
        try
        {
            PullResult result = await AnswerAsync(order);
            node.Meters.PullDuration.Record(node.Cadence.GetElapsedTime(began).TotalSeconds);
            span?.SetTag("collections.given", result.Leases.Count);
            return result;
        }
        catch (Exception failure) when (failure is StoreUnavailableException or StoreFencedException or InvalidOperationException)
        {
            span?.SetStatus(ActivityStatusCode.Error, failure.Message);
            throw;
        }
    }

    private Task<PullResult> AnswerAsync(PullOrder order)
    {
        if (order.RequestId.Length == 0)
            return GrantAsync(order);
        (string, string, string) key = (order.Tenant, order.Caller, order.RequestId);
        lock (gate)
        {
            if (requests.TryGetValue(key, out Task<PullResult>? before) && !before.IsFaulted)
                return RepeatAsync(before);
            if (earlier.TryGetValue(key, out List<LeaseRow>? rows))
                return DescribeAsync(rows, WhyNotServing(rows));
            Task<PullResult> answer = GrantAsync(order);
            if (before is null)
                requestOrder.Enqueue(key);
            requests[key] = answer;
            if (requestOrder.Count > Limits.RequestsRemembered)
                requests.Remove(requestOrder.Dequeue());
            return answer;
        }
    }

    /// <summary>Tells what became of an action: an event in the log, which closes the lease when it is applied.</summary>
    /// <param name="atMs">When the attempt was made, in Unix milliseconds.</param>
    /// <exception cref="LogUnavailableException">Nothing was reported; try again.</exception>
    public async Task<LeaseAnswer> ReportAsync(string lease, AttemptOutcome outcome, long atMs, CancellationToken cancellation)
    {
        if (!TryFind(lease, out int partition, out uint sequence))
            return LeaseAnswer.Unknown;
        LeaseAnswer answer = await AskRecovered(partition, p => p.Desk.BeginReport(sequence));
        if (answer.Status is not (LeaseStatus.Open or LeaseStatus.Voided) || answer.Row is not { } row)
            return answer;
        var batch = new AppendBatch();
        byte[] tenant = System.Text.Encoding.UTF8.GetBytes(row.Tenant), debtor = System.Text.Encoding.UTF8.GetBytes(row.Debtor);
        batch.Add(
            partition, EventStream.Activity, DebtorKey.HashOf(tenant, debtor), node.NowMs, history: false,
            new EventWriter().AttemptReported(
                new EventAddress { Tenant = tenant, Debtor = debtor, Id = LeaseDesk.ReportId(lease), EffectiveMs = atMs },
                row.Channel, outcome, System.Text.Encoding.UTF8.GetBytes(lease)));
        try
        {
            await node.Log.AppendAsync(batch, CancellationToken.None);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            await node.Ask(partition, p => p.Desk.AbortReport(sequence));
            throw;
        }
        try
        {
            await node.WaitAppliedAsync(partition, StreamPositions.Start.With(EventStream.Activity, batch.OffsetOf(0) + 1), cancellation);
        }
        catch (OperationCanceledException)
        {
            // Durable, and the lease can't expire any more: it is closed in the caller's eyes.
        }
        return answer.Status == LeaseStatus.Open ? new LeaseAnswer(LeaseStatus.Closed, row, "") : answer;
    }

    /// <summary>More time on a lease, from now.</summary>
    public async Task<LeaseAnswer> ExtendAsync(string lease, long leaseMs)
    {
        if (!TryFind(lease, out int partition, out uint sequence))
            return LeaseAnswer.Unknown;
        (LeaseAnswer answer, long epoch) = await AskRecovered(partition, p => (p.Desk.CheckHeld(sequence), p.Checkpoints.Epoch));
        if (answer.Status != LeaseStatus.Open)
            return answer;
        long expiresMs = Math.Max(node.NowMs + leaseMs, answer.Row!.ExpiresMs);
        await node.LeaseWrites.CommitAsync([new LeaseChange(LeaseChangeKind.Extend, partition, epoch, sequence, expiresMs, null)]);
        return await node.Ask(partition, p => p.Desk.Extend(sequence, expiresMs));
    }

    /// <summary>Gives a lease back: the contact was not attempted.</summary>
    public async Task<LeaseAnswer> ReleaseAsync(string lease)
    {
        if (!TryFind(lease, out int partition, out uint sequence))
            return LeaseAnswer.Unknown;
        (LeaseAnswer answer, long epoch) = await AskRecovered(partition, p => (p.Desk.CheckHeld(sequence), p.Checkpoints.Epoch));
        if (answer.Status != LeaseStatus.Open)
            return answer;
        // Its row stays, as of no effect, until a checkpoint has passed its number.
        await node.LeaseWrites.CommitAsync([new LeaseChange(LeaseChangeKind.Void, partition, epoch, sequence, answer.Row!.ExpiresMs, null)]);
        return await node.Ask(partition, p => p.Desk.Release(sequence));
    }

    /// <summary>After a restart, a retried pull gets the leases that it got before.</summary>
    internal void RememberRequests(IEnumerable<LeaseRow> rows)
    {
        foreach (LeaseRow row in rows)
        {
            if (row.RequestId.Length == 0 || row.State != LeaseState.Open)
                continue;
            (string, string, string) key = (row.Tenant, row.Caller, row.RequestId);
            if (!earlier.TryGetValue(key, out List<LeaseRow>? of))
                earlier.Add(key, of = []);
            of.Add(row);
        }
    }

    private async Task<PullResult> GrantAsync(PullOrder order)
    {
        var granted = new List<LeasedAction>();
        string reason = "";
        // Once, and once more for candidates that were lost between looking and reserving.
        for (int round = 0; round < 2 && granted.Count < order.Count; round++)
        {
            PullOrder rest = order with { Count = order.Count - granted.Count };
            (QueueHeads heads, reason) = await LookAsync(rest);
            if (heads.Count == 0)
                break;
            List<Reservation> reserved = await ReserveAsync(rest, heads);
            try
            {
                granted.AddRange(await CommitAsync(reserved));
            }
            catch (Exception failure) when (granted.Count > 0 && failure is StoreUnavailableException or StoreFencedException)
            {
                // What the first round committed is the caller's.
                reason = failure.Message;
                break;
            }
            if (heads.Count < rest.Count || reserved.Count == rest.Count)
                break;
        }
        granted.Sort(Compare);
        node.Meters.OnPulled(order.Tenant, order.Queue, granted.Count);
        return new PullResult(granted, reason);
    }

    /// <summary>A retry: the same leases, as far as they are still the caller's. What has ended meanwhile may be in another hand.</summary>
    private async Task<PullResult> RepeatAsync(Task<PullResult> before)
    {
        PullResult result = await before;
        return await DescribeAsync([.. result.Leases.Select(action => action.Lease)], result.Reason);
    }

    /// <summary>Which of the leases' partitions can't say now how they stand; empty: all can.</summary>
    private string WhyNotServing(List<LeaseRow> rows) => string.Join("; ", rows
        .Select(row => node.Hosts[row.Partition]).Distinct().Where(host => host.State is PartitionState.Recovering or PartitionState.Stopped).Select(Describe));

    private static string Describe(PartitionHost host) =>
        $"partition {host.Partition.Number} is {host.State.ToString().ToLowerInvariant()}{(host.Reason.Length > 0 ? $" ({host.Reason})" : "")}";

    private async Task<(QueueHeads Heads, string Reason)> LookAsync(PullOrder order)
    {
        (QueueHeads Heads, string Reason)[] seen = await Task.WhenAll(node.Workers.Select(worker => worker.Ask(() => Look(worker, order))));
        var all = new QueueHeads();
        foreach ((QueueHeads heads, string _) in seen)
            all.AddAll(heads);
        all.Sort();
        return (all, string.Join("; ", seen.Select(s => s.Reason).Where(r => r.Length > 0)));
    }

    private static (QueueHeads Heads, string Reason) Look(Worker worker, PullOrder order)
    {
        var heads = new QueueHeads();
        var silent = new List<string>();
        foreach (PartitionHost host in worker.Hosts)
        {
            if (host.State != PartitionState.Serving)
            {
                silent.Add(Describe(host));
                continue;
            }
            host.Partition.Desk.Look(order, heads);
            heads.Keep(order.Count);
        }
        return (heads, string.Join("; ", silent));
    }

    private async Task<List<Reservation>> ReserveAsync(PullOrder order, QueueHeads heads)
    {
        long nowMs = node.NowMs;
        var byWorker = new Dictionary<Worker, List<Head>>();
        for (int i = 0; i < Math.Min(order.Count, heads.Count); i++)
        {
            Worker worker = node.WorkerOf(heads[i].Partition);
            if (!byWorker.TryGetValue(worker, out List<Head>? chosen))
                byWorker.Add(worker, chosen = []);
            chosen.Add(heads[i]);
        }
        var reserved = new List<Reservation>();
        try
        {
            await Task.WhenAll(byWorker.Select(async w =>
            {
                List<Reservation> rows = await w.Key.Ask(() => Reserve(order, w.Value, nowMs));
                lock (reserved)
                    reserved.AddRange(rows);
            }));
        }
        catch (InvalidOperationException)
        {
            // One worker has no room for a question: what the others have reserved goes back.
            await ForEachAsync([.. reserved.Select(r => r.Lease)], (partition, row) => partition.Desk.Unreserve(row.Sequence));
            throw;
        }
        return reserved;
    }

    private List<Reservation> Reserve(PullOrder order, List<Head> heads, long nowMs)
    {
        var reserved = new List<Reservation>(heads.Count);
        foreach (Head head in heads)
        {
            PartitionHost host = node.Hosts[head.Partition];
            if (host.State == PartitionState.Serving && host.Partition.Desk.Reserve(order, head.Slot, nowMs) is { } row)
                reserved.Add(new Reservation(row, order.WithReasons ? host.Partition.View.Scored(head.Slot) : null));
        }
        return reserved;
    }

    /// <returns>What is now in the caller's hand.</returns>
    private async Task<List<LeasedAction>> CommitAsync(List<Reservation> reservations)
    {
        if (reservations.Count == 0)
            return [];
        List<LeaseRow> reserved = [.. reservations.Select(r => r.Lease)];
        try
        {
            reserved = await ActionReasons.AddAsync(reservations);
            await node.LeaseWrites.CommitAsync([.. reserved.Select(row => new LeaseChange(
                LeaseChangeKind.Grant, row.Partition, node.Hosts[row.Partition].Partition.Checkpoints.Epoch, row.Sequence, row.ExpiresMs, row))]);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            await ForEachAsync(reserved, (partition, row) => partition.Desk.Unreserve(row.Sequence));
            throw;
        }
        // A payment may have come in between: what was voided is not handed out.
        var confirmed = new List<LeasedAction>(reserved.Count);
        await ForEachAsync(reserved, (partition, row) =>
        {
            if (!partition.Desk.Confirm(row.Sequence, row.Reasons) || partition.View.Describe(row) is not { } action)
                return;
            lock (confirmed)
                confirmed.Add(action);
        });
        return confirmed;
    }

    private Task<bool[]> ForEachAsync(List<LeaseRow> rows, Action<Partition, LeaseRow> act) => Task.WhenAll(
        rows.GroupBy(row => node.WorkerOf(row.Partition)).Select(group => group.Key.Ask(() =>
        {
            foreach (LeaseRow row in group)
                act(node.Hosts[row.Partition].Partition, row);
            return true;
        })));

    private async Task<PullResult> DescribeAsync(List<LeaseRow> rows, string reason)
    {
        var described = new List<LeasedAction>(rows.Count);
        await ForEachAsync(rows, (partition, row) =>
        {
            if (partition.View.Describe(row) is not { } action)
                return;
            lock (described)
                described.Add(action);
        });
        described.Sort(Compare);
        return new PullResult(described, reason);
    }

    /// <summary>The order of the queue.</summary>
    private static int Compare(LeasedAction a, LeasedAction b) =>
        a.Lease.Value != b.Lease.Value ? b.Lease.Value.CompareTo(a.Lease.Value)
        : a.EligibleSinceMs != b.EligibleSinceMs ? a.EligibleSinceMs.CompareTo(b.EligibleSinceMs)
        : System.Text.Encoding.UTF8.GetBytes(a.Lease.Debtor).AsSpan().SequenceCompareTo(System.Text.Encoding.UTF8.GetBytes(b.Lease.Debtor));

    /// <summary>
    /// Asks a partition about a lease. Until it has read the log again after a restart it doesn't know every debtor, so it can't say of
    /// a lease that it is gone.
    /// </summary>
    private Task<T> AskRecovered<T>(int partition, Func<Partition, T> question) => node.Ask(partition, p =>
        node.StateOf(partition) == PartitionState.Recovering
            ? throw new InvalidOperationException($"partition {partition} is recovering; try again once it is serving")
            : question(p));

    private bool TryFind(string lease, out int partition, out uint sequence) =>
        LeaseRow.Ids.TryParse(lease, out partition, out sequence) && partition < node.PartitionCount;
}
