using System.Globalization;
using Collections.Storage.Tests;
using Collections.V1;
using Grpc.Core;
using Npgsql;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>The program with its store in PostgreSQL: what it says when it can't begin, and what it does when the server goes away.</summary>
[Collection(PostgresServer.Name)]
public sealed class PostgresTests(SharedCluster cluster)
{
    private static string Tour(string file) => Path.Combine(Import.Folders.Repository, "samples", "tour", file);

    [PostgresFact]
    public async Task A_node_goes_on_when_its_server_was_away_and_its_tables_say_what_it_says()
    {
        using var folder = new TestFolder();
        string store = cluster.Server.NewSchema();
        await CollectionsProcess.RunAsync("import", Tour("debtors.csv"), Tour("invoices.csv"), Tour("payments.csv"), "--mapping", Tour("mapping.yaml"), "--data", folder["data"]);
        string lease;
        await using (ServeProcess node = await ServeProcess.StartAsync(folder["data"], "--store", store))
        {
            await node.WaitServingAsync();
            var queues = new V1.Queues.QueuesClient(node.Channel);
            lease = (await PullAsync(queues)).Lease;
            cluster.Server.StopServer("fast");
            try
            {
                RpcException e = await Assert.ThrowsAsync<RpcException>(() => PullAsync(queues));
                Assert.Equal(StatusCode.Unavailable, e.StatusCode);
            }
            finally
            {
                cluster.Server.StartServer();
            }
            Assert.NotEqual(lease, (await PullAsync(queues)).Lease);
            // As a power cut does: what it kept is in the server.
            await node.KillAsync();
        }
        await using ServeProcess again = await ServeProcess.StartAsync(folder["data"], "--store", store);
        await again.WaitServingAsync();
        var debtors = new V1.Debtors.DebtorsClient(again.Channel);
        Assert.Equal(lease, (await debtors.GetAsync(new GetDebtorRequest { Debtor = "C-1012" })).QueueEntry.Lease);
        Dictionary<string, string> said = [];
        foreach (string debtor in Enumerable.Range(1001, 12).Select(number => $"C-{number}"))
            said[debtor] = Describe(await debtors.GetAsync(new GetDebtorRequest { Debtor = debtor }));
        CommandResult end = await again.StopAsync();
        Assert.Equal((0, ""), (end.ExitCode, end.Errors));
        Assert.Equal(said, ReadTables(store));
    }

    [PostgresFact]
    public async Task What_can_not_be_served_says_why_and_what_to_do()
    {
        using var folder = new TestFolder();
        string store = cluster.Server.NewSchema();
        foreach ((string text, string word) in ((string, string)[])
        [
            ("nonsense", "postgresql://"),
            ("Host=127.0.0.1;Port=1;Username=collections", "Start the server"),
            (store.Replace("Username=collections", "Username=nobody", StringComparison.Ordinal), "nobody"),
        ])
        {
            CommandResult refused = await CollectionsProcess.RunAsync("serve", "--data", folder["data"], "--listen", "127.0.0.1:0", "--store", text);
            Assert.Equal((2, ""), (refused.ExitCode, refused.Output));
            Assert.StartsWith("error: ", refused.Errors, StringComparison.Ordinal);
            Assert.Contains(word, refused.Errors, StringComparison.Ordinal);
        }
        CommandResult missing = await CollectionsProcess.RunAsync("store", "check", "--store", store);
        Assert.Equal(1, missing.ExitCode);
        Assert.Contains("0001-store", missing.Output, StringComparison.Ordinal);
        (await CollectionsProcess.RunAsync("store", "migrate", "--store", store)).RequireSuccess();
        Assert.Contains("\"missing\":[]", (await CollectionsProcess.RunAsync("store", "check", "--store", store, "--json")).RequireSuccess(), StringComparison.Ordinal);
        Query(store, "INSERT INTO schema_migration VALUES (99, '0099-later', 'x')");
        Assert.Contains("newer program", (await CollectionsProcess.RunAsync("serve", "--data", folder["data"], "--store", store)).Errors, StringComparison.Ordinal);
    }

    [PostgresFact]
    public async Task A_store_that_belongs_to_another_log_is_refused()
    {
        using var folder = new TestFolder();
        string store = cluster.Server.NewSchema();
        await CollectionsProcess.RunAsync("import", Tour("debtors.csv"), Tour("invoices.csv"), Tour("payments.csv"), "--mapping", Tour("mapping.yaml"), "--data", folder["data"]);
        await using (ServeProcess node = await ServeProcess.StartAsync(folder["data"], "--store", store))
        {
            await node.WaitServingAsync();
            await node.StopAsync();
        }
        CommandResult refused = await CollectionsProcess.RunAsync("serve", "--data", folder["other"], "--listen", "127.0.0.1:0", "--store", store);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("belongs to this log", refused.Errors, StringComparison.Ordinal);
    }

    private static async Task<V1.Action> PullAsync(V1.Queues.QueuesClient queues) =>
        (await queues.PullAsync(new PullRequest { Queue = "telco/voice", Count = 1, Caller = "test", LeaseSeconds = 3600 })).Actions[0];

    private static string Describe(DebtorView view) => string.Create(
        CultureInfo.InvariantCulture,
        $"{view.Tenant} {view.Portfolio} {view.Currency} {view.OpenMinor} {view.OverdueMinor} {view.Items.Where(i => i.OpenMinor > 0).Select(i => (int?)i.DaysPastDue).Max()} {view.Propensity} {view.ScoredAt.ToDateTimeOffset().ToUnixTimeMilliseconds()} {view.QueueEntry?.Queue}");

    private static Dictionary<string, string> ReadTables(string store)
    {
        var rows = new Dictionary<string, string>();
        foreach (object[] row in Query(store, "SELECT debtor, tenant, portfolio, currency, balance_minor, overdue_minor, oldest_dpd, propensity, (extract(epoch FROM scored_at) * 1000)::bigint, queue FROM state"))
            rows.Add((string)row[0], string.Join(' ', row.Skip(1).Select(value => Convert.ToString(value, CultureInfo.InvariantCulture))));
        return rows;
    }

    private static List<object[]> Query(string store, string sql)
    {
        using var connection = new NpgsqlConnection(store);
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        using NpgsqlDataReader row = command.ExecuteReader();
        var rows = new List<object[]>();
        while (row.Read())
        {
            var values = new object[row.FieldCount];
            row.GetValues(values);
            rows.Add(values);
        }
        return rows;
    }
}
