using System.Text;
using System.Text.Unicode;
using Collections.Engine.Hosting;
using Collections.Engine.Partitions;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;
using Collections.Scoring.Registry;
using Collections.Server.Access;
using Collections.Server.Cluster;
using Collections.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Collections.Server.Services;

/// <summary>The registry of models over gRPC: what there is, what scores, and how it does.</summary>
public sealed class ModelsService(Node node, Router router, FleetSurvey fleet) : Models.ModelsBase
{
    /// <summary>The longest model that is taken in a call: 256 MiB, which 10,000 trees of 255 leaves need.</summary>
    public const int ModelBytesMax = 256 * 1024 * 1024;

    /// <summary>Places of each queue's head that are compared where the call does not say.</summary>
    private const int HeadDefault = 100;

    public override async Task<ListModelsResponse> List(ListModelsRequest request, ServerCallContext context)
    {
        var response = new ListModelsResponse();
        response.Versions.Add(node.Models.Versions.Select(Describe));
        response.Changes.Add(node.Models.Acts.Where(act => act.Kind == ConfigurationKind.Model).Select(Describe));
        (List<ListModelsResponse> others, List<string> silent) = await router.AskOthersAsync(context, (peer, options) => new Models.ModelsClient(peer.Channel).ListAsync(request, options).ResponseAsync);
        foreach (int number in node.Owned.Where(number => node.StateOf(number) is not (PartitionState.Stopped or PartitionState.Leaving)))
        {
            (int done, int of) = await Guard(() => RescoredAsync(number));
            response.Rescored += done;
            response.ToRescore += of;
        }
        response.Rescored += others.Sum(static other => other.Rescored);
        response.ToRescore += others.Sum(static other => other.ToRescore);
        response.SilentNodes.Add(silent);
        return response;
    }

    public override async Task<ModelVersion> Add(AddModelRequest request, ServerCallContext context)
    {
        if (request.Model.IsEmpty)
            throw Wire.Invalid("model", "must be the text of a LightGBM model", "");
        var files = new ModelFiles(Text("model", request.Model), Text("manifest", request.Manifest));
        string name = request.Name.Length == 0 ? "model" : request.Name;
        return Answer(await Guard(() => node.Models.AddAsync(name, files, AccessPoint.NameOf(context))));
    }

    public override async Task<ModelVersion> Activate(ModelReference request, ServerCallContext context) =>
        Answer(await Guard(() => node.Models.ActivateAsync(request.Name, request.Version, AccessPoint.NameOf(context))));

    public override async Task<ModelVersion> RollBack(RollBackRequest request, ServerCallContext context) =>
        Answer(await Guard(() => node.Models.RollBackAsync(Target(request.Target), AccessPoint.NameOf(context))));

    public override async Task<ModelVersion> Shadow(ModelReference request, ServerCallContext context) => Answer(await Guard(() => request.Name.Length == 0
        ? node.Models.EndShadowAsync(AccessPoint.NameOf(context))
        : node.Models.ShadowAsync(request.Name, request.Version, AccessPoint.NameOf(context))));

    public override async Task<V1.ModelComparison> Compare(CompareModelsRequest request, ServerCallContext context)
    {
        string tenant = AccessPoint.Tenant(context, request.Tenant);
        if (request.Head is < 0 or > Engine.Limits.ComparedHeadMax)
            throw Wire.Invalid("head", $"must be 0 (the default of {HeadDefault}) to {Engine.Limits.ComparedHeadMax}", request.Head);
        ModelSet models = node.Models.Current;
        if (models.Propensity is null || models.Shadow is null)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "there is no shadow to compare the active model with; 'collections model shadow NAME VERSION' begins one"));
        var survey = new SurveyedComparison(node, models, tenant, request.Head == 0 ? HeadDefault : request.Head);
        SurveyCoverage coverage = await fleet.LeadAsync(survey, context);
        Engine.Scoring.ModelComparison found = survey.Result();
        var response = new V1.ModelComparison
        {
            Active = Describe(node.Models.Find(models.Propensity.Number)!),
            Shadow = Describe(node.Models.Find(models.Shadow.Number)!),
            Debtors = found.Debtors,
            Unscored = found.Unscored,
            MeanActive = found.MeanActive,
            MeanShadow = found.MeanShadow,
            MeanDifference = found.MeanDifference,
            DifferenceMax = found.DifferenceMax,
            Correlation = found.Correlation,
            SameTenth = found.SameTenth,
            PartitionsCovered = coverage.Covered,
        };
        response.Queues.Add(found.Queues.Select(Describe));
        response.Silent.Add(coverage.Silent.Select(Describe));
        return response;
    }

    public override async Task<ModelWatch> Watch(WatchModelRequest request, ServerCallContext context)
    {
        ModelTarget target = Target(request.Target);
        ScoringModel model = (target == ModelTarget.PreDueRisk ? node.Models.Current.PreDueRisk : node.Models.Current.Propensity)
            ?? throw new RpcException(new Status(StatusCode.FailedPrecondition, $"no model for {ModelTargets.NameOf(target)} is active"));
        var survey = new SurveyedHealth(node, model);
        SurveyCoverage coverage = await fleet.LeadAsync(survey, context);
        ModelHealth health = survey.Result();
        var response = new ModelWatch
        {
            Model = Describe(node.Models.Find(model.Number)!),
            Debtors = health.Drift.Debtors,
            ScoreStability = health.Drift.Score,
            PartitionsCovered = coverage.Covered,
        };
        response.Silent.Add(coverage.Silent.Select(Describe));
        response.Features.Add(health.Drift.Features.Select(feature => new FeatureStability
        {
            Feature = feature.Feature,
            StabilityIndex = feature.StabilityIndex,
            Missing = feature.Missing,
            MissingInTraining = feature.MissingInTraining,
        }));
        response.Reliability.Add(health.Reliability.Select(bin => new V1.ReliabilityBin
        {
            Dimension = bin.Dimension,
            Group = bin.Group,
            Predictions = bin.Predictions,
            Predicted = bin.Predicted,
            Observed = bin.Observed,
        }));
        response.Alerts.Add(health.Alerts.Select(alert => alert.ToString()));
        return response;
    }

    /// <summary>How many debtors of a partition have been scored anew, of how many; of one that is being given up, its next owner tells.</summary>
    private async Task<(int Done, int Of)> RescoredAsync(int number)
    {
        try
        {
            return await node.Ask(number, static partition => partition.View.Rescored);
        }
        catch (PartitionElsewhereException)
        {
            return default;
        }
    }

    private ModelVersion Describe(RegisteredModel model)
    {
        ModelManifest manifest = model.Manifest;
        ModelSet current = node.Models.Current;
        bool isActive = model.Number == (manifest.Target == ModelTarget.PreDueRisk ? current.PreDueRisk : current.Propensity)?.Number;
        var version = new ModelVersion
        {
            Name = manifest.Name,
            Version = manifest.Version,
            Number = model.Number,
            Target = ModelTargets.NameOf(manifest.Target),
            HorizonDays = manifest.HorizonDays,
            Label = manifest.Label,
            Sha256 = model.Sha256,
            Role = isActive ? "active" : model.Number == current.Shadow?.Number ? "shadow" : "",
            Calibrated = manifest.Calibration is not null,
            TrainingFrom = manifest.Training.From,
            TrainingTo = manifest.Training.To,
            TrainingRows = manifest.Training.Rows,
            TrainingSource = manifest.Training.Source,
            Added = Wire.Instant(model.AddedMs),
            AddedBy = model.AddedBy,
        };
        foreach ((string name, double value) in manifest.Metrics)
            version.Metrics.Add(name, value);
        return version;
    }

    private ModelChange Describe(ConfigurationAct act)
    {
        RegisteredModel? model = node.Models.Find((ushort)act.Number);
        return new ModelChange
        {
            At = Wire.Instant(act.AtMs),
            By = act.By,
            Change = act.Act switch
            {
                ConfigurationActKind.Added => "added",
                ConfigurationActKind.Activated => "activated",
                ConfigurationActKind.RolledBack => "rolled-back",
                ConfigurationActKind.Shadowed => "shadowed",
                _ => "shadow-ended",
            },
            Target = act.Subject,
            Name = model?.Manifest.Name ?? "",
            Version = model?.Manifest.Version ?? "",
        };
    }

    private static V1.SilentPartition Describe(Engine.Hosting.SilentPartition silent) => new() { Partition = silent.Partition, Reason = silent.Reason };

    private static V1.QueueComparison Describe(Engine.Scoring.QueueComparison queue)
    {
        var view = new V1.QueueComparison
        {
            Queue = queue.Queue,
            Waiting = queue.Waiting,
            Head = queue.Head,
            Overlap = queue.Overlap,
            MeanRankChange = queue.MeanRankChange,
            ActiveHead = Describe(queue.ActiveHead),
            ShadowHead = Describe(queue.ShadowHead),
        };
        view.Entering.Add(queue.Entering);
        view.Leaving.Add(queue.Leaving);
        return view;
    }

    private static V1.ExpectedRecovery Describe(Engine.Scoring.ExpectedRecovery recovery) => new() { ByActive = recovery.ByActive, ByShadow = recovery.ByShadow };

    private ModelVersion Answer(in RegistryResult result)
    {
        if (result.Status != RegistryStatus.Done)
        {
            StatusCode code = result.Status switch
            {
                RegistryStatus.NotFound => StatusCode.NotFound,
                RegistryStatus.Taken => StatusCode.AlreadyExists,
                _ => StatusCode.FailedPrecondition,
            };
            throw new RpcException(new Status(code, result.Reason));
        }
        ModelVersion version = result.Version is { } model ? Describe(model) : new ModelVersion();
        version.Note = result.Reason;
        return version;
    }

    /// <summary>What is no UTF-8 would be kept as something else than was sent, under another hash.</summary>
    private static string Text(string field, ByteString bytes) =>
        Utf8.IsValid(bytes.Span) ? Encoding.UTF8.GetString(bytes.Span) : throw Wire.Invalid(field, "must be UTF-8", "another encoding");

    private static ModelTarget Target(string name)
    {
        if (name.Length == 0)
            return ModelTarget.Propensity;
        return ModelTargets.TryParse(name, out ModelTarget target) ? target : throw Wire.Invalid("target", "must be propensity or pre-due-risk", name);
    }

    private static async Task<T> Guard<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (StoreCorruptException corrupt)
        {
            throw new RpcException(new Status(StatusCode.DataLoss, corrupt.Message));
        }
        catch (Exception failure) when (failure is StoreUnavailableException or StoreFencedException or InvalidOperationException)
        {
            throw Wire.Unavailable(failure);
        }
    }
}
