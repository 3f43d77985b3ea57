using System.Globalization;
using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Server.Import;
using CsvHelper;

namespace Collections.Server.Tests.Import;

/// <summary>The real data, through the mappings that the repository carries; what must come out is computed here by another reader.</summary>
public sealed class SharedDataTests
{
    [SharedDataFact]
    public void Credit_card_files_go_in_whole_and_tie_to_the_cent()
    {
        using var scene = new ImportScene();
        scene.Given(Data("credit-card/debtors.csv")).Given(Data("credit-card/invoices.csv")).Given(Data("credit-card/payments.csv"));
        ImportReport report = scene.Import(MappingOf("credit-card.yaml"));

        Assert.Equal(0, report.ExitCode);
        Assert.Equal([30_000, 156_325, 120_276], report.Files.Select(f => f.ImportedRowCount));
        Assert.Equal(30_000 + 156_325 + 120_276, report.EventCount);
        Assert.Equal(report.EventCount, scene.Events.Count);
        Assert.Equal(ImportScene.PartitionCount, scene.Ends.Count);
        Assert.Equal(0, report.RepeatedEventCount);
        Assert.True(scene.LargestBatch <= 4_096);
        Assert.Equal(SumOf("credit-card/invoices.csv", "amount") * 100, Total(report, EventKind.ItemIssued, "TWD").SumMinor);
        Assert.Equal(SumOf("credit-card/payments.csv", "amount") * 100, Total(report, EventKind.PaymentReceived, "TWD").SumMinor);
    }

    [SharedDataFact]
    public void Credit_card_events_say_what_their_rows_say()
    {
        using var scene = new ImportScene();
        scene.Given(Data("credit-card/debtors.csv")).Given(Data("credit-card/invoices.csv")).Given(Data("credit-card/payments.csv"));
        scene.Import(MappingOf("credit-card.yaml"));

        IEnumerable<string> expected = Rows("credit-card/debtors.csv")
            .Select(r => $"DebtorRegistered default/{r["debtor"]} {r["debtor"]}-registered {r["registered"]} portfolio=credit-card type={r["customer_type"]} product={r["product"]} region= None")
            .Concat(Rows("credit-card/invoices.csv").Select(r => $"ItemIssued default/{r["debtor"]} {r["invoice"]} {r["issue_date"]} item={r["invoice"]} Principal {Minor(r["amount"])} TWD due={r["due_date"]} account="))
            .Concat(Rows("credit-card/payments.csv").Select(r => $"PaymentReceived default/{r["debtor"]} {r["payment"]} {r["value_date"]} {Minor(r["amount"])} TWD []"));
        Assert.Equal(expected, scene.Events);
    }

    [SharedDataFact]
    public void Receivables_rows_become_their_item_payment_and_dispute()
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Given(Data("receivables/WA_Fn-UseC_-Accounts-Receivable.csv")).Import(MappingOf("receivables.yaml"));

        var rows = Rows("receivables/WA_Fn-UseC_-Accounts-Receivable.csv");
        var expected = new List<string>();
        foreach (Dictionary<string, string> r in rows)
        {
            DateOnly issued = Us(r["InvoiceDate"]), due = Us(r["DueDate"]), settled = Us(r["SettledDate"]);
            string debtor = "default/" + r["customerID"], item = r["invoiceNumber"];
            long cents = Minor(r["InvoiceAmount"]);
            expected.Add($"ItemIssued {debtor} {item} {issued:yyyy-MM-dd} item={item} Principal {cents} USD due={due:yyyy-MM-dd} account=");
            expected.Add($"PaymentReceived {debtor} {item}-payment {settled:yyyy-MM-dd} {cents} USD [{item}:{cents}]");
            if (r["Disputed"] != "Yes")
                continue;
            expected.Add($"DisputeOpened {debtor} {item}-dispute {(due < settled ? due : settled):yyyy-MM-dd} item={item} 0");
            expected.Add($"DisputeResolved {debtor} {item}-dispute-resolved {settled:yyyy-MM-dd} dispute={item}-dispute");
        }
        Assert.Equal(expected, scene.Events);
        Assert.Equal(0, report.ExitCode);
        Assert.Equal(2_466, report.ImportedRowCount);
        Assert.Equal(2 * 2_466 + 2 * 561, report.EventCount);
        decimal sum = SumOf("receivables/WA_Fn-UseC_-Accounts-Receivable.csv", "InvoiceAmount");
        Assert.Equal(sum * 100, Total(report, EventKind.ItemIssued, "USD").SumMinor);
        Assert.Equal(sum * 100, Total(report, EventKind.PaymentReceived, "USD").SumMinor);
    }

    [SharedDataFact]
    public void Nothing_of_the_receivables_depends_on_PaperlessDate()
    {
        string original = File.ReadAllText(Data("receivables/WA_Fn-UseC_-Accounts-Receivable.csv"));
        string[] lines = original.Split("\r\n");
        for (int i = 1; i < lines.Length; i++)
        {
            string[] fields = lines[i].Split(',');
            if (fields.Length > 2)
                fields[2] = "never";
            lines[i] = string.Join(',', fields);
        }
        using var as_it_is = new ImportScene();
        as_it_is.Given(Data("receivables/WA_Fn-UseC_-Accounts-Receivable.csv")).Import(MappingOf("receivables.yaml"));
        using var without = new ImportScene();
        without.Csv("Accounts-Receivable.csv", string.Join("\r\n", lines)).Import(MappingOf("receivables.yaml"));
        Assert.Equal(as_it_is.Events, without.Events);
    }

    [SharedDataFact]
    public void Adversarial_deliveries_keep_their_order_their_ids_and_the_time_of_knowledge()
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Given(Data("adversarial/events.csv")).Import(MappingOf("adversarial.yaml"));

        List<Dictionary<string, string>> rows = Rows("adversarial/events.csv");
        Assert.Equal(15_082, rows.Count);
        Assert.Equal(rows.Select(Expected), scene.Events);
        List<AppendedEvent> log = [.. scene.Log.Take(rows.Count)];
        Assert.Equal(rows.Select(r => r["known"]), log.Select(e => EventText.Instant(e.KnownMs)));
        Assert.Equal(rows.Select(r => r["stream"]), log.Select(e => e.Stream.ToString().ToLowerInvariant()));
        Assert.Equal(rows.Select(r => Murmur2.PartitionOf(Encoding.UTF8.GetBytes("default/" + r["debtor"]), ImportScene.PartitionCount)), log.Select(e => e.Partition));
        Assert.Equal(rows.Select(r => Hash64.Of(Encoding.UTF8.GetBytes(r["debtor"]), Hash64.Of("default"u8))), log.Select(e => e.DebtorHash));
        Assert.All(log, e => Assert.True(e.History));
        Assert.Equal(0, report.ExitCode);
        Assert.Equal(15_082 - 14_133, report.RepeatedEventCount);
        Assert.DoesNotContain(report.SuspicionCounts, c => c.Reason is ImportReason.DuplicateId or ImportReason.DuplicateItem);
    }

    private static string Expected(Dictionary<string, string> r)
    {
        string body = r["kind"] switch
        {
            "ItemIssued" => $" item={r["item"]} {Pascal(r["component"])} {r["amount"]} USD due={r["due"]} account=",
            "ItemAdjusted" => $" item={r["item"]} {r["amount"]} USD",
            "ItemCancelled" => $" item={r["item"]}",
            "DueDateChanged" => $" item={r["item"]} due={r["due"]}",
            "PaymentReceived" => $" {r["amount"]} USD [{r["allocations"]}]",
            "PaymentReversed" => $" payment={r["payment"]}",
            "PaymentFailed" => $" {r["amount"]} USD",
            "DebtorRegistered" => " portfolio= type= product= region= None",
            "AttemptReported" or "ContactReceived" => $" {Pascal(r["channel"])} {Pascal(r["outcome"])}",
            "PromiseMade" => $" {r["amount"]} USD due={r["promise_due"]}",
            "PromiseCancelled" => $" promise={r["ref"]}",
            "DisputeOpened" => $" item={r["item"]} {(r["amount"].Length == 0 ? "0" : r["amount"])}",
            "DisputeResolved" => $" dispute={r["ref"]}",
            _ => " a kind that this test does not know",
        };
        // An instant at midnight shows as its date.
        return $"{r["kind"]} default/{r["debtor"]} {r["id"]} {r["effective"].Replace("T00:00:00Z", "")}{body}";
    }

    private static string Pascal(string snake) => string.Concat(snake.Split('_').Select(w => char.ToUpperInvariant(w[0]) + w[1..]));

    private static string Data(string path) => Path.Combine(Folders.Data!, path);

    private static ImportMapping MappingOf(string name)
    {
        ImportMappingResult result = ImportMapping.Load(Folders.MappingFile(name));
        Assert.Empty(result.Errors);
        return result.Mapping!;
    }

    private static KindTotal Total(ImportReport report, EventKind kind, string currency) =>
        report.Totals.Single(t => t.Kind == kind && t.Currency == Currency.Parse(currency));

    private static decimal SumOf(string path, string column) => Rows(path).Sum(r => decimal.Parse(r[column], CultureInfo.InvariantCulture));

    private static long Minor(string amount) => (long)(decimal.Parse(amount, CultureInfo.InvariantCulture) * 100);

    private static DateOnly Us(string date)
    {
        string[] parts = date.Split('/');
        return new DateOnly(int.Parse(parts[2]), int.Parse(parts[0]), int.Parse(parts[1]));
    }

    /// <summary>The rows by column name, read by CsvHelper: a reader that shares nothing with the import.</summary>
    private static List<Dictionary<string, string>> Rows(string path)
    {
        using CsvReader csv = CsvReader.FromFile(Data(path), new CsvReaderOptions { Separator = ',' });
        var rows = new List<Dictionary<string, string>>();
        while (csv.Read())
            rows.Add(csv.Headers.Select((name, i) => (name, i)).ToDictionary(h => h.name, h => csv.GetString(h.i)));
        return rows;
    }
}
