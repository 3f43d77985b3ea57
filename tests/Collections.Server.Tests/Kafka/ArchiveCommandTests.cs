using System.Diagnostics;
using System.Text.Json;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Kafka.Tests;
using Collections.Server.Hosting;
using Collections.Server.Tests.Cluster;
using Collections.Server.Tests.EndToEnd;
using Google.Protobuf;
using Event = Collections.V1.Event;

namespace Collections.Server.Tests.Kafka;

/// <summary>The archive of all partitions as it is fetched by hand, and who reads it.</summary>
public sealed class ArchiveCommandTests : IDisposable
{
    private const string Prefix = "past";
    private const int Partitions = 8;

    private readonly MockCluster cluster = new(brokers: 2);
    private readonly TestFolder folder = new();

    public ArchiveCommandTests() => cluster.CreateTopics(Prefix, Partitions);

    public void Dispose()
    {
        cluster.Dispose();
        folder.Dispose();
    }

    [KafkaFact]
    public async Task A_fresh_archive_tells_what_a_log_of_the_same_events_tells_and_a_second_run_adds_what_is_new()
    {
        // Five debtors: some partitions have no records at all.
        List<(string Stream, Event Event)> events = [.. ClusterEvents.Of([.. Enumerable.Range(0, 5).Select(static i => $"D-{i}")], seed: 5, count: 400)];
        Send(events[..250]);
        Assert.Equal((0, "250 records added: 8 of 8 partitions are whole"), await ArchiveAsync("data"));
        Assert.Equal((0, "0 records added: 8 of 8 partitions are whole"), await ArchiveAsync("data"));
        Send(events[250..]);
        CommandResult json = await RunAsync("data", "--json");
        using JsonDocument said = JsonDocument.Parse(json.RequireSuccess());
        Assert.Equal((150, 8, 8), (said.RootElement.GetProperty("added").GetInt64(), said.RootElement.GetProperty("partitions").GetInt32(), said.RootElement.GetProperty("whole").GetInt32()));
        await WriteLogAsync("embedded", events);
        string expected = await FeaturesAsync("embedded");
        Assert.Equal(6, expected.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(expected, await FeaturesAsync("data"));
    }

    [KafkaFact]
    public async Task One_that_is_killed_in_the_middle_says_so_and_goes_on()
    {
        List<(string Stream, Event Event)> events = [.. ClusterEvents.Of([.. Enumerable.Range(0, 200).Select(static i => $"D-{i}")], seed: 6, count: 3_000)];
        Send(events);
        // Each answer takes its time, so that it is still at work when its first records are there.
        for (int broker = 1; broker <= 2; broker++)
            cluster.SetRtt(broker, 100);
        using (Process process = CollectionsProcess.Start([.. Arguments("data")]))
        {
            _ = process.StandardOutput.ReadToEndAsync();
            _ = process.StandardError.ReadToEndAsync();
            using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
            using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
            while (!Directory.Exists(folder["data"]) || !Directory.EnumerateFiles(folder["data"], "*.segment", SearchOption.AllDirectories).Any())
                await again.WaitForNextTickAsync(patience.Token);
            process.Kill();
            await process.WaitForExitAsync(patience.Token);
        }
        for (int broker = 1; broker <= 2; broker++)
            cluster.SetRtt(broker, 0);
        CommandResult refused = await CollectionsProcess.RunAsync("features", "--data", folder["data"], "--as-of", "2026-12-31");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("never fetched", refused.Errors, StringComparison.Ordinal);
        (int code, string text) = await ArchiveAsync("data");
        Assert.Equal(0, code);
        Assert.EndsWith("records added: 8 of 8 partitions are whole", text, StringComparison.Ordinal);
        await WriteLogAsync("embedded", events);
        Assert.Equal(await FeaturesAsync("embedded"), await FeaturesAsync("data"));
    }

    [KafkaFact]
    public async Task What_retention_has_deleted_is_named_and_who_reads_on_is_told()
    {
        List<(string Stream, Event Event)> events = [.. ClusterEvents.Of([.. Enumerable.Range(0, 40).Select(static i => $"D-{i}")], seed: 7, count: 300)];
        Send(events[..200]);
        using (var producer = new ForeignProducer(cluster.Bootstrap, Prefix, Confluent.Kafka.Partitioner.Murmur2Random))
        {
            // The mock keeps some 5 MiB a partition.
            for (int i = 0; i < 10; i++)
                producer.Send("payments", "default/D-1", new byte[900_000], "application/x-protobuf", 1_775_000_000_000);
            producer.Flush();
        }
        Send(events[200..]);
        int partition = DebtorKey.PartitionOf(EventReader.DefaultTenant, "D-1"u8, Partitions);
        CommandResult fetched = await RunAsync("data");
        Assert.Equal(1, fetched.ExitCode);
        Assert.Contains("7 of 8 partitions are whole", fetched.Output, StringComparison.Ordinal);
        Assert.Contains($"partition {partition}: without payments 0 to ", fetched.Output, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("data")).ExitCode);

        CommandResult refused = await CollectionsProcess.RunAsync("features", "--data", folder["data"], "--as-of", "2026-12-31");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains($"is not complete. Partition {partition}: without payments 0 to ", refused.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("kafka archive", refused.Errors, StringComparison.Ordinal);
        CommandResult features = await CollectionsProcess.RunAsync("features", "--data", folder["data"], "--as-of", "2026-12-31", "--incomplete");
        Assert.Equal(0, features.ExitCode);
        Assert.Contains("warning: the archive is not complete: partition", features.Errors, StringComparison.Ordinal);

        string[] export = ["export", "training-set", "--data", folder["data"], "--from", "2026-03-31", "--to", "2026-05-31", "--every", "30d", "--horizon", "10d", "--label", "any-payment", "--out", folder["rows"]];
        Assert.Equal(2, (await CollectionsProcess.RunAsync(export)).ExitCode);
        (await CollectionsProcess.RunAsync([.. export, "--incomplete"])).RequireSuccess();
        using JsonDocument card = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder["rows"], "training-set.card.json")));
        Assert.StartsWith("NOT COMPLETE: ", card.RootElement.GetProperty("log").GetProperty("incomplete").GetString(), StringComparison.Ordinal);
    }

    [KafkaFact]
    public async Task What_is_wrong_is_said()
    {
        Send([.. ClusterEvents.Of(["D-1"], seed: 8, count: 50)]);
        Assert.Equal(0, (await ArchiveAsync("data")).Code);
        using (new DataDirectory(folder["data"]).OpenPast(TimeProvider.System, incomplete: false, out _))
            Assert.Contains("is in use by process", await FailsAsync(Arguments("data")), StringComparison.Ordinal);
        await WriteLogAsync("embedded", ClusterEvents.Of(["D-1"], seed: 8, count: 1));
        Assert.Contains("describes a log of its own", await FailsAsync(Arguments("embedded")), StringComparison.Ordinal);
        // Another cluster, whose topics end before the archive does.
        using var other = new MockCluster(brokers: 1);
        other.CreateTopics(Prefix, Partitions);
        string[] arguments = Arguments("data");
        arguments[Array.IndexOf(arguments, cluster.Bootstrap)] = other.Bootstrap;
        Assert.Contains("the topic was created anew, or this is another cluster", await FailsAsync(arguments), StringComparison.Ordinal);
    }

    private static async Task<string> FailsAsync(string[] arguments)
    {
        CommandResult result = await CollectionsProcess.RunAsync(arguments);
        Assert.Equal(2, result.ExitCode);
        return result.Errors;
    }

    private string[] Arguments(string data, params string[] more) =>
        ["kafka", "archive", "--kafka", cluster.Bootstrap, "--prefix", Prefix, "--kafka-config", "fetch.wait.max.ms=5", "--data", folder[data], .. more];

    private Task<CommandResult> RunAsync(string data, params string[] more) => CollectionsProcess.RunAsync(Arguments(data, more));

    private async Task<(int Code, string Text)> ArchiveAsync(string data)
    {
        CommandResult result = await RunAsync(data);
        return (result.ExitCode, result.Output.Trim().Length > 0 ? result.Output.Trim() : result.Errors);
    }

    private async Task<string> FeaturesAsync(string data) =>
        (await CollectionsProcess.RunAsync("features", "--data", folder[data], "--as-of", "2026-12-31")).RequireSuccess();

    private static long KnownMs(Event e) => new DateTimeOffset(DateOnly.Parse(e.EffectiveDate, System.Globalization.CultureInfo.InvariantCulture).ToDateTime(new TimeOnly(12, 0)), TimeSpan.Zero).ToUnixTimeMilliseconds();

    private void Send(IReadOnlyList<(string Stream, Event Event)> events)
    {
        using var producer = new ForeignProducer(cluster.Bootstrap, Prefix, Confluent.Kafka.Partitioner.Murmur2Random);
        foreach ((string stream, Event e) in events)
            producer.Send(stream, e.ToByteArray(), KnownMs(e));
        producer.Flush();
    }

    /// <summary>The same events, known at the same moments, in a log of their own.</summary>
    private async Task WriteLogAsync(string data, IEnumerable<(string Stream, Event Event)> events)
    {
        using IEventLog log = new DataDirectory(folder[data]).OpenLog(Partitions, TimeProvider.System);
        var batch = new AppendBatch();
        foreach ((string stream, Event e) in events)
        {
            byte[] tenant = EventReader.DefaultTenant.ToArray(), debtor = System.Text.Encoding.UTF8.GetBytes(e.Debtor);
            batch.Add(
                DebtorKey.PartitionOf(tenant, debtor, Partitions), stream == "payments" ? EventStream.Payments : EventStream.Invoices, DebtorKey.HashOf(tenant, debtor), KnownMs(e), history: false, e.ToByteArray());
        }
        await log.AppendAsync(batch, CancellationToken.None);
    }
}
