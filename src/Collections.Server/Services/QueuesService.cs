using System.Text;
using System.Threading.Channels;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Queues;
using Collections.Engine.Stores;
using Collections.Server.Access;
using Collections.Server.Cluster;
using Collections.V1;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using LeaseAnswer = Collections.V1.LeaseAnswer;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Collections.Server.Services;

/// <summary>Next best actions out over gRPC.</summary>
public sealed class QueuesService(Node node, Router router, LeaseNews news, TimeProvider time, IHostApplicationLifetime lifetime) : V1.Queues.QueuesBase
{
    /// <summary>How often a subscription that has nothing looks again, in milliseconds.</summary>
    private const int LookAgainMs = 200;

    /// <summary>A lease whose end was due so long ago, in milliseconds, is taken for ended, although nobody has told: the news of another node may be lost.</summary>
    private const long OverdueMs = 60_000;

    /// <summary>Ends of leases that a subscriber who does not read keeps waiting; then the oldest are lost to him.</summary>
    private const int NewsMax = 100_000;

    public override async Task<PullResponse> Pull(PullRequest request, ServerCallContext context)
    {
        if (request.Count is < 1 or > Engine.Limits.PullMax)
            throw Wire.Invalid("count", $"must be 1 to {Engine.Limits.PullMax}", request.Count);
        PullOrder order = Order(AccessPoint.Tenant(context, request.Tenant), request.Queue, request.Count, request.Caller, request.RequestId, request.LeaseSeconds, !request.WithoutReasons);
        string language = ReasonTexts.Language(request.Language);
        if (order.RequestId.Length == 0)
            return await Pull(order, language);
        // A retry finds the leases of the first try wherever it comes in: both go to one node.
        return await router.RouteAsync(HomeOf(order), context, () => Pull(order, language), (peer, options) => new V1.Queues.QueuesClient(peer.Channel).PullAsync(request, options).ResponseAsync);
    }

    private async Task<PullResponse> Pull(PullOrder order, string language)
    {
        PullResult result = await Guard(() => node.Actions.PullAsync(order));
        var response = new PullResponse { Reason = result.Reason };
        foreach (LeasedAction leased in result.Leases)
            response.Actions.Add(Describe(leased, language));
        return response;
    }

    /// <summary>The partition whose owner takes the pulls of this request.</summary>
    private int HomeOf(PullOrder order) =>
        DebtorKey.PartitionOf(Encoding.UTF8.GetBytes(order.Tenant), Encoding.UTF8.GetBytes($"{order.Caller}/{order.RequestId}"), node.PartitionCount);

    public override async Task<LeaseAnswer> Report(ReportRequest request, ServerCallContext context)
    {
        if (request.Outcome == AttemptOutcome.Unspecified || !Enum.IsDefined(request.Outcome))
            throw Wire.Invalid("outcome", "must be one of collections.v1.AttemptOutcome", request.Outcome);
        // What the other node gets is the moment at which this one was told.
        ReportRequest dated = request.Clone();
        dated.At ??= Wire.Instant(node.NowMs);
        long atMs = Math.Min(InstantMs(dated.At), node.NowMs);
        return await OnLease(
            request.Lease, context,
            async () =>
            {
                using CancellationTokenSource answerBy = Wire.AnswerBy(context);
                return await node.Actions.ReportAsync(request.Lease, (Domain.Events.AttemptOutcome)request.Outcome, atMs, answerBy.Token);
            },
            (queues, options) => queues.ReportAsync(dated, options));
    }

    public override Task<LeaseAnswer> Extend(ExtendRequest request, ServerCallContext context)
    {
        long leaseMs = LeaseMs(request.LeaseSeconds);
        return OnLease(request.Lease, context, () => node.Actions.ExtendAsync(request.Lease, leaseMs), (queues, options) => queues.ExtendAsync(request, options));
    }

    public override Task<LeaseAnswer> Release(ReleaseRequest request, ServerCallContext context) =>
        OnLease(request.Lease, context, () => node.Actions.ReleaseAsync(request.Lease), (queues, options) => queues.ReleaseAsync(request, options));

    /// <summary>Acts on a lease where its partition runs.</summary>
    private async Task<LeaseAnswer> OnLease(
        string lease, ServerCallContext context, Func<Task<Engine.Leases.LeaseAnswer>> local, Func<V1.Queues.QueuesClient, CallOptions, AsyncUnaryCall<LeaseAnswer>> remote)
    {
        if (!LeaseRow.Ids.TryParse(lease, out int partition, out _) || partition >= node.PartitionCount)
            return Wire.Answer(Engine.Leases.LeaseAnswer.Unknown);
        return await router.RouteAsync(
            partition, context, async () => Wire.Answer(await Guard(local)), (peer, options) => remote(new V1.Queues.QueuesClient(peer.Channel), options).ResponseAsync);
    }

    public override async Task Subscribe(SubscribeRequest request, IServerStreamWriter<SubscribeMessage> responseStream, ServerCallContext context)
    {
        if (request.MaxOpen is < 1 or > Engine.Limits.PullMax)
            throw Wire.Invalid("max_open", $"must be 1 to {Engine.Limits.PullMax}", request.MaxOpen);
        PullOrder order = Order(AccessPoint.Tenant(context, request.Tenant), request.Queue, request.MaxOpen, request.Caller, "", request.LeaseSeconds, !request.WithoutReasons);
        string language = ReasonTexts.Language(request.Language);
        var ended = System.Threading.Channels.Channel.CreateBounded<LeaseEnd>(new BoundedChannelOptions(NewsMax) { FullMode = BoundedChannelFullMode.DropOldest });
        using IDisposable listening = news.Listen(end => ended.Writer.TryWrite(end));
        // A subscription has no end of its own, and would hold up the node's stop until that gives up waiting.
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await Stream(order, request.MaxOpen, language, ended.Reader, responseStream, over.Token);
            throw new OperationCanceledException(over.Token);
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the node is stopping; what was handed out stays under its leases"));
        }
    }

    public override async Task<ListQueuesResponse> ListQueues(ListQueuesRequest request, ServerCallContext context)
    {
        string tenant = AccessPoint.Tenant(context, request.Tenant);
        var sums = new SortedDictionary<string, QueueSummary>(StringComparer.Ordinal);
        QueueSummary Of(string queue) => sums.TryGetValue(queue, out QueueSummary? sum) ? sum : sums[queue] = new QueueSummary { Queue = queue };
        foreach ((QueueFigures[] queues, (string Tenant, string Queue)[] leases) in await Guard(() => node.AskAll(p => (p.View.Queues().ToArray(), p.View.OpenLeases().ToArray()))))
        {
            foreach (QueueFigures queue in queues.Where(q => q.Tenant == tenant))
            {
                QueueSummary sum = Of(queue.Queue.ToString());
                sum.Waiting += queue.Waiting;
                sum.BestValue = Math.Max(sum.BestValue, queue.BestValue);
            }
            foreach ((string _, string queue) in leases.Where(l => l.Tenant == tenant))
                Of(queue).Leased++;
        }
        (List<ListQueuesResponse> others, List<string> silent) = await router.AskOthersAsync(context, (peer, options) => new V1.Queues.QueuesClient(peer.Channel).ListQueuesAsync(request, options).ResponseAsync);
        if (silent.Count > 0)
            throw new RpcException(new Status(StatusCode.Unavailable, string.Join("; ", silent)));
        foreach (QueueSummary queue in others.SelectMany(static other => other.Queues))
        {
            QueueSummary sum = Of(queue.Queue);
            sum.Waiting += queue.Waiting;
            sum.Leased += queue.Leased;
            sum.BestValue = Math.Max(sum.BestValue, queue.BestValue);
        }
        var response = new ListQueuesResponse();
        response.Queues.AddRange(sums.Values);
        return response;
    }

    private async Task Stream(
        PullOrder order, int maxOpen, string language, ChannelReader<LeaseEnd> ended, IServerStreamWriter<SubscribeMessage> stream, CancellationToken cancellation)
    {
        // With the end of each lease.
        var open = new Dictionary<string, long>();
        while (!cancellation.IsCancellationRequested)
        {
            while (ended.TryRead(out LeaseEnd end))
            {
                if (open.Remove(end.Lease) && end.Voided)
                    await stream.WriteAsync(new SubscribeMessage { Voided = new LeaseVoided { Lease = end.Lease, Debtor = end.Debtor, Reason = end.Reason } }, cancellation);
            }
            long nowMs = node.NowMs;
            foreach (string over in open.Where(lease => lease.Value < nowMs - OverdueMs).Select(static lease => lease.Key).ToList())
                open.Remove(over);
            int given = 0;
            if (open.Count < maxOpen)
            {
                PullResult result = await Guard(() => node.Actions.PullAsync(order with { Count = maxOpen - open.Count }));
                foreach (LeasedAction leased in result.Leases)
                {
                    open[leased.Lease.Id] = leased.Lease.ExpiresMs;
                    await stream.WriteAsync(new SubscribeMessage { Action = Describe(leased, language) }, cancellation);
                }
                given = result.Leases.Count;
            }
            if (given == 0)
                await WaitForNews(ended, cancellation);
        }
    }

    private async Task WaitForNews(ChannelReader<LeaseEnd> ended, CancellationToken cancellation)
    {
        using var pause = new CancellationTokenSource(TimeSpan.FromMilliseconds(LookAgainMs), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(pause.Token, cancellation);
        try
        {
            await ended.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Time to look again.
        }
    }

    private static PullOrder Order(string tenant, string queue, int count, string caller, string requestId, int leaseSeconds, bool withReasons)
    {
        if (!QueueName.TryParse(queue, out QueueName name))
            throw Wire.Invalid("queue", "must be portfolio/channel, such as default/voice", queue);
        if (caller.Length > 128)
            throw Wire.Invalid("caller", "must be at most 128 characters", caller);
        if (requestId.Length > 128)
            throw Wire.Invalid("request_id", "must be at most 128 characters", requestId);
        return new PullOrder(tenant, name, count, caller, requestId, LeaseMs(leaseSeconds), withReasons);
    }

    private static long LeaseMs(int seconds)
    {
        if (seconds is < 0 or > Engine.Limits.LeaseSecondsMax)
            throw Wire.Invalid("lease_seconds", $"must be 0 (the default of {Engine.Limits.LeaseSecondsDefault}) to {Engine.Limits.LeaseSecondsMax}", seconds);
        return (seconds == 0 ? Engine.Limits.LeaseSecondsDefault : seconds) * 1000L;
    }

    private static long InstantMs(Timestamp at)
    {
        // From the first day that events can be effective on.
        const long firstSecond = Domain.Day.MsPerDay / 1000;
        if (at.Seconds is < firstSecond or > 253_402_300_799 || at.Nanos is < 0 or > 999_999_999)
            throw Wire.Invalid("at", "must be an instant from 1970-01-02 on", $"{at.Seconds} s {at.Nanos} ns");
        return at.Seconds * 1000 + at.Nanos / 1_000_000;
    }

    private V1.Action Describe(LeasedAction leased, string language)
    {
        LeaseRow row = leased.Lease;
        RegisteredModel? model = node.Models.Find(row.ModelVersion);
        var action = new V1.Action
        {
            Lease = row.Id,
            Tenant = row.Tenant,
            Debtor = row.Debtor,
            Queue = row.Queue,
            Channel = (V1.Channel)row.Channel,
            Value = row.Value,
            Propensity = row.Propensity,
            Model = model?.Manifest.Name ?? "",
            ModelVersion = model?.Manifest.Version ?? "",
            OldestDaysPastDue = leased.OldestDpd,
            Expires = Wire.Instant(row.ExpiresMs),
            ScoredAt = Wire.Instant(leased.ScoredAtMs),
            Partition = row.Partition,
            Overdue = new Money { MinorUnits = leased.OverdueMinor, Currency = leased.Currency.ToString() },
        };
        action.Positions.Add([row.DecidedAt.Invoices, row.DecidedAt.Payments, row.DecidedAt.Activity]);
        action.Reasons.Add(ReasonTexts.Describe(row.Reasons, language));
        return action;
    }

    private static async Task<T> Guard<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception failure) when (failure is StoreUnavailableException or StoreFencedException or LogUnavailableException or InvalidOperationException && failure is not PartitionElsewhereException)
        {
            throw Wire.Unavailable(failure);
        }
    }
}
