using System.Text.Json;
using Collections.Domain.Debtors;
using Collections.Server.Tests.EndToEnd;

namespace Collections.Server.Tests.Training;

/// <summary><c>collections export training-set</c> as a user runs it.</summary>
public sealed class ExportTests(SmallBook book) : IClassFixture<SmallBook>
{
    private const string Three = "--from 2024-02-29 --to 2024-04-30 --every 30d --horizon 10d --label paid:0.5";

    [Fact]
    public async Task Rows_come_by_date_tenant_and_debtor_with_what_was_known_and_what_came()
    {
        string output = (await book.ExportAsync("three", Three)).RequireSuccess();
        Assert.Contains("6 rows of 4 debtors on 3 dates, 3 positive (50.0 %)", output, StringComparison.Ordinal);
        string[] lines = await File.ReadAllLinesAsync(book["three/training-set.csv"]);
        Assert.Equal(
            [
                "2024-02-29,acme,ann,telco,1-30 2,mobile,north,1,1,0",
                "2024-02-29,acme,bob,telco,1-30 1,fixed,7,1,1,1",
                "2024-02-29,zeta,ann,telco,31-60 NaN,NaN,south,0,1,",
                "2024-03-30,acme,ann,telco,31-60 2,mobile,north,0,1,0",
                "2024-03-30,acme,cyd,telco,1-30 2,\"mobile, prepaid\",NaN,0,1,0",
                "2024-03-30,zeta,ann,telco,61-90 NaN,NaN,south,1,1,",
            ],
            lines[1..].Select(Ends));
        Assert.Equal($"as_of,tenant,debtor,portfolio,dpd_bucket,{string.Join(',', FeatureCatalogue.Names.ToArray())},label,weight,contacted", lines[0]);
        Assert.Equal(["three/training-set.card.json", "three/training-set.csv"], Directory.EnumerateFileSystemEntries(book["three"]).Select(path => $"three/{Path.GetFileName(path)}").Order());
    }

    [Fact]
    public async Task A_row_has_the_features_that_the_features_command_writes_for_its_date()
    {
        (await book.ExportAsync("compared.csv", Three)).RequireSuccess();
        Dictionary<string, string>[] rows = [.. Tables.RowsOf((await File.ReadAllLinesAsync(book["compared.csv"])).Where(line => !line.Contains('"', StringComparison.Ordinal)))];
        foreach (IGrouping<string, Dictionary<string, string>> day in rows.Where(row => row["tenant"] == "acme").GroupBy(row => row["as_of"]))
        {
            string[] features = (await CollectionsProcess.RunAsync("features", "--data", book.Data, "--as-of", day.Key)).RequireSuccess().TrimEnd('\n').Split('\n');
            foreach (Dictionary<string, string> row in day)
                Assert.Contains(string.Join(',', FeatureCatalogue.Names.ToArray().Select(name => row[name]).Prepend(row["debtor"])), features);
        }
        Assert.True(rows.Length >= 4);
    }

    [Fact]
    public async Task The_same_log_and_options_give_the_same_bytes()
    {
        string[] sets = ["once.csv", "again.csv"];
        foreach (string set in sets)
            (await book.ExportAsync(set, Three)).RequireSuccess();
        Assert.Equal(await File.ReadAllBytesAsync(book[sets[0]]), await File.ReadAllBytesAsync(book[sets[1]]));
        string[] cards = [.. sets.Select(set => File.ReadAllText(book[Path.ChangeExtension(set, ".card.json")]).Replace(set, "", StringComparison.Ordinal))];
        Assert.Equal(cards[0], cards[1]);
    }

    [Fact]
    public async Task The_card_tells_how_the_set_was_made_and_counts_who_was_left_out()
    {
        CommandResult result = await book.ExportAsync("carded.csv", Three + " --json");
        JsonElement card = JsonDocument.Parse(await File.ReadAllTextAsync(book["carded.card.json"])).RootElement, printed = JsonDocument.Parse(result.RequireSuccess()).RootElement;
        Assert.True(JsonElement.DeepEquals(card, printed));
        Assert.StartsWith("collections export training-set --data", card.GetProperty("command").GetString(), StringComparison.Ordinal);
        Assert.Equal(("propensity", 10, "paid:0.5"), (card.GetProperty("target").GetString(), card.GetProperty("horizon_days").GetInt32(), card.GetProperty("label").GetProperty("name").GetString()));
        Assert.Equal("2024-04-09", card.GetProperty("complete_through").GetString());
        Assert.Equal("log", card.GetProperty("known_as").GetProperty("rule").GetString());
        // The rows of the files, and the end of the import in each partition.
        Assert.Equal(13 + 3, card.GetProperty("log").GetProperty("records").GetInt64());
        Assert.Equal(3, card.GetProperty("log").GetProperty("ends").GetArrayLength());
        Assert.Equal(FeatureCatalogue.Count, card.GetProperty("catalogue").GetProperty("features").GetInt32());
        long excluded = card.GetProperty("excluded").EnumerateArray().Sum(e => e.GetProperty("rows").GetInt64());
        Assert.Equal(3 * 4, card.GetProperty("rows").GetInt64() + excluded);
        Assert.Equal(card.GetProperty("rows").GetInt64(), card.GetProperty("dates").EnumerateArray().Sum(d => d.GetProperty("rows").GetInt64()));
        Assert.Contains(card.GetProperty("excluded").EnumerateArray(), e => e.GetProperty("reason").GetString() == "horizon_not_over" && e.GetProperty("rows").GetInt64() > 0);
    }

    [Fact]
    public async Task What_is_not_over_gives_rows_once_the_log_is_said_to_be_complete()
    {
        (await book.ExportAsync("complete.csv", Three + " --complete-through 2024-12-31")).RequireSuccess();
        Assert.Contains(await File.ReadAllLinesAsync(book["complete.csv"]), line => line.StartsWith("2024-04-29,acme,bob,telco,1-30,", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Before_the_due_date_the_other_label_is_asked_of_others()
    {
        (await book.ExportAsync("pre-due.csv", "--from 2024-02-29 --to 2024-03-15 --every 2w --horizon 30d --label past-due --complete-through 2024-06-30")).RequireSuccess();
        string[] lines = await File.ReadAllLinesAsync(book["pre-due.csv"]);
        Assert.Equal(["2024-02-29,acme,cyd,telco,current 2,\"mobile, prepaid\",NaN,1,1,0", "2024-03-14,acme,cyd,telco,current 2,\"mobile, prepaid\",NaN,1,1,0"], lines[1..].Select(Ends));
        Assert.Equal("pre-due-risk", JsonDocument.Parse(await File.ReadAllTextAsync(book["pre-due.card.json"])).RootElement.GetProperty("target").GetString());
    }

    [Theory]
    [InlineData("--from 2030-01-01 --to 2030-06-01", "horizon_not_over", "told through 2024-04-09")]
    [InlineData("--from 2020-01-01 --to 2020-06-01", "there is nobody", "became known on 2024-01-01")]
    [InlineData("--from 2020-01-01 --to 2020-06-01", "--known-as effective", "the last on 2024-04-10")]
    public async Task A_range_with_nothing_in_it_says_so_and_writes_nothing(string range, params string[] says)
    {
        CommandResult result = await book.ExportAsync("nothing", range + " --label any-payment");
        Assert.Equal(2, result.ExitCode);
        Assert.All(says, text => Assert.Contains(text, result.Errors, StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFileSystemEntries(book["nothing"]));
    }

    [Fact]
    public async Task History_known_from_the_import_on_may_be_taken_as_known_when_it_was_effective_and_the_card_says_so()
    {
        using var folder = new TestFolder();
        string invoices = folder.Write("invoices.csv", "debtor,invoice,issued,due,amount\nann,a1,2024-01-10,2024-02-01,100.00\nann,a2,2024-06-10,2024-07-01,100.00\n");
        string mapping = folder.Write("mapping.yaml", "version: 1\nfiles:\n  - file: invoices.csv\n    debtor: debtor\n    events:\n      - {event: ItemIssued, id: invoice, effective_date: issued, item: invoice, amount: amount, currency: {constant: EUR}, due: due}\n");
        (await CollectionsProcess.RunAsync("import", invoices, "--mapping", mapping, "--data", folder["data"])).RequireSuccess();
        string[] command = ["export", "training-set", "--data", folder["data"], "--from", "2024-03-01", "--to", "2024-03-01", "--label", "any-payment", "--out", folder["set.csv"]];
        CommandResult asKnown = await CollectionsProcess.RunAsync(command);
        Assert.Equal(2, asKnown.ExitCode);
        Assert.Contains("--known-as effective takes it as known when it was effective", asKnown.Errors, StringComparison.Ordinal);
        CommandResult asEffective = await CollectionsProcess.RunAsync([.. command, "--known-as", "effective"]);
        asEffective.RequireSuccess();
        Assert.Contains("NOT AS KNOWN", asEffective.Errors, StringComparison.Ordinal);
        JsonElement card = JsonDocument.Parse(await File.ReadAllTextAsync(folder["set.card.json"])).RootElement;
        Assert.Equal(1, card.GetProperty("rows").GetInt64());
        Assert.Contains("NOT AS KNOWN", card.GetProperty("known_as").GetProperty("meaning").GetString(), StringComparison.Ordinal);
    }

    /// <summary>The first five columns and the last six: who, and the categories with the outcome.</summary>
    private static string Ends(string line)
    {
        string[] fields = line.Split(',');
        int last = line.Contains('"', StringComparison.Ordinal) ? 7 : 6;
        return $"{string.Join(',', fields[..5])} {string.Join(',', fields[^last..])}";
    }
}
