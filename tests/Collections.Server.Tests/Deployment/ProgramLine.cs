using System.CommandLine;
using System.Net;
using Collections.Server.Commands;

namespace Collections.Server.Tests.Deployment;

/// <summary>A command line of the program as a deployment file has it.</summary>
internal sealed class ProgramLine
{
    private readonly ParseResult parsed;

    public ProgramLine(IEnumerable<YamlValue> words)
    {
        Words = [.. words.Select(static word => word.Text)];
        var root = new RootCommand { ServeCommand.Build(), KafkaCommand.Build(), StoreCommand.Build() };
        parsed = root.Parse([.. Words]);
        Assert.True(parsed.Errors.Count == 0, $"{string.Join(' ', Words)}: {string.Join("; ", parsed.Errors.Select(static error => error.Message))}");
    }

    public IReadOnlyList<string> Words { get; }

    public bool IsNode => parsed.CommandResult.Command.Name == "serve";

    /// <summary>The value of an option that is given as <c>--name=value</c>.</summary>
    public string this[string option] => Words.Single(word => word.StartsWith(option + "=", StringComparison.Ordinal))[(option.Length + 1)..];

    /// <summary>The port of an option whose address is one that others can reach, and may be by the other options.</summary>
    public int PortOf(string option)
    {
        Assert.True(ServeCommand.TryParseListen(option, this[option], "", parsed.GetValue<bool>("--trust-network"), out IPEndPoint endpoint, out string problem), problem);
        Assert.Equal(IPAddress.Any, endpoint.Address);
        return endpoint.Port;
    }
}
