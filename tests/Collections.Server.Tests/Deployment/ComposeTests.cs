using System.Text.RegularExpressions;
using Collections.Server.Services;

namespace Collections.Server.Tests.Deployment;

/// <summary>docker-compose.yml holds together, and with the files and the program that it names. Whether its images start is not tried here.</summary>
public sealed partial class ComposeTests
{
    private static readonly YamlValue File = YamlValue.Read("docker-compose.yml").Single();
    private static readonly YamlValue Services = File["services"];

    private static IEnumerable<(string Name, ProgramLine Line)> Programs =>
        from name in Services.Keys
        where Services[name]["image"].Text.StartsWith("collections:", StringComparison.Ordinal)
        select (name, new ProgramLine(Services[name]["command"].Items));

    private static IEnumerable<(string Name, ProgramLine Line)> Nodes => Programs.Where(static program => program.Line.IsNode);

    [Fact]
    public void Every_service_is_there_with_an_image_of_a_named_version()
    {
        Assert.Equal(["grafana", "kafka", "node-1", "node-2", "postgres", "prometheus", "tables", "topics"], Services.Keys.Order(StringComparer.Ordinal));
        Assert.All(Services.Keys, name => Assert.Matches(@"^[a-z/]+:v?\d[\w.-]*$", Services[name]["image"].Text));
        Assert.All(Programs, program => Assert.Equal($"collections:{DebtorsService.VersionText}", Services[program.Name]["image"].Text));
    }

    [Fact]
    public void Every_command_line_of_the_program_can_be_given()
    {
        Assert.Equal(["node-1", "node-2", "tables", "topics"], Programs.Select(static program => program.Name).Order(StringComparer.Ordinal));
        Assert.All(Nodes, node =>
        {
            Assert.Equal($"{node.Name}:{node.Line.PortOf("--listen")}", node.Line["--advertise"]);
            Assert.EndsWith($":{node.Line["--data"]}", Services[node.Name]["volumes"].Items.Single().Text, StringComparison.Ordinal);
            Assert.Contains($"/{node.Line.PortOf("--metrics")} ", Services[node.Name]["healthcheck"]["test"].Items[3].Text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Every_file_and_volume_that_is_mounted_is_there()
    {
        string[] sources = [.. Services.Keys.SelectMany(name => Services[name].Find("volumes")?.Items ?? []).Select(static volume => volume.Text.Split(':')[0])];
        Assert.All(sources.Where(static source => source[0] == '.'), static source => Assert.True(Path.Exists(Path.Combine(AppContext.BaseDirectory, source)), source));
        Assert.Equal(File["volumes"].Keys.Order(StringComparer.Ordinal), sources.Where(static source => source[0] != '.').Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Prometheus_asks_every_node_where_it_answers_and_Grafana_shows_it()
    {
        YamlValue scrape = YamlValue.Read("deploy", "prometheus", "compose.yml").Single()["scrape_configs"].Items.Single();
        // The alert of a node that is down asks for this job.
        Assert.Equal("collections", scrape["job_name"].Text);
        Assert.Equal(
            Nodes.Select(static node => $"{node.Name}:{node.Line.PortOf("--metrics")}").Order(StringComparer.Ordinal),
            scrape["static_configs"].Items.Single()["targets"].Items.Select(static target => target.Text).Order(StringComparer.Ordinal));
        string[] mounts = [.. Services["prometheus"]["volumes"].Items.Concat(Services["grafana"]["volumes"].Items).Select(static volume => volume.Text)];
        Assert.Contains("--config.file=/etc/prometheus/compose.yml", Services["prometheus"]["command"].Items.Select(static word => word.Text));
        Assert.Contains("./deploy/prometheus/compose.yml:/etc/prometheus/compose.yml:ro", mounts);
        Assert.Contains("./deploy/prometheus/alerts.yml:/etc/prometheus/alerts.yml:ro", mounts);

        string[] provisioning = ["deploy", "grafana", "provisioning"];
        string dashboards = YamlValue.Read([.. provisioning, "dashboards", "collections.yml"]).Single()["providers"].Items.Single()["options"]["path"].Text;
        Assert.Contains($"./deploy/grafana/collections.json:{dashboards}/collections.json:ro", mounts);
        var source = new Uri(YamlValue.Read([.. provisioning, "datasources", "prometheus.yml"]).Single()["datasources"].Items.Single()["url"].Text);
        Assert.EndsWith($":{source.Port}", Services[source.Host]["ports"].Items.Single().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_waits_for_health_waits_for_a_service_that_tells_it_and_who_waits_for_an_end_for_one_that_ends()
    {
        var waits = (from name in Services.Keys
                     where Services[name].Find("depends_on") is not null
                     from other in Services[name]["depends_on"].Keys
                     select (Other: other, Condition: Services[name]["depends_on"][other]["condition"].Text)).ToList();
        Assert.True(waits.Count >= 7, $"only {waits.Count} services wait for another");
        Assert.All(waits, wait => Assert.True(wait.Condition switch
        {
            "service_healthy" => Services[wait.Other].Find("healthcheck") is not null,
            "service_completed_successfully" => Services[wait.Other].Find("restart") is null,
            _ => false,
        }, $"{wait.Other}: {wait.Condition}"));
    }

    [Fact]
    public void No_password_is_in_the_file_and_no_port_is_open_to_other_machines()
    {
        string text = System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docker-compose.yml"));
        string[] needed = [.. Password().Matches(text).Select(static match => match.Groups["variable"].Value).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(Secret().Count(text), Password().Count(text));
        IEnumerable<string> given = System.IO.File.ReadLines(Path.Combine(AppContext.BaseDirectory, ".env.example")).Where(static line => line[0] != '#');
        Assert.Equal(needed.Select(static variable => variable + "="), given.Order(StringComparer.Ordinal));
        Assert.All(Services.Keys.SelectMany(name => Services[name].Find("ports")?.Items ?? []), static port => Assert.StartsWith("127.0.0.1:", port.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_node_is_given_the_time_that_it_needs_to_stop() =>
        Assert.All(Nodes, node => Assert.InRange(int.Parse(Services[node.Name]["stop_grace_period"].Text.TrimEnd('s'), null), StopTime.ProgramSeconds, int.MaxValue));

    [GeneratedRegex(@"^ *\w*PASSWORD: ""\$\{(?<variable>\w+):\?[^}]+\}""$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Password();

    [GeneratedRegex(@"^ *\w*PASSWORD\w*:", RegexOptions.Multiline | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Secret();
}

/// <summary>How long a node takes to stop, at most.</summary>
internal static class StopTime
{
    /// <summary>What the web server gives calls at hand: the default of the host that it runs in, 30 seconds.</summary>
    private static readonly int CallsSeconds = (int)new Microsoft.Extensions.Hosting.HostOptions().ShutdownTimeout.TotalSeconds;

    public static int ProgramSeconds => CallsSeconds + Engine.Limits.LastCheckpointSecondsMax;
}
