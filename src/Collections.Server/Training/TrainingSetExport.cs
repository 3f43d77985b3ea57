using System.Globalization;
using System.Text;
using Collections.Domain.Debtors;
using Collections.Engine.History;
using Collections.Engine.Logs;
using Collections.Engine.Training;

namespace Collections.Server.Training;

/// <summary>
/// Writes a training set as a CSV. Partition by partition, in parts that fit into memory, rows go into files beside the target; then these are
/// merged in the order of (as-of date, tenant, debtor), so that the same log and options give the same bytes.
/// </summary>
/// <param name="path">Of the CSV; replaced when there is one, once the new one is whole.</param>
internal sealed class TrainingSetExport(IEventLog log, LogSurvey survey, TrainingPlan plan, string path) : IDisposable
{
    /// <summary>This run's own, so that it removes nothing of anybody else's; beside the target, so that the whole is moved there at once.</summary>
    private readonly string folder = $"{path}.{Path.GetRandomFileName()}.parts";

    private readonly double[] values = new double[FeatureCatalogue.Count];
    private readonly StringBuilder line = new();
    private readonly string weight = (1 / plan.Selection.Share).ToString("R", CultureInfo.InvariantCulture);

    public TrainingSetTally Tally { get; } = new(plan.Dates);

    /// <param name="partitionDone">Called with the number of partitions done.</param>
    /// <exception cref="OperationCanceledException">It was stopped; nothing of it is left.</exception>
    public void Run(Action<int> partitionDone, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        for (int partition = 0; partition < log.PartitionCount; partition++)
        {
            int parts = survey.PartsOf(partition, plan.Selection.Share);
            for (int part = 0; part < parts; part++)
                WritePart(partition, plan.Selection with { Part = part, Parts = parts }, cancellation);
            partitionDone(partition + 1);
        }
        if (Tally.Rows == 0)
            return;
        string whole = Path.Combine(folder, "merged");
        using (var output = new StreamWriter(whole, append: false, new UTF8Encoding(false), 1 << 16))
        {
            output.Write(Header());
            RowRunReader.Merge(Directory.EnumerateFiles(folder, "*.rows"), output);
        }
        File.Move(whole, path, overwrite: true);
    }

    public void Dispose() => RemoveParts();

    private void WritePart(int partition, HistorySelection selection, CancellationToken cancellation)
    {
        var history = new PartitionHistory(log, partition, selection);
        using var rows = new TrainingRows(history, plan);
        using var run = new RowRunWriter(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{partition}-{selection.Part}.rows")));
        bool[] seen = new bool[history.DebtorCount];
        while (rows.Next())
        {
            cancellation.ThrowIfCancellationRequested();
            Tally.Add(rows);
            if (rows.Exclusion != Exclusion.None)
                continue;
            seen[rows.DebtorPlace] = true;
            run.Add(rows.Date, rows.Debtor, Row(rows));
        }
        Tally.AddDebtors(seen.Count(static any => any));
    }

    private static string Header()
    {
        var header = new StringBuilder("as_of,tenant,debtor,portfolio,dpd_bucket");
        FeatureColumns.AppendHeader(header);
        return header.Append(",label,weight,contacted\n").ToString();
    }

    private string Row(TrainingRows row)
    {
        Debtor debtor = row.Debtor;
        string tenant = Encoding.UTF8.GetString(debtor.Tenant);
        debtor.Features(row.AsOf, values);
        line.Clear().Append(CultureInfo.InvariantCulture, $"{row.Date},");
        FeatureColumns.AppendField(line, tenant);
        line.Append(',');
        FeatureColumns.AppendField(line, Encoding.UTF8.GetString(debtor.Name));
        line.Append(',');
        FeatureColumns.AppendField(line, Encoding.UTF8.GetString(row.Portfolio));
        line.Append(',').Append(Bucket(row.Facts.OldestDpd));
        FeatureColumns.Append(line, debtor, values);
        line.Append(row.IsPositive ? ",1," : ",0,").Append(weight).Append(',');
        if (survey.KnowsAttempts(tenant))
            line.Append(row.WasAttempted ? '1' : '0');
        return line.Append('\n').ToString();
    }

    /// <summary>Ageing buckets by the oldest open item, as collectors cut them.</summary>
    private static string Bucket(int dpd) => dpd switch
    {
        <= 0 => "current",
        <= 30 => "1-30",
        <= 60 => "31-60",
        <= 90 => "61-90",
        <= 120 => "91-120",
        _ => ">120",
    };

    private void RemoveParts()
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
