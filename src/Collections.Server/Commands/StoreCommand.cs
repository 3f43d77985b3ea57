using System.CommandLine;
using Collections.Server.Hosting;
using Collections.Storage.Postgres;

namespace Collections.Server.Commands;

/// <summary><c>collections store …</c>: the PostgreSQL store's tables.</summary>
internal static class StoreCommand
{
    public const string ConnectionForm = "PostgreSQL for the store, as Host=…;Username=… or postgresql://user@host/database; its schema is Search Path, by default " + PostgresSettings.SchemaDefault;

    public static Command Build() => new Command("store", "The store in PostgreSQL: whether its tables are what this program needs, and making them so")
    {
        Action("check", "Say which version the tables have, and what is missing; changes nothing. Answers 1 if something is missing", PostgresStore.Check),
        Action("migrate", "Create the tables, or bring them up to date, as a starting node does; for a role that may create tables", PostgresStore.Migrate),
    };

    private static Command Action(string name, string description, Func<PostgresSettings, SchemaStanding> act)
    {
        var store = new Option<string>("--store") { Description = ConnectionForm, Required = true };
        var json = new Option<bool>("--json") { Description = "One JSON object instead of text" };
        var command = new Command(name, description) { store, json };
        command.SetAction(arguments =>
        {
            try
            {
                SchemaStanding standing = act(PostgresSettings.Parse(arguments.GetValue(store)!));
                if (arguments.GetValue(json))
                    Output.WriteJson(standing);
                else
                    Console.Out.WriteLine(Describe(standing));
                return standing.Missing.Count == 0 ? 0 : 1;
            }
            catch (Exception failure) when (DataDirectory.IsExpected(failure))
            {
                return Output.Fail(failure.Message);
            }
        });
        return command;
    }

    private static string Describe(SchemaStanding standing)
    {
        string steps = standing.Missing.Count > 0 ? $"; missing: {string.Join(", ", standing.Missing)}; run 'collections store migrate', or start a node"
            : standing.Applied.Count > 0 ? $"; applied: {string.Join(", ", standing.Applied)}"
            : "; nothing is missing";
        return FormattableString.Invariant($"{standing.Place}: server {standing.Server}, version {standing.Version} of the tables{steps}");
    }
}
