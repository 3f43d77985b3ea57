using System.Text.Json;
using Collections.Server.Hosting;
using Collections.Server.Operations;

namespace Collections.Server.Tests.Operations;

/// <summary>What a node says: sentences for people, objects for programs.</summary>
public sealed class ServeLogTests : IDisposable
{
    private readonly StringWriter output = new();
    private readonly StringWriter errors = new();
    private readonly VirtualClock clock = new(new DateTimeOffset(2026, 3, 10, 9, 0, 0, 7, TimeSpan.Zero).ToUnixTimeMilliseconds());

    public void Dispose()
    {
        output.Dispose();
        errors.Dispose();
    }

    [Fact]
    public void People_read_life_on_standard_output_and_trouble_on_standard_error()
    {
        ServeLog log = Log(asJson: false);
        log.Tell("ready", "ready: 4 partitions serve", ("partitions", 4));
        log.Warn("the disk is slow");
        Assert.Equal(2, log.Fail("no such directory"));
        Assert.Equal("ready: 4 partitions serve\n", output.ToString());
        Assert.Equal("warning: the disk is slow\nerror: no such directory\n", errors.ToString());
    }

    [Fact]
    public void Programs_read_one_object_a_line_with_time_level_event_and_fields()
    {
        ServeLog log = Log(asJson: true);
        log.Tell("ready", "ready: 4 partitions serve", ("partitions", 4));
        log.Warn("not_ready", "a \"quoted\"\nreason", ("reasons", (string[])["partition 1 is behind", "partition 2 has stopped: ü"]));
        log.Warn("the disk is slow");
        log.Fail("no such directory");
        Assert.Equal("", output.ToString());
        JsonElement[] lines = [.. errors.ToString().TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["ready", "not_ready", "engine_warning", "failed"], lines.Select(line => line.GetProperty("event").GetString()));
        Assert.Equal(["info", "warning", "warning", "error"], lines.Select(line => line.GetProperty("level").GetString()));
        Assert.All(lines, line => Assert.Equal("2026-03-10T09:00:00.007Z", line.GetProperty("time").GetString()));
        Assert.Equal(4, lines[0].GetProperty("partitions").GetInt32());
        Assert.Equal("a \"quoted\"\nreason", lines[1].GetProperty("message").GetString());
        Assert.Equal("partition 2 has stopped: ü", lines[1].GetProperty("reasons")[1].GetString());
    }

    private ServeLog Log(bool asJson)
    {
        output.NewLine = "\n";
        errors.NewLine = "\n";
        return new ServeLog(asJson, output, errors, clock);
    }
}
