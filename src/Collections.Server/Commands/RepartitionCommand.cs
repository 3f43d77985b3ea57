using System.CommandLine;
using Collections.Kafka.Bridge;
using Collections.Server.Kafka;

namespace Collections.Server.Commands;

/// <summary><c>collections kafka repartition</c>: the bridge for topics that are keyed otherwise.</summary>
internal static class RepartitionCommand
{
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(10);

    public static Command Build()
    {
        var kafka = new KafkaSettings();
        var from = new Option<string>("--from") { Description = "Topics to read, separated by commas; their records are events as JSON or protobuf, keyed by anything", Required = true };
        var keyFrom = new Option<string>("--key-from") { Description = "Field of JSON records that names the debtor, where it is no field of the event", DefaultValueFactory = _ => "" };
        var group = new Option<string>("--group") { Description = "Consumer group: bridges of one group share the work, and go on where it was", DefaultValueFactory = _ => RepartitionPlan.GroupDefault };
        var untilEnd = new Option<bool>("--until-end") { Description = "End when everything has been passed on, instead of waiting for more" };
        var command = new Command("repartition", "Pass events of other topics on to the log's, each to its debtor's partition; what is no event becomes a dead letter") { from, keyFrom, group, untilEnd };
        kafka.AddTo(command);
        command.SetAction((arguments, cancellation) => Task.Run(() => KafkaCommand.Guarded(kafka, arguments, options =>
        {
            var plan = new RepartitionPlan(arguments.GetValue(from)!.Split(',', StringSplitOptions.TrimEntries))
            {
                Group = arguments.GetValue(group)!,
                KeyField = arguments.GetValue(keyFrom)!,
                UntilEnd = arguments.GetValue(untilEnd),
            };
            using var bridge = new Repartition(options, plan, EventJson.TryToWire, TimeProvider.System, Output.Warn);
            Console.Out.WriteLine($"passing {string.Join(", ", plan.Sources)} on to {options.Prefix}.invoices, {options.Prefix}.payments and {options.Prefix}.activity");
            using (new Timer(_ => Console.Out.WriteLine(bridge.Tally), null, TellEvery, TellEvery))
                bridge.Run(cancellation);
            Console.Out.WriteLine(bridge.Tally);
            return bridge.Tally.DeadLetters == 0 ? 0 : 1;
        }), CancellationToken.None));
        return command;
    }
}
