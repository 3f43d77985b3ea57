using System.Text;
using Collections.Server.Import;

namespace Collections.Server.Tests.Import;

/// <summary>Whatever a file holds, the import says what is wrong and where, and what is right goes in.</summary>
public sealed class BadInputTests
{
    private const string Mapping = """
        version: 1
        files:
          - file: "*.csv"
            debtor: debtor
            events:
              - event: ItemIssued
                id: invoice
                effective_date: issued
                item: invoice
                amount: amount
                currency: currency
                due: due
              - event: PaymentReceived
                when: paid is not empty
                id: "{invoice}-paid"
                effective_date: paid
                amount: amount
                currency: currency
                settles: invoice
        """;

    private const string Header = "debtor,invoice,issued,due,amount,currency,paid,note";
    private const string First = "D1,I1,2024-01-01,2024-02-01,10.00,USD,,";
    private const string Last = "D9,I9,2024-01-09,2024-02-09,90.00,USD,2024-03-01,last";

    [Theory]
    // what stands between two good rows; column and reason of the finding
    [InlineData("D2,I2,2024-01-02,2024-02-02,ten,USD,,", "amount", nameof(ImportReason.NotANumber))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,\"1,000.00\",USD,,", "amount", nameof(ImportReason.NotANumber))]
    [InlineData("D2,I2,2023-02-30,2024-02-02,20.00,USD,,", "issued", nameof(ImportReason.NotADate))]
    [InlineData("D2,I2,2024-01-02,02/02/2024,20.00,USD,,", "due", nameof(ImportReason.NotADate))]
    [InlineData("D2,I2,2024-01-02,1890-01-01,20.00,USD,,", "due", nameof(ImportReason.DateOutOfRange))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,20.00,XXQ,,", "currency", nameof(ImportReason.UnknownCurrency))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,20.00,usd,,", "currency", nameof(ImportReason.UnknownCurrency))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,-20.00,USD,,", "amount", nameof(ImportReason.NotPositive))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,0.00,USD,,", "amount", nameof(ImportReason.ZeroAmount))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,20.005,USD,,", "amount", nameof(ImportReason.TooManyDecimals))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,20.50,JPY,,", "amount", nameof(ImportReason.TooManyDecimals))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,99999999999999999999,USD,,", "amount", nameof(ImportReason.AmountOutOfRange))]
    [InlineData(",I2,2024-01-02,2024-02-02,20.00,USD,,", "debtor", nameof(ImportReason.Missing))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,,USD,,", "amount", nameof(ImportReason.Missing))]
    [InlineData("D2,I2,,2024-02-02,20.00,USD,,", "issued", nameof(ImportReason.Missing))]
    [InlineData("D2,\"I\n2\",2024-01-02,2024-02-02,20.00,USD,,", "invoice", nameof(ImportReason.BadName))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,20.00,USD", "", nameof(ImportReason.FieldCount))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,20.00,USD,,,", "", nameof(ImportReason.FieldCount))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,20,00,USD,,", "", nameof(ImportReason.FieldCount))]
    [InlineData("D2,I\"2,2024-01-02,2024-02-02,20.00,USD,,", "", nameof(ImportReason.StrayQuote))]
    [InlineData("D2,\"I2,2024-01-02,2024-02-02,20.00,USD,,", "", nameof(ImportReason.StrayQuote))]
    [InlineData("D2,\"I2\"x,2024-01-02,2024-02-02,20.00,USD,,", "", nameof(ImportReason.StrayQuote))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,20.00,USD,,a\0b", "", nameof(ImportReason.NulByte))]
    [InlineData("D2,I2,2024-01-02,2024-02-02,20.00,USD,,a\rb", "", nameof(ImportReason.LoneCarriageReturn))]
    // the payment alone is wrong, and takes the item with it
    [InlineData("D2,I2,2024-01-02,2024-02-02,20.00,USD,2024-02-31,", "paid", nameof(ImportReason.NotADate))]
    public void A_bad_row_is_refused_as_a_whole_and_the_good_ones_go_in(string row, string column, string reason)
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Mapping(Mapping).Csv("a.csv", $"{Header}\n{First}\n{row}\n{Last}\n").Import();

        ImportFinding finding = Assert.Single(report.Refusals);
        Assert.Equal(("a.csv", 3L, column, reason), (finding.File, finding.Line, finding.Column, finding.Reason.ToString()));
        Assert.NotEqual("", finding.Problem);
        Assert.NotEqual("", finding.Remedy);
        AssertGoodRowsWentIn(scene, report, refused: 1);
    }

    [Fact]
    public void Invalid_utf8_refuses_its_row_even_in_a_column_that_nothing_reads()
    {
        using var scene = new ImportScene();
        byte[] file = Encoding.Latin1.GetBytes($"{Header}\n{First}\nD2,I2,2024-01-02,2024-02-02,20.00,USD,,M\u00FCller\n{Last}\n");
        ImportReport report = scene.Mapping(Mapping).Csv("a.csv", file).Import();
        ImportFinding finding = Assert.Single(report.Refusals);
        Assert.Equal((3L, ImportReason.InvalidEncoding), (finding.Line, finding.Reason));
        Assert.Contains("windows-1252", finding.Remedy);
        AssertGoodRowsWentIn(scene, report, refused: 1);
    }

    [Theory]
    [InlineData("latin-1")]
    [InlineData("windows-1252")]
    public void The_same_bytes_are_good_in_the_encoding_that_the_mapping_names(string encoding)
    {
        using var scene = new ImportScene();
        byte[] file = Encoding.Latin1.GetBytes($"{Header}\nM\u00FCller,I2,2024-01-02,2024-02-02,20.00,USD,,\n");
        ImportReport report = scene.Mapping(Mapping.Replace("files:", $"format: {{encoding: {encoding}}}\nfiles:")).Csv("a.csv", file).Import();
        Assert.Equal(0, report.ExitCode);
        Assert.Contains("default/M\u00FCller I2", Assert.Single(scene.Events));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"")]
    public void Ten_megabytes_in_one_field_refuse_their_row_in_little_memory(string quote)
    {
        using var scene = new ImportScene();
        scene.Mapping(Mapping).Csv("a.csv", $"{Header}\n{First}\nD2,I2,2024-01-02,2024-02-02,20.00,USD,,{quote}{new string('z', 10_000_000)}{quote}\n{Last}\n");
        long before = GC.GetAllocatedBytesForCurrentThread();
        ImportReport report = scene.Import();
        long used = GC.GetAllocatedBytesForCurrentThread() - before;
        ImportFinding finding = Assert.Single(report.Refusals);
        Assert.Equal((3L, ImportReason.RowTooLong), (finding.Line, finding.Reason));
        Assert.True(finding.Value.Length < 100);
        Assert.True(used < 8_000_000, $"{used} bytes were allocated");
        AssertGoodRowsWentIn(scene, report, refused: 1);
    }

    [Fact]
    public void A_byte_order_mark_crlf_and_empty_lines_change_nothing()
    {
        using var plain = new ImportScene();
        plain.Mapping(Mapping).Csv("a.csv", $"{Header}\n{First}\n{Last}\n").Import();
        using var dressed = new ImportScene();
        ImportReport report = dressed.Mapping(Mapping).Csv("a.csv", $"\uFEFF\r\n{Header}\r\n\r\n{First}\r\n,,,,,,,\r\n  \r\n{Last}\r\n\r\n").Import();
        Assert.Equal(plain.Events, dressed.Events);
        Assert.Equal(0, report.ExitCode);
        Assert.Equal(4, report.Files[0].EmptyLineCount);
    }

    [Fact]
    public void Every_mistake_of_a_row_is_listed_and_the_row_is_counted_once()
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Mapping(Mapping).Csv("a.csv", $"{Header}\n{First}\nD2,I2,2024-13-02,soon,1.234,USD,never,\n{Last}\n").Import();
        Assert.Equal(["issued", "amount", "due", "paid"], report.Refusals.Select(f => f.Column));
        AssertGoodRowsWentIn(scene, report, refused: 1);
    }

    [Theory]
    // the whole file; reason; what the message must name
    [InlineData("", nameof(ImportReason.FileEmpty), "empty")]
    [InlineData("\n\n", nameof(ImportReason.FileEmpty), "empty lines")]
    [InlineData(Header, nameof(ImportReason.FileWithoutRows), "no rows")]
    [InlineData(Header + "\n\n", nameof(ImportReason.FileWithoutRows), "no rows")]
    [InlineData("debtor,invoice_no,issued,due,amount,currency,paid\n" + First, nameof(ImportReason.ColumnMissing), "did you mean 'invoice_no'?")]
    [InlineData("debtor;invoice;issued;due;amount;currency;paid\nx", nameof(ImportReason.ColumnMissing), "separated by ';'")]
    [InlineData("debtor,invoice,invoice,issued,due,amount,currency,paid\nx", nameof(ImportReason.ColumnAmbiguous), "more than one column")]
    [InlineData("debtor,\"invoice\nx", nameof(ImportReason.HeaderMalformed), "never closed")]
    [InlineData("debtor,invoice\rD1,I1\rD2,I2", nameof(ImportReason.HeaderMalformed), "carriage return")]
    [InlineData("d\0e\0b\0t\0o\0r\0", nameof(ImportReason.FileEncoding), "UTF-16")]
    public void A_file_that_can_not_be_read_at_all_is_refused_and_the_others_go_in(string file, string reason, string named)
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Mapping(Mapping).Csv("bad.csv", file).Csv("good.csv", $"{Header}\n{First}\n{Last}\n").Import();
        ImportFinding finding = Assert.Single(report.Refusals);
        Assert.Equal(("bad.csv", reason), (finding.File, finding.Reason.ToString()));
        Assert.Contains(named, finding.Problem + finding.Remedy);
        AssertGoodRowsWentIn(scene, report, refused: 0);
        Assert.Contains("bad.csv", ImportReportText.Render(report));
    }

    [Fact]
    public void A_missing_column_lists_the_columns_that_are_there()
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Mapping(Mapping).Csv("a.csv", "debtor,invoice,Issued,amount,currency,paid\nx\n").Import();
        ImportFinding finding = Assert.Single(report.Refusals);
        Assert.Equal("issued, due", finding.Column);
        Assert.Contains("debtor, invoice, Issued, amount, currency, paid", finding.Problem);
        Assert.Contains("did you mean 'Issued'?", finding.Remedy);
        Assert.Equal(2, report.ExitCode);
    }

    [Fact]
    public void Utf16_is_refused_by_its_mark()
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Mapping(Mapping).Csv("a.csv", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Header)]).Import();
        Assert.Equal(ImportReason.FileEncoding, Assert.Single(report.Refusals).Reason);
        Assert.Equal(2, report.ExitCode);
        Assert.Empty(scene.Log);
    }

    [Fact]
    public void A_file_that_is_not_there_or_is_a_folder_is_refused()
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Mapping(Mapping).Given("/nowhere/a.csv").Import();
        Assert.Equal(ImportReason.FileUnreadable, Assert.Single(report.Refusals).Reason);
        Assert.Equal(2, report.ExitCode);
    }

    [Fact]
    public void Random_bytes_never_stop_the_import()
    {
        var random = new Random(11);
        string good = $"{Header}\n{First}\n{Last}\n";
        for (int i = 0; i < 300; i++)
        {
            byte[] file = Encoding.UTF8.GetBytes(good);
            for (int n = random.Next(1, 6); n > 0; n--)
                file[random.Next(file.Length)] = (byte)random.Next(256);
            using var scene = new ImportScene();
            ImportReport report = scene.Mapping(Mapping).Csv("a.csv", file).Import();
            Assert.Equal(report.RowCount, report.ImportedRowCount + report.RefusedRowCount + report.IgnoredRowCount);
            Assert.Equal(report.EventCount, scene.Events.Count);
            Assert.DoesNotContain(scene.Events, e => e.StartsWith("INVALID", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_million_mistakes_make_a_short_report_that_counts_them_all()
    {
        using var scene = new ImportScene();
        string rows = string.Concat(Enumerable.Range(0, 5_000).Select(i => $"D{i},I{i},2024-01-02,2024-02-02,x{i},USD,,\n"));
        ImportReport report = scene.Mapping(Mapping).Csv("a.csv", $"{Header}\n{First}\n{rows}{Last}\n").Import(new ImportOptions { ListedFindingsMax = 3 });
        Assert.Equal(3, report.Refusals.Count);
        Assert.Equal([new ReasonCount(ImportReason.NotANumber, 5_000)], report.RefusalCounts);
        Assert.Contains("and 4,997 more", ImportReportText.Render(report));
        AssertGoodRowsWentIn(scene, report, refused: 5_000);
    }

    private static void AssertGoodRowsWentIn(ImportScene scene, ImportReport report, int refused)
    {
        Assert.Equal(
            [
                "ItemIssued default/D1 I1 2024-01-01 item=I1 Principal 1000 USD due=2024-02-01 account=",
                "ItemIssued default/D9 I9 2024-01-09 item=I9 Principal 9000 USD due=2024-02-09 account=",
                "PaymentReceived default/D9 I9-paid 2024-03-01 9000 USD [I9:9000]",
            ],
            scene.Events);
        Assert.Equal((2L, (long)refused, 1), (report.ImportedRowCount, report.RefusedRowCount, report.ExitCode));
    }
}
