using Collections.Kafka.Tests;
using Collections.Server.Tests.EndToEnd;

namespace Collections.Server.Tests.Kafka;

/// <summary>The bridge as it is typed.</summary>
public sealed class RepartitionCommandTests : IDisposable
{
    private readonly MockCluster cluster = new(brokers: 1);

    public void Dispose() => cluster.Dispose();

    [KafkaFact]
    public async Task Records_of_another_system_come_to_the_log_with_the_debtor_that_their_own_field_names()
    {
        cluster.CreateTopics("log", 4);
        cluster.CreateTopic("old.billing", 2);
        using (var producer = new ForeignProducer(cluster.Bootstrap, "old"))
        {
            for (int i = 0; i < 20; i++)
                producer.Send("billing", $"account {i}", System.Text.Encoding.UTF8.GetBytes($$"""{"customer": {{i}}, "id": "p{{i}}", "effectiveDate": "2026-01-05", "paymentReceived": {"amount": {"minorUnits": "100", "currency": "EUR"} } }"""), contentType: null, timestampMs: 1_770_000_000_000);
            producer.Send("billing", "account 99", "{\"id\": \"p99\"}"u8.ToArray(), contentType: null, timestampMs: 1_770_000_000_000);
            producer.Flush();
        }
        CommandResult result = await CollectionsProcess.RunAsync(
            "kafka", "repartition", "--kafka", cluster.Bootstrap, "--prefix", "log", "--kafka-config", "fetch.wait.max.ms=5", "--from", "old.billing", "--key-from", "customer", "--until-end");
        Assert.True(result.ExitCode == 1, $"{result.ExitCode}: {result.Errors}{result.Output}");
        Assert.Contains("21 read: 0 to invoices, 20 to payments, 0 to activity, 1 dead letters", result.Output, StringComparison.Ordinal);
        List<SeenMessage> payments = TopicReader.ReadAll(cluster.Bootstrap, "log.payments", 4);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"default/{i}").Order(StringComparer.Ordinal), payments.Select(message => message.Key).Order(StringComparer.Ordinal));
        Assert.All(payments, message => Assert.Equal($"p{V1.Event.Parser.ParseFrom(message.Value).Debtor}", V1.Event.Parser.ParseFrom(message.Value).Id));
        Assert.Contains("has no field 'customer'", Assert.Single(TopicReader.ReadAll(cluster.Bootstrap, "log.dead-letter", 4)).Headers["reason"], StringComparison.Ordinal);
    }

    [KafkaFact]
    public async Task What_is_wrong_is_said()
    {
        cluster.CreateTopics("log", 4);
        CommandResult refused = await CollectionsProcess.RunAsync("kafka", "repartition", "--kafka", cluster.Bootstrap, "--prefix", "log", "--from", "log.payments");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("a topic of the engine's own", refused.Errors, StringComparison.Ordinal);
    }
}
