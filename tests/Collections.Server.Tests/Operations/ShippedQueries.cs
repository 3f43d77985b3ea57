using System.Text.Json;
using System.Text.RegularExpressions;

namespace Collections.Server.Tests.Operations;

/// <summary>What the shipped dashboard and alerts ask.</summary>
internal static partial class ShippedQueries
{
    private static readonly string Deploy = Path.Combine(AppContext.BaseDirectory, "deploy");

    public static string[] All() =>
        [.. OfDashboard(), .. AlertQuery().Matches(File.ReadAllText(Path.Combine(Deploy, "prometheus", "alerts.yml"))).Select(match => match.Groups["query"].Value)];

    public static List<string> OfDashboard()
    {
        using JsonDocument dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Deploy, "grafana", "collections.json")));
        return [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
            .Select(target => target.GetProperty("expr").GetString()!)];
    }

    public static string[] MetricsOf(string query) => [.. MetricName().Matches(query).Select(match => match.Value).Where(name => name != "db_client_connection_state")];

    /// <summary>Whether only a node on Kafka, or with its store in PostgreSQL, tells of it.</summary>
    public static bool IsOfServers(string metric) => metric.StartsWith("collections_kafka_", StringComparison.Ordinal)
        || metric.StartsWith("collections_outbox_", StringComparison.Ordinal) || metric.StartsWith("db_client_", StringComparison.Ordinal);

    [GeneratedRegex(@"^ +expr: (?:>-\n)?(?<query>.+(?:\n {10}.+)*)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex AlertQuery();

    [GeneratedRegex(@"\b(collections_|dotnet_|http_server_|db_client_)\w+|\bup\b(?=\{)", RegexOptions.ExplicitCapture)]
    private static partial Regex MetricName();
}
