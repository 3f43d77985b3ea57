using System.Globalization;
using Collections.Storage.Postgres;
using Collections.Storage.Stores;
using Npgsql;

namespace Collections.Storage.Tests;

/// <summary>A schema of the shared server with stores over it that can be made to fail, and what SQL says of it.</summary>
internal sealed class PostgresScene(PostgresCluster server)
{
    public PostgresSettings Settings { get; } = PostgresSettings.Parse(server.NewSchema());

    /// <summary>Called at every step of every write of stores that <see cref="Open"/> has opened.</summary>
    public Action<StoreStep>? At { get; set; }

    /// <param name="patienceMs">How long a new owner waits for transactions of the one before it.</param>
    public PostgresStore Open(int patienceMs = 100) => new(Settings, (step, _) => At?.Invoke(step), patienceMs);

    /// <summary>Does something once, at the first time a step is reached.</summary>
    public void Once(StoreStep wanted, Action act) => At = step =>
    {
        if (step != wanted)
            return;
        At = null;
        act();
    };

    /// <summary>Ends every session of the schema's stores, as an administrator or a crashing server process does.</summary>
    public void EndSessions() => Sql($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'collections' AND pid <> pg_backend_pid()");

    /// <summary>Runs SQL on a connection of its own; rows come back as lines of values with bars between them.</summary>
    public string Sql(string sql)
    {
        var settings = new NpgsqlConnectionStringBuilder(server.ConnectionTo(Settings.Schema)) { Pooling = false, ApplicationName = "test" };
        using var connection = new NpgsqlConnection(settings.ConnectionString);
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        using NpgsqlDataReader row = command.ExecuteReader();
        var lines = new List<string>();
        while (row.Read())
            lines.Add(string.Join('|', Enumerable.Range(0, row.FieldCount).Select(i => Convert.ToString(row.GetValue(i), CultureInfo.InvariantCulture))));
        return string.Join('\n', lines);
    }
}
