using System.CommandLine;
using Collections.Engine.Logs;
using Collections.Kafka;
using Collections.Kafka.Topics;
using Collections.Server.Hosting;
using Collections.Server.Kafka;
using Collections.Storage;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary><c>collections kafka archive</c>: the past of all partitions in one directory, for those who work with it.</summary>
internal static class ArchiveCommand
{
    public static Command Build()
    {
        var kafka = new KafkaSettings();
        var data = new Option<string>("--data") { Description = "Directory of the archive: a new one, or one that no node uses", DefaultValueFactory = _ => DataDirectory.Default };
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("archive", "Fetch what the topics hold of all partitions into an archive, for 'features' and 'export'; goes on where it was stopped") { data, json };
        kafka.AddTo(command);
        // On a thread of its own, so that Ctrl-C reaches it.
        command.SetAction((arguments, cancellation) => Task.Run(
            () => KafkaCommand.Guarded(kafka, arguments, options => Run(options, arguments.GetValue(data)!, arguments.GetValue(json), cancellation)), CancellationToken.None));
        return command;
    }

    private static int Run(KafkaLogOptions options, string data, bool json, CancellationToken cancellation)
    {
        int partitions;
        using (var admin = new KafkaTopicAdmin(options))
            partitions = TopicSetup.PartitionsOf(admin, options);
        using var archive = new SqliteArchive(data, new SqliteLogOptions(partitions), TimeProvider.System);
        try
        {
            long added = Output.Notes.Progress().Start(bars =>
            {
                ProgressTask bar = bars.AddTask("fetching the topics", maxValue: 1);
                return new ArchiveFetch(options, archive, EventJson.TryToWire, TimeProvider.System) { Progress = share => bar.Value = share }.Run(cancellation);
            });
            Show(new FetchedArchive(Path.GetFullPath(data), added, partitions, partitions - archive.Faults.Select(static fault => fault.Partition).Distinct().Count(), archive.Faults), json);
            return archive.Faults.Count == 0 ? 0 : 1;
        }
        catch (LogUnavailableException unavailable)
        {
            return Output.Fail($"{unavailable.Message}; what was fetched stays: run it again, and it goes on");
        }
        catch (OperationCanceledException)
        {
            return Output.Fail("stopped; what was fetched stays: run it again, and it goes on");
        }
    }

    private static void Show(FetchedArchive fetched, bool json)
    {
        if (json)
        {
            Output.WriteJson(fetched);
            return;
        }
        Output.Results.MarkupLineInterpolated(System.Globalization.CultureInfo.InvariantCulture, $"{fetched.Added:N0} records added: {fetched.Whole:N0} of {fetched.Partitions:N0} partitions are whole");
        foreach (ArchiveFault fault in fetched.Incomplete)
            Console.Out.WriteLine($"partition {fault.Partition}: {fault.Text}");
    }

    /// <param name="Whole">Partitions of which nothing is missing.</param>
    private sealed record FetchedArchive(string Data, long Added, int Partitions, int Whole, IReadOnlyList<ArchiveFault> Incomplete);
}
