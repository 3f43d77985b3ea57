using System.CommandLine;
using System.Net;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;
using Collections.Kafka;
using Collections.Server.Hosting;
using Collections.Server.Kafka;
using Collections.Server.Operations;

namespace Collections.Server.Commands;

/// <summary><c>collections serve</c>: the node, with its log in a directory and its store there too or in PostgreSQL.</summary>
internal static class ServeCommand
{
    public const string ListenDefault = "127.0.0.1:7700";

    public static Command Build()
    {
        var data = new Option<string>("--data") { Description = "Directory of the log and the store; created if missing", DefaultValueFactory = _ => DataDirectory.Default };
        var listen = new Option<string>("--listen") { Description = "Address and port of gRPC; a loopback address, unless --trust-network is given; port 0 takes a free one", DefaultValueFactory = _ => ListenDefault };
        var partitions = new Option<int?>("--partitions") { Description = $"Partitions of a new log (default {DataDirectory.PartitionsDefault}); an existing log keeps its own" };
        var model = new Option<string?>("--model") { Description = "LightGBM model file, or a directory with model.txt and manifest.json: added to the registry and activated; if not given, what is active stays, and a new registry begins with the shipped model" };
        var store = new Option<string?>("--store") { Description = $"{StoreCommand.ConnectionForm}; if not given, SQLite in --data" };
        var advertise = new Option<string?>("--advertise") { Description = "Where the other nodes of a Kafka log reach this one, as host:port; if not given, where it listens" };
        var kafka = new KafkaSettings();
        var operations = new OperationsOptions();
        var command = new Command("serve", "Run a node: log, partitions, queues and gRPC, with SQLite inside") { data, listen, advertise, partitions, model, store };
        kafka.AddTo(command, joins: true);
        operations.AddTo(command);
        command.SetAction((arguments, cancellation) => operations.RunAsync(arguments, (watch, log) => RunAsync(
            new DataDirectory(arguments.GetValue(data)!) { Store = arguments.GetValue(store) }, arguments.GetValue(listen)!, arguments.GetValue(advertise), operations.TrustsNetwork(arguments), arguments.GetValue(partitions), arguments.GetValue(model),
            () => kafka.Read(arguments), watch, log, cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(
        DataDirectory directory, string listen, string? advertise, bool trustNetwork, int? partitions, string? modelPath, Func<KafkaLogOptions?> readKafka, OperationsServer? watch, ServeLog say,
        CancellationToken cancellation)
    {
        if (!TryParseListen("--listen", listen, ListenDefault, trustNetwork, out IPEndPoint endpoint, out string problem))
            return say.Fail(problem);
        string error = "";
        ScoringModel? model = modelPath is null ? ShippedModel.Propensity() : ShippedModel.FromFile(modelPath, out error);
        if (model is null)
            return say.Fail(error);
        try
        {
            KafkaLogOptions? kafka = readKafka();
            if (kafka is not null && directory.Store is null)
                say.Warn($"the store is in --data: this node must stay the only one of the group '{kafka.Group}'; nodes that share the topics share a store, which --store names");
            if (kafka is not null && advertise is null && (endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any)))
                return say.Fail($"--advertise is missing: other nodes can't reach this one at {endpoint}; name a host and port, such as node-1.example.org:{endpoint.Port}");
            if (advertise is not null && !IsHostAndPort(advertise))
                return say.Fail($"--advertise: '{advertise}' is no host and port, such as node-1.example.org:7700");
            using KafkaSource? source = kafka is null ? null : await KafkaSource.OpenAsync(kafka, directory, partitions, TimeProvider.System, say.Warn, cancellation);
            using IEventLog log = source?.Log ?? (IEventLog)directory.OpenLog(partitions, TimeProvider.System);
            using IStore store = directory.OpenStore();
            var options = new EngineOptions { Model = model, ActivateModel = modelPath is not null, Owner = $"{Environment.MachineName}:{Environment.ProcessId}" };
            await using NodeServer server = await NodeServer.StartAsync(log, store, options, TimeProvider.System, endpoint, say.Warn, advertise, trustNetwork);
            watch?.Observe(server);
            string version = Services.DebtorsService.VersionText, data = Path.GetFullPath(directory.Path), active = $"{server.Node.Models.Current.Propensity}";
            say.Tell("started", $"collections {version}: {log.PartitionCount} partitions in {data}{directory.StorePlace}, model {active}", ("version", version), ("partitions", log.PartitionCount), ("data", data), ("model", active));
            string trusted = trustNetwork ? "whoever reaches it is trusted with every role" : "bound to this machine, whose callers are trusted with every role";
            say.Tell("listening", $"gRPC on {server.Address}; {trusted}: no authentication is configured", ("grpc", server.Address));
            _ = ReadinessLog.RunAsync(server, say);
            await server.WaitForShutdownAsync(cancellation);
            say.Tell("stopping", "stopping: keeping the last checkpoint");
            return 0;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (ModelRefusedException refused)
        {
            return say.Fail($"--model: {refused.Message}");
        }
        catch (Exception failure) when (DataDirectory.IsExpected(failure))
        {
            return say.Fail(failure.Message);
        }
    }

    private static bool IsHostAndPort(string text) =>
        Uri.TryCreate($"http://{text}", UriKind.Absolute, out Uri? parsed) && parsed.Authority == text && text.Contains(':', StringComparison.Ordinal) && parsed.Port > 0;

    /// <param name="option">Whose value it is.</param>
    /// <param name="example">An address that would do.</param>
    /// <param name="trustNetwork">Whether addresses that other machines can reach are allowed.</param>
    internal static bool TryParseListen(string option, string text, string example, bool trustNetwork, out IPEndPoint endpoint, out string problem)
    {
        problem = "";
        if (!IPEndPoint.TryParse(text.Replace("localhost", "127.0.0.1", StringComparison.OrdinalIgnoreCase), out IPEndPoint? parsed))
        {
            endpoint = new IPEndPoint(IPAddress.Loopback, 0);
            problem = $"{option}: '{text}' is no address and port, such as {example}";
            return false;
        }
        endpoint = parsed;
        if (!trustNetwork && !IPAddress.IsLoopback(parsed.Address))
            problem = $"{option}: '{text}' can be reached from other machines, and no authentication is configured; use a loopback address, such as {example}, or --trust-network if the network keeps everybody else out";
        return problem.Length == 0;
    }
}
