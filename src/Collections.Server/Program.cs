using System.CommandLine;
using Collections.Server.Commands;

// In the order of the data: events in, the node, actions out, what it knows; then trying and measuring it.
var root = new RootCommand("Collections Engine: decides whom to contact next, how, and whom not to contact at all.")
{
    ImportCommand.Build(),
    ServeCommand.Build(),
    PullCommand.Build(),
    DebtorCommand.Build(),
    StatusCommand.Build(),
    FeaturesCommand.Build(),
    ScoreCommand.Build(),
    DemoCommand.Build(),
};
return await root.Parse(args).InvokeAsync();
