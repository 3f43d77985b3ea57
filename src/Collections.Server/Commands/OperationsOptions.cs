using System.CommandLine;
using System.Net;
using Collections.Server.Operations;

namespace Collections.Server.Commands;

/// <summary>How a running node is watched: the options of <c>serve</c> for its operators, and what they start around it.</summary>
internal sealed class OperationsOptions
{
    /// <summary>Beside the port of gRPC; what documents and the shipped Prometheus configuration use. Nothing listens there unless asked for.</summary>
    public const string MetricsExample = "127.0.0.1:7701";

    private readonly Option<string?> metrics = new("--metrics") { Description = $"Loopback address and port of /metrics, /healthz and /readyz over HTTP/1.1, such as {MetricsExample}; port 0 takes a free one; not given: none" };
    private readonly Option<string> logFormat = new("--log-format") { Description = "text, or json: one object a line, all on standard error", DefaultValueFactory = _ => "text" };

    public OperationsOptions() => logFormat.AcceptOnlyFromAmong("text", "json");

    public void AddTo(Command command)
    {
        command.Options.Add(metrics);
        command.Options.Add(logFormat);
    }

    /// <summary>Runs a node with the log that was asked for, the operators' port if one was asked for, and OTLP if the environment names a collector.</summary>
    /// <param name="serve">Runs until the node has stopped; the answer is the exit code.</param>
    public async Task<int> RunAsync(ParseResult arguments, Func<OperationsServer?, ServeLog, Task<int>> serve)
    {
        var log = new ServeLog(arguments.GetValue(logFormat) == "json", Console.Out, Console.Error, TimeProvider.System);
        IPEndPoint? listen = null;
        if (arguments.GetValue(metrics) is { } address)
        {
            if (!ServeCommand.TryParseListen("--metrics", address, MetricsExample, out IPEndPoint endpoint, out string problem))
                return log.Fail(problem);
            listen = endpoint;
        }
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
