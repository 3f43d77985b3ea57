namespace Collections.Tidy;

/// <summary>What the rules let pass and what they find, case by case; each rule's first bad case stands beside it.</summary>
public sealed class RuleTests
{
    private const string Domain = "src/Collections.Domain/A.cs";
    private const string Partitions = "src/Collections.Engine/Partitions/A.cs";
    private const string Hosting = "src/Collections.Engine/Hosting/A.cs";
    private const string Server = "src/Collections.Server/A.cs";
    private const string Tests = "tests/Collections.Domain.Tests/A.cs";

    [Theory]
    [InlineData("no-clock-in-core", Partitions, "var t = Stopwatch.GetTimestamp();", true)]
    [InlineData("no-clock-in-core", Partitions, "long t = Environment.TickCount64;", true)]
    [InlineData("no-clock-in-core", Partitions, "text = $\"at {DateTime.UtcNow:o}\";", true)]
    [InlineData("no-clock-in-core", Hosting, "var t = Stopwatch.GetTimestamp();", false)]
    [InlineData("no-clock-in-core", Server, "var t = DateTime.UtcNow;", false)]
    [InlineData("no-clock-in-core", Domain, "// not DateTime.UtcNow", false)]
    [InlineData("no-clock-in-core", Domain, "text = \"DateTime.UtcNow\";", false)]
    [InlineData("no-chance-in-core", Hosting, "var r = new Random(1);", true)]
    [InlineData("no-chance-in-core", Domain, "Random r = new(1);", true)]
    [InlineData("no-fresh-ids-in-core", Hosting, "var id = Guid.NewGuid();", true)]
    [InlineData("no-async-in-core", Partitions, "public async void A() { }", true)]
    [InlineData("no-async-in-core", Partitions, "ValueTask a;", true)]
    [InlineData("no-async-in-core", Hosting, "Task a;", false)]
    [InlineData("no-async-in-core", Domain, "int TaskCount;", false)]
    [InlineData("no-files-in-core", Hosting, "File.ReadAllText(path);", true)]
    [InlineData("no-files-in-core", Domain, "var s = new FileStream(path);", true)]
    [InlineData("no-files-in-core", Domain, "profile.File = 1;", false)]
    [InlineData("no-sleep-in-tests", Tests, "Thread.Sleep(1);", true)]
    [InlineData("no-sleep-in-tests", Tests, "await Task.Delay(Timeout.Infinite, token);", false)]
    [InlineData("no-sleep-in-tests", Server, "await Task.Delay(5);", false)]
    [InlineData("names-are-domain-words", Server, "public sealed record LeaseManager(int A);", true)]
    [InlineData("names-are-domain-words", Server, "public sealed class Database;", false)]
    [InlineData("names-are-domain-words", Tests, "class TestBase;", false)]
    [InlineData("no-partial-types", Domain, "public static partial class Log { [LoggerMessage(1)] static partial void A(); }", false)]
    [InlineData("no-unfinished-code", Tests, "throw new NotImplementedException();", true)]
    [InlineData("no-not-yet", Server, "throw new NotSupportedException(\"streams can't seek\");", false)]
    [InlineData("money-is-long", Domain, "void A(int balanceMinor) { }", true)]
    [InlineData("money-is-long", Domain, "public decimal AmountMinor { get; }", true)]
    [InlineData("money-is-long", Server, "public decimal AmountMinor { get; }", false)]
    [InlineData("money-is-long", Server, "public double AmountMinor { get; }", true)]
    [InlineData("money-is-long", Domain, "private readonly float[] _sumMinor;", true)]
    [InlineData("money-is-long", Domain, "double OverdueMinor() => 1;", true)]
    [InlineData("money-is-long", Domain, "record A(long AmountMinor, long? PaidMinor);", false)]
    [InlineData("money-is-long", Domain, "private readonly long[] _sumMinor;", false)]
    [InlineData("money-is-long", Domain, "void A(ReadOnlySpan<long> itemMinor) { }", false)]
    [InlineData("money-is-long", Domain, "bool TryReadMinor(Span<int> itemMinor) => true;", true)]
    [InlineData("money-is-long", Domain, "bool TryReadMinor(string text) => true;", false)]
    [InlineData("money-is-long", Domain, "return balanceMinor;", false)]
    [InlineData("money-is-long", Domain, "var overdueMinor = 1L;", false)]
    [InlineData("money-is-long", Domain, "Dictionary<int, long> byMinor;", false)]
    [InlineData("skips-say-why", Tests, "class A : FactAttribute { public A() => Skip = Reason; }", false)]
    [InlineData("skips-say-why", Tests, "class A : FactAttribute { } class B { [A(Skip = Reason)] void C() { } }", true)]
    [InlineData("skips-say-why", Tests, "class A : FactAttribute { public A() => Skip = \"\"; }", true)]
    [InlineData("skips-say-why", Tests, "class A : FactAttribute { public A() { if (Data is null) Skip = \"no data\"; } }", false)]
    [InlineData("skips-say-why", Tests, "lines.Skip(1); if (Skip == 2) { }", false)]
    [InlineData("no-regions", Domain, "// #region", false)]
    [InlineData("pragma-has-reason", Domain, "#pragma warning disable CA1000 // The official signature.", false)]
    [InlineData("pragma-has-reason", Domain, "// The official signature.\n#pragma warning disable CA1000", false)]
    [InlineData("pragma-has-reason", Domain, "#pragma warning disable // Everything is bad here.", true)]
    [InlineData("pragma-has-reason", Domain, "#pragma warning restore CA1000", false)]
    [InlineData("suppression-has-reason", Domain, "[SuppressMessage(\"A\", \"B\", Justification = \"The official signature.\")] class A;", false)]
    public void A_line_of_code_breaks_a_rule_or_not(string rule, string path, string code, bool breaks) => Judge(rule, Tree.Of((path, code)), breaks);

    [Theory]
    [InlineData("Storage", "Engine", true)]
    [InlineData("Storage", "Domain", true)]
    [InlineData("Kafka", "Storage", false)]
    [InlineData("Storage", "Grpc", false)]
    [InlineData("Grpc", "Engine", false)]
    [InlineData("Engine", "Storage", false)]
    [InlineData("Scoring", "Strategy", false)]
    [InlineData("Server", "Kafka", true)]
    [InlineData("Scoring.Tests", "Scoring", true)]
    [InlineData("Scoring.Tests", "Engine", false)]
    [InlineData("Elsewhere", "Domain", false)]
    public void A_project_sees_what_is_below_it(string from, string to, bool allowed) => Judge(
        "layers",
        Tree.Of(
            ($"src/Collections.{from}/Collections.{from}.csproj", LayerRules.Referencing($"..\\Collections.{to}\\Collections.{to}.csproj")),
            ($"src/Collections.{to}/Collections.{to}.csproj", LayerRules.Referencing())),
        breaks: !allowed);

    [Theory]
    [InlineData("packages-have-owners", """<PackageReference Include="Npgsql" />""", false)]
    [InlineData("packages-have-owners", """<PackageReference Include="Npgsql.Json" />""", false)]
    [InlineData("packages-have-owners", """<PackageReference Include="NpgsqlOther" />""", true)]
    [InlineData("packages-have-owners", """<PackageReference Include="Spectre.Console" />""", true)]
    [InlineData("packages-have-owners", """<Reference Include="Confluent.Kafka" HintPath="x.dll" />""", true)]
    [InlineData("packages-have-owners", """<Reference Include="Confluent.Kafka"><HintPath>x.dll</HintPath></Reference>""", true)]
    [InlineData("versions-are-central", """<PackageReference Include="Npgsql" Version="10.0.0" />""", true)]
    [InlineData("versions-are-central", """<PackageReference Include="Npgsql"><Version>10.0.0</Version></PackageReference>""", true)]
    [InlineData("versions-are-central", """<PackageDownload Include="Npgsql" Version="[10.0.0]" />""", true)]
    [InlineData("versions-are-central", """<PackageDownload Include="Npgsql" Version="[$(NpgsqlVersion)]" />""", false)]
    [InlineData("warnings-stay-on", "<PropertyGroup><TreatWarningsAsErrors>false</TreatWarningsAsErrors></PropertyGroup>", true)]
    [InlineData("warnings-stay-on", """<ProjectReference Include="A" NoWarn="NU1603" />""", true)]
    public void A_project_file_breaks_a_rule_or_not(string rule, string xml, bool breaks) => Judge(
        rule,
        Tree.Of(
            ("src/Collections.Storage/Collections.Storage.csproj", $"<Project>{xml}</Project>"),
            ("Directory.Packages.props", "<Project><PropertyGroup><NpgsqlVersion>10.0.0</NpgsqlVersion></PropertyGroup></Project>")),
        breaks);

    [Theory]
    [InlineData("10.0.0", false)]
    [InlineData("1.2.3-beta.4", false)]
    [InlineData("10.*", true)]
    [InlineData("[1.0.0,2.0.0)", true)]
    [InlineData("", true)]
    public void A_version_is_one_version(string version, bool breaks) =>
        Judge("versions-are-pinned", Tree.Of(("Directory.Packages.props", $"<Project><PackageVersion Include=\"A\" Version=\"{version}\" /></Project>")), breaks);

    [Theory]
    [InlineData("links-resolve", "[a](docs/A.md) [b](https://example.org/gone) [c](/docs) `[d](gone.md)`", false)]
    [InlineData("links-resolve", "```\n[a](gone.md)\n```", false)]
    [InlineData("links-resolve", "![picture](docs/gone.png)", true)]
    [InlineData("links-resolve", "<img alt='a' src='gone.png'>", true)]
    [InlineData("links-resolve", "[a]: gone.md", true)]
    [InlineData("links-resolve", "[a](../gone.md \"Outside\")", true)]
    [InlineData("anchors-resolve", "[a](docs/A.md#how-it-starts--ends) [b](docs/A.md#how-it-starts--ends-1)", false)]
    [InlineData("anchors-resolve", "[a](docs/A.md#how-it-ends)", true)]
    [InlineData("anchors-resolve", "[a](docs/A.md#L2)", true)]
    [InlineData("anchors-resolve", "[a](a.cs#L2) <a id=\"here\"></a> [b](#here)", false)]
    [InlineData("anchors-resolve", "[a](a.cs#L3)", true)]
    public void A_link_leads_somewhere_or_not(string rule, string text, bool breaks) => Judge(
        rule,
        Tree.Of(("README.md", text), ("docs/A.md", "## How it *starts* & `ends`\n# How it starts & ends\n"), ("a.cs", "class A\n;\n")),
        breaks);

    [Theory]
    [InlineData("shown-verbs-exist", "collections serve --data here", false)]
    [InlineData("shown-verbs-exist", "echo a | ./bin/collections import -", true)]
    [InlineData("shown-verbs-exist", "dotnet run -c Release --project src/Collections.Server -- serve", false)]
    [InlineData("shown-verbs-exist", "dotnet run --project src/Collections.Server -- fly", true)]
    [InlineData("shown-verbs-exist", "collections 0.1.0: 4 partitions", false)]
    [InlineData("shown-verbs-exist", "$ collections serve\ncollections flies", false)]
    [InlineData("shown-options-exist", "collections serve --data='a --wing' -d x # --wing", false)]
    [InlineData("shown-options-exist", "collections serve \\\n  --wing", true)]
    [InlineData("shown-options-exist", "collections --help", false)]
    [InlineData("shown-dotnet-verbs-exist", "dotnet test Collections.Engine.sln", false)]
    [InlineData("shown-paths-exist", "dotnet run --project src/Collections.Server -- serve", false)]
    [InlineData("shown-paths-exist", "dotnet run --project src/Collections.Sevrer -- serve", true)]
    [InlineData("shown-paths-exist", "eng/test Collections.Tidy", false)]
    public void A_command_line_can_be_typed_or_not(string rule, string line, bool breaks) => Judge(rule, CommandLineRules.Sample(line), breaks);

    [Theory]
    [InlineData("proto-numbers-are-unique", "message A { string a = 1; } message B { string a = 1; map<string, string> b = 2; }", false)]
    [InlineData("proto-numbers-are-unique", "message A { string a = 1; message B { string b = 1; } string c = 1; }", true)]
    [InlineData("proto-numbers-are-unique", "message A { string a = 1; map<string, string> b = 1; }", true)]
    [InlineData("proto-numbers-are-unique", "message A { string a = 1; // string b = 1;\n }", false)]
    [InlineData("proto-numbers-are-unique", "enum A { B = 1; C = 1; }", false)]
    [InlineData("proto-reserved-stay-reserved", "message A { reserved 1; message B { string b = 1; } }", false)]
    [InlineData("proto-reserved-stay-reserved", "message A { reserved 9 to max; string b = 10; }", true)]
    [InlineData("proto-money-is-integer", "message A { int64 minor_units = 1; }", false)]
    public void A_message_breaks_a_rule_or_not(string rule, string text, bool breaks) => Judge(rule, Tree.Of(("protos/a.proto", text)), breaks);

    [Theory]
    [InlineData("text-form", "class A;\n", false)]
    [InlineData("text-form", "class A;", true)]
    [InlineData("text-form", "class A;\r\n", true)]
    [InlineData("text-form", "class A;\n\n", true)]
    [InlineData("no-machine-paths", "open(\"/ro" + "ot/a\");\n", true)]
    [InlineData("no-machine-paths", "// frame/wo" + "rk/item\n", false)]
    [InlineData("no-unfinished-marks", "var hacks = todo;\n", false)]
    public void A_text_breaks_a_rule_or_not(string rule, string text, bool breaks) => Judge(rule, Tree.Of(("src/A/A.cs", text)), breaks);

    private static void Judge(string rule, Tree tree, bool breaks)
    {
        string found = string.Join('\n', RuleBook.Named(rule).Check(tree));
        Assert.True(breaks == found.Length > 0, breaks ? $"{rule} finds nothing" : found);
    }
}
