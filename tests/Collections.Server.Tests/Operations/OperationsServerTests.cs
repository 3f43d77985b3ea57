using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Collections.Server.Operations;
using Collections.Server.Tests.EndToEnd;
using Collections.Server.Tests.Services;
using Collections.V1;
using Grpc.Core;

namespace Collections.Server.Tests.Operations;

/// <summary>What a node tells those who watch it, and what the shipped dashboard and alerts make of it.</summary>
public sealed partial class OperationsServerTests : IAsyncLifetime, IDisposable
{
    private static readonly string Deploy = Path.Combine(AppContext.BaseDirectory, "deploy");
    private readonly HttpClient http = new();
    private NodeScene scene = null!;
    private OperationsServer server = null!;

    public async Task InitializeAsync()
    {
        scene = await NodeScene.StartAsync(partitions: 2);
        server = await OperationsServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        await scene.DisposeAsync();
    }

    public void Dispose() => http.Dispose();

    [Fact]
    public async Task The_page_tells_what_the_node_has_done()
    {
        await WorkAsync();
        string text = await http.GetStringAsync(new Uri(server.Address, "metrics"));
        PrometheusPage page = PrometheusPage.Read(text);
        Assert.Equal(2, page.Samples.Where(sample => sample.Key.StartsWith("collections_debtors{", StringComparison.Ordinal)).Sum(sample => sample.Value));
        Assert.Equal(1, page.Samples["collections_actions_pulled_total{queue=\"default/voice\",tenant=\"acme\"}"]);
        Assert.Equal(1, page.Samples["collections_queue_waiting{queue=\"default/voice\",tenant=\"acme\"}"]);
        Assert.Equal(1, page.Samples["collections_lease_acts_total{act=\"granted\"}"]);
        Assert.Equal(1, page.Samples["collections_intake_refused_total{}"]);
        Assert.Equal(1, page.Samples["collections_partition_state{partition=\"1\",state=\"serving\"}"]);
        Assert.Equal("histogram", page.Types["collections_pull_duration_seconds"]);
        Assert.Equal(1, page.Samples["collections_pull_duration_seconds_count{}"]);
        Assert.Contains(page.Samples, sample => sample.Key.StartsWith("collections_model_info{model=\"propensity\",role=\"propensity\"", StringComparison.Ordinal) && sample.Value == 1);
        Assert.True(page.Samples["dotnet_process_memory_working_set_bytes{}"] > 0);
        // gRPC's status is told although HTTP's is 200: NOT_FOUND is 5.
        Assert.Contains(page.Samples, sample => sample.Key.StartsWith("http_server_request_duration_seconds_count{", StringComparison.Ordinal)
            && sample.Key.Contains("http_route=\"/collections.v1.Debtors/Get\"", StringComparison.Ordinal) && sample.Key.Contains("rpc_grpc_status_code=\"5\"", StringComparison.Ordinal));
    }

    [PromtoolFact]
    public async Task Promtool_has_nothing_against_the_page()
    {
        await WorkAsync();
        Assert.Equal("", await Promtool.JudgeAsync(await http.GetStringAsync(new Uri(server.Address, "metrics")), AppContext.BaseDirectory, "check", "metrics"));
    }

    [PromtoolFact]
    public async Task Promtool_has_nothing_against_configuration_and_alerts_and_they_fire_as_said()
    {
        string folder = Path.Combine(Deploy, "prometheus");
        Assert.Equal("", await Promtool.JudgeAsync("", folder, "check", "config", "prometheus.yml"));
        Assert.Equal("", await Promtool.JudgeAsync("", folder, "check", "config", "compose.yml"));
        Assert.Equal("", await Promtool.JudgeAsync("", folder, "check", "rules", "alerts.yml"));
        Assert.Equal("", await Promtool.JudgeAsync("", AppContext.BaseDirectory, "test", "rules", Path.Combine("Operations", "alerts.test.yml")));
    }

    [PromtoolFact]
    public async Task Promtool_can_read_every_query_of_the_dashboard()
    {
        using var folder = new TestFolder();
        IEnumerable<string> rules = ShippedQueries.OfDashboard().Select((query, i) =>
            $"      - record: query{i}\n        expr: {JsonSerializer.Serialize(query.Replace("$__rate_interval", "5m", StringComparison.Ordinal).Replace("$instance", ".*", StringComparison.Ordinal))}\n");
        folder.Write("rules.yml", $"groups:\n  - name: dashboard\n    rules:\n{string.Concat(rules)}");
        Assert.Equal("", await Promtool.JudgeAsync("", folder.Path, "check", "rules", "rules.yml"));
    }

    [Fact]
    public async Task Everything_that_dashboard_and_alerts_name_is_on_the_page_of_a_running_node()
    {
        await WorkAsync();
        IReadOnlySet<string> names = PrometheusPage.Read(await http.GetStringAsync(new Uri(server.Address, "metrics"))).Names;
        string[] queries = ShippedQueries.All();
        Assert.True(queries.Length > 60, $"only {queries.Length} queries were found");
        foreach (string query in queries)
        {
            string[] named = ShippedQueries.MetricsOf(query);
            Assert.True(named.Length > 0, query);
            // What Kafka and PostgreSQL add is held against a node that has them.
            Assert.All(named.Where(name => !ShippedQueries.IsOfServers(name)), name => Assert.True(name == "up" || names.Contains(name), $"no series is called {name}, which is named by {query}"));
        }
    }

    [Fact]
    public async Task The_operators_document_names_every_alert_and_no_other()
    {
        string alerts = await File.ReadAllTextAsync(Path.Combine(Deploy, "prometheus", "alerts.yml")), document = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "docs", "operations.md"));
        string[] shipped = [.. AlertName().Matches(alerts).Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal)];
        string[] explained = [.. ExplainedAlert().Matches(document).Select(match => match.Groups["name"].Value).Distinct().Order(StringComparer.Ordinal)];
        Assert.NotEmpty(shipped);
        Assert.Equal(shipped, explained);
    }

    [Fact]
    public async Task Ready_is_what_the_health_of_gRPC_says_and_unready_says_why()
    {
        Assert.Equal("live\n", await http.GetStringAsync(new Uri(server.Address, "healthz")));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the node is loading its checkpoints\n"), await ReadyAsync());
        Assert.DoesNotContain("collections_debtors", await http.GetStringAsync(new Uri(server.Address, "metrics")), StringComparison.Ordinal);
        server.Observe(scene.Server);
        Assert.Equal((HttpStatusCode.OK, "ready\n"), await ReadyAsync());
        await scene.StopAsync();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the node is stopping\n"), await ReadyAsync());
    }

    [Fact]
    public async Task A_port_that_is_taken_is_refused_by_the_name_of_the_option()
    {
        IOException refused = await Assert.ThrowsAsync<IOException>(() => OperationsServer.StartAsync(new IPEndPoint(IPAddress.Loopback, server.Address.Port)));
        Assert.Contains("choose another --metrics", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Something of everything: events applied and refused, a pull, a call that fails, checkpoints.</summary>
    private async Task WorkAsync()
    {
        server.Observe(scene.Server);
        await scene.OverdueAsync("ann", 5_000);
        await scene.OverdueAsync("bob", 7_000);
        await scene.Ingest.AppendAsync(new AppendRequest { Events = { new Event { Tenant = NodeScene.Tenant, Debtor = "ann" } } });
        await scene.PullAsync(1);
        await Assert.ThrowsAsync<RpcException>(() => scene.GetAsync("nobody"));
        await scene.Node.CheckpointAsync();
    }

    private async Task<(HttpStatusCode Status, string Text)> ReadyAsync()
    {
        using HttpResponseMessage response = await http.GetAsync(new Uri(server.Address, "readyz"));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    [GeneratedRegex(@"- alert: (?<name>\w+)", RegexOptions.ExplicitCapture)]
    private static partial Regex AlertName();

    [GeneratedRegex(@"`(?<name>Collections[A-Z]\w+)`", RegexOptions.ExplicitCapture)]
    private static partial Regex ExplainedAlert();
}
