using Collections.Engine.Tests;
using Collections.Server.Tests.EndToEnd;
using Collections.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Collections.Server.Tests.Services;

/// <summary>The registry as its callers see it: versions, activation without a restart, shadows, what is compared and watched.</summary>
public sealed class ModelsServiceTests
{
    private static ModelReference Version(string version, string name = "stump") => new() { Name = name, Version = version };

    [Fact]
    public async Task A_new_registry_begins_with_the_shipped_model()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        ListModelsResponse list = await scene.Models.ListAsync(new ListModelsRequest());
        ModelVersion shipped = Assert.Single(list.Versions);
        Assert.Equal(("propensity", 1, "propensity", "active", "start"), (shipped.Name, shipped.Number, shipped.Target, shipped.Role, shipped.AddedBy));
        Assert.Equal(["added", "activated"], list.Changes.Select(change => change.Change));
        StatusResponse status = await scene.Debtors.StatusAsync(new StatusRequest());
        Assert.Equal((shipped.Name, shipped.Version), (status.Model, status.ModelVersion));
    }

    [Fact]
    public async Task A_version_never_changes_and_what_cannot_be_used_is_refused_with_its_reason()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        ModelVersion added = await scene.Models.AddAsync(StumpRequest.Of("1", StumpModel.Constant(0.2)));
        Assert.Equal((2, "", ""), (added.Number, added.Role, added.Note));
        Assert.Equal("it was there already", (await scene.Models.AddAsync(StumpRequest.Of("1", StumpModel.Constant(0.2)))).Note);
        await RefusedAsync(StatusCode.AlreadyExists, "stump 1 is another model already", StumpRequest.Of("1", StumpModel.Constant(0.3)));
        await RefusedAsync(StatusCode.AlreadyExists, "stump 1 is another model already", StumpRequest.Of("1", StumpModel.Constant(0.2), more: "\"label\": \"other\""));
        await RefusedAsync(StatusCode.FailedPrecondition, "category_codes: 'oldest_dpd' is no categorical feature", StumpRequest.Of("2", StumpModel.Constant(0.2), more: "\"category_codes\": {\"oldest_dpd\": {\"a\": 1}}"));
        await RefusedAsync(StatusCode.FailedPrecondition, "the feature 'shoe_size', which the catalogue does not have", StumpRequest.Of("2", StumpModel.Text("shoe_size", 1, 0.1, 0.2)));
        await RefusedAsync(StatusCode.FailedPrecondition, "the manifest belongs to another model file", StumpRequest.Of("2", StumpModel.Constant(0.2), more: $"\"sha256\": \"{new string('a', 64)}\""));
        await RefusedAsync(StatusCode.FailedPrecondition, "features: the manifest's are not the model file's", StumpRequest.Of("2", StumpModel.Constant(0.2), more: "\"features\": [\"oldest_dpd\"]"));
        await RefusedAsync(StatusCode.FailedPrecondition, "target: must be propensity or pre-due-risk", StumpRequest.Of("2", StumpModel.Constant(0.2), target: "luck"));
        await RefusedAsync(StatusCode.FailedPrecondition, "the model's output is no probability", StumpRequest.Of("2", StumpModel.Constant(0.2).Replace("binary sigmoid:1", "regression", StringComparison.Ordinal)));
        await RefusedAsync(StatusCode.FailedPrecondition, "", new AddModelRequest { Model = ByteString.CopyFromUtf8("no model") });
        await RefusedAsync(StatusCode.InvalidArgument, "model: must be the text of a LightGBM model", new AddModelRequest());
        AddModelRequest latin = StumpRequest.Of("2", StumpModel.Constant(0.2) + "Köln");
        latin.Model = ByteString.CopyFrom(System.Text.Encoding.Latin1.GetBytes(latin.Model.ToStringUtf8()));
        await RefusedAsync(StatusCode.InvalidArgument, "model: must be UTF-8", latin);
        await RefusedAsync(StatusCode.InvalidArgument, "manifest: must be UTF-8", new AddModelRequest { Model = ByteString.CopyFromUtf8(StumpModel.Constant(0.2)), Manifest = ByteString.CopyFrom(0xff) });
        await FailsAsync(StatusCode.NotFound, "the registry has no model 'stump' of version '9'", () => scene.Models.ActivateAsync(Version("9")));
        await FailsAsync(StatusCode.FailedPrecondition, "there is no version before the active one", () => scene.Models.RollBackAsync(new RollBackRequest()));
        await FailsAsync(StatusCode.InvalidArgument, "target: must be propensity or pre-due-risk, but is 'luck'", () => scene.Models.RollBackAsync(new RollBackRequest { Target = "luck" }));
        Assert.Equal(2, (await scene.Models.ListAsync(new ListModelsRequest())).Versions.Count);

        Task RefusedAsync(StatusCode code, string reason, AddModelRequest request) => FailsAsync(code, reason, () => scene.Models.AddAsync(request));
    }

    [Fact]
    public async Task A_model_without_a_manifest_is_named_after_its_file_and_its_hash()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        ModelVersion added = await scene.Models.AddAsync(new AddModelRequest { Model = ByteString.CopyFromUtf8(StumpModel.Constant(0.2)), Name = "My model" });
        Assert.Equal(("my-model", "propensity", 30), (added.Name, added.Target, added.HorizonDays));
        Assert.Equal(added.Sha256[..12], added.Version);
    }

    [Fact]
    public async Task What_a_manifest_says_is_shown_as_it_is_whatever_brackets_it_has()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        const string more = """
            "training": {"source": "log", "from": "[first]", "to": "[/]", "rows": 10}, "metrics": {"auc [left out]": 0.7}
            """;
        await scene.Models.AddAsync(StumpRequest.Of("1", StumpModel.Constant(0.2), more: more));
        CommandResult list = await CollectionsProcess.RunAsync("model", "list", "--address", $"{scene.Address}");
        Assert.Equal((0, ""), (list.ExitCode, list.Errors));
    }

    [Fact]
    public async Task Models_are_listed_and_changed_although_a_partition_has_stopped()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 2);
        for (int i = 0; i < 10; i++)
            await scene.OverdueAsync($"d{i}", 10_000);
        await scene.LoseAsync(1);
        await scene.Models.AddAsync(StumpRequest.Of("1", StumpModel.Constant(0.2)));
        Assert.Equal("active", (await scene.Models.ActivateAsync(Version("1"))).Role);
        ListModelsResponse list = await scene.Models.ListAsync(new ListModelsRequest());
        Assert.Equal(["", "active"], list.Versions.Select(version => version.Role));
        Assert.InRange(list.ToRescore, 1, 9);
    }

    [Fact]
    public async Task Models_longer_than_an_ordinary_message_are_taken()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        AddModelRequest request = StumpRequest.Of("long", StumpModel.Text("open_balance", 0, 0.2, 0.3, trees: 25_000));
        Assert.True(request.CalculateSize() > 5 * 1024 * 1024);
        Assert.Equal("long", (await scene.Models.AddAsync(request)).Version);
    }

    [Fact]
    public async Task Activation_scores_the_book_anew_without_a_restart_and_survives_one_and_a_roll_back_goes_back()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        for (int i = 0; i < 30; i++)
            await scene.OverdueAsync($"d{i}", 10_000);
        await scene.Models.AddAsync(StumpRequest.Of("1", StumpModel.Constant(0.2)));
        await scene.Models.AddAsync(StumpRequest.Of("2", StumpModel.Constant(0.7)));

        Assert.Equal("active", (await scene.Models.ActivateAsync(Version("1"))).Role);
        await ScoredAsync(0.2, "stump", "1");
        await scene.Models.ActivateAsync(Version("2"));
        await ScoredAsync(0.7, "stump", "2");
        Assert.Equal("it was active already", (await scene.Models.ActivateAsync(Version("2"))).Note);
        await scene.RestartAsync();
        await ScoredAsync(0.7, "stump", "2");
        // The crash comes before any checkpoint has the new scores.
        await scene.Models.RollBackAsync(new RollBackRequest());
        await scene.RestartAsync(crash: true);
        await ScoredAsync(0.2, "stump", "1");
        ModelVersion shipped = await scene.Models.RollBackAsync(new RollBackRequest { Target = "propensity" });
        Assert.Equal(("propensity", "active"), (shipped.Name, shipped.Role));
        await FailsAsync(StatusCode.FailedPrecondition, "there is no version before the active one", () => scene.Models.RollBackAsync(new RollBackRequest()));
        ListModelsResponse list = await scene.Models.ListAsync(new ListModelsRequest());
        Assert.Equal(["added", "activated", "added", "added", "activated", "activated", "rolled-back", "rolled-back"], list.Changes.Select(change => change.Change));
        Assert.Equal(["", "loopback"], list.Changes.Select(change => change.By == "start" ? "" : change.By).Distinct());

        async Task ScoredAsync(double probability, string name, string version)
        {
            await scene.Node.SettleAsync();
            for (int i = 0; i < 30; i++)
            {
                DebtorView debtor = await scene.GetAsync($"d{i}");
                Assert.Equal((probability, name, version), (Math.Round(debtor.Propensity, 9), debtor.Model, debtor.ModelVersion));
                Assert.Equal(100 * probability, debtor.QueueEntry.Value, 9);
            }
        }
    }

    [Fact]
    public async Task While_models_change_events_flow_and_actions_are_pulled_and_no_score_mixes_versions()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        double[] probabilities = [0.2, 0.4, 0.8];
        for (int i = 0; i < probabilities.Length; i++)
            await scene.Models.AddAsync(StumpRequest.Of($"{i}", StumpModel.Constant(probabilities[i])));
        await scene.Models.ActivateAsync(Version("0"));
        for (int i = 0; i < 200; i++)
            await scene.Ingest.AppendAsync(new AppendRequest { Events = { scene.Events.Registered($"d{i}", "", Channel.Voice), scene.Events.Issued($"d{i}", $"i{i}", 10_000, scene.Today.AddDays(-40), scene.Today.AddDays(-10)) } });

        using var done = new CancellationTokenSource();
        Task<int> pulling = PullAsync();
        Task<int> paying = PayAsync();
        for (int round = 0; round < 12; round++)
        {
            await scene.Models.ActivateAsync(Version("1"));
            await scene.Models.ShadowAsync(Version("2"));
            await scene.Models.ActivateAsync(Version("2"));
            await scene.Models.ShadowAsync(new ModelReference());
            await scene.Models.RollBackAsync(new RollBackRequest());
            await scene.Models.ActivateAsync(Version("0"));
        }
        await done.CancelAsync();
        Assert.True(await pulling > 0);
        Assert.True(await paying > 0);
        await scene.Node.SettleAsync();
        for (int i = 0; i < 200; i++)
            Assert.Equal("0", (await scene.GetAsync($"d{i}")).ModelVersion);

        async Task<int> PullAsync()
        {
            int pulled = 0;
            while (!done.IsCancellationRequested)
            {
                foreach (V1.Action action in (await scene.PullAsync(20)).Actions)
                {
                    double probability = probabilities[int.Parse(action.ModelVersion, System.Globalization.CultureInfo.InvariantCulture)];
                    Assert.Equal(probability, action.Propensity, 9);
                    // Payments come in between: the value is this probability of what was overdue when it was decided, in whole cents.
                    double decidedCents = action.Value / probability * 100;
                    Assert.Equal(Math.Round(decidedCents), decidedCents, 6);
                    Assert.InRange(Math.Round(decidedCents), action.Overdue.MinorUnits, 10_000);
                    await scene.Queues.ReleaseAsync(new ReleaseRequest { Lease = action.Lease });
                    pulled++;
                }
            }
            return pulled;
        }

        async Task<int> PayAsync()
        {
            int paid = 0;
            for (; !done.IsCancellationRequested; paid++)
                await scene.Ingest.AppendAsync(new AppendRequest { Events = { scene.Events.Paid($"d{paid % 200}", $"p{paid}", 1, scene.Today) } });
            return paid;
        }
    }

    [Fact]
    public async Task A_shadow_scores_without_acting_and_is_compared_in_the_queues_heads()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.Models.AddAsync(StumpRequest.Of("small", StumpModel.Text("overdue_balance", 150, 0.9, 0.1)));
        await scene.Models.AddAsync(StumpRequest.Of("large", StumpModel.Text("overdue_balance", 150, 0.1, 0.8)));
        await scene.Models.ActivateAsync(Version("small"));
        await FailsAsync(StatusCode.FailedPrecondition, "there is no shadow to compare", () => scene.Models.CompareAsync(new CompareModelsRequest { Tenant = NodeScene.Tenant }));
        await scene.OverdueAsync("ann", 10_000);
        await scene.OverdueAsync("bob", 20_000);
        Assert.Equal("shadow", (await scene.Models.ShadowAsync(Version("large"))).Role);
        await scene.Node.SettleAsync();
        Assert.Equal((0.9, "small"), (Math.Round((await scene.GetAsync("ann")).Propensity, 9), (await scene.GetAsync("ann")).ModelVersion));
        // What comes in while it shadows is scored by both.
        await scene.OverdueAsync("eve", 30_000);

        ModelComparison found = await scene.Models.CompareAsync(new CompareModelsRequest { Tenant = NodeScene.Tenant, Head = 1 });
        Assert.Equal(("small", "large", 3, 0), (found.Active.Version, found.Shadow.Version, found.Debtors, found.Unscored));
        Assert.Equal([1.1 / 3, 1.7 / 3, 2.2 / 3, 0.8, -1, 0], ((double[])[found.MeanActive, found.MeanShadow, found.MeanDifference, found.DifferenceMax, found.Correlation, found.SameTenth]).Select(x => Math.Round(x, 9)), new Near());
        QueueComparison queue = Assert.Single(found.Queues);
        Assert.Equal(("default/voice", 3, 1, 0), (queue.Queue, queue.Waiting, queue.Head, queue.Overlap));
        // ann: 100 × 0.9 against 100 × 0.1; eve: 300 × 0.1 against 300 × 0.8.
        Assert.Equal([90, 10, 30, 240], ((double[])[queue.ActiveHead.ByActive, queue.ActiveHead.ByShadow, queue.ShadowHead.ByActive, queue.ShadowHead.ByShadow]).Select(x => Math.Round(x, 9)));
        Assert.Equal((["eve"], ["ann"]), (queue.Entering, queue.Leaving));
        Assert.Empty((await scene.Models.CompareAsync(new CompareModelsRequest { Tenant = "other" })).Queues);

        // A shadow has no memory of its own: after a restart the book is scored again.
        await scene.RestartAsync();
        Assert.Equal((3, 0), ((await CompareAsync()).Debtors, (await CompareAsync()).Unscored));
        Assert.Equal("large", (await scene.Models.ShadowAsync(new ModelReference())).Version);
        Assert.Equal("there is no shadow", (await scene.Models.ShadowAsync(new ModelReference())).Note);
        await scene.Models.AddAsync(StumpRequest.Of("risk", StumpModel.Constant(0.3), target: "pre-due-risk"));
        await FailsAsync(StatusCode.FailedPrecondition, "a shadow is compared in the queues, which propensity ranks", () => scene.Models.ShadowAsync(Version("risk")));

        async Task<ModelComparison> CompareAsync() => await scene.Models.CompareAsync(new CompareModelsRequest { Tenant = NodeScene.Tenant });
    }

    [Fact]
    public async Task A_stopped_partition_is_named_and_the_others_are_looked_at()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 4);
        await scene.Models.AddAsync(StumpRequest.Of("small", StumpModel.Text("overdue_balance", 150, 0.9, 0.1)));
        await scene.Models.ActivateAsync(Version("small"));
        await scene.Models.AddAsync(StumpRequest.Of("large", StumpModel.Text("overdue_balance", 150, 0.1, 0.8)));
        await scene.Models.ShadowAsync(Version("large"));
        for (int i = 0; i < 40; i++)
            await scene.OverdueAsync($"d{i}", 10_000 + i);
        ModelComparison all = await scene.Models.CompareAsync(new CompareModelsRequest { Tenant = NodeScene.Tenant });
        Assert.Equal((40, 4, 0), (all.Debtors, all.PartitionsCovered, all.Silent.Count));
        int lost = (await scene.Node.AskAll(static partition => (partition.Number, partition.View.DebtorCount))).First(static partition => partition.DebtorCount > 0).Number;
        int debtors = await scene.Node.Ask(lost, static partition => partition.View.DebtorCount);
        await scene.LoseAsync(lost);
        ModelComparison found = await scene.Models.CompareAsync(new CompareModelsRequest { Tenant = NodeScene.Tenant });
        Assert.Equal((40 - debtors, 3), (found.Debtors, found.PartitionsCovered));
        ModelWatch watch = await scene.Models.WatchAsync(new WatchModelRequest());
        Assert.Equal(3, watch.PartitionsCovered);
        foreach (SilentPartition silent in (SilentPartition[])[Assert.Single(found.Silent), Assert.Single(watch.Silent)])
        {
            Assert.Equal(lost, silent.Partition);
            Assert.Contains($"partition {lost} has stopped: ", silent.Reason, StringComparison.Ordinal);
        }
        foreach (string command in (string[])["compare", "watch"])
        {
            string shown = (await CollectionsProcess.RunAsync(["model", command, "--address", scene.Address.Authority, "--tenant", NodeScene.Tenant])).RequireSuccess();
            Assert.Contains("these figures cover 3 of 4 partitions; without:", shown, StringComparison.Ordinal);
            Assert.Contains($"  {lost}: partition {lost} has stopped: ", shown, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_risk_before_the_due_date_has_a_model_of_its_own()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.AppendAsync(scene.Events.Issued("ann", "next", 10_000, scene.Today.AddDays(-1), scene.Today.AddDays(9)));
        await scene.OverdueAsync("bob", 10_000);
        Assert.True(double.IsNaN((await scene.GetAsync("ann")).PreDueRisk));
        await scene.Models.AddAsync(StumpRequest.Of("risk", StumpModel.Constant(0.3), target: "pre-due-risk"));
        Assert.Equal("active", (await scene.Models.ActivateAsync(Version("risk"))).Role);
        await scene.Node.SettleAsync();
        DebtorView ann = await scene.GetAsync("ann");
        Assert.Equal((0.3, "stump", "risk", "propensity"), (Math.Round(ann.PreDueRisk, 9), ann.RiskModel, ann.RiskModelVersion, ann.Model));
        Assert.True(double.IsNaN((await scene.GetAsync("bob")).PreDueRisk));
        Assert.Equal(2, (await scene.Models.ListAsync(new ListModelsRequest())).Versions.Count(version => version.Role == "active"));
        await scene.RestartAsync(crash: true);
        Assert.Equal(0.3, (await scene.GetAsync("ann")).PreDueRisk, 9);
    }

    [Fact]
    public async Task What_changes_nothing_that_the_model_looks_at_is_not_scored_again()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 1);
        await scene.Models.AddAsync(StumpRequest.Of("1", StumpModel.Text("overdue_balance", 50, 0.2, 0.7)));
        await scene.Models.ActivateAsync(Version("1"));
        await scene.OverdueAsync("ann", 10_000);
        (long scores, long skips) = await CountsAsync();
        await scene.AppendAsync(scene.Events.Paid("ann", "p1", 1_000, scene.Today));
        Assert.Equal((scores + 1, skips + 1), await CountsAsync());
        DebtorView ann = await scene.GetAsync("ann");
        Assert.Equal((0.7, 63), (Math.Round(ann.Propensity, 9), Math.Round(ann.QueueEntry.Value, 9)));
        await scene.AppendAsync(scene.Events.Paid("ann", "p2", 5_000, scene.Today));
        Assert.Equal((scores + 2, skips + 1), await CountsAsync());
        Assert.Equal(0.2, (await scene.GetAsync("ann")).Propensity, 9);

        async Task<(long, long)> CountsAsync() => (await scene.Node.AskAll(partition => (partition.View.ScoreCount, partition.View.SkipCount)))[0];
    }

    [Fact]
    public async Task Codes_of_categories_and_the_calibration_come_from_the_manifest()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        const string more = """
            "category_codes": {"customer_type": {"person": 1, "shop": 2}},
            "calibration": {"method": "isotonic", "raw": [-10, 0, 10], "probability": [0.05, 0.15, 0.25]}
            """;
        await scene.Models.AddAsync(StumpRequest.Of("codes", StumpModel.Text("customer_type", 1.5, 0.5, 1 / (1 + Math.Exp(-5.0))), more: more));
        await scene.Models.ActivateAsync(Version("codes"));
        foreach (string type in (string[])["person", "shop", "9", "nobody"])
        {
            Event registered = scene.Events.Registered($"a {type}", "", Channel.Voice);
            registered.DebtorRegistered.Attributes["customer_type"] = type;
            await scene.AppendAsync(registered, scene.Events.Issued($"a {type}", $"i {type}", 10_000, scene.Today.AddDays(-40), scene.Today.AddDays(-10)));
        }
        // Raw 0 becomes 0.15, raw 5 becomes 0.20; integers stand for themselves, and a text without a code is missing, which goes left.
        Assert.Equal(0.15, (await scene.GetAsync("a person")).Propensity, 9);
        Assert.Equal(0.20, (await scene.GetAsync("a shop")).Propensity, 9);
        Assert.Equal(0.20, (await scene.GetAsync("a 9")).Propensity, 9);
        Assert.Equal(0.15, (await scene.GetAsync("a nobody")).Propensity, 9);
    }

    [Fact]
    public async Task Predictions_are_held_against_what_was_paid_and_the_book_against_the_training_rows()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 2);
        const string more = """
            "outcome": "paid:0.5",
            "distribution": {"score": {"edges": [0], "shares": [0.5, 0.5], "missing": 0},
              "features": {"overdue_balance": {"edges": [150], "shares": [0.5, 0.5], "missing": 0}}}
            """;
        await scene.Models.AddAsync(StumpRequest.Of("1", StumpModel.Text("overdue_balance", 150, 0.75, 0.25), more: more));
        await scene.Models.ActivateAsync(Version("1"));
        var events = new List<Event>();
        for (int i = 0; i < 1_000; i++)
        {
            events.Add(scene.Events.Registered($"d{i}", "", i % 4 == 0 ? Channel.Sms : Channel.Voice));
            events.Add(scene.Events.Issued($"d{i}", $"i{i}", 10_000, scene.Today.AddDays(-40), scene.Today.AddDays(-10)));
        }
        await scene.AppendAsync([.. events]);
        // Half of the balance within the horizon comes true; less does not, nor what is reversed, nor what comes after it.
        DateOnly asked = scene.Today;
        await scene.MoveToAsync(NodeScene.Start.AddDays(29));
        await scene.AppendAsync([.. Enumerable.Range(0, 600).Select(i => scene.Events.Paid($"d{i}", $"p{i}", i < 100 ? 4_999 : 5_000, asked.AddDays(20)))]);
        await scene.MoveToAsync(NodeScene.Start.AddDays(30));
        Assert.Empty((await scene.Models.WatchAsync(new WatchModelRequest())).Reliability);
        await scene.RestartAsync();
        await scene.MoveToAsync(NodeScene.Start.AddDays(31));
        ModelWatch watch = await scene.Models.WatchAsync(new WatchModelRequest());
        Assert.Equal((1_000, 0.75, 0.5), Group(watch, "all", "all"));
        Assert.Equal((1_000, 0.75, 0.5), Group(watch, "predicted", "0.7-0.8"));
        Assert.Equal((1_000, 0.75, 0.5), Group(watch, "stage", "1-30"));
        Assert.Equal((250, 0.75, 0.5), Group(watch, "channel", "sms"));
        Assert.Contains("stump 1: predictions don't come true for all all: 75.0 % predicted, 50.0 % observed, 1000 predictions".Replace(" %", "%", StringComparison.Ordinal), watch.Alerts.Select(alert => alert.Replace(" %", "%", StringComparison.Ordinal)));
        // Everybody is below the edge where half of the training rows were: (1 − 0.5) ln 2 + (0.0001 − 0.5) ln (0.0001 ÷ 0.5).
        Assert.Equal(0.5 * Math.Log(2) + (0.0001 - 0.5) * Math.Log(0.0001 / 0.5), Assert.Single(watch.Features).StabilityIndex, 9);
        Assert.Contains(watch.Alerts, alert => alert.StartsWith("stump 1: overdue_balance has moved away from training", StringComparison.Ordinal));

        // The watcher of the node tells the operator, each alert once.
        var told = new List<string>();
        var watcher = new Collections.Server.Hosting.ModelWatcher(scene.Node, told.Add);
        await watcher.LookAsync();
        Assert.Equal(watch.Alerts, told);
        await watcher.LookAsync();
        Assert.Equal(watch.Alerts.Count, told.Count);

        // Kept over a crash, and each debtor's next prediction is under watch.
        await scene.Node.CheckpointAsync();
        await scene.RestartAsync(crash: true);
        Assert.Equal((1_000, 0.75, 0.5), Group(await scene.Models.WatchAsync(new WatchModelRequest()), "all", "all"));
        await scene.MoveToAsync(NodeScene.Start.AddDays(62));
        Assert.Equal((2_000, 0.75, 0.25), Group(await scene.Models.WatchAsync(new WatchModelRequest()), "all", "all"));
    }

    private static (long, double, double) Group(ModelWatch watch, string dimension, string group)
    {
        ReliabilityBin bin = Assert.Single(watch.Reliability, bin => bin.Dimension == dimension && bin.Group == group);
        return (bin.Predictions, Math.Round(bin.Predicted, 4), Math.Round(bin.Observed, 4));
    }

    private static async Task FailsAsync<T>(StatusCode code, string reason, Func<AsyncUnaryCall<T>> call)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(async () => await call());
        Assert.Equal(code, refused.StatusCode);
        Assert.Contains(reason, refused.Status.Detail, StringComparison.Ordinal);
    }

    private sealed class Near : IEqualityComparer<double>
    {
        public bool Equals(double x, double y) => Math.Abs(x - y) < 1e-8;

        public int GetHashCode(double obj) => 0;
    }
}
