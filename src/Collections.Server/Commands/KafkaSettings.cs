using System.CommandLine;
using Collections.Kafka;

namespace Collections.Server.Commands;

/// <summary>The options by which commands are told of a Kafka cluster.</summary>
internal sealed class KafkaSettings
{
    private readonly Option<string?> bootstrap = new("--kafka") { Description = "Brokers of a Kafka cluster, as host:port,host:port: it is the log then, and --data keeps its archive" };

    private readonly Option<string> prefix = new("--prefix")
    {
        Description = "Beginning of the topics' names: PREFIX.invoices, PREFIX.payments, PREFIX.activity, and PREFIX.decisions, PREFIX.dead-letter of what leaves",
        DefaultValueFactory = _ => KafkaLogOptions.PrefixDefault,
    };

    private readonly Option<string> group = new("--group")
    {
        Description = "Consumer group of the nodes that share the topics and one store; it says which of them runs which partition",
        DefaultValueFactory = _ => KafkaLogOptions.PrefixDefault,
    };

    private readonly Option<string[]> settings = new("--kafka-config")
    {
        Description = "Settings of librdkafka, such as sasl.username=me; or a file of such lines. May be given several times",
        DefaultValueFactory = _ => [],
    };

    /// <param name="joins">Whether the command runs a node, which joins the group of nodes.</param>
    public void AddTo(Command command, bool joins = false)
    {
        command.Add(bootstrap);
        command.Add(prefix);
        if (joins)
            command.Add(group);
        command.Add(settings);
    }

    /// <summary>Null if no cluster is named.</summary>
    /// <exception cref="KafkaRefusedException">A setting is no key=value, or a file can't be read.</exception>
    public KafkaLogOptions? Read(ParseResult arguments)
    {
        if (arguments.GetValue(bootstrap) is not { } brokers)
            return null;
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string given in arguments.GetValue(settings)!)
        {
            if (given.Contains('=', StringComparison.Ordinal))
                Add(read, given, "--kafka-config");
            else
                AddFile(read, given);
        }
        return new KafkaLogOptions(brokers) { Prefix = arguments.GetValue(prefix)!, Group = arguments.GetValue(group) ?? KafkaLogOptions.PrefixDefault, Settings = read };
    }

    private static void AddFile(Dictionary<string, string> read, string path)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new KafkaRefusedException($"--kafka-config: '{path}' is neither key=value nor a file that can be read: {failure.Message}", failure);
        }
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length > 0 && line[0] != '#')
                Add(read, line, $"{path}:{i + 1}");
        }
    }

    // The message names the key alone: the value may be a password.
    private static void Add(Dictionary<string, string> read, string setting, string place)
    {
        int at = setting.IndexOf('=', StringComparison.Ordinal);
        string key = at < 0 ? "" : setting[..at].Trim();
        if (key.Length == 0)
            throw new KafkaRefusedException($"{place}: a setting has the form key=value, such as security.protocol=SASL_SSL");
        read[key] = setting[(at + 1)..].Trim();
    }
}
