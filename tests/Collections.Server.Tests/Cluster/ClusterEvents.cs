using Collections.V1;

namespace Collections.Server.Tests.Cluster;

/// <summary>Invoices and payments of debtors who owe, from a seed.</summary>
internal static class ClusterEvents
{
    public static IEnumerable<(string Stream, Event Event)> Of(IReadOnlyList<string> debtors, int seed, int count)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            string debtor = debtors[random.Next(debtors.Count)];
            string day = $"2026-0{1 + random.Next(6)}-{1 + random.Next(28):00}";
            var amount = new Money { MinorUnits = 100 + random.Next(10_000), Currency = "EUR" };
            yield return random.Next(3) == 0
                ? ("payments", new Event { Debtor = debtor, Id = $"p{seed}-{i}", EffectiveDate = day, PaymentReceived = new PaymentReceived { Amount = amount } })
                : ("invoices", new Event { Debtor = debtor, Id = $"i{seed}-{i}", EffectiveDate = day, ItemIssued = new ItemIssued { Item = $"i{seed}-{i}", Amount = amount, DueDate = day } });
        }
    }
}

/// <summary>A server of their own, so that they need not wait for tests that stop theirs: they wait for groups most of the time.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterServer : ICollectionFixture<Storage.Tests.SharedCluster>
{
    public const string Name = "cluster server";
}

/// <summary>A test that needs both a PostgreSQL server and librdkafka; it says what is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ClusterFactAttribute : FactAttribute
{
    public ClusterFactAttribute() =>
        Skip = Collections.Kafka.Tests.KafkaFactAttribute.Missing ?? (Storage.Tests.PostgresCluster.Bin is null ? Storage.Tests.PostgresCluster.Missing : null);
}
