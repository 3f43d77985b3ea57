using System.CommandLine;
using Collections.Engine.Logs;
using Collections.Server.Hosting;
using Collections.Server.Import;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary><c>collections import</c>: CSV into the log.</summary>
internal static class ImportCommand
{
    public static Command Build()
    {
        var files = new Argument<string[]>("file") { Description = "CSV files", Arity = ArgumentArity.OneOrMore };
        var mapping = new Option<string>("--mapping") { Description = "YAML that says what the columns mean", Required = true };
        var data = new Option<string>("--data") { Description = "Directory of the log; created if missing", DefaultValueFactory = _ => DataDirectory.Default };
        var partitions = new Option<int?>("--partitions") { Description = $"Partitions of a new log (default {DataDirectory.PartitionsDefault})" };
        var json = new Option<bool>("--json") { Description = "Print the report as JSON" };
        var command = new Command("import", "Import CSV files into the log; exit code 0: all went in, 1: some rows were refused, 2: nothing could be done") { files, mapping, data, partitions, json };
        command.SetAction((arguments, cancellation) => RunAsync(
            arguments.GetValue(files)!, arguments.GetValue(mapping)!, new DataDirectory(arguments.GetValue(data)!), arguments.GetValue(partitions), arguments.GetValue(json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string[] files, string mappingPath, DataDirectory directory, int? partitions, bool json, CancellationToken cancellation)
    {
        ImportMappingResult mapping = ImportMapping.Load(mappingPath);
        if (mapping.Mapping is null)
        {
            Console.Error.Write(ImportReportText.Render(mapping.Errors));
            return 2;
        }
        try
        {
            using IEventLog log = directory.OpenLog(partitions, TimeProvider.System);
            var import = new CsvImport(mapping.Mapping, log.PartitionCount, log.AppendAsync, TimeProvider.System);
            ImportReport report = await WithProgressAsync(progress => import.RunAsync(files, progress, cancellation));
            Console.Out.Write(json ? ImportReportText.RenderJson(report) + "\n" : ImportReportText.Render(report));
            return report.ExitCode;
        }
        catch (Exception failure) when (DataDirectory.IsExpected(failure))
        {
            return Output.Fail(failure.Message);
        }
        catch (OperationCanceledException)
        {
            return Output.Fail("stopped; what went in stays, and importing the same files again adds only the rest");
        }
    }

    private static Task<ImportReport> WithProgressAsync(Func<IProgress<ImportProgress>, Task<ImportReport>> import) =>
        Output.Notes.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).StartAsync(async bars =>
        {
            ProgressTask bar = bars.AddTask("importing");
            return await import(new BarProgress(bar));
        });

    private sealed class BarProgress(ProgressTask bar) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value)
        {
            bar.Description = Markup.Escape($"{Path.GetFileName(value.File)}: {value.RowCount:N0} rows");
            bar.MaxValue = Math.Max(1, value.BytesTotal);
            bar.Value = value.BytesRead;
        }
    }
}
