using System.CommandLine;
using System.Net;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;
using Collections.Kafka;
using Collections.Server.Hosting;
using Collections.Server.Kafka;

namespace Collections.Server.Commands;

/// <summary><c>collections serve</c>: the node, on the embedded default.</summary>
internal static class ServeCommand
{
    public const string ListenDefault = "127.0.0.1:7700";

    public static Command Build()
    {
        var data = new Option<string>("--data") { Description = "Directory of the log and the store; created if missing", DefaultValueFactory = _ => DataDirectory.Default };
        var listen = new Option<string>("--listen") { Description = "Loopback address and port; port 0 takes a free one", DefaultValueFactory = _ => ListenDefault };
        var partitions = new Option<int?>("--partitions") { Description = $"Partitions of a new log (default {DataDirectory.PartitionsDefault}); an existing log keeps its own" };
        var model = new Option<string?>("--model") { Description = "LightGBM model file, or a directory with model.txt and manifest.json: added to the registry and activated; if not given, what is active stays, and a new registry begins with the shipped model" };
        var command = new Command("serve", "Run a node: log, partitions, queues and gRPC, with SQLite inside") { data, listen, partitions, model };
        var kafka = new KafkaSettings();
        kafka.AddTo(command);
        command.SetAction((arguments, cancellation) => RunAsync(
            new DataDirectory(arguments.GetValue(data)!), arguments.GetValue(listen)!, arguments.GetValue(partitions), arguments.GetValue(model), () => kafka.Read(arguments), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(DataDirectory directory, string listen, int? partitions, string? modelPath, Func<KafkaLogOptions?> readKafka, CancellationToken cancellation)
    {
        if (!TryParseListen(listen, out IPEndPoint endpoint, out string problem))
            return Output.Fail(problem);
        string error = "";
        ScoringModel? model = modelPath is null ? ShippedModel.Propensity() : ShippedModel.FromFile(modelPath, out error);
        if (model is null)
            return Output.Fail(error);
        try
        {
            KafkaLogOptions? kafka = readKafka();
            using KafkaSource? source = kafka is null ? null : await KafkaSource.OpenAsync(kafka, directory, partitions, TimeProvider.System, Output.Warn, cancellation);
            using IEventLog log = source?.Log ?? (IEventLog)directory.OpenLog(partitions, TimeProvider.System);
            using IStore store = directory.OpenStore();
            var options = new EngineOptions { Model = model, ActivateModel = modelPath is not null, Owner = $"{Environment.MachineName}:{Environment.ProcessId}" };
            await using NodeServer server = await NodeServer.StartAsync(log, store, options, TimeProvider.System, endpoint, Output.Warn);
            Console.Out.WriteLine($"collections {Services.DebtorsService.VersionText}: {log.PartitionCount} partitions in {Path.GetFullPath(directory.Path)}, model {server.Node.Models.Current.Propensity}");
            Console.Out.WriteLine($"gRPC on {server.Address}; bound to this machine, whose callers are trusted with every role: no authentication is configured");
            Console.Out.WriteLine("Ctrl+C stops");
            await server.WaitForShutdownAsync(cancellation);
            Console.Out.WriteLine("stopping: keeping the last checkpoint");
            return 0;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (ModelRefusedException refused)
        {
            return Output.Fail($"--model: {refused.Message}");
        }
        catch (Exception failure) when (DataDirectory.IsExpected(failure))
        {
            return Output.Fail(failure.Message);
        }
    }

    internal static bool TryParseListen(string text, out IPEndPoint endpoint, out string problem)
    {
        problem = "";
        if (!IPEndPoint.TryParse(text.Replace("localhost", "127.0.0.1", StringComparison.OrdinalIgnoreCase), out IPEndPoint? parsed))
        {
            endpoint = new IPEndPoint(IPAddress.Loopback, 0);
            problem = $"--listen: '{text}' is no address and port, such as {ListenDefault}";
            return false;
        }
        endpoint = parsed;
        if (!IPAddress.IsLoopback(parsed.Address))
            problem = $"--listen: '{text}' can be reached from other machines, and no authentication is configured; use a loopback address, such as {ListenDefault}";
        return problem.Length == 0;
    }
}
