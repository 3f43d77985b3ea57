using System.Text.Json;
using Collections.Server.Tests.Import;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>A published data set exactly as it comes: American dates, CRLF, one row an invoice with its settlement.</summary>
public sealed class ReceivablesTests
{
    [SharedDataFact]
    public async Task Receivables_go_in_as_published_and_what_was_open_on_a_day_is_known_to_the_cent()
    {
        using var folder = new TestFolder();
        string file = Directory.GetFiles(Path.Combine(Folders.Data!, "receivables")).Single();
        List<Dictionary<string, string>> rows = [.. Tables.Rows(file)];
        JsonElement report = JsonDocument.Parse((await CollectionsProcess.RunAsync(
            "import", file, "--mapping", Folders.MappingFile("receivables.yaml"), "--data", folder["data"], "--partitions", "3", "--json")).RequireSuccess()).RootElement;
        Assert.Equal(2_466, report.GetProperty("importedRowCount").GetInt64());
        foreach (string kind in new[] { "ItemIssued", "PaymentReceived" })
        {
            JsonElement total = report.GetProperty("totals").EnumerateArray().Single(t => t.GetProperty("kind").GetString() == kind);
            Assert.Equal(rows.Sum(r => Tables.Amount(r["InvoiceAmount"])), total.GetProperty("sum").GetDecimal());
        }

        foreach (DateOnly asOf in new[] { new DateOnly(2012, 6, 30), new DateOnly(2013, 3, 31), new DateOnly(2014, 12, 31) })
        {
            string output = (await CollectionsProcess.RunAsync("features", "--data", folder["data"], "--as-of", asOf.ToString("yyyy-MM-dd"))).RequireSuccess();
            var expected = rows.Where(r => Us(r["InvoiceDate"]) <= asOf).GroupBy(r => r["customerID"]).ToDictionary(
                g => g.Key,
                g => (Issued: g.Count(), Open: g.Where(r => Us(r["SettledDate"]) > asOf).Sum(r => Tables.Amount(r["InvoiceAmount"])),
                    Overdue: g.Where(r => Us(r["SettledDate"]) > asOf && Us(r["DueDate"]) < asOf).Sum(r => Tables.Amount(r["InvoiceAmount"])),
                    Disputes: g.Count(r => r["Disputed"] == "Yes" && (Us(r["DueDate"]) < Us(r["SettledDate"]) ? Us(r["DueDate"]) : Us(r["SettledDate"])) <= asOf)));
            var actual = Tables.RowsOf(output.TrimEnd('\n').Split('\n')).ToDictionary(
                r => r["debtor"],
                r => (Issued: (int)Tables.Number(r["items_issued"]), Open: Tables.Amount(r["open_balance"]), Overdue: Tables.Amount(r["overdue_balance"]), Disputes: (int)Tables.Number(r["disputes_total"])));
            Assert.Equal(expected.OrderBy(e => e.Key, StringComparer.Ordinal), actual.OrderBy(e => e.Key, StringComparer.Ordinal));
        }
    }

    private static DateOnly Us(string date)
    {
        int[] parts = [.. date.Split('/').Select(int.Parse)];
        return new DateOnly(parts[2], parts[0], parts[1]);
    }
}
