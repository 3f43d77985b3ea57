using System.Diagnostics;
using System.Runtime.ExceptionServices;
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
/// Hands out the best actions over all partitions, of this node and of the others: looks at the heads, chooses, has the chosen ones granted where they
/// are. What is reported goes through the log like any other event.
/// </summary>
public sealed class ActionDesk
{
    private readonly Node node;
    private readonly LocalActions local;
    private readonly Lock gate = new();

    // The end of each request; what it got is found in the leases themselves.
    private readonly Dictionary<(string Tenant, string Caller, string Request), Task> requests = [];
    private readonly Queue<(string Tenant, string Caller, string Request)> requestOrder = [];

    internal ActionDesk(Node node)
    {
        this.node = node;
        local = new LocalActions(node);
    }

    /// <summary>The partitions that run here.</summary>
    public IActionSource Local => local;

    /// <summary>Those that run elsewhere, as they stand at the moment; set once, before the first pull.</summary>
    public Func<IReadOnlyList<IActionSource>> Others { get; set; } = static () => [];

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
            if (requests.TryGetValue(key, out Task? before) && !before.IsFaulted)
                return RepeatAsync(before, order);
            Task<PullResult> answer = GrantAsync(order);
            if (before is null)
                requestOrder.Enqueue(key);
            requests[key] = EndOf(answer);
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
        PartitionHost host = node.HostOf(partition);
        LeaseAnswer answer = await AskRecovered(partition, p =>
        {
            LeaseAnswer begun = p.Desk.BeginReport(sequence);
            host.OnGranting(IsTold(begun) ? 1 : 0);
            return begun;
        });
        if (!IsTold(answer))
            return answer;
        LeaseRow row = answer.Row!;
        var batch = new AppendBatch();
        byte[] tenant = System.Text.Encoding.UTF8.GetBytes(row.Tenant), debtor = System.Text.Encoding.UTF8.GetBytes(row.Debtor);
        batch.Add(
            partition, EventStream.Activity, DebtorKey.HashOf(tenant, debtor), node.NowMs, history: false,
            new EventWriter().AttemptReported(
                new EventAddress { Tenant = tenant, Debtor = debtor, Id = LeaseDesk.ReportId(lease), EffectiveMs = atMs },
                row.Channel, outcome, System.Text.Encoding.UTF8.GetBytes(lease)));
        bool isDurable = false;
        try
        {
            await node.Log.AppendAsync(batch, CancellationToken.None);
            isDurable = true;
        }
        finally
        {
            host.Worker.Post(() => EndReport(host, sequence, isDurable));
        }
        try
        {
            await node.WaitAppliedAsync(partition, StreamPositions.Start.With(EventStream.Activity, batch.OffsetOf(0) + 1), cancellation);
        }
        catch (Exception late) when (late is OperationCanceledException or PartitionElsewhereException)
        {
            // Durable, and the lease can't expire any more, here or at the partition's next owner: it is closed in the caller's eyes.
        }
        return answer.Status == LeaseStatus.Open ? new LeaseAnswer(LeaseStatus.Closed, row, "") : answer;
    }

    /// <summary>Whether an outcome is taken: also of a lease that is void, as the contact was made.</summary>
    private static bool IsTold(in LeaseAnswer begun) => begun is { Status: LeaseStatus.Open or LeaseStatus.Voided, Row: not null };

    private static void EndReport(PartitionHost host, uint sequence, bool isDurable)
    {
        host.OnGranting(-1);
        if (!isDurable && host.State != PartitionState.Elsewhere)
            host.Partition.Desk.AbortReport(sequence);
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

    /// <summary>When a partition is taken, a retried pull gets the leases that it got before.</summary>
    internal void RememberRequests(IEnumerable<LeaseRow> rows) => local.Remember(rows);

    /// <summary>When leases have ended, a retried pull does not get them.</summary>
    internal void ForgetRequests(IEnumerable<LeaseChange> ended) => local.Forget(ended.Select(static change => (change.Partition, change.Sequence)));

    /// <summary>When a partition is given up, its next owner answers retried pulls.</summary>
    internal void ForgetRequests(int partition) => local.Forget(partition);

    /// <summary>Ends when the other does, as it does, and keeps nothing of its result.</summary>
    private static async Task EndOf(Task<PullResult> answer) => await answer;

    private async Task<PullResult> GrantAsync(PullOrder order)
    {
        var granted = new List<LeasedAction>();
        string reason = "";
        IActionSource[] sources = [local, .. Others()];
        // Once, and once more for candidates that were lost between looking and reserving.
        for (int round = 0; round < 2 && granted.Count < order.Count; round++)
        {
            PullOrder rest = order with { Count = order.Count - granted.Count };
            MergedHeads seen = await LookAsync(sources, rest);
            reason = seen.Reason;
            if (round == 0 && seen.Before is { } before)
                return new PullResult(before, reason);
            if (seen.Heads.Count == 0)
                break;
            (List<LeasedAction> got, Exception? failure) = await GrantAsync(sources, rest, seen.Heads);
            granted.AddRange(got);
            if (failure is not null && granted.Count == 0)
                ExceptionDispatchInfo.Throw(failure);
            if (failure is not null)
            {
                // What was committed is the caller's.
                reason = failure.Message;
                break;
            }
            if (seen.Heads.Count < rest.Count || got.Count == rest.Count)
                break;
        }
        granted.Sort(Compare);
        node.Meters.OnPulled(order.Tenant, order.Queue, granted.Count);
        return new PullResult(granted, reason);
    }

    /// <summary>A retry: the same leases, as far as they are still the caller's. What has ended meanwhile may be in another hand.</summary>
    private async Task<PullResult> RepeatAsync(Task first, PullOrder order)
    {
        await first;
        MergedHeads now = await LookAsync([local, .. Others()], order);
        return new PullResult(now.Before ?? [], now.Reason);
    }

    private async Task<MergedHeads> LookAsync(IActionSource[] sources, PullOrder order)
    {
        SourceHeads[] seen = await Task.WhenAll(sources.Select(source => LookAsync(source, order)));
        var all = new QueueHeads();
        for (int i = 0; i < seen.Length; i++)
            all.AddAll(seen[i].Heads, i);
        all.Sort();
        var reasons = seen.Select(static source => source.Reason).Where(static reason => reason.Length > 0).ToList();
        int[] unseen = [.. Enumerable.Range(0, node.PartitionCount).Except(seen.SelectMany(static source => source.Partitions))];
        if (unseen.Length > 0)
            reasons.Add($"of {unseen.Length} partitions nobody has been heard, such as {unseen[0]}: they are on their way to another node, or theirs is away");
        List<LeasedAction>? before = null;
        foreach (IReadOnlyList<LeasedAction> there in seen.Select(static source => source.Before).OfType<IReadOnlyList<LeasedAction>>())
            (before ??= []).AddRange(there);
        before?.Sort(Compare);
        return new MergedHeads(all, string.Join("; ", reasons), before);
    }

    /// <summary>A source that can't be asked gives nothing and says why; the others' actions are handed out all the same.</summary>
    private async Task<SourceHeads> LookAsync(IActionSource source, PullOrder order)
    {
        try
        {
            return await source.LookAsync(order);
        }
        catch (InvalidOperationException failure) when (source != local)
        {
            return new SourceHeads(new QueueHeads(), [], failure.Message, null);
        }
    }

    /// <returns>What was handed out, and the first failure of a source that handed out nothing.</returns>
    private static async Task<(List<LeasedAction> Granted, Exception? Failure)> GrantAsync(IActionSource[] sources, PullOrder order, QueueHeads heads)
    {
        IEnumerable<Task<IReadOnlyList<LeasedAction>>> grants = Enumerable.Range(0, Math.Min(order.Count, heads.Count))
            .Select(i => heads[i]).GroupBy(static head => head.Source).Select(group => sources[group.Key].GrantAsync(order, [.. group]));
        var granted = new List<LeasedAction>(order.Count);
        Exception? failed = null;
        foreach (Task<IReadOnlyList<LeasedAction>> grant in grants.ToList())
        {
            try
            {
                granted.AddRange(await grant);
            }
            catch (Exception failure) when (failure is StoreUnavailableException or StoreFencedException or InvalidOperationException)
            {
                failed ??= failure;
            }
        }
        return (granted, failed);
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

    /// <summary>The heads of all sources.</summary>
    /// <param name="Before">What the request got before; null: nothing is known of it.</param>
    private sealed record MergedHeads(QueueHeads Heads, string Reason, IReadOnlyList<LeasedAction>? Before);

    private bool TryFind(string lease, out int partition, out uint sequence) =>
        LeaseRow.Ids.TryParse(lease, out partition, out sequence) && partition < node.PartitionCount;
}
