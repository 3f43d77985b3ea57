using System.CommandLine;
using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Engine.History;
using Collections.Engine.Logs;
using Collections.Server.Hosting;
using Collections.Server.Training;

namespace Collections.Server.Commands;

/// <summary><c>collections features</c>: the whole catalogue as of a date, a debtor a row.</summary>
internal static class FeaturesCommand
{
    public static Command Build()
    {
        var data = new Option<string>("--data") { Description = "Directory of the log", DefaultValueFactory = _ => DataDirectory.Default };
        var asOf = new Option<string>("--as-of") { Description = "The end of this day (YYYY-MM-DD): what was effective and known by then", Required = true };
        Option<bool> incomplete = Incomplete();
        var command = new Command("features", "Write the features of every debtor as of a date, from the log: a CSV, first column 'debtor'") { data, asOf, incomplete };
        command.SetAction(arguments => Run(new DataDirectory(arguments.GetValue(data)!), arguments.GetValue(asOf)!, arguments.GetValue(incomplete)));
        return command;
    }

    /// <summary>What is asked of an archive that misses something.</summary>
    internal static Option<bool> Incomplete() => new("--incomplete") { Description = "Read the archive of a Kafka log as it is, although it misses something" };

    private static int Run(DataDirectory directory, string asOf, bool incomplete)
    {
        if (!Day.TryParse(asOf, out Day day))
            return Output.Fail($"--as-of: '{asOf}' is no date from 1970-01-02 to 2149-06-05 as YYYY-MM-DD");
        try
        {
            if (!directory.HasLog)
                return Output.Fail($"--data: there is no log in {Path.GetFullPath(directory.Path)}");
            using IEventLog log = directory.OpenPast(TimeProvider.System, incomplete, out string? missing);
            if (missing is not null)
                Output.Warn($"the archive is not complete: {missing}");
            using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16);
            Write(log, day, output);
            return 0;
        }
        catch (Exception failure) when (DataDirectory.IsExpected(failure))
        {
            return Output.Fail(failure.Message);
        }
    }

    /// <summary>Writes header and rows, ordered by tenant and debtor.</summary>
    internal static void Write(IEventLog log, Day day, TextWriter output)
    {
        var line = new StringBuilder("debtor");
        FeatureColumns.AppendHeader(line);
        output.Write(line.Append('\n'));
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (int partition = 0; partition < log.PartitionCount; partition++)
        {
            using var book = new HistoricalBook(log, partition, AsOf.EndOf(day));
            var values = new double[FeatureCatalogue.Count];
            while (book.Next())
            {
                book.Debtor.Features(book.AsOf, values);
                string name = Encoding.UTF8.GetString(book.Debtor.Name);
                line.Clear();
                FeatureColumns.AppendField(line, name);
                FeatureColumns.Append(line, book.Debtor, values);
                rows.Add($"{Encoding.UTF8.GetString(book.Debtor.Tenant)}/{name}", line.Append('\n').ToString());
            }
        }
        foreach (string row in rows.Values)
            output.Write(row);
    }
}
