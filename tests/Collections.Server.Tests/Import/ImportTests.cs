using System.Text;
using System.Text.Json;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Server.Import;

namespace Collections.Server.Tests.Import;

public sealed class ImportTests
{
    [Fact]
    public void A_german_bank_file_and_a_us_invoice_file_go_in_together()
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Mapping("""
            version: 1
            tenant: acme
            files:
              - file: "zahlungen-*.csv"
                format:
                  encoding: windows-1252
                  delimiter: semicolon
                  skip_lines: 2
                  dates: dd.MM.yyyy
                  amounts: {decimal: comma, thousands: point, negative: trailing_minus}
                debtor: Kundennummer
                currency: EUR
                ignore: Art = Saldo
                events:
                  - event: PaymentReceived
                    when: Betrag > 0
                    id: "{#file}:{#line}"
                    effective_date: Valuta
                    amount: Betrag
                  - event: PaymentReversed
                    when: [Betrag < 0, Bezug is not empty]
                    id: "R-{Bezug}"
                    effective_date: later of Buchung, Valuta
                    payment: Bezug
              - file: invoices.csv
                format: {dates: M/d/yyyy, empty_values: [NULL], amounts: {negative: parentheses, symbol: "$", thousands: comma}}
                debtor: Customer No.
                currency: {column: Ccy, values: {Dollar: USD}}
                effective_date: Date
                events:
                  - event: ItemIssued
                    when: Amount > 0
                    id: Invoice
                    item: Invoice
                    account: Contract
                    amount: Amount
                    due: Due
                    component: {column: Type, values: {I: principal, F: fee}, otherwise: interest}
                  - event: ItemAdjusted
                    when: Amount < 0
                    id: "{Invoice}/{Type}"
                    item: Invoice
                    amount: Amount
            """)
            .Csv("zahlungen-2024.csv", Encoding.Latin1.GetBytes("Kontoauszug\n\nKundennummer;Buchung;Valuta;Betrag;Bezug;Art\nM\u00FCller;05.01.2024;04.01.2024;1.234,50;;Zahlung\nM\u00FCller;07.01.2024;06.01.2024;1.234,50-;zahlungen-2024.csv:4;R\u00FCck\n;;;0,00;;Saldo\n"))
            .Csv("invoices.csv", "Customer No.,Invoice,Contract,Date,Due,Amount,Ccy,Type\nC1,A1,K-7,1/2/2024,2/1/2024,\"$1,000.00\",Dollar,I\nC1,A2,NULL,1/2/2024,2/1/2024,$5.00,Dollar,F\nC1,A1,K-7,1/9/2024,2/1/2024,($100.00),Dollar,X\n")
            .Import();

        Assert.Empty(report.Refusals);
        Assert.Equal(
            [
                "PaymentReceived acme/M\u00FCller zahlungen-2024.csv:4 2024-01-04 123450 EUR []",
                "PaymentReversed acme/M\u00FCller R-zahlungen-2024.csv:4 2024-01-07 payment=zahlungen-2024.csv:4",
                "ItemIssued acme/C1 A1 2024-01-02 item=A1 Principal 100000 USD due=2024-02-01 account=K-7",
                "ItemIssued acme/C1 A2 2024-01-02 item=A2 Fee 500 USD due=2024-02-01 account=",
                "ItemAdjusted acme/C1 A1/X 2024-01-09 item=A1 -10000 USD",
            ],
            scene.Events);
        Assert.Equal(1, report.IgnoredRowCount);
        Assert.Equal(0, report.ExitCode);
        Assert.Equal(100_500m, report.Totals.Single(t => t.Kind == EventKind.ItemIssued).SumMinor);
        Assert.Equal(-10_000m, report.Totals.Single(t => t.Kind == EventKind.ItemAdjusted).SumMinor);
        Assert.Equal(Currency.None, report.Totals.Single(t => t.Kind == EventKind.PaymentReversed).Currency);
    }

    [Fact]
    public void Every_kind_of_event_can_be_mapped()
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Mapping("""
            version: 1
            currency: USD
            format: {time_zone: America/New_York}
            files:
              - file: "*.csv"
                columns: [debtor, id, day, instant, ref, money, word]
                debtor: debtor
                effective_date: day
                events:
                  - {event: ItemIssued, id: id, item: ref, amount: money, due: {constant: 2024-05-01}, component: fee}
                  - {event: ItemAdjusted, id: "{id}-a", item: ref, amount: {column: money, negate: true}}
                  - {event: ItemCancelled, id: "{id}-c", item: ref}
                  - {event: DueDateChanged, id: "{id}-d", item: ref, due: "later of day, day"}
                  - {event: PaymentReceived, id: id, amount: money, allocations: {template: "{ref}:1.50;other:2", amounts: {decimal: point}}}
                  - {event: PaymentReversed, id: "{id}-r", payment: ref}
                  - {event: PaymentFailed, id: "{id}-f", amount: money}
                  - {event: DebtorRegistered, id: id, portfolio: {constant: cards}, customer_type: ref, product: ref, region: ref, preferred_channel: letter}
                  - {event: AttemptReported, id: "{id}-at", effective_at: instant, channel: voice, outcome: word}
                  - {event: ContactReceived, id: "{id}-co", effective_at: instant, channel: sms, contact: opt_out}
                  - {event: PromiseMade, id: "{id}-p", amount: money, due: day}
                  - {event: PromiseCancelled, id: "{id}-pc", promise: ref}
                  - {event: DisputeOpened, id: "{id}-do", item: ref, amount: money}
                  - {event: DisputeResolved, id: "{id}-dr", dispute: ref}
                  - {event: PreferencesChanged, id: "{id}-pr", time_zone: {constant: Europe/Berlin}, language: {constant: de}, channel: email}
                  - {event: HoldPlaced, id: "{id}-h", reason: ref, until: day}
                  - {event: HoldReleased, id: "{id}-hr", hold: ref}
            """).Csv("all.csv", "D1,E1,2024-02-03,2024-02-03 10:00,R1,7.25,Right party\n").Import();

        Assert.Empty(report.Refusals);
        Assert.Equal(
            [
                "ItemIssued default/D1 E1 2024-02-03 item=R1 Fee 725 USD due=2024-05-01 account=",
                "ItemAdjusted default/D1 E1-a 2024-02-03 item=R1 -725 USD",
                "ItemCancelled default/D1 E1-c 2024-02-03 item=R1",
                "DueDateChanged default/D1 E1-d 2024-02-03 item=R1 due=2024-02-03",
                "PaymentReceived default/D1 E1 2024-02-03 725 USD [R1:150;other:200]",
                "PaymentReversed default/D1 E1-r 2024-02-03 payment=R1",
                "PaymentFailed default/D1 E1-f 2024-02-03 725 USD",
                "DebtorRegistered default/D1 E1 2024-02-03 portfolio=cards type=R1 product=R1 region=R1 Letter",
                "AttemptReported default/D1 E1-at 2024-02-03T15:00:00Z Voice RightParty",
                "ContactReceived default/D1 E1-co 2024-02-03T15:00:00Z Sms OptOut",
                "PromiseMade default/D1 E1-p 2024-02-03 725 USD due=2024-02-03",
                "PromiseCancelled default/D1 E1-pc 2024-02-03 promise=R1",
                "DisputeOpened default/D1 E1-do 2024-02-03 item=R1 725",
                "DisputeResolved default/D1 E1-dr 2024-02-03 dispute=R1",
                "PreferencesChanged default/D1 E1-pr 2024-02-03 zone=Europe/Berlin language=de Email",
                "HoldPlaced default/D1 E1-h 2024-02-03 until=2024-02-03",
                "HoldReleased default/D1 E1-hr 2024-02-03 hold=R1",
            ],
            scene.Events);
        Assert.Equal(Enum.GetValues<EventKind>().Length - 2, scene.Events.Count);
    }

    [Fact]
    public void Importing_the_same_file_again_gives_the_same_events_and_the_same_end()
    {
        using var once = Simple(("a.csv", "D1,I1,2024-01-01,5.00\nD2,I2,2024-01-02,6.00\n"));
        once.Import();
        using var again = Simple(("a.csv", "D1,I1,2024-01-01,5.00\nD2,I2,2024-01-02,6.00\n"));
        again.Import();
        Assert.Equal(once.Log.Select(e => Convert.ToHexString(e.Content)), again.Log.Select(e => Convert.ToHexString(e.Content)));
        using var other = Simple(("a.csv", "D1,I1,2024-01-01,5.00\nD2,I2,2024-01-02,6.01\n"));
        other.Import();
        Assert.Empty(once.Ends.Select(e => Convert.ToHexString(e.Content)).Intersect(other.Ends.Select(e => Convert.ToHexString(e.Content))));
    }

    [Fact]
    public void The_import_ends_in_every_partition_after_the_last_file()
    {
        using ImportScene scene = Simple(("a.csv", "D1,I1,2024-01-01,5.00\n"), ("b.csv", "D2,I2,2024-01-02,6.00\n"));
        scene.Import();
        Assert.Equal(Enumerable.Range(0, ImportScene.PartitionCount), scene.Ends.Select(e => e.Partition));
        Assert.Equal(scene.Ends, scene.Log.TakeLast(ImportScene.PartitionCount));
        Assert.All(scene.Ends, e => Assert.Equal((EventStream.Activity, false), (e.Stream, e.History)));
        Assert.All(scene.Ends, e => Assert.Matches($"^ImportEnded default/ import-ended:[0-9a-f]{{32}}:{e.Partition} ", e.ToString()));
        Assert.All(scene.Log.Except(scene.Ends), e => Assert.True(e.History));
    }

    [Fact]
    public void Without_a_single_event_nothing_is_appended_and_the_exit_code_says_so()
    {
        using ImportScene scene = Simple(("a.csv", "D1,I1,2024-01-01,x\n"));
        ImportReport report = scene.Import();
        Assert.Equal(2, report.ExitCode);
        Assert.Empty(scene.Log);
    }

    [Fact]
    public void What_the_mapping_does_not_say_is_known_from_now_on()
    {
        using ImportScene scene = Simple(("a.csv", "D1,I1,2024-01-01,5.00\n"));
        scene.Import();
        Assert.All(scene.Log, e => Assert.Equal(ImportScene.Now.ToUnixTimeMilliseconds(), e.KnownMs));
    }

    [Theory]
    [InlineData("2024-01-01", "2024-01-01T23:59:59.999Z")]
    [InlineData("2026-11-22", "2026-11-22T09:00:00Z")]
    public void A_date_of_knowledge_is_its_end_but_never_later_than_now(string date, string known)
    {
        using ImportScene scene = Simple(("a.csv", $"D1,I1,{date},5.00\n")).Mapping(SimpleMapping.Replace("effective_date: day", "effective_date: day\n    known_date: day"));
        scene.Import();
        Assert.Equal(known, EventText.Instant(scene.Log[0].KnownMs));
    }

    [Fact]
    public void Knowledge_from_the_future_is_refused()
    {
        using ImportScene scene = Simple(("a.csv", "D1,I1,2026-11-23,5.00\n")).Mapping(SimpleMapping.Replace("effective_date: day", "effective_date: day\n    known_date: day"));
        Assert.Equal(ImportReason.KnownInFuture, Assert.Single(scene.Import().Refusals).Reason);
    }

    [Fact]
    public void Files_that_no_section_or_two_sections_are_for_are_refused()
    {
        using ImportScene scene = Simple(("a.csv", "D1,I1,2024-01-01,5.00\n"), ("a.txt", "x"), ("ab.csv", "x"));
        scene.Mapping(SimpleMapping + SimpleMapping[(SimpleMapping.IndexOf("files:", StringComparison.Ordinal) + 7)..].Replace("*.csv", "ab.*"));
        ImportReport report = scene.Import();
        Assert.Equal([ImportReason.FileNotMapped, ImportReason.FileMappedTwice], report.Refusals.Select(f => f.Reason));
        Assert.Equal(1, report.ExitCode);
    }

    [Fact]
    public void A_row_that_no_event_takes_is_refused_unless_it_is_ignored()
    {
        string conditional = SimpleMapping.Replace("- event: ItemIssued", "- event: ItemIssued\n        when: debtor = D1");
        using ImportScene scene = Simple(("a.csv", "D1,I1,2024-01-01,5.00\nD2,I2,2024-01-01,5.00\n"));
        ImportReport report = scene.Mapping(conditional).Import();
        Assert.Equal(ImportReason.NoEvent, Assert.Single(report.Refusals).Reason);
        using ImportScene ignoring = Simple(("a.csv", "D1,I1,2024-01-01,5.00\nD2,I2,2024-01-01,5.00\n"));
        Assert.Equal((1L, 0), (ignoring.Mapping(conditional.Replace("    effective_date", "    ignore: debtor in D2, D3\n    effective_date")).Import() is var r ? r.IgnoredRowCount : 0, r.ExitCode));
    }

    [Fact]
    public void A_word_that_is_also_a_column_is_refused_as_unclear()
    {
        using ImportScene scene = Simple(("a.csv", "x\n")).Mapping(SimpleMapping.Replace("columns: [debtor, item, day, money]", "columns: [debtor, item, day, money, USD]").Replace("currency: USD\n", "").Replace("        amount: money", "        amount: money\n        currency: USD"));
        ImportFinding finding = Assert.Single(scene.Import().Refusals);
        Assert.Equal((ImportReason.ColumnAmbiguous, "USD"), (finding.Reason, finding.Column));
    }

    [Theory]
    [InlineData("I1:3.00;I2:2.00", "[I1:300;I2:200]")]
    [InlineData("a:b:5.00;", "[a:b:500]")]
    [InlineData("I1:3.00;I2:2.01", nameof(ImportReason.BadAllocations))]
    [InlineData("I1", nameof(ImportReason.BadAllocations))]
    [InlineData(":5", nameof(ImportReason.BadAllocations))]
    [InlineData("I1:0", nameof(ImportReason.BadAllocations))]
    [InlineData("I1:-1.00", nameof(ImportReason.BadAllocations))]
    [InlineData("I1:x", nameof(ImportReason.NotANumber))]
    [InlineData("I1:1.001", nameof(ImportReason.TooManyDecimals))]
    public void Allocations_are_item_and_amount_and_never_more_than_the_payment(string allocations, string result)
    {
        using ImportScene scene = Simple(("a.csv", $"D1,{allocations},2024-01-01,5.00\n"));
        ImportReport report = scene.Mapping(SimpleMapping.Replace("ItemIssued", "PaymentReceived").Replace("        item: item\n", "        allocations: item\n").Replace("id: item", "id: \"{#line}\"").Replace("        due: day\n", "")).Import();
        if (result[0] == '[')
            Assert.EndsWith(result, Assert.Single(scene.Events));
        else
            Assert.Equal(result, Assert.Single(report.Refusals).Reason.ToString());
    }

    [Fact]
    public void Batches_are_bounded_and_progress_is_reported_to_the_end_of_the_file()
    {
        string rows = string.Concat(Enumerable.Range(0, 10_000).Select(i => $"D{i},I{i},2024-01-01,5.00\n"));
        using ImportScene scene = Simple(("a.csv", rows));
        var seen = new List<ImportProgress>();
        scene.Import(progress: new Seen(seen));
        Assert.Equal(4_096, scene.LargestBatch);
        Assert.Equal(new ImportProgress("a.csv", 1, 1, rows.Length, rows.Length, 10_000, 0, 10_000), seen[^1]);
        Assert.Equal([4_096, 8_192, 10_000], seen.Select(p => p.RowCount));
    }

    [Fact]
    public void What_the_log_throws_ends_the_import()
    {
        using ImportScene scene = Simple(("a.csv", "D1,I1,2024-01-01,5.00\n"));
        var import = new CsvImport(scene.Load().Mapping!, 1, (_, _) => throw new IOException("the log is full"), TimeProvider.System);
        Assert.Throws<IOException>(() => import.RunAsync([Path.Combine(Path.GetDirectoryName(scene.MappingPath)!, "a.csv")], null, CancellationToken.None).GetAwaiter().GetResult());
    }

    internal const string SimpleMapping = """
        version: 1
        currency: USD
        files:
          - file: "*.csv"
            columns: [debtor, item, day, money]
            debtor: debtor
            effective_date: day
            events:
              - event: ItemIssued
                id: item
                item: item
                amount: money
                due: day

        """;

    internal static ImportScene Simple(params (string Name, string Content)[] files)
    {
        ImportScene scene = new ImportScene().Mapping(SimpleMapping);
        foreach ((string name, string content) in files)
            scene.Csv(name, content);
        return scene;
    }

    private sealed class Seen(List<ImportProgress> into) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => into.Add(value);
    }
}

/// <summary>What goes in, but is pointed out.</summary>
public sealed class SuspicionTests
{
    [Fact]
    public void The_same_item_with_other_content_is_imported_and_pointed_out()
    {
        using ImportScene scene = ImportTests.Simple(("a.csv", "D1,I1,2024-01-01,5.00\nD1,I1,2024-01-01,5.00\nD1,I1,2024-01-01,6.00\nD2,I2,2024-01-01,6.00\n"));
        ImportReport report = scene.Import();
        ImportFinding finding = Assert.Single(report.Suspicions);
        Assert.Equal((3L, "item", "I1", ImportReason.DuplicateItem), (finding.Line, finding.Column, finding.Value, finding.Reason));
        Assert.Contains("a.csv line 1", finding.Problem);
        Assert.Equal(1, report.RepeatedEventCount);
        Assert.Equal(4, scene.Events.Count);
        Assert.Equal(0, report.ExitCode);
    }

    [Fact]
    public void An_id_that_stands_for_two_events_is_pointed_out()
    {
        using ImportScene scene = ImportTests.Simple(("a.csv", "D1,I1,2024-01-01,5.00\n"), ("b.csv", "D2,I1,2024-01-01,5.00\n"));
        ImportFinding finding = Assert.Single(scene.Import().Suspicions);
        Assert.Equal(("b.csv", 1L, ImportReason.DuplicateId), (finding.File, finding.Line, finding.Reason));
        Assert.Contains("a.csv line 1", finding.Problem);
    }

    [Fact]
    public void An_amount_far_above_the_median_is_pointed_out_wherever_it_stands()
    {
        string rows = "D0,I0,2024-01-01,900000.01\n" + string.Concat(Enumerable.Range(1, 500).Select(i => $"D{i},I{i},2024-01-01,{8 + i % 3}.00\n"));
        using ImportScene scene = ImportTests.Simple(("a.csv", rows));
        ImportFinding finding = Assert.Single(scene.Import().Suspicions);
        Assert.Equal((1L, "money", "900,000.01", ImportReason.AbsurdAmount), (finding.Line, finding.Column, finding.Value, finding.Reason));
    }

    [Fact]
    public void Bounds_are_the_mappings()
    {
        using ImportScene scene = ImportTests.Simple(("a.csv", "D1,I1,2024-01-01,5.00\nD2,I2,1999-01-01,5.00\nD3,I3,2024-01-01,5.01\nD4,I4,2029-01-01,5.00\n"));
        scene.Mapping(ImportTests.SimpleMapping.Replace("files:", "checks: {amount_above: 5, dates_before: 2000-01-01, dates_years_ahead: 2}\nfiles:"));
        ImportReport report = scene.Import();
        Assert.Equal(4, scene.Events.Count);
        Assert.Equal([(2L, ImportReason.AbsurdDate), (2, ImportReason.AbsurdDate), (3, ImportReason.AbsurdAmount), (4, ImportReason.AbsurdDate), (4, ImportReason.AbsurdDate)], report.Suspicions.Select(f => (f.Line, f.Reason)));
    }

    [Theory]
    [InlineData("1989-12-31", true)]
    [InlineData("1990-01-01", false)]
    [InlineData("2056-11-21", false)]
    [InlineData("2056-11-23", true)]
    public void Dates_before_1990_and_more_than_thirty_years_ahead_are_absurd(string date, bool absurd)
    {
        using ImportScene scene = ImportTests.Simple(("a.csv", $"D1,I1,{date},5.00\n"));
        Assert.Equal(absurd, scene.Import().Suspicions.Any(f => f.Reason == ImportReason.AbsurdDate));
    }
}

public sealed class ImportReportTests
{
    [Fact]
    public void The_report_as_text_has_files_sums_refusals_and_suspicions()
    {
        using ImportScene scene = ImportTests.Simple(("a.csv", "D1,I1,2024-01-01,1005.00\n\nD1,I1,2024-01-01,6.00\nD2,I2,2024-01-01,x\n"), ("b.txt", ""));
        string text = ImportReportText.Render(scene.Import());
        Assert.Equal(
            $"""
            a.csv: 3 rows, 2 imported, 1 refused, 0 ignored: 2 events
              ItemIssued                    2  USD               1,011.00
              1 empty lines skipped
            b.txt: nothing imported: no section of {scene.MappingPath} is for this name
            all files: 3 rows, 2 imported, 1 refused, 0 ignored: 2 events
              ItemIssued                    2  USD               1,011.00
            refused: FileNotMapped 1, NotANumber 1
              a.csv:4: money 'x' is no number in the format 1234.50; mend the row, or set 'amounts' in the mapping's format
              b.txt: no section of {scene.MappingPath} is for this name; make exactly one 'file:' fit it; they are *.csv
            imported, but suspicious: DuplicateItem 1
              a.csv:3: item 'I1' was issued before with other content, in a.csv line 1; one of the two is wrong; a correction is an ItemAdjusted, another invoice has another item
            some rows or files were refused; mend them and import again: what went in is recognised

            """.ReplaceLineEndings("\n"),
            text);
    }

    [Fact]
    public void The_report_as_json_has_exact_sums_and_the_exit_code()
    {
        using ImportScene scene = ImportTests.Simple(("a.csv", "D1,I1,2024-01-01,1005.10\nD2,I2,2024-01-01,x\n"));
        using JsonDocument json = JsonDocument.Parse(ImportReportText.RenderJson(scene.Import()));
        JsonElement root = json.RootElement;
        Assert.Equal(1, root.GetProperty("exitCode").GetInt32());
        Assert.Equal(1005.10m, root.GetProperty("totals")[0].GetProperty("sum").GetDecimal());
        Assert.Equal("USD", root.GetProperty("totals")[0].GetProperty("currency").GetString());
        JsonElement refusal = root.GetProperty("refusals")[0];
        Assert.Equal(("NotANumber", 2, "money"), (refusal.GetProperty("reason").GetString(), refusal.GetProperty("line").GetInt32(), refusal.GetProperty("column").GetString()));
    }
}
