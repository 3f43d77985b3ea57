namespace Collections.Load.Tests;

/// <summary>What may be asked for on the command line, and what is said to what may not.</summary>
public sealed class LoadCommandTests
{
    [Theory]
    [InlineData("", "Required argument missing")]
    [InlineData("tornado", "there is no scenario 'tornado'; take one of storm, day, eight, pulls, mixed")]
    [InlineData("storm --seconds 0", "--seconds: must be 1 to 86,400, but is 0")]
    [InlineData("storm --seconds soon", "Cannot parse argument 'soon' for option '--seconds'")]
    [InlineData("storm --speed 3", "Unrecognized command or argument '--speed'")]
    [InlineData("storm --debtors 5", "--debtors: must be 10 to 4,000,000, but is 5")]
    [InlineData("storm --rate -1", "--rate: must be 1 to 1,500,000, but is -1")]
    [InlineData("storm --batch 10001", "--batch: must be 1 to 10,000, but is 10,001")]
    [InlineData("storm --pull-rate 5", "--pull-rate: the scenario 'storm' pulls nothing")]
    [InlineData("pulls --rate 5", "--rate: the scenario 'pulls' appends no events")]
    [InlineData("pulls --get-rate 5", "--get-rate: the scenario 'pulls' reads no debtors")]
    [InlineData("pulls --pull-count 1001", "--pull-count: must be 1 to 1,000, but is 1,001")]
    [InlineData("pulls --in-flight 0", "--in-flight: must be 1 to 100,000, but is 0")]
    [InlineData("pulls --timeout-seconds 601", "--timeout-seconds: must be 1 to 600, but is 601")]
    [InlineData("storm --rate 1000000 --batch 1", "20,000,000 requests are more than the 4,000,000 that can be planned")]
    [InlineData("storm --target moon", "--target: 'moon' is no target; take embedded, grpc or kafka")]
    [InlineData("storm --target 1", "--target: '1' is no target")]
    [InlineData("storm --target grpc", "--target grpc needs --address")]
    [InlineData("storm --target grpc --address ftp://a", "--address: 'ftp://a' is no host:port")]
    [InlineData("storm --target grpc --address a:b:c", "--address: 'a:b:c' is no host:port")]
    [InlineData("storm --address 127.0.0.1:7700", "add --target grpc")]
    [InlineData("storm --target kafka", "--target kafka needs --kafka")]
    [InlineData("storm --kafka k:9092", "--kafka: events go there only with --target kafka")]
    [InlineData("storm --target kafka --kafka k:9092 --kafka-config nowhere.properties", "'nowhere.properties' is neither key=value nor a file")]
    [InlineData("storm --histogram nowhere/run.hgrm", "--histogram: there is no folder for 'nowhere/run.hgrm'; create it first")]
    [InlineData("mixed --target kafka --kafka k:9092", "say with --address where they listen")]
    public void What_can_not_be_done_is_said(string arguments, string said)
    {
        Assert.Null(LoadCommand.Read(Words(arguments), out string problem));
        Assert.Contains(said, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scenario_alone_has_its_own_rates()
    {
        foreach (Scenario scenario in Scenario.All)
            Assert.Equal(LoadOptions.Of(scenario, TargetKind.Embedded), LoadCommand.Read([scenario.Name], out _));
    }

    [Fact]
    public void Nodes_are_named_with_or_without_a_scheme()
    {
        LoadOptions options = LoadCommand.Read(Words("mixed --target grpc --address a:1,http://b:2 --rate 7 --json"), out string problem)!;
        Assert.Equal("", problem);
        Assert.Equal(["http://a:1/", "http://b:2/"], options.Addresses.Select(static a => a.ToString()));
        Assert.Equal((7, true), (options.EventRate, options.Json));
    }

    [Fact]
    public void Events_alone_need_no_node_besides_Kafka() =>
        Assert.Equal("k:9092", LoadCommand.Read(Words("storm --target kafka --kafka k:9092 --prefix book"), out _)!.Kafka!.Bootstrap);

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
