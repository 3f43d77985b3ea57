using System.Net;
using Collections.Engine.Hosting;
using Collections.Engine.Stores;
using Collections.Kafka;
using Collections.Kafka.Tests;
using Collections.Server.Hosting;
using Collections.Server.Kafka;
using Collections.Server.Operations;
using Collections.Server.Tests.EndToEnd;
using Collections.Server.Tests.Operations;
using Collections.Storage.Tests;

namespace Collections.Server.Tests.Kafka;

/// <summary>What a node on Kafka, with its store in PostgreSQL, tells those who watch it.</summary>
[Collection(PostgresServer.Name)]
public sealed class KafkaMetricsTests(SharedCluster postgres) : IDisposable
{
    private readonly MockCluster cluster = new(brokers: 2);
    private readonly TestFolder folder = new();

    public void Dispose()
    {
        cluster.Dispose();
        folder.Dispose();
    }

    [PostgresFact]
    public async Task The_page_tells_of_brokers_lag_traffic_outbox_and_connections_and_has_what_the_dashboard_names()
    {
        cluster.CreateTopics("watched", 2);
        var directory = new DataDirectory(folder["data"]) { Store = postgres.Server.NewSchema() };
        using (var producer = new ForeignProducer(cluster.Bootstrap, "watched", Confluent.Kafka.Partitioner.Murmur2Random))
        {
            producer.Send("payments", "default/D", "{"u8.ToArray(), contentType: null, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            producer.Flush();
        }
        var options = new KafkaLogOptions(cluster.Bootstrap) { Prefix = "watched", Settings = new Dictionary<string, string> { ["fetch.wait.max.ms"] = "5" } };
        using KafkaSource source = await KafkaSource.OpenAsync(options, directory, partitions: null, TimeProvider.System, static _ => { }, CancellationToken.None);
        using IStore store = directory.OpenStore();
        await using OperationsServer operations = await OperationsServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0));
        await using NodeServer server = await NodeServer.StartAsync(source.Log, store, new EngineOptions(), TimeProvider.System, new IPEndPoint(IPAddress.Loopback, 0), static _ => { });
        operations.Observe(server);
        await server.Node.SettleAsync().WaitAsync(CollectionsProcess.Patience);
        await server.Node.CheckpointAsync().WaitAsync(CollectionsProcess.Patience);
        using var http = new HttpClient();
        PrometheusPage page = await LookAsync();
        Assert.All(ShippedQueries.All().SelectMany(ShippedQueries.MetricsOf).Where(ShippedQueries.IsOfServers), name => Assert.Contains(name, page.Names));
        Assert.Equal(0, page.Samples["collections_kafka_fetch_lag_records{partition=\"0\",stream=\"payments\"}"]);
        Assert.Equal(2, page.Samples.Count(sample => sample.Key.StartsWith("collections_kafka_broker_up{", StringComparison.Ordinal) && sample.Value == 1));
        Assert.Equal(0, page.Samples["collections_outbox_published_total{kind=\"decision\"}"]);
        // By its name, and not by its connection string.
        Assert.Contains("db_client_connection_number{db_client_connection_pool_name=\"store\",db_client_connection_state=\"idle\"}", page.Samples.Keys);

        // The statistics are a second old at most, and a message takes its time to be acknowledged.
        async Task<PrometheusPage> LookAsync()
        {
            using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
            while (true)
            {
                PrometheusPage seen = PrometheusPage.Read(await http.GetStringAsync(new Uri(operations.Address, "metrics"), patience.Token));
                if (seen.Samples.GetValueOrDefault("collections_outbox_published_total{kind=\"dead_letter\"}") == 1 && seen.Samples.GetValueOrDefault("collections_kafka_consumed_total{}") > 0
                    && seen.Samples.Count(sample => sample.Key.StartsWith("collections_kafka_broker_up{", StringComparison.Ordinal) && sample.Value == 1) == 2)
                {
                    return seen;
                }
            }
        }
    }
}
