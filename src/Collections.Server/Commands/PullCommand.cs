using System.CommandLine;
using System.Globalization;
using Collections.V1;
using Google.Protobuf;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary><c>collections pull</c>: the best actions of a queue, each under a lease.</summary>
internal static class PullCommand
{
    public static Command Build()
    {
        var queue = new Argument<string?>("queue") { Description = "portfolio/channel, such as default/voice; lists the queues if not given", Arity = ArgumentArity.ZeroOrOne };
        var count = new Option<int>("-n", "--count") { Description = "How many actions", DefaultValueFactory = _ => 10 };
        var caller = new Option<string>("--caller") { Description = "Who pulls", DefaultValueFactory = _ => "cli" };
        var seconds = new Option<int>("--lease-seconds") { Description = "How long the leases last; 0 takes the default", DefaultValueFactory = _ => 0 };
        var request = new Option<string>("--request-id") { Description = "The same id gives the same leases again", DefaultValueFactory = _ => "" };
        var language = ReasonOutput.Language();
        var bare = new Option<bool>("--without-reasons") { Description = "Don't find and keep the reasons of each action" };
        var client = new ClientOptions();
        var command = new Command("pull", "Pull the next best actions of a queue from a running node") { queue, count, caller, seconds, request, language, bare };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) => ClientOptions.CallAsync(arguments.GetValue(client.Address)!, async channel =>
        {
            var queues = new Queues.QueuesClient(channel);
            string tenant = arguments.GetValue(client.Tenant)!;
            bool json = arguments.GetValue(client.Json);
            if (arguments.GetValue(queue) is not { Length: > 0 } name)
            {
                Show(await queues.ListQueuesAsync(new ListQueuesRequest { Tenant = tenant }, cancellationToken: cancellation), json);
                return;
            }
            PullResponse response = await queues.PullAsync(
                new PullRequest
                {
                    Tenant = tenant,
                    Queue = name,
                    Count = arguments.GetValue(count),
                    Caller = arguments.GetValue(caller)!,
                    RequestId = arguments.GetValue(request)!,
                    LeaseSeconds = arguments.GetValue(seconds),
                    Language = arguments.GetValue(language)!,
                    WithoutReasons = arguments.GetValue(bare),
                },
                cancellationToken: cancellation);
            Show(response, json);
        }));
        return command;
    }

    private static void Show(ListQueuesResponse response, bool json)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonFormatter.Default.Format(response));
            return;
        }
        Table table = new Table().Border(TableBorder.Simple).AddColumns("queue", "waiting", "leased", "best value");
        foreach (QueueSummary queue in response.Queues)
        {
            table.AddRow(
                Markup.Escape(queue.Queue), queue.Waiting.ToString("N0", CultureInfo.InvariantCulture), queue.Leased.ToString("N0", CultureInfo.InvariantCulture),
                queue.BestValue.ToString("N2", CultureInfo.InvariantCulture));
        }
        Output.Results.Write(table);
    }

    private static void Show(PullResponse response, bool json)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonFormatter.Default.Format(response));
            return;
        }
        Table table = new Table().Border(TableBorder.Simple).AddColumns("lease", "debtor", "channel", "value", "propensity", "overdue", "dpd", "until", "first reason");
        foreach (V1.Action action in response.Actions)
        {
            table.AddRow(
                action.Lease, Markup.Escape(action.Debtor), action.Channel.ToString().ToLowerInvariant(), action.Value.ToString("N2", CultureInfo.InvariantCulture),
                action.Propensity.ToString("P1", CultureInfo.InvariantCulture), ClientOptions.Amount(action.Overdue.MinorUnits, action.Overdue.Currency),
                action.OldestDaysPastDue.ToString(CultureInfo.InvariantCulture), action.Expires.ToDateTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                Markup.Escape(ReasonOutput.InBrief(action.Reasons, 1)));
        }
        Output.Results.Write(table);
        if (response.Reason.Length > 0)
            Output.Warn(response.Reason);
    }
}
