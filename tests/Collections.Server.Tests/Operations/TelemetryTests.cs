using System.Text.Json;
using Collections.Server.Operations;
using Collections.Server.Tests.EndToEnd;
using Collections.V1;

namespace Collections.Server.Tests.Operations;

/// <summary>What leaves a node when OpenTelemetry's variables say so, and what its log says to programs.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public async Task A_node_sends_its_metrics_and_the_spans_of_a_call_to_the_collector_that_the_environment_names()
    {
        await using OtlpCollector collector = await OtlpCollector.StartAsync();
        using var folder = new TestFolder();
        var environment = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
            ["OTEL_RESOURCE_ATTRIBUTES"] = "service.name=node-under-test",
        };
        await using ServeProcess node = await ServeProcess.StartAsync(folder["data"], environment, []);
        await node.WaitServingAsync();
        await new V1.Queues.QueuesClient(node.Channel).PullAsync(new PullRequest { Queue = "default/sms", Count = 1 });
        await collector.WaitAsync(
            (metrics, spans, services) =>
                metrics.IsSupersetOf((string[])["collections.partition.lag.records", "collections.pull.duration", "dotnet.gc.collections", "http.server.request.duration"])
                && spans.FirstOrDefault(span => span.Name == "collections.v1.Queues/Pull") is { } call
                && spans.Any(span => span.Name == "pull" && span.Parent == call.Id && span.Trace == call.Trace)
                && services.SetEquals(["node-under-test"]),
            CollectionsProcess.Patience);
    }

    [Fact]
    public async Task A_log_for_programs_tells_the_life_of_a_node_in_objects_on_standard_error()
    {
        using var folder = new TestFolder();
        using System.Diagnostics.Process node = CollectionsProcess.Start("serve", "--data", folder["data"], "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--log-format", "json");
        var events = new List<JsonElement>();
        while (!events.Exists(line => line.GetProperty("event").GetString() == "ready"))
            events.Add(JsonDocument.Parse((await node.StandardError.ReadLineAsync().WaitAsync(CollectionsProcess.Patience))!).RootElement);
        Assert.Equal(["watched", "started", "listening", "ready"], events.Select(line => line.GetProperty("event").GetString()));
        using var http = new HttpClient();
        Assert.Equal("ready\n", await http.GetStringAsync(new Uri(new Uri(events[0].GetProperty("metrics").GetString()!), "readyz")));
        using System.Diagnostics.Process kill = CollectionsProcess.Start("kill", ["-TERM", node.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        string rest = await node.StandardError.ReadToEndAsync().WaitAsync(CollectionsProcess.Patience);
        await node.WaitForExitAsync().WaitAsync(CollectionsProcess.Patience);
        Assert.Equal("stopping", JsonDocument.Parse(rest.TrimEnd('\n')).RootElement.GetProperty("event").GetString());
        Assert.Equal((0, ""), (node.ExitCode, await node.StandardOutput.ReadToEndAsync()));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1")]
    [InlineData(true, false, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://127.0.0.1:1")]
    [InlineData(false, true, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_METRICS_EXPORTER=none")]
    [InlineData(false, false, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_SDK_DISABLED=true")]
    [InlineData(false, false, "OTEL_EXPORTER_OTLP_ENDPOINT= ")]
    public void Nothing_is_sent_unless_the_environment_says_where_to(bool metrics, bool traces, params string[] variables)
    {
        using Telemetry telemetry = Telemetry.Start(Environment(variables));
        Assert.Equal((metrics, traces), (telemetry.SendsMetrics, telemetry.SendsTraces));
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "not an address")]
    public void A_variable_that_can_not_be_used_is_named(string name, string value)
    {
        string said = Assert.Throws<TelemetrySettingException>(() => Telemetry.Start(Environment($"{name}={value}"))).Message;
        Assert.StartsWith($"{name}: '{value}' is no address", said, StringComparison.Ordinal);
    }

    private static Func<string, string?> Environment(params string[] variables) =>
        name => variables.FirstOrDefault(variable => variable.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
}
