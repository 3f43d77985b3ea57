using System.CommandLine;
using System.Globalization;
using Collections.V1;
using Google.Protobuf;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary><c>collections status</c>: how a node stands.</summary>
internal static class StatusCommand
{
    public static Command Build()
    {
        var client = new ClientOptions();
        var command = new Command("status", "Show how a running node stands: partitions, lag, counts");
        client.AddTo(command);
        command.SetAction((arguments, cancellation) => ClientOptions.CallAsync(arguments.GetValue(client.Address)!, async channel =>
        {
            StatusResponse status = await new Debtors.DebtorsClient(channel).StatusAsync(new StatusRequest(), cancellationToken: cancellation);
            if (arguments.GetValue(client.Json))
                Console.Out.WriteLine(JsonFormatter.Default.Format(status));
            else
                Show(status);
        }));
        return command;
    }

    private static void Show(StatusResponse status)
    {
        Output.Results.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"version {status.Version}, model {status.Model} {status.ModelVersion}: {status.Debtors:N0} debtors, {status.EventsApplied:N0} events applied, {status.Duplicates:N0} duplicates, {status.DeadLetters:N0} dead letters, {status.Parked:N0} parked, {status.OpenLeases:N0} leases open");
        Table table = new Table().Border(TableBorder.Simple).AddColumns("partition", "state", "debtors", "applied", "log end", "kept", "clock behind");
        foreach (PartitionStatus partition in status.Partitions)
        {
            table.AddRow(
                partition.Partition.ToString(CultureInfo.InvariantCulture), Markup.Escape(partition.Reason.Length > 0 ? $"{partition.State}: {partition.Reason}" : partition.State),
                partition.Debtors.ToString("N0", CultureInfo.InvariantCulture), Sum(partition.Applied), Sum(partition.LogEnd), Sum(partition.Checkpointed), $"{partition.ClockDelayMs:N0} ms");
        }
        Output.Results.Write(table);
    }

    private static string Sum(IEnumerable<long> offsets) => offsets.Sum().ToString("N0", CultureInfo.InvariantCulture);
}
