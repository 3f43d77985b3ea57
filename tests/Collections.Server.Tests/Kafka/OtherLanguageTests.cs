using System.Diagnostics;
using System.Globalization;
using Collections.Kafka.Tests;
using Collections.Server.Tests.EndToEnd;
using Collections.V1;

namespace Collections.Server.Tests.Kafka;

/// <summary>Events of producers in another language, which choose partitions as theirs do.</summary>
public sealed class OtherLanguageTests : IDisposable
{
    private const string Prefix = "python";
    private const int Invoices = 300;
    private const int Payments = 100;
    private readonly MockCluster cluster = new(brokers: 2);
    private readonly TestFolder folder = new();

    public OtherLanguageTests() => cluster.CreateTopics(Prefix, partitions: 8);

    [PythonKafkaFact]
    public async Task Whatever_their_partitioner_every_event_ends_at_its_debtor()
    {
        await SendAsync("kafka-python");
        await using ServeProcess node = await ServeProcess.StartAsync(
            folder["data"], "--kafka", cluster.Bootstrap, "--prefix", Prefix, "--kafka-config", "fetch.wait.max.ms=5", "--kafka-config", "session.timeout.ms=6000",
            "--kafka-config", "heartbeat.interval.ms=200");
        await node.WaitServingAsync();
        await UntilAppliedAsync(node, Invoices + Payments);
        // Java's partitioner is the engine's: nothing had to be sent on.
        Assert.Equal(0, await MisplacedAsync());
        await SendAsync("confluent-kafka");
        await UntilAppliedAsync(node, 2 * (Invoices + Payments));
        var debtors = new V1.Debtors.DebtorsClient(node.Channel);
        foreach (string library in (string[])["kafka-python", "confluent-kafka"])
        {
            for (int debtor = 0; debtor < 50; debtor++)
            {
                DebtorView found = await debtors.GetAsync(new GetDebtorRequest { Debtor = $"{library}-{debtor}" });
                int[] own = [.. Enumerable.Range(0, Invoices).Where(i => i % 50 == debtor)];
                Assert.Equal(own.Sum(static i => 1000 + i) - 400 * own.Count(static i => i % 3 == 0), found.OpenMinor);
            }
        }
    }

    public void Dispose()
    {
        cluster.Dispose();
        folder.Dispose();
    }

    private async Task SendAsync(string library)
    {
        string script = Path.Combine(Import.Folders.Repository, "tests", "Collections.Server.Tests", "Kafka", "producers.py");
        using Process python = CollectionsProcess.Start(GrpcioTheoryAttribute.Python, [script, cluster.Bootstrap, Prefix, library, Invoices.ToString(CultureInfo.InvariantCulture)]);
        python.StandardInput.Close();
        Task<string> errors = python.StandardError.ReadToEndAsync(), output = python.StandardOutput.ReadToEndAsync();
        await python.WaitForExitAsync().WaitAsync(CollectionsProcess.Patience);
        Assert.True(python.ExitCode == 0, await errors);
        Assert.Equal(Invoices + Payments, int.Parse(await output, CultureInfo.InvariantCulture));
    }

    /// <summary>How many of the records lie on a wrong partition, as <c>kafka check</c> says.</summary>
    private async Task<int> MisplacedAsync()
    {
        CommandResult check = await CollectionsProcess.RunAsync("kafka", "check", "--kafka", cluster.Bootstrap, "--prefix", Prefix);
        return check.Output.Split('\n').Where(static line => line.Contains("on a wrong partition", StringComparison.Ordinal))
            .Sum(static line => int.Parse(line.Split(" looked at, ")[1].Split(' ')[0], CultureInfo.InvariantCulture));
    }

    private static async Task UntilAppliedAsync(ServeProcess node, int count)
    {
        using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await new V1.Debtors.DebtorsClient(node.Channel).StatusAsync(new StatusRequest())).EventsApplied < count)
            await again.WaitForNextTickAsync(patience.Token);
    }
}
