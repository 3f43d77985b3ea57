using System.CommandLine;
using Collections.Server.Commands;

// In the order of the data: events in, the node, actions out, what it knows, what it scores with; then trying and measuring it.
var root = new RootCommand("Collections Engine: decides whom to contact next, how, and whom not to contact at all.")
{
    ImportCommand.Build(),
    ServeCommand.Build(),
    KafkaCommand.Build(),
    PullCommand.Build(),
    DebtorCommand.Build(),
    StatusCommand.Build(),
    DeadLetterCommand.Build(),
    ModelCommand.Build(),
    StoreCommand.Build(),
    FeaturesCommand.Build(),
    ExportCommand.Build(),
    ScoreCommand.Build(),
    DemoCommand.Build(),
    BenchCommand.Build(),
};
ParseResult command = root.Parse(args);
// Stopping lets the calls at hand end and keeps a last checkpoint; the default would cut both off after two seconds.
int code = await command.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(2) });
// An import answers 1 when some rows were refused; a command that was not understood has done nothing.
return command.Errors.Count > 0 ? 2 : code;
