using System.Threading.Channels;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;
using Collections.Server.Cluster;
using Collections.V1;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using SilentPartition = Collections.Engine.Hosting.SilentPartition;

namespace Collections.Server.Services;

/// <summary>What this node does for the others: for the partitions that it runs.</summary>
public sealed class PeersService(Node node, IHostApplicationLifetime lifetime) : Peers.PeersBase, IDisposable
{
    private readonly SemaphoreSlim archiveReaders = new(ClusterLimits.ArchiveReadersMax);

    public override Task<PeerLookResponse> Look(PeerLookRequest request, ServerCallContext context) => Guard(async () =>
    {
        PullOrder order = PeerMessages.Read(request.Order);
        return PeerMessages.Write(await node.Actions.Local.LookAsync(order), order.Count);
    });

    public override Task<PeerGrantResponse> Grant(PeerGrantRequest request, ServerCallContext context) => Guard(async () =>
    {
        Head[] chosen = [.. request.Chosen.Select(PeerMessages.Read).Where(head => head.Partition >= 0 && head.Partition < node.PartitionCount)];
        var response = new PeerGrantResponse();
        foreach (LeasedAction action in await node.Actions.Local.GrantAsync(PeerMessages.Read(request.Order), chosen))
            response.Granted.Add(PeerMessages.Write(action));
        return response;
    });

    public override Task<PeerApplied> WaitApplied(PeerPosition request, ServerCallContext context) => Guard(async () =>
    {
        if (request.Partition < 0 || request.Partition >= node.PartitionCount)
            throw new FormatException($"partition {request.Partition} of {node.PartitionCount}");
        using CancellationTokenSource answerBy = Wire.AnswerBy(context);
        try
        {
            await node.WaitAppliedAsync(request.Partition, PeerMessages.Read(request.Next), answerBy.Token);
            return new PeerApplied { Applied = true };
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            return new PeerApplied();
        }
    });

    public override async Task Watch(PeerWatchRequest request, IServerStreamWriter<PeerNews> responseStream, ServerCallContext context)
    {
        // Who reads too slowly loses the oldest news: a lease's holder learns of its end in any case when he reports.
        var news = System.Threading.Channels.Channel.CreateBounded<PeerNews>(new BoundedChannelOptions(Engine.Limits.RequestsRemembered) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        void OnVoided(IReadOnlyList<LeaseVoidedNotice> notices)
        {
            foreach (LeaseVoidedNotice notice in notices)
                news.Writer.TryWrite(new PeerNews { Lease = notice.Row.Id, Voided = true, Debtor = notice.Row.Debtor, Reason = notice.Reason });
        }
        void OnEnded(IReadOnlyList<LeaseChange> changes)
        {
            foreach (LeaseChange change in changes.Where(static change => change.Kind == LeaseChangeKind.Close))
                news.Writer.TryWrite(new PeerNews { Lease = LeaseRow.Ids.Format(change.Partition, change.Sequence) });
        }
        node.Voided += OnVoided;
        node.LeasesEnded += OnEnded;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await foreach (PeerNews item in news.Reader.ReadAllAsync(over.Token))
                await responseStream.WriteAsync(item, over.Token);
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the node is stopping"));
        }
        finally
        {
            node.Voided -= OnVoided;
            node.LeasesEnded -= OnEnded;
        }
    }

    public override async Task CompareModels(PeerCompareRequest request, IServerStreamWriter<PeerComparisonPart> responseStream, ServerCallContext context)
    {
        int[] partitions = Partitions(request.Partitions);
        if (request.Head is < 1 or > Engine.Limits.ComparedHeadMax)
            throw Wire.Invalid("head", $"must be 1 to {Engine.Limits.ComparedHeadMax}", request.Head);
        ModelSet models = node.Models.Current;
        var tally = new ComparisonTally(request.Head);
        using CancellationTokenSource answerBy = Wire.AnswerBy(context);
        IReadOnlyList<SilentPartition> silent = models.Propensity?.Number == request.Active && models.Shadow?.Number == request.Shadow
            ? await node.Surveys.CompareAsync(partitions, request.Tenant, tally, answerBy.Token)
            : OfAnotherModel(partitions);
        foreach (PeerComparisonPart part in SurveyMessages.Write(tally, partitions, silent))
            await responseStream.WriteAsync(part, context.CancellationToken);
    }

    public override async Task WatchModel(PeerWatchModelRequest request, IServerStreamWriter<PeerHealthPart> responseStream, ServerCallContext context)
    {
        int[] partitions = Partitions(request.Partitions);
        ModelSet models = node.Models.Current;
        ScoringModel? model = ((ScoringModel?[])[models.Propensity, models.PreDueRisk]).FirstOrDefault(active => active?.Number == request.Model);
        if (model is null)
        {
            foreach (SilentPartition partition in OfAnotherModel(partitions))
                await responseStream.WriteAsync(new PeerHealthPart { Silent = SurveyMessages.Write(partition) }, context.CancellationToken);
            return;
        }
        var tally = new HealthTally(model);
        using CancellationTokenSource answerBy = Wire.AnswerBy(context);
        IReadOnlyList<SilentPartition> silent = await node.Surveys.WatchAsync(partitions, tally, answerBy.Token);
        foreach (PeerHealthPart part in SurveyMessages.Write(tally, silent))
            await responseStream.WriteAsync(part, context.CancellationToken);
    }

    public override async Task ReadArchive(PeerArchiveRequest request, IServerStreamWriter<PeerArchivePart> responseStream, ServerCallContext context)
    {
        _ = Partitions([request.Partition]);
        if (request.Stream is < 0 or >= EventKinds.StreamCount)
            throw Wire.Invalid("stream", $"must be 0 to {EventKinds.StreamCount - 1}", request.Stream);
        if (request.From < 0 || request.To <= request.From)
            throw Wire.Invalid("to", $"must lie behind from, {request.From}, which is not negative", request.To);
        if (node.Log is not IArchivedLog log)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "the node keeps no archive of a log elsewhere"));
        if (!archiveReaders.Wait(0))
            throw new RpcException(new Status(StatusCode.Unavailable, $"{ClusterLimits.ArchiveReadersMax} nodes read its archive already"));
        try
        {
            foreach (PeerArchivePart part in PeerArchive.Write(log, request.Partition, new LostPiece((EventStream)request.Stream, request.From, request.To)))
                await responseStream.WriteAsync(part, context.CancellationToken);
        }
        catch (Exception failure) when (failure is LogUnavailableException or LogCorruptException or ObjectDisposedException)
        {
            throw Wire.Unavailable(failure);
        }
        finally
        {
            archiveReaders.Release();
        }
    }

    public void Dispose() => archiveReaders.Dispose();

    /// <summary>Registries of nodes are the same within a second.</summary>
    private SilentPartition[] OfAnotherModel(int[] partitions) =>
        [.. partitions.Select(partition => new SilentPartition(partition, $"node {node.Owner} has not taken over the change of models yet", IsPassing: true))];

    private int[] Partitions(IEnumerable<int> asked)
    {
        int[] partitions = [.. asked.Distinct()];
        foreach (int partition in partitions.Where(partition => partition < 0 || partition >= node.PartitionCount))
            throw Wire.Invalid("partitions", $"must be 0 to {node.PartitionCount - 1}", partition);
        return partitions;
    }

    private static async Task<T> Guard<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception failure) when (failure is StoreUnavailableException or StoreFencedException or InvalidOperationException)
        {
            throw Wire.Unavailable(failure);
        }
        catch (FormatException malformed)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, malformed.Message));
        }
    }
}
