using System.Text.RegularExpressions;
using Collections.Server.Services;

namespace Collections.Server.Tests.Deployment;

/// <summary>The manifests hold together, and with the program that they start. Whether a cluster takes them is not tried here.</summary>
public sealed partial class KubernetesTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "deploy", "kubernetes");

    private static readonly IReadOnlyList<YamlValue> Objects =
        [.. Directory.GetFiles(Folder).Order(StringComparer.Ordinal).SelectMany(static file => YamlValue.Read("deploy", "kubernetes", Path.GetFileName(file)))];

    private static YamlValue Set => Single("StatefulSet");

    private static YamlValue Pod => Set["spec"]["template"];

    private static YamlValue Container => Pod["spec"]["containers"].Items.Single();

    private static ProgramLine Node => new(Container["args"].Items);

    private static IEnumerable<YamlValue> Containers =>
        from template in (YamlValue[])[Pod, Single("Job")["spec"]["template"]]
        from container in (template["spec"].Find("initContainers")?.Items ?? []).Concat(template["spec"]["containers"].Items)
        select container;

    [Fact]
    public void Kustomization_has_every_file_but_the_example()
    {
        YamlValue kustomization = Single("Kustomization");
        Assert.Equal(
            Directory.GetFiles(Folder).Select(static file => Path.GetFileName(file)!).Except(["kustomization.yaml", "secret.example.yaml"]).Order(StringComparer.Ordinal),
            kustomization["resources"].Items.Select(static file => file.Text).Order(StringComparer.Ordinal));
        Assert.All(Containers, container => Assert.Equal(kustomization["images"].Items.Single()["name"].Text, container["image"].Text));
        Assert.Equal(DebtorsService.VersionText, kustomization["images"].Items.Single()["newTag"].Text);
        Assert.All(Objects.Where(static one => one["kind"].Text != "Kustomization"), static one => Assert.Null(one["metadata"].Find("namespace")));
    }

    [Fact]
    public void Whatever_selects_the_nodes_selects_them()
    {
        IReadOnlyDictionary<string, string> labels = Pod["metadata"]["labels"].Texts;
        YamlValue[] selectors =
        [
            Set["spec"]["selector"]["matchLabels"],
            Single("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
            Single("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
            Single("NetworkPolicy")["spec"]["ingress"].Items[0]["from"].Items[0]["podSelector"]["matchLabels"],
            .. OfKind("Service").Select(static service => service["spec"]["selector"]),
            .. Pod["spec"]["topologySpreadConstraints"].Items.Select(static constraint => constraint["labelSelector"]["matchLabels"]),
        ];
        Assert.All(selectors, selector => Assert.Subset(labels.ToHashSet(), selector.Texts.ToHashSet()));
        // Not the Job's pod, which answers nobody.
        Assert.DoesNotContain(Single("Job")["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"].Text, labels.Values);
        Assert.Contains(OfKind("Service"), service => service["metadata"]["name"].Text == Set["spec"]["serviceName"].Text && service["spec"]["clusterIP"].Text == "None");
    }

    [Fact]
    public void Ports_are_those_where_the_node_listens()
    {
        var ports = Container["ports"].Items.ToDictionary(static port => port["name"].Text, static port => port["containerPort"].Number);
        Assert.Equal(new Dictionary<string, int> { ["grpc"] = Node.PortOf("--listen"), ["metrics"] = Node.PortOf("--metrics") }, ports);
        Assert.Equal($"$(POD_IP):{ports["grpc"]}", Node["--advertise"]);
        foreach (YamlValue port in OfKind("Service").SelectMany(static service => service["spec"]["ports"].Items))
            Assert.Equal((port["name"].Text, ports[port["name"].Text]), (port["targetPort"].Text, port["port"].Number));
        Assert.Equal(["grpc", "metrics"], Single("NetworkPolicy")["spec"]["ingress"].Items.Select(static rule => rule["ports"].Items.Single()["port"].Text));
    }

    [Fact]
    public void Probes_ask_what_the_operators_port_answers()
    {
        foreach ((string probe, string path) in new[] { ("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz") })
        {
            Assert.Equal(path, Container[probe]["httpGet"]["path"].Text);
            Assert.Equal("metrics", Container[probe]["httpGet"]["port"].Text);
        }
    }

    [Fact]
    public void Every_command_line_can_be_given_and_every_name_in_it_is_known()
    {
        Assert.Equal(3, Containers.Count());
        HashSet<string> settings = [.. Single("ConfigMap")["data"].Keys], secrets = [.. Single("Secret")["stringData"].Keys];
        Assert.All(Containers, container =>
        {
            var line = new ProgramLine(container["args"].Items);
            string[] variables = [.. container.Find("env")?.Items.Select(static variable => variable["name"].Text) ?? []];
            Assert.All(Variable().Matches(string.Join(' ', line.Words)), match => Assert.Contains(match.Groups["name"].Value, settings.Union(variables)));
            string[] asked = [.. container.Find("env")?.Items.Select(static variable => variable["valueFrom"].Find("secretKeyRef")?["key"].Text).OfType<string>() ?? []];
            Assert.All(asked, key => Assert.Contains(key, secrets));
        });
        Assert.All((YamlValue[])[Pod, Single("Job")["spec"]["template"]], template =>
            Assert.Contains(template["spec"]["volumes"].Items.Single(static volume => volume["name"].Text == "kafka")["secret"]["items"].Items.Single()["key"].Text, secrets));
    }

    [Fact]
    public void Containers_have_no_rights_and_write_to_their_volumes_alone()
    {
        Assert.All(Containers, static container =>
        {
            Assert.Equal("true", container["securityContext"]["readOnlyRootFilesystem"].Text);
            Assert.Equal("false", container["securityContext"]["allowPrivilegeEscalation"].Text);
            Assert.NotNull(container["resources"]["limits"].Find("memory"));
        });
        Assert.Equal("true", Pod["spec"]["securityContext"]["runAsNonRoot"].Text);
        Assert.Equal(Pod["spec"]["securityContext"]["runAsUser"].Text, Pod["spec"]["securityContext"]["fsGroup"].Text);
        YamlValue data = Container["volumeMounts"].Items.Single(static mount => mount["mountPath"].Text == Node["--data"]);
        Assert.Equal(Set["spec"]["volumeClaimTemplates"].Items.Single()["metadata"]["name"].Text, data["name"].Text);
    }

    [Fact]
    public void A_node_is_given_the_time_that_it_needs_to_stop()
    {
        YamlValue before = Container["lifecycle"]["preStop"]["exec"]["command"];
        Assert.Equal("sleep", before.Items[0].Text);
        Assert.InRange(Pod["spec"]["terminationGracePeriodSeconds"].Number, before.Items[1].Number + StopTime.ProgramSeconds, int.MaxValue);
    }

    private static IEnumerable<YamlValue> OfKind(string kind) => Objects.Where(one => one["kind"].Text == kind);

    private static YamlValue Single(string kind) => OfKind(kind).Single();

    [GeneratedRegex(@"\$\((?<name>\w+)\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Variable();
}
