using System.Net;
using Collections.Engine.Hosting;
using Collections.Engine.Stores;
using Collections.Kafka;
using Collections.Kafka.Tests;
using Collections.Server.Hosting;
using Collections.Server.Kafka;

namespace Collections.Load.Tests;

/// <summary>Short runs against real nodes. Nothing is asserted about times: a busy machine may take what it takes.</summary>
public sealed class LoadRunTests : IDisposable
{
    private const int Seconds = 2;
    private readonly string folder = Directory.CreateTempSubdirectory("collections-load-test-").FullName;

    public static TheoryData<string> Scenarios => new(Scenario.All.Select(static s => s.Name));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task A_node_of_its_own_answers_everything_that_a_scenario_plans(string scenario)
    {
        LoadOptions options = Small(scenario, TargetKind.Embedded) with { HistogramFile = Path.Combine(folder, "run.hgrm") };
        LoadResult result = await LoadRun.RunAsync(options, static _ => { }, CancellationToken.None);
        AssertAllWell(options, result);
        Assert.Equal(result.Requests.Select(static r => $"run.{r.Request}.hgrm").Order(), Directory.GetFiles(folder).Select(Path.GetFileName).Order());
    }

    /// <summary>Events go through the topics to the partitions where the node looks for their debtors; the rest goes to the node itself, named twice to be taken in turn.</summary>
    [KafkaFact]
    public async Task Through_Kafka_every_event_lies_on_its_debtors_partition()
    {
        using var cluster = new MockCluster(brokers: 1);
        cluster.CreateTopics("load", partitions: 4);
        var kafka = new KafkaLogOptions(cluster.Bootstrap) { Prefix = "load" };
        var directory = new DataDirectory(folder);
        using KafkaSource source = await KafkaSource.OpenAsync(kafka, directory, partitions: null, TimeProvider.System, static _ => { }, CancellationToken.None);
        using IStore store = directory.OpenStore();
        var engine = new EngineOptions { Model = ShippedModel.Propensity(), Owner = "test" };
        await using NodeServer server = await NodeServer.StartAsync(source.Log, store, engine, TimeProvider.System, new IPEndPoint(IPAddress.Loopback, 0), static _ => { });
        LoadOptions options = Small("mixed", TargetKind.Kafka) with { Kafka = kafka, Addresses = [server.Address, server.Address] };
        LoadResult result = await LoadRun.RunAsync(options, static _ => { }, CancellationToken.None);
        AssertAllWell(options, result);
        await server.Node.SettleAsync();
        (long Applied, long Misplaced)[] parts = await server.Node.AskAll(static p => (p.Counters.Applied, p.Counters.Misplaced));
        Assert.Equal(0, parts.Sum(static p => p.Misplaced));
        Assert.True(parts.Sum(static p => p.Applied) > result.EventsPlanned);
        Assert.All(parts, static p => Assert.True(p.Applied > 0));
    }

    private static LoadOptions Small(string scenario, TargetKind target)
    {
        LoadOptions own = LoadOptions.Of(Scenario.Find(scenario)!, target);
        return own with { Seconds = Seconds, Debtors = 300, EventRate = Math.Min(own.EventRate, 500), Batch = Math.Min(own.Batch, 50), PullCount = 10, TimeoutSeconds = 300 };
    }

    private static void AssertAllWell(LoadOptions options, LoadResult result)
    {
        Assert.True(result.Passed, string.Join('\n', result.Examples) + result);
        Assert.All(result.Requests, static r => Assert.Equal((r.Planned, r.Planned, 0), (r.Sent, r.Ok, r.Failed)));
        Assert.Equal(options.EventRate * (long)Seconds, result.EventsPlanned);
        Assert.Equal(result.EventsPlanned, result.EventsAcknowledged);
        Assert.Equal(options.PullRate * Seconds, Of("pull")?.Planned ?? 0);
        Assert.Equal(options.GetRate * Seconds, Of("get")?.Planned ?? 0);
        Assert.Equal(result.ActionsPulled, Of("report")?.Planned ?? 0);
        Assert.Equal(options.PullRate > 0, result.ActionsPulled > 0);

        ClassResult? Of(string request) => result.Requests.FirstOrDefault(r => r.Request == request);
    }
}
