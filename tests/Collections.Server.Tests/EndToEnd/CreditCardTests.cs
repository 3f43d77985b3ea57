using System.Text.Json;
using Collections.Scoring;
using Collections.Server.Tests.Import;
using Collections.V1;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>The real portfolio, imported once by the program itself.</summary>
public sealed class CreditCardBook : IAsyncLifetime, IDisposable
{
    private readonly TestFolder folder = new();
    private readonly Lazy<Task<string>> features;

    public CreditCardBook() => features = new Lazy<Task<string>>(async () =>
        (await CollectionsProcess.RunAsync("features", "--data", Data, "--as-of", "2005-09-30")).RequireSuccess());

    internal string Data => folder["data"];

    internal string Folder => folder.Path;

    internal CommandResult Import { get; private set; } = new(-1, "", "");

    internal static string File(string name) => Path.Combine(Folders.Data!, "credit-card", name);

    internal static string Model(string name) => Path.Combine(Folders.Data!, "..", "models", "credit-card", name);

    /// <summary>What <c>features</c> writes as of the end of the data.</summary>
    internal Task<string> FeaturesAsync() => features.Value;

    public async Task InitializeAsync()
    {
        if (Folders.Data is null)
            return;
        Import = await CollectionsProcess.RunAsync(
            "import", File("debtors.csv"), File("invoices.csv"), File("payments.csv"), "--mapping", Folders.MappingFile("credit-card.yaml"), "--data", Data, "--json");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => folder.Dispose();
}

/// <summary>30,000 real customers from their files to scores and queues, through the program as a user runs it.</summary>
public sealed class CreditCardTests(CreditCardBook book) : IClassFixture<CreditCardBook>
{
    [SharedDataFact]
    public void Import_reports_the_sums_of_the_files_to_the_cent()
    {
        JsonElement report = JsonDocument.Parse(book.Import.RequireSuccess()).RootElement;
        Assert.Equal(30_000 + 156_325 + 120_276, report.GetProperty("eventCount").GetInt64());
        Assert.Equal(0, report.GetProperty("refusedRowCount").GetInt64());
        foreach ((string file, string kind) in new[] { ("invoices.csv", "ItemIssued"), ("payments.csv", "PaymentReceived") })
        {
            decimal sum = Tables.Rows(CreditCardBook.File(file)).Sum(r => Tables.Amount(r["amount"]));
            foreach (JsonElement totals in new[] { report.GetProperty("totals"), report.GetProperty("files").EnumerateArray().Single(f => f.GetProperty("file").GetString() == file).GetProperty("totals") })
            {
                JsonElement total = totals.EnumerateArray().Single(t => t.GetProperty("kind").GetString() == kind);
                Assert.Equal("TWD", total.GetProperty("currency").GetString());
                Assert.Equal(sum, total.GetProperty("sum").GetDecimal());
            }
        }
    }

    [SharedDataFact]
    public async Task Features_equal_those_of_an_independent_reading_value_by_value()
    {
        Dictionary<string, Dictionary<string, string>> actual = Tables.RowsOf((await book.FeaturesAsync()).TrimEnd('\n').Split('\n')).ToDictionary(r => r["debtor"]);
        Assert.Equal(30_000, actual.Count);
        var differences = new Differences("features as of 2005-09-30");
        int rows = 0;
        foreach (Dictionary<string, string> expected in Tables.Rows(CreditCardBook.File("features-expected.csv")))
        {
            rows++;
            foreach ((string name, string value) in expected.Where(p => p.Key != "debtor"))
            {
                string got = actual[expected["debtor"]][name];
                if (!Tables.Agree(Tables.Number(value), Tables.Number(got)))
                    differences.Add($"{expected["debtor"]} {name}: expected {value}, got {got}");
            }
        }
        Assert.Equal(1_000, rows);
        differences.RequireNone();
    }

    [SharedDataFact]
    public async Task Scores_of_the_reference_rows_are_equal_bit_for_bit()
    {
        List<Dictionary<string, string>> rows = [.. Tables.Rows(CreditCardBook.Model("vectors.csv"))];
        CommandResult result = await CollectionsProcess.RunAsync("score", "--model", CreditCardBook.Model("model.txt"), "--features", CreditCardBook.Model("vectors.csv"));
        RequireScores(rows, result.RequireSuccess());
    }

    [SharedDataFact]
    public async Task Scores_without_a_header_take_the_columns_by_position_from_standard_input_too()
    {
        List<Dictionary<string, string>> rows = [.. Tables.Rows(CreditCardBook.Model("vectors.csv"))];
        string[] order = ReadModel().FeatureNames.ToArray();
        string body = string.Concat(rows.Select(r => string.Join(',', order.Select(name => r[name])) + "\n"));
        string file = Path.Combine(book.Folder, "no-header.csv");
        await File.WriteAllTextAsync(file, body);

        RequireScores(rows, (await CollectionsProcess.RunAsync("score", "--model", CreditCardBook.Model("model.txt"), "--features", file, "--no-header")).RequireSuccess());
        RequireScores(rows, (await CollectionsProcess.RunAsync(body, ["score", "--model", CreditCardBook.Model("model.txt"), "--features", "-", "--no-header"])).RequireSuccess());
    }

    [SharedDataFact]
    public async Task Scores_of_the_programs_own_features_equal_those_of_the_ensemble_called_directly()
    {
        string text = await book.FeaturesAsync();
        string file = Path.Combine(book.Folder, "features.csv");
        await File.WriteAllTextAsync(file, text);
        string output = (await CollectionsProcess.RunAsync("score", "--model", CreditCardBook.Model("model.txt"), "--features", file)).RequireSuccess();

        List<Dictionary<string, string>> rows = [.. Tables.RowsOf(text.TrimEnd('\n').Split('\n'))];
        LightGbmModel model = ReadModel();
        Ensemble ensemble = Ensemble.Compile(model);
        double[] values = [.. rows.SelectMany(r => model.FeatureNames.Select(name => Tables.Number(r[name])))];
        double[] raw = new double[rows.Count], probability = new double[rows.Count];
        ensemble.PredictRaw(values, rows.Count, raw);
        ensemble.Transform(raw, rows.Count, probability);
        List<Dictionary<string, string>> scores = [.. Tables.RowsOf(output.TrimEnd('\n').Split('\n'))];
        Assert.Equal(raw, scores.Select(s => Tables.Number(s["raw"])));
        Assert.Equal(probability, scores.Select(s => Tables.Number(s["probability"])));
        Assert.Equal(30_000, scores.Count);
    }

    [SharedDataFact]
    public async Task A_node_serves_the_imported_book_to_the_commands_that_ask_it()
    {
        Dictionary<string, decimal> open = Tables.RowsOf((await book.FeaturesAsync()).TrimEnd('\n').Split('\n')).ToDictionary(r => r["debtor"], r => Tables.Amount(r["open_balance"]));
        await using ServeProcess node = await ServeProcess.StartAsync(book.Data, "--model", CreditCardBook.Model("model.txt"));
        await node.WaitServingAsync();

        JsonElement status = await JsonAsync(node, "status");
        Assert.Equal("30000", status.GetProperty("debtors").GetString());
        Assert.Equal("306601", status.GetProperty("eventsApplied").GetString());
        Assert.False(status.TryGetProperty("deadLetters", out _));
        Assert.Equal("credit-card", status.GetProperty("model").GetString());
        Assert.All(status.GetProperty("partitions").EnumerateArray(), p => Assert.Equal("serving", p.GetProperty("state").GetString()));

        // Nothing has happened since 2005, so what was open then is overdue now; a debtor's own page and the ledger behind it agree.
        JsonElement debtor = await JsonAsync(node, "debtor", "card-00003");
        Assert.Equal(open["card-00003"] * 100, decimal.Parse(debtor.GetProperty("openMinor").GetString()!));
        Assert.Equal(open["card-00003"] * 100, decimal.Parse(debtor.GetProperty("overdueMinor").GetString()!));
        Assert.Equal(open["card-00003"] * 100, debtor.GetProperty("items").EnumerateArray().Sum(i => decimal.Parse(i.GetProperty("openMinor").GetString()!)));
        Assert.Equal("credit-card", debtor.GetProperty("portfolio").GetString());
        Assert.Equal(10, debtor.GetProperty("lastEvents").GetArrayLength());
        var debtors = new V1.Debtors.DebtorsClient(node.Channel);
        foreach (string name in open.Keys.Take(200))
            Assert.Equal((name, open[name] * 100), (name, (await debtors.GetAsync(new GetDebtorRequest { Debtor = name })).OpenMinor));

        JsonElement queue = (await JsonAsync(node, "pull")).GetProperty("queues").EnumerateArray().Single();
        string queueName = queue.GetProperty("queue").GetString()!;
        Assert.Equal("credit-card/sms", queueName);
        Assert.Equal(open.Values.Count(v => v > 0).ToString(), queue.GetProperty("waiting").GetString());
        JsonElement[] actions = [.. (await JsonAsync(node, "pull", queueName, "-n", "5")).GetProperty("actions").EnumerateArray()];
        Assert.Equal(5, actions.Length);
        Assert.Equal(queue.GetProperty("bestValue").GetDouble(), actions[0].GetProperty("value").GetDouble());
        Assert.Equal(actions.Select(a => a.GetProperty("value").GetDouble()).OrderDescending(), actions.Select(a => a.GetProperty("value").GetDouble()));
        JsonElement leased = await JsonAsync(node, "debtor", actions[0].GetProperty("debtor").GetString()!);
        Assert.Equal(actions[0].GetProperty("lease").GetString(), leased.GetProperty("queueEntry").GetProperty("lease").GetString());

        foreach ((string[] command, string expected) in new[]
        {
            (new[] { "status" }, "30,000 debtors"), (["debtor", "card-00003"], "card-00003"), (["pull"], "credit-card/sms"), (["pull", queueName, "-n", "2"], "sms"),
        })
        {
            Assert.Contains(expected, (await CollectionsProcess.RunAsync([.. command, "--address", node.Address])).RequireSuccess());
        }
        CommandResult end = await node.StopAsync();
        Assert.True(end.ExitCode == 0 && end.Errors.Length == 0, $"exit code {end.ExitCode}: {end.Errors}");
    }

    private static async Task<JsonElement> JsonAsync(ServeProcess node, params string[] command) =>
        JsonDocument.Parse((await CollectionsProcess.RunAsync([.. command, "--json", "--address", node.Address])).RequireSuccess()).RootElement;

    private static void RequireScores(List<Dictionary<string, string>> expected, string output)
    {
        List<Dictionary<string, string>> actual = [.. Tables.RowsOf(output.TrimEnd('\n').Split('\n'))];
        Assert.Equal(300, expected.Count);
        Assert.Equal(expected.Select(r => Bits(r["raw"])), actual.Select(r => Bits(r["raw"])));
        Assert.Equal(expected.Select(r => Bits(r["probability"])), actual.Select(r => Bits(r["probability"])));
    }

    private static long Bits(string cell) => BitConverter.DoubleToInt64Bits(Tables.Number(cell));

    private static LightGbmModel ReadModel() => LightGbmModelReader.Read(File.ReadAllText(CreditCardBook.Model("model.txt"))).Model!;
}
