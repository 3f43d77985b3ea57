using System.CommandLine;
using System.Globalization;
using Collections.Kafka;
using Collections.Server.Commands;

namespace Collections.Load;

/// <summary>The command line: what may be asked for, and what is wrong with what was.</summary>
internal sealed class LoadCommand
{
    private readonly Argument<string> scenario = new("SCENARIO") { Description = string.Join("; ", Scenario.All.Select(static s => $"{s.Name}: {s.Summary}")) };
    private readonly Option<string> target = new("--target") { Description = "embedded: a node of its own; grpc: the nodes at --address; kafka: the topics of --kafka", DefaultValueFactory = _ => "embedded" };
    private readonly Option<string> address = new("--address") { Description = "Nodes as host:port,host:port, taken in turn", DefaultValueFactory = _ => "" };
    private readonly KafkaSettings kafka = new();
    private readonly Option<int> seconds = Number("--seconds", "How long requests are planned for", 20);
    private readonly Option<int> seed = Number("--seed", "The same seed and options give the same plan", 1);
    private readonly Option<int> debtors = Number("--debtors", "Debtors of the book that is filled in first", 50_000);
    private readonly Option<int?> rate = Rate("--rate", "Events a second on average");
    private readonly Option<int?> batch = Rate("--batch", "Events of one append");
    private readonly Option<int?> pullRate = Rate("--pull-rate", "Pulls a second on average");
    private readonly Option<int> pullCount = Number("--pull-count", "Actions of one pull", 100);
    private readonly Option<int?> getRate = Rate("--get-rate", "Debtors looked at a second on average");
    private readonly Option<bool> withoutReasons = new("--without-reasons") { Description = "Pull as high-volume senders do" };
    private readonly Option<bool> durable = new("--durable") { Description = "Appends wait until they are durable, not until they are applied" };
    private readonly Option<int> inFlight = Number("--in-flight", "Calls that may be unanswered at a time", Limits.InFlightDefault);
    private readonly Option<int> timeout = Number("--timeout-seconds", "How long a call may take, and the plan after its end if it is late", Limits.TimeoutSecondsDefault);
    private readonly Option<string?> histogram = new("--histogram") { Description = "Write percentiles for HdrHistogram's plotter: FILE.hgrm becomes FILE.append.hgrm, FILE.pull.hgrm …" };
    private readonly Option<bool> json = new("--json") { Description = "Print one JSON object instead of tables" };
    private readonly RootCommand root;

    private LoadCommand()
    {
        root = new RootCommand("Loads Collections Engine: requests go out when they are planned, whether or not earlier ones were answered, and latency counts from then.")
        {
            scenario, target, address, seconds, seed, debtors, rate, batch, pullRate, pullCount, getRate, withoutReasons, durable, inFlight, timeout, histogram, json,
        };
        kafka.AddTo(root);
    }

    /// <returns>The exit code: 0; 1, if requests failed or answers contradicted each other; 2, if nothing could be done.</returns>
    public static async Task<int> RunAsync(string[] arguments, Func<LoadOptions, CancellationToken, Task<int>> run)
    {
        // Not a scenario: it stands beside them.
        if (arguments is ["broker", ..])
            return await MockBroker.Build().Parse(arguments[1..]).InvokeAsync();
        var command = new LoadCommand();
        command.root.SetAction((parsed, cancellation) =>
            command.Read(parsed, out string problem) is { } options ? run(options, cancellation) : Task.FromResult(Output.Fail(problem)));
        ParseResult result = command.root.Parse(arguments);
        int code = await result.InvokeAsync();
        return result.Errors.Count > 0 ? 2 : code;
    }

    /// <summary>Reads the arguments.</summary>
    /// <returns>The options, or null and what is wrong.</returns>
    public static LoadOptions? Read(string[] arguments, out string problem)
    {
        var command = new LoadCommand();
        ParseResult result = command.root.Parse(arguments);
        problem = result.Errors.Count > 0 ? result.Errors[0].Message : "";
        return problem.Length > 0 ? null : command.Read(result, out problem);
    }

    private static Option<int> Number(string name, string description, int value) => new(name) { Description = description, DefaultValueFactory = _ => value };

    private static Option<int?> Rate(string name, string description) => new(name) { Description = $"{description}; the scenario's own if not given" };

    private LoadOptions? Read(ParseResult arguments, out string problem)
    {
        if (Scenario.Find(arguments.GetValue(scenario)!) is not { } found)
        {
            problem = $"there is no scenario '{arguments.GetValue(scenario)}'; take one of {string.Join(", ", Scenario.All.Select(static s => s.Name))}";
            return null;
        }
        if (!TryTarget(arguments, out TargetKind kind, out KafkaLogOptions? cluster, out Uri[] nodes, out problem))
            return null;
        var options = new LoadOptions
        {
            Scenario = found,
            Target = kind,
            Addresses = nodes,
            Kafka = cluster,
            Seconds = arguments.GetValue(seconds),
            Seed = arguments.GetValue(seed),
            Debtors = arguments.GetValue(debtors),
            EventRate = arguments.GetValue(rate) ?? found.EventRate,
            Batch = arguments.GetValue(batch) ?? found.Batch,
            PullRate = arguments.GetValue(pullRate) ?? found.PullRate,
            PullCount = arguments.GetValue(pullCount),
            GetRate = arguments.GetValue(getRate) ?? found.GetRate,
            WithoutReasons = arguments.GetValue(withoutReasons),
            Durable = arguments.GetValue(durable),
            InFlight = arguments.GetValue(inFlight),
            TimeoutSeconds = arguments.GetValue(timeout),
            HistogramFile = arguments.GetValue(histogram),
            Json = arguments.GetValue(json),
        };
        problem = ProblemOf(options);
        return problem.Length == 0 ? options : null;
    }

    private bool TryTarget(ParseResult arguments, out TargetKind kind, out KafkaLogOptions? cluster, out Uri[] nodes, out string problem)
    {
        (cluster, nodes, problem) = (null, [], "");
        string given = arguments.GetValue(target)!, addresses = arguments.GetValue(address)!;
        TargetKind? named = given switch { "embedded" => TargetKind.Embedded, "grpc" => TargetKind.Grpc, "kafka" => TargetKind.Kafka, _ => null };
        kind = named ?? TargetKind.Embedded;
        if (named is null)
            problem = $"--target: '{given}' is no target; take embedded, grpc or kafka";
        else if (!TryAddresses(addresses, out nodes, out string wrong))
            problem = $"--address: '{wrong}' is no host:port, such as 127.0.0.1:7700";
        else if (kind == TargetKind.Embedded && nodes.Length > 0)
            problem = "--address: the embedded target is a node of its own; add --target grpc";
        else if (kind == TargetKind.Grpc && nodes.Length == 0)
            problem = "--target grpc needs --address: where the nodes listen, such as 127.0.0.1:7700";
        if (problem.Length > 0)
            return false;
        try
        {
            cluster = kafka.Read(arguments);
        }
        catch (KafkaRefusedException refused)
        {
            problem = refused.Message;
            return false;
        }
        if (kind == TargetKind.Kafka != cluster is not null)
            problem = cluster is null ? "--target kafka needs --kafka: brokers as host:port,host:port" : "--kafka: events go there only with --target kafka";
        return problem.Length == 0;
    }

    private static bool TryAddresses(string text, out Uri[] nodes, out string wrong)
    {
        string[] parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        nodes = [.. parts.Select(static part => Uri.TryCreate(part.Contains("://", StringComparison.Ordinal) ? part : $"http://{part}", UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" ? uri : null).OfType<Uri>()];
        wrong = nodes.Length == parts.Length ? "" : text;
        return wrong.Length == 0;
    }

    private static string ProblemOf(LoadOptions o)
    {
        string problem = OutOfRange("--seconds", o.Seconds, 1, Limits.SecondsMax)
            ?? OutOfRange("--debtors", o.Debtors, 10, Limits.DebtorsMax)
            ?? RateProblem(o, "--rate", o.EventRate, o.Scenario.EventRate, Limits.EventRateMax, "appends no events")
            ?? OutOfRange("--batch", o.Batch, 1, Engine.Limits.AppendEventsMax)
            ?? RateProblem(o, "--pull-rate", o.PullRate, o.Scenario.PullRate, Limits.CallRateMax, "pulls nothing")
            ?? OutOfRange("--pull-count", o.PullCount, 1, Engine.Limits.PullMax)
            ?? RateProblem(o, "--get-rate", o.GetRate, o.Scenario.GetRate, Limits.CallRateMax, "reads no debtors")
            ?? OutOfRange("--in-flight", o.InFlight, 1, Limits.InFlightMax)
            ?? OutOfRange("--timeout-seconds", o.TimeoutSeconds, 1, Limits.TimeoutSecondsMax)
            ?? "";
        if (problem.Length > 0)
            return problem;
        if (o.Target == TargetKind.Kafka && o.Addresses.Count == 0 && o.PullRate + o.GetRate > 0)
            return $"the scenario '{o.Scenario.Name}' pulls or reads from nodes, which Kafka can't answer; say with --address where they listen";
        if (o.HistogramFile is { } file && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file))))
            return $"--histogram: there is no folder for '{file}'; create it first";
        long requests = ((long)o.EventRate / o.Batch + o.PullRate + o.GetRate) * o.Seconds;
        return requests <= Limits.RequestsMax
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"{requests:N0} requests are more than the {Limits.RequestsMax:N0} that can be planned; take a larger --batch, a lower rate or fewer --seconds");
    }

    private static string? RateProblem(LoadOptions o, string option, int value, int own, int most, string why) =>
        own == 0 && value != 0 ? $"{option}: the scenario '{o.Scenario.Name}' {why}" : own == 0 ? null : OutOfRange(option, value, 1, most);

    private static string? OutOfRange(string option, int value, int least, int most) =>
        value >= least && value <= most ? null : string.Create(CultureInfo.InvariantCulture, $"{option}: must be {least:N0} to {most:N0}, but is {value:N0}");
}
