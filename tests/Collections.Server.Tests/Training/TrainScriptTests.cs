using System.Diagnostics;
using System.Text.Json;
using Collections.Domain.Debtors;
using Collections.Scoring;
using Collections.Server.Tests.EndToEnd;
using Collections.Server.Tests.Import;

namespace Collections.Server.Tests.Training;

/// <summary>The whole way from a log to a model and back: demo, export, models/train.py, <c>collections score</c>.</summary>
public sealed class TrainScriptTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [TrainingPythonFact]
    public async Task A_model_trained_from_a_log_ranks_better_than_chance_and_scores_here_as_in_lightgbm()
    {
        await ExportDemoAsync("paid:0.5");
        string said = (await TrainAsync("train", "--rows", folder["set.csv"], "--out", folder["model"], "--holdout", folder["holdout.csv"], "--trees", "60")).RequireSuccess();
        Assert.Contains("test: AUC", said, StringComparison.Ordinal);

        JsonElement manifest = Json("model/manifest.json"), card = Json("set.card.json");
        RequireManifest(manifest, folder["model/model.txt"]);
        Assert.Equal(("propensity", 30), (manifest.GetProperty("target").GetString(), manifest.GetProperty("horizon_days").GetInt32()));
        Assert.Equal(card.GetProperty("command").GetString(), manifest.GetProperty("training").GetProperty("source").GetString());
        Assert.InRange(manifest.GetProperty("metrics").GetProperty("auc").GetDouble(), 0.7, 1);
        Assert.InRange(manifest.GetProperty("metrics").GetProperty("calibration_error").GetDouble(), 0, 0.2);
        Assert.True(manifest.GetProperty("metrics").GetProperty("ks_by_stage").EnumerateObject().Any());
        RequireSlicesInOrder(Json("model/report.json").GetProperty("slices"));

        string[] scores = (await CollectionsProcess.RunAsync("score", "--model", folder["model/model.txt"], "--features", folder["holdout.csv"])).RequireSuccess().TrimEnd('\n').Split('\n');
        Assert.Equal(
            Tables.Rows(folder["holdout.csv"]).Select(row => Tables.Number(row["lightgbm_raw"])),
            Tables.RowsOf(scores).Select(row => Tables.Number(row["raw"])));
    }

    [TrainingPythonFact]
    public async Task The_same_rows_and_seed_give_the_same_bytes_and_slices_may_share_no_debtor()
    {
        await ExportDemoAsync("past-due");
        string[] runs = ["one", "two", "apart"];
        foreach (string run in runs)
        {
            string[] more = run == "apart" ? ["--debtor-disjoint", "--gap-days", "0"] : [];
            (await TrainAsync(["train", "--rows", folder["set.csv"], "--out", folder[run], "--trees", "20", "--holdout", folder[run + ".csv"], .. more])).RequireSuccess();
        }
        foreach (string file in new[] { "model.txt", "manifest.json", "report.json" })
            Assert.Equal(await File.ReadAllBytesAsync(folder["one/" + file]), await File.ReadAllBytesAsync(folder["two/" + file]));
        Assert.Equal("pre-due-risk", Json("one/manifest.json").GetProperty("name").GetString());
        int[] debtors = [.. Json("apart/report.json").GetProperty("slices").EnumerateArray().Select(slice => slice.GetProperty("debtors").GetInt32())];
        Assert.True(debtors.Sum() <= Json("set.card.json").GetProperty("debtors").GetInt32(), $"slices of {string.Join(", ", debtors)} debtors share some");
    }

    [TrainingPythonFact]
    public async Task Text_categories_get_codes_behind_the_integers_and_what_training_has_not_seen_is_missing()
    {
        var random = new Random(5);
        string[] products = ["mobile", "fixed, fibre", "3", "1"];
        var lines = new List<string> { $"as_of,tenant,debtor,portfolio,dpd_bucket,{string.Join(',', FeatureCatalogue.Names.ToArray())},label,weight,contacted" };
        for (int day = 0; day < 20; day++)
        {
            for (int i = 0; i < 100; i++)
            {
                string product = day == 19 && i == 0 ? "satellite" : products[random.Next(products.Length)];
                string label = random.NextDouble() < (product == "mobile" ? 0.8 : 0.2) ? "1" : "0";
                IEnumerable<string> values = FeatureCatalogue.Names.ToArray().Select(name => name == "product" ? $"\"{product}\"" : name == "open_balance" ? $"{random.Next(100)}" : "NaN");
                lines.Add($"2024-01-{day + 1:D2},acme,d{i},telco,1-30,{string.Join(',', values)},{label},2,");
            }
        }
        await File.WriteAllLinesAsync(folder["set.csv"], lines);
        folder.Write("set.card.json", """{"target": "propensity", "horizon_days": 30, "to": "2024-01-20", "command": "made up", "label": {"name": "any-payment", "meaning": "made up"}}""");
        (await TrainAsync("train", "--rows", folder["set.csv"], "--out", folder["model"], "--gap-days", "0", "--holdout", folder["holdout.csv"])).RequireSuccess();
        JsonElement manifest = Json("model/manifest.json");
        RequireManifest(manifest, folder["model/model.txt"]);
        Assert.Equal("""{"product": {"fixed, fibre": 4, "mobile": 5}}""", manifest.GetProperty("category_codes").GetRawText().ReplaceLineEndings("").Replace("  ", "", StringComparison.Ordinal).Replace(",\"", ", \"", StringComparison.Ordinal));
        Assert.Equal(["open_balance", "product"], manifest.GetProperty("features").EnumerateArray().Select(f => f.GetString()));
        Assert.InRange(manifest.GetProperty("metrics").GetProperty("auc").GetDouble(), 0.65, 0.95);
        Assert.Equal(1, Tables.Rows(folder["holdout.csv"]).Count(row => row["product"] == "NaN"));
        Assert.Equal(["1.0", "3.0", "4.0", "5.0", "NaN"], Tables.Rows(folder["holdout.csv"]).Select(row => row["product"]).Distinct().Order());
    }

    [TrainingPythonFact]
    public async Task What_can_not_be_trained_on_is_refused_with_a_reason()
    {
        const string card = """{"target": "propensity", "horizon_days": 30, "to": "2024-01-08", "command": "made up", "label": {"name": "any-payment", "meaning": "made up"}}""";
        folder.Write("other.csv", "a,b\n1,2\n");
        folder.Write("other.card.json", card);
        folder.Write("empty.card.json", "{}");
        folder.Write("broken.card.json", "{");
        folder.Write("named.card.json", card.Replace("2024-01-08", "8 January", StringComparison.Ordinal));
        folder.Write("carded.csv", "as_of,tenant,debtor,portfolio,dpd_bucket,open_balance,label,weight,contacted\n2024-01-01,t,d,,1-30,lots,1,1,\n");
        folder.Write("carded.card.json", card);
        folder.Write("short.csv", "as_of,tenant,debtor,portfolio,dpd_bucket,open_balance,label,weight,contacted\n2024-01-01,t,d,,1-30,5,1,1,\n2024-01-08,t,d,,1-30,5,1,1,\n");
        folder.Write("short.card.json", card);
        foreach ((string file, string says) in new[]
        {
            ("missing.csv", "data card is missing"), ("empty.csv", "lacks target, horizon_days, label"), ("broken.csv", "is no JSON"), ("named.csv", "--version: '8 January.1' must be"), ("other.csv", "is no training set"), ("carded.csv", "line 2, column open_balance: 'lots' is no number"), ("short.csv", "2 as-of dates from 2024-01-01 to 2024-01-08 don't suffice"),
        })
        {
            CommandResult result = await TrainAsync("train", "--rows", folder[file], "--out", folder["model"]);
            Assert.Equal(2, result.ExitCode);
            Assert.Contains(says, result.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("Traceback", result.Errors, StringComparison.Ordinal);
        }
    }

    /// <summary>What every manifest must hold, and that it belongs to its model.</summary>
    internal static void RequireManifest(JsonElement manifest, string modelPath)
    {
        byte[] bytes = File.ReadAllBytes(modelPath);
        LightGbmModel model = LightGbmModelReader.Read(System.Text.Encoding.UTF8.GetString(bytes)).Model!;
        Assert.Equal(1, manifest.GetProperty("format").GetInt32());
        Assert.Equal(Path.GetFileName(modelPath), manifest.GetProperty("model").GetString());
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), manifest.GetProperty("sha256").GetString());
        Assert.Equal(model.FeatureNames, manifest.GetProperty("features").EnumerateArray().Select(f => f.GetString()));
        Assert.All(model.FeatureNames, name => Assert.True(FeatureCatalogue.IsFed(FeatureCatalogue.IndexOf(name)), name));
        JsonElement distribution = manifest.GetProperty("distribution");
        Assert.Equal(model.FeatureNames, distribution.GetProperty("features").EnumerateObject().Select(f => f.Name));
        foreach (JsonElement one in distribution.GetProperty("features").EnumerateObject().Select(f => f.Value).Append(distribution.GetProperty("score")))
            RequireDistribution(one);
        if (manifest.GetProperty("calibration") is { ValueKind: JsonValueKind.Object } calibration)
        {
            double[] raw = Numbers(calibration.GetProperty("raw")), probability = Numbers(calibration.GetProperty("probability"));
            Assert.Equal(raw.Length, probability.Length);
            Assert.Equal(raw.Distinct().Order(), raw);
            Assert.Equal(probability.Order(), probability);
            Assert.All(probability, p => Assert.InRange(p, 0, 1));
        }
    }

    private static void RequireDistribution(JsonElement one)
    {
        double[] edges = Numbers(one.GetProperty("edges")), shares = Numbers(one.GetProperty("shares"));
        Assert.Equal(edges.Distinct().Order(), edges);
        Assert.Equal(edges.Length + 1, shares.Length);
        Assert.Equal(1, shares.Sum() + one.GetProperty("missing").GetDouble(), 1e-6);
        Assert.InRange(edges.Length, 0, 9);
    }

    private static void RequireSlicesInOrder(JsonElement slices)
    {
        DateOnly[] days = [.. slices.EnumerateArray().SelectMany(slice => new[] { "from", "to" }.Select(name => DateOnly.Parse(slice.GetProperty(name).GetString()!, System.Globalization.CultureInfo.InvariantCulture)))];
        Assert.Equal(days.Order(), days);
        // Between slices lies the horizon.
        Assert.True(days[2].DayNumber - days[1].DayNumber >= 30 && days[4].DayNumber - days[3].DayNumber >= 30);
    }

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(number => number.GetDouble())];

    private JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(folder[name])).RootElement;

    private async Task ExportDemoAsync(string label)
    {
        (await CollectionsProcess.RunAsync("demo", "--debtors", "1500", "--months", "9", "--data", folder["data"], "--json")).RequireSuccess();
        (await CollectionsProcess.RunAsync(
            "export", "training-set", "--data", folder["data"], "--from", "2025-12-01", "--to", "2026-06-30", "--label", label, "--out", folder["set.csv"])).RequireSuccess();
    }

    private static async Task<CommandResult> TrainAsync(params string[] arguments)
    {
        using Process process = CollectionsProcess.Start(TrainingPythonFactAttribute.Python, ["-B", Path.Combine(Folders.Repository, "models", "train.py"), .. arguments]);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(CollectionsProcess.Patience);
        return new CommandResult(process.ExitCode, await output, await errors);
    }
}
