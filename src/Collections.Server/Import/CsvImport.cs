using System.Globalization;
using System.Security.Cryptography;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Server.Import;

/// <summary>How far an import is.</summary>
public readonly record struct ImportProgress(
    string File, int FileNumber, int FileCount, long BytesRead, long BytesTotal, long RowCount, long RefusedRowCount, long EventCount);

/// <summary>What the host sets for an import.</summary>
public sealed record ImportOptions
{
    /// <summary>How many refusals, and how many suspicions, the report lists; all are counted.</summary>
    public int ListedFindingsMax { get; init; } = ImportLimits.ListedFindingsMax;
}

/// <summary>
/// Reads CSV files into the log by a mapping. Rows stream through in constant memory. A row goes in with all its events or not at all; what
/// is refused is in the report. Ids come from the rows, so that importing a file again changes nothing.
/// </summary>
/// <param name="append">Makes a batch durable: <see cref="IEventLog.AppendAsync"/>. Its exceptions end the import, which can then be run again.</param>
/// <param name="time">When the import happens: what a row doesn't say otherwise is known from then on.</param>
public sealed class CsvImport(
    ImportMapping mapping, int partitionCount, Func<AppendBatch, CancellationToken, Task> append, TimeProvider time, ImportOptions? options = null)
{
    private readonly FindingList refusals = new((options ?? new ImportOptions()).ListedFindingsMax);
    private readonly FindingList suspicions = new((options ?? new ImportOptions()).ListedFindingsMax);
    private readonly AppendBatch batch = new();
    private readonly List<FileReport> reports = [];
    private readonly long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Imports the files in the order given. To be called once.</summary>
    public async Task<ImportReport> RunAsync(IReadOnlyList<string> files, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(mapping.Content);
        var watch = new SuspicionWatch(mapping.Suspicion, suspicions, Day.OfMs(nowMs));
        var rows = new RowImport(nowMs, partitionCount, batch, watch, files);
        for (int i = 0; i < files.Count; i++)
            reports.Add(await ImportFileAsync(i, files, rows, digest, progress, cancellation));
        await FlushAsync(cancellation);
        // Without an event there is no history to end.
        if (reports.Sum(r => r.EventCount) > 0)
            await EndAsync(digest.GetHashAndReset(), cancellation);
        watch.Finish();
        return Report(watch);
    }

    private async Task<FileReport> ImportFileAsync(int index, IReadOnlyList<string> files, RowImport rows, IncrementalHash digest, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        string path = files[index];
        var counts = new FileCounts();
        if (SectionOf(path, out ImportFinding? refusal) is not { } section || CsvFile.Open(path, section, digest, out refusal) is not { } file)
        {
            refusals.Add(refusal!);
            return counts.Report(path, refusal);
        }
        using (file)
        {
            while (true)
            {
                RowOutcome outcome = file.Next();
                if (outcome == RowOutcome.Failed)
                    refusals.Add(refusal = file.Finding);
                if (outcome is RowOutcome.Failed or RowOutcome.End)
                    break;
                if (outcome == RowOutcome.EmptyLine)
                    counts.EmptyLines++;
                else
                    Take(file, outcome, section, index, rows, counts);
                if (batch.Count >= ImportLimits.BatchEventCount || batch.ByteCount >= ImportLimits.BatchByteCount)
                {
                    await FlushAsync(cancellation);
                    progress?.Report(Progress(file));
                }
            }
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(Progress(file));
        }
        if (counts.Rows == 0 && refusal == null)
        {
            refusal = new ImportFinding(Path.GetFileName(path), 0, "", "", ImportReason.FileWithoutRows, "the file has a header and no rows", "export it again, or leave it out");
            refusals.Add(refusal);
        }
        return counts.Report(path, refusal);

        ImportProgress Progress(CsvFile of) =>
            new(Path.GetFileName(path), index + 1, files.Count, of.BytesRead, of.BytesTotal, counts.Rows, counts.Refused, counts.Events);
    }

    private void Take(CsvFile file, RowOutcome outcome, FileSection section, int index, RowImport rows, FileCounts counts)
    {
        counts.Rows++;
        if (outcome == RowOutcome.Refused)
        {
            counts.Refused++;
            refusals.Add(file.Finding);
            return;
        }
        switch (rows.Take(section, file.Row, index, counts))
        {
            case RowFate.Imported:
                counts.Imported++;
                break;
            case RowFate.Ignored:
                counts.Ignored++;
                break;
            default:
                counts.Refused++;
                foreach (ImportFinding finding in rows.Findings)
                    refusals.Add(finding);
                break;
        }
    }

    private FileSection? SectionOf(string path, out ImportFinding? refusal)
    {
        IReadOnlyList<FileSection> sections = mapping.SectionsFor(path);
        refusal = sections.Count == 1 ? null : new ImportFinding(
            Path.GetFileName(path),
            0,
            "",
            "",
            sections.Count == 0 ? ImportReason.FileNotMapped : ImportReason.FileMappedTwice,
            sections.Count == 0 ? $"no section of {mapping.Path} is for this name" : $"the sections of lines {string.Join(" and ", sections.Select(s => s.YamlLine))} of {mapping.Path} are both for this name",
            $"make exactly one 'file:' fit it; they are {string.Join(", ", mapping.Sections.Select(s => s.Pattern))}");
        return sections.Count == 1 ? sections[0] : null;
    }

    private async Task FlushAsync(CancellationToken cancellation)
    {
        if (batch.Count == 0)
            return;
        await append(batch, cancellation);
        batch.Clear();
    }

    /// <summary>Tells every partition that its history is complete. The id names the inputs, so that the same import ends once.</summary>
    private async Task EndAsync(byte[] inputs, CancellationToken cancellation)
    {
        var writer = new EventWriter();
        byte[] tenant = System.Text.Encoding.UTF8.GetBytes(mapping.Tenant);
        string name = Convert.ToHexStringLower(inputs.AsSpan(0, 16));
        for (int partition = 0; partition < partitionCount; partition++)
        {
            byte[] id = System.Text.Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"import-ended:{name}:{partition}"));
            var address = new EventAddress { Tenant = tenant, Debtor = [], Id = id };
            DebtorPlace place = DebtorPlace.OfPartition(tenant, partition);
            // Not history itself: it is what ends history.
            batch.Add(place.Partition, EventStream.Activity, place.DebtorHash, nowMs, history: false, writer.ImportEnded(address));
            if (batch.Count >= ImportLimits.BatchEventCount)
                await FlushAsync(cancellation);
        }
        await FlushAsync(cancellation);
    }

    private ImportReport Report(SuspicionWatch watch) => new()
    {
        Mapping = mapping.Path,
        Files = reports,
        Totals = FileCounts.Sum(reports.SelectMany(r => r.Totals)),
        RepeatedEventCount = watch.RepeatedEventCount,
        Refusals = refusals.Listed,
        RefusalCounts = refusals.Counts,
        Suspicions = suspicions.Listed,
        SuspicionCounts = suspicions.Counts,
        Notes =
        [
            .. watch.ForgotIds ? (string[])[string.Create(CultureInfo.InvariantCulture, $"duplicates were looked for among the first {ImportLimits.RememberedIdsMax:N0} ids and items only")] : [],
            .. watch.ForgotAmounts ? (string[])[$"of each kind and currency only the {ImportLimits.LargestAmountsMax} largest amounts were compared with the median"] : [],
        ],
    };
}
