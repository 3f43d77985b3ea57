using Collections.Engine.Hosting;
using Collections.Engine.Scoring;
using Collections.V1;
using Grpc.Core;
using SilentPartition = Collections.Engine.Hosting.SilentPartition;

namespace Collections.Server.Cluster;

/// <summary>The active propensity model against its shadow, over the debtors and queues of a tenant.</summary>
internal sealed class SurveyedComparison(Node node, ModelSet models, string tenant, int head) : ISurveyed
{
    private readonly ComparisonTally tally = new(head);

    public Engine.Scoring.ModelComparison Result() => tally.Result();

    public async Task<IReadOnlyList<SilentPartition>> HereAsync(IReadOnlyList<int> partitions, CancellationToken end)
    {
        var part = new ComparisonTally(head);
        IReadOnlyList<SilentPartition> silent = await node.Surveys.CompareAsync(partitions, tenant, part, end);
        Take(part);
        return silent;
    }

    public async Task<IReadOnlyList<SilentPartition>> ThereAsync(Peer peer, IReadOnlyList<int> partitions, CallOptions options)
    {
        var request = new PeerCompareRequest { Tenant = tenant, Head = head, Active = models.Propensity?.Number ?? 0, Shadow = models.Shadow?.Number ?? 0 };
        request.Partitions.Add(partitions);
        var part = new ComparisonTally(head);
        var silent = new List<SilentPartition>();
        using AsyncServerStreamingCall<PeerComparisonPart> call = peer.CompareModels(request, options);
        while (await call.ResponseStream.MoveNext(options.CancellationToken))
            SurveyMessages.Read(call.ResponseStream.Current, part, silent);
        Take(part);
        return silent;
    }

    private void Take(ComparisonTally part)
    {
        lock (tally)
            tally.Merge(part);
    }
}

/// <summary>Drift away from a model's training rows, and its predictions against what came of them.</summary>
internal sealed class SurveyedHealth(Node node, ScoringModel model) : ISurveyed
{
    private readonly HealthTally tally = new(model);

    public ModelHealth Result() => tally.Result();

    public async Task<IReadOnlyList<SilentPartition>> HereAsync(IReadOnlyList<int> partitions, CancellationToken end)
    {
        var part = new HealthTally(model);
        IReadOnlyList<SilentPartition> silent = await node.Surveys.WatchAsync(partitions, part, end);
        Take(part);
        return silent;
    }

    public async Task<IReadOnlyList<SilentPartition>> ThereAsync(Peer peer, IReadOnlyList<int> partitions, CallOptions options)
    {
        var request = new PeerWatchModelRequest { Model = model.Number };
        request.Partitions.Add(partitions);
        var part = new HealthTally(model);
        var silent = new List<SilentPartition>();
        using AsyncServerStreamingCall<PeerHealthPart> call = peer.WatchModel(request, options);
        while (await call.ResponseStream.MoveNext(options.CancellationToken))
            SurveyMessages.Read(call.ResponseStream.Current, part, silent);
        Take(part);
        return silent;
    }

    private void Take(HealthTally part)
    {
        lock (tally)
            tally.Merge(part);
    }
}
