using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using static Collections.Storage.Postgres.PostgresSessions;

namespace Collections.Storage.Postgres;

/// <summary>A step of the schema, as it is embedded in the program. Once released it never changes; the next one begins where it ends.</summary>
/// <param name="Name">Version and name, such as "0001-store".</param>
internal sealed record SchemaMigration(int Version, string Name, string Sql)
{
    /// <summary>SHA-256 of its text, in hexadecimal digits.</summary>
    public string Checksum { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));
}

/// <summary>What <see cref="PostgresStore.Migrate"/> and <see cref="PostgresStore.Check"/> found.</summary>
/// <param name="Version">The version that the schema has; 0: there is none.</param>
/// <param name="Applied">Names of the migrations that were applied now.</param>
/// <param name="Missing">Names of those that the program has and the schema has not.</param>
public sealed record SchemaStanding(string Server, string Place, int Version, IReadOnlyList<string> Applied, IReadOnlyList<string> Missing);

/// <summary>
/// Brings the schema to what the program needs: forward only, all steps in one transaction under an advisory lock, so that of several nodes that start at
/// once one does it and the others find it done; and recorded with a checksum, so that what was altered is not built upon.
/// </summary>
internal sealed class SchemaMigrations
{
    private const string ResourcePrefix = "migrations/";

    /// <summary>PostgreSQL 13 is the oldest that the statements are written for.</summary>
    private const int ServerVersionMin = 130_000;

    private readonly PostgresSettings settings;
    private readonly IReadOnlyList<SchemaMigration> known;

    public SchemaMigrations(PostgresSettings settings, IReadOnlyList<SchemaMigration>? known = null)
    {
        this.settings = settings;
        this.known = known ?? Embedded();
    }

    public static IReadOnlyList<SchemaMigration> Embedded()
    {
        Assembly assembly = typeof(SchemaMigrations).Assembly;
        return [.. assembly.GetManifestResourceNames().Where(static name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(resource =>
        {
            using var text = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            string name = resource[ResourcePrefix.Length..^".sql".Length];
            return new SchemaMigration(int.Parse(name.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture), name, text.ReadToEnd());
        })];
    }

    /// <summary>Applies what is missing.</summary>
    /// <param name="applying">Called before each step, within the transaction.</param>
    /// <exception cref="StorageRefusedException">The schema is of a newer program, or was altered, or the role may not create it.</exception>
    public SchemaStanding Apply(NpgsqlConnection connection, Action<SchemaMigration>? applying = null)
    {
        string server = CheckServer(connection);
        if (Compare(connection) is { Missing.Count: 0 } done)
            return done with { Server = server };
        try
        {
            using NpgsqlTransaction transaction = connection.BeginTransaction();
            // However long another node takes, and however long the steps themselves.
            Execute(connection, "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0");
            using (NpgsqlCommand wait = Command(connection, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", $"collections schema {settings.Schema}"))
            {
                wait.CommandTimeout = 0;
                wait.ExecuteNonQuery();
            }
            SchemaStanding standing = Compare(connection);
            List<string> applied = [];
            if (standing.Missing.Count > 0)
            {
                // Created only where it is missing: a role that may use it need not have the right to create one.
                if (!Scalar<bool>(connection, "SELECT to_regnamespace($1) IS NOT NULL", settings.Schema))
                    Execute(connection, $"CREATE SCHEMA {settings.Schema}");
                Execute(connection, "CREATE TABLE IF NOT EXISTS schema_migration (version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
            }
            foreach (SchemaMigration step in known.Where(step => step.Version > standing.Version))
            {
                applying?.Invoke(step);
                Run(connection, step);
                applied.Add(step.Name);
            }
            transaction.Commit();
            return standing with { Server = server, Version = known[^1].Version, Applied = applied, Missing = [] };
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new StorageRefusedException($"{settings}: the store's tables have to be created or brought up to date, and its role may not: {refused.MessageText}. Let a role that may create tables run 'collections store migrate', and make the store's role the owner of the schema.", refused);
        }
    }

    /// <summary>Changes nothing.</summary>
    public SchemaStanding Check(NpgsqlConnection connection) => Compare(connection) with { Server = CheckServer(connection) };

    private static void Run(NpgsqlConnection connection, SchemaMigration step)
    {
        using NpgsqlCommand command = Command(connection, step.Sql);
        command.CommandTimeout = 0;
        command.ExecuteNonQuery();
        Execute(connection, "INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)", step.Version, step.Name, step.Checksum);
    }

    private string CheckServer(NpgsqlConnection connection)
    {
        string version = Scalar<string>(connection, "SHOW server_version") ?? "";
        if (Scalar<int>(connection, "SELECT current_setting('server_version_num')::integer") < ServerVersionMin)
            throw new StorageRefusedException($"{settings}: the server is PostgreSQL {version}, and the store needs 13 or later");
        string encoding = Scalar<string>(connection, "SHOW server_encoding") ?? "";
        if (encoding != "UTF8")
            throw new StorageRefusedException($"{settings}: the database's encoding is {encoding}, and names of debtors need UTF8; create one with ENCODING 'UTF8'");
        if (!Scalar<bool>(connection, "SELECT has_database_privilege(current_database(), 'TEMP')"))
            throw new StorageRefusedException($"{settings}: the role may not create temporary tables, through which checkpoints go; GRANT TEMPORARY ON DATABASE {Scalar<string>(connection, "SELECT quote_ident(current_database())")} TO {Scalar<string>(connection, "SELECT quote_ident(current_user)")}");
        return version;
    }

    private SchemaStanding Compare(NpgsqlConnection connection)
    {
        var recorded = new List<(int Version, string Name, string Checksum)>();
        if (Scalar<bool>(connection, "SELECT to_regclass($1) IS NOT NULL", $"{settings.Schema}.schema_migration"))
        {
            using NpgsqlCommand command = Command(connection, "SELECT version, name, checksum FROM schema_migration ORDER BY version");
            using NpgsqlDataReader row = command.ExecuteReader();
            while (row.Read())
                recorded.Add((row.GetInt32(0), row.GetString(1), row.GetString(2)));
        }
        for (int i = 0; i < recorded.Count; i++)
        {
            (int version, string name, string checksum) = recorded[i];
            if (version > known[^1].Version)
                throw new StorageRefusedException($"{settings}: the schema has version {recorded[^1].Version} ({recorded[^1].Name}), and this program knows versions up to {known[^1].Version}: a newer program has brought it there. Run that one, or a newer one; a schema never goes back");
            if (version != i + 1 || known[i].Name != name || known[i].Checksum != checksum)
                throw new StorageRefusedException($"{settings}: the schema's record says that step {i + 1} was {name} with checksum {checksum[..Math.Min(12, checksum.Length)]}…, and this program has {known[i].Name} with {known[i].Checksum[..12]}…: it was altered, or is of another program. Restore the database, or name another schema by 'Search Path'");
        }
        return new SchemaStanding("", settings.ToString(), recorded.Count, [], [.. known.Skip(recorded.Count).Select(static step => step.Name)]);
    }
}
