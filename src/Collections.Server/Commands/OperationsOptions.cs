using System.CommandLine;
using System.Net;
using Collections.Server.Operations;

namespace Collections.Server.Commands;

/// <summary>How a running node is watched: the options of <c>serve</c> for its operators, and what they start around it.</summary>
internal sealed class OperationsOptions
{
    /// <summary>Beside the port of gRPC; what documents and the shipped Prometheus configuration use. Nothing listens there unless asked for.</summary>
    public const string MetricsExample = "127.0.0.1:7701";

    private readonly Option<string?> metrics = new("--metrics") { Description = $"Address and port of /metrics, /healthz and /readyz over HTTP/1.1, such as {MetricsExample}; a loopback address, unless --trust-network is given; port 0 takes a free one; not given: none" };
    private readonly Option<string> logFormat = new("--log-format") { Description = "text, or json: one object a line, all on standard error", DefaultValueFactory = _ => "text" };

    private readonly Option<bool> trustNetwork = new("--trust-network") { Description = "Let --listen and --metrics have addresses that other machines can reach. Nobody is authenticated: whoever reaches the port of gRPC has every role, so the network must keep everybody else out" };

    public OperationsOptions() => logFormat.AcceptOnlyFromAmong("text", "json");

    public void AddTo(Command command)
    {
        command.Options.Add(metrics);
        command.Options.Add(logFormat);
        command.Options.Add(trustNetwork);
    }

    /// <summary>Whether addresses that other machines can reach are allowed, and callers from there served.</summary>
    public bool TrustsNetwork(ParseResult arguments) => arguments.GetValue(trustNetwork);

    /// <summary>Runs a node with the log that was asked for, the operators' port if one was asked for, and OTLP if the environment names a collector.</summary>
    /// <param name="serve">Runs until the node has stopped; the answer is the exit code.</param>
    public async Task<int> RunAsync(ParseResult arguments, Func<OperationsServer?, ServeLog, Task<int>> serve)
    {
        var log = new ServeLog(arguments.GetValue(logFormat) == "json", Console.Out, Console.Error, TimeProvider.System);
        IPEndPoint? listen = null;
        if (arguments.GetValue(metrics) is { } address)
        {
            if (!ServeCommand.TryParseListen("--metrics", address, MetricsExample, TrustsNetwork(arguments), out IPEndPoint endpoint, out string problem))
                return log.Fail(problem);
            listen = endpoint;
        }
        if (TrustsNetwork(arguments))
            log.Warn("network_trusted", "--trust-network: nobody is authenticated. Every caller who can reach the port of gRPC has every role, for every tenant; the network must keep all others out (firewall, security group, NetworkPolicy)");
        try
        {
            using var telemetry = Telemetry.Start(Environment.GetEnvironmentVariable);
            await using OperationsServer? server = listen is null ? null : await OperationsServer.StartAsync(listen);
            if (server is not null)
                log.Tell("watched", $"metrics on {server.Address}metrics; health on {server.Address}healthz and {server.Address}readyz", ("metrics", new Uri(server.Address, "metrics")));
            return await serve(server, log);
        }
        catch (Exception failure) when (failure is IOException or TelemetrySettingException)
        {
            return log.Fail(failure.Message);
        }
    }
}
