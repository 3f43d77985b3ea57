using Collections.Kafka.Tests;
using Collections.Server.Tests.EndToEnd;
using Collections.V1;
using Google.Protobuf;
using Grpc.Net.Client;

namespace Collections.Server.Tests.Kafka;

/// <summary>Nodes as processes of their own, killed while events come in.</summary>
public sealed class KafkaCrashTests : IDisposable
{
    private const string Prefix = "crash";
    private const int Debtors = 150;
    private readonly MockCluster cluster = new(brokers: 2);
    private readonly TestFolder folder = new();

    public KafkaCrashTests() => cluster.CreateTopics(Prefix, partitions: 4);

    [KafkaFact]
    public async Task A_node_that_is_killed_again_and_again_counts_every_event_once()
    {
        List<(string Stream, byte[] Wire)> events = [.. Events()];
        using var producer = new ForeignProducer(cluster.Bootstrap, Prefix);
        ServeProcess node = await StartAsync();
        foreach ((string Stream, byte[] Wire)[] part in events.Chunk((events.Count / 4) + 1))
        {
            foreach ((string stream, byte[] wire) in part)
                producer.Send(stream, wire, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            producer.Flush();
            await node.WaitServingAsync();
            await node.KillAsync();
            await node.DisposeAsync();
            node = await StartAsync();
        }
        await using (node)
        {
            await using ServeProcess oracle = await ServeProcess.StartAsync(folder["oracle"], "--partitions", "4");
            await oracle.WaitServingAsync();
            var request = new AppendRequest();
            request.Events.AddRange(events.Select(e => Event.Parser.ParseFrom(e.Wire)));
            await new Ingest.IngestClient(oracle.Channel).AppendAsync(request);
            await node.WaitServingAsync();
            await WaitAppliedAsync(node.Channel, events.Count);
            for (int i = 0; i < Debtors; i++)
                Assert.Equal(await LedgerAsync(oracle.Channel, i), await LedgerAsync(node.Channel, i));
        }
    }

    public void Dispose()
    {
        cluster.Dispose();
        folder.Dispose();
    }

    private Task<ServeProcess> StartAsync() =>
        ServeProcess.StartAsync(folder["data"], "--kafka", cluster.Bootstrap, "--prefix", Prefix, "--kafka-config", "fetch.wait.max.ms=5", "--kafka-config", "session.timeout.ms=6000", "--kafka-config", "heartbeat.interval.ms=200");

    /// <summary>Until each event has been applied once; none may be applied twice.</summary>
    private static async Task WaitAppliedAsync(GrpcChannel channel, int count)
    {
        using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
        long applied = 0;
        while (applied < count)
        {
            patience.Token.ThrowIfCancellationRequested();
            applied = (await new V1.Debtors.DebtorsClient(channel).StatusAsync(new StatusRequest())).EventsApplied;
        }
        Assert.Equal(count, applied);
    }

    private static async Task<string> LedgerAsync(GrpcChannel channel, int debtor)
    {
        DebtorView found = await new V1.Debtors.DebtorsClient(channel).GetAsync(new GetDebtorRequest { Debtor = $"D-{debtor}" });
        return $"{found.Items} credit {found.UnappliedCreditMinor} open {found.OpenMinor} overdue {found.OverdueMinor}";
    }

    private static IEnumerable<(string Stream, byte[] Wire)> Events()
    {
        var random = new Random(5);
        for (int i = 0; i < 3_000; i++)
        {
            string debtor = $"D-{i % Debtors}";
            string day = $"2026-0{1 + (i / 600)}-{1 + (i % 28):00}";
            var amount = new Money { MinorUnits = 100 + random.Next(10_000), Currency = "EUR" };
            bool pays = random.Next(3) == 0;
            yield return pays
                ? ("payments", new Event { Debtor = debtor, Id = $"p{i}", EffectiveDate = day, PaymentReceived = new PaymentReceived { Amount = amount } }.ToByteArray())
                : ("invoices", new Event { Debtor = debtor, Id = $"i{i}", EffectiveDate = day, ItemIssued = new ItemIssued { Item = $"i{i}", Amount = amount, DueDate = day } }.ToByteArray());
        }
    }
}
