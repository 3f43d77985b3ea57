using System.Diagnostics;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Kafka;
using Collections.Server.Hosting;
using Collections.Server.Kafka;

namespace Collections.Server.Bench;

/// <summary>A node of a benchmark that runs all partitions.</summary>
/// <param name="BeganAt">When the first partition ran, as a timestamp of the stopwatch.</param>
/// <param name="LoadSeconds">From then, or from the start where there is no group to join, until all of them ran.</param>
internal sealed record BenchNode(Node Node, long BeganAt, double LoadSeconds);

/// <summary>What a node of a benchmark runs on: log and store, open.</summary>
internal sealed class BenchBed : IDisposable
{
    /// <summary>How often it is looked whether a node runs everything: more often would itself take processor time from the loading that is measured.</summary>
    private const int PollMs = 10;

    private readonly KafkaSource? source;
    private readonly Action<string> say;

    private BenchBed(IEventLog log, IStore store, KafkaSource? source, Action<string> say)
    {
        Log = log;
        Store = store;
        this.source = source;
        this.say = say;
    }

    public IEventLog Log { get; }

    public IStore Store { get; }

    public static async Task<BenchBed> OpenAsync(DataDirectory directory, KafkaLogOptions? kafka, Action<string> say)
    {
        KafkaSource? source = kafka is null ? null : await KafkaSource.OpenAsync(kafka, directory, partitions: null, TimeProvider.System, say, CancellationToken.None);
        return new BenchBed(source?.Log ?? (IEventLog)directory.OpenLog(null, TimeProvider.System), directory.OpenStore(), source, say);
    }

    /// <summary>Starts a node, and waits until it runs every partition.</summary>
    public async Task<BenchNode> StartAsync(EngineOptions engine, TimeProvider clock)
    {
        long began = Stopwatch.GetTimestamp();
        Node node = Node.Start(Log, Store, engine, clock, say);
        if (Log.Group is null)
            return new BenchNode(node, Stopwatch.GetTimestamp(), Stopwatch.GetElapsedTime(began).TotalSeconds);
        node.Join(engine.Owner);
        while (node.Owned.Count == 0)
            await Task.Delay(PollMs);
        began = Stopwatch.GetTimestamp();
        while (node.Owned.Count < node.PartitionCount)
            await Task.Delay(PollMs);
        return new BenchNode(node, began, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    public void Dispose()
    {
        Store.Dispose();
        if (source is not null)
            source.Dispose();
        else
            Log.Dispose();
    }
}
