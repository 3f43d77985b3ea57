using System.Data.Common;
using System.Globalization;
using Npgsql;

namespace Collections.Storage.Postgres;

/// <summary>
/// Where the PostgreSQL store is: a connection string of Npgsql (<c>Host=…;Username=…</c>) or a URI (<c>postgresql://user@host/database</c>), and
/// what the store adds where it says nothing. The schema is its <c>Search Path</c>.
/// </summary>
public sealed class PostgresSettings
{
    public const string SchemaDefault = "collections";

    /// <summary>PostgreSQL cuts longer names off.</summary>
    private const int SchemaLengthMax = 63;

    /// <summary>Parameters of libpq's URIs by the names that Npgsql has for them; others go by Npgsql's own names.</summary>
    private static readonly Dictionary<string, string> UriNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["dbname"] = "Database",
        ["user"] = "Username",
        ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["application_name"] = "Application Name",
        ["connect_timeout"] = "Timeout",
        ["target_session_attrs"] = "Target Session Attributes",
        ["channel_binding"] = "Channel Binding",
        ["search_path"] = "Search Path",
        ["schema"] = "Search Path",
        ["krbsrvname"] = "Kerberos Service Name",
    };

    private PostgresSettings(NpgsqlConnectionStringBuilder connection, int checkpointSeconds)
    {
        Connection = connection;
        CheckpointSeconds = checkpointSeconds;
    }

    /// <summary>The schema that holds the store's tables.</summary>
    public string Schema => Connection.SearchPath!;

    /// <summary>How long one step of a checkpoint or of loading one may take, in seconds; other commands have the connection's Command Timeout.</summary>
    internal int CheckpointSeconds { get; }

    internal NpgsqlConnectionStringBuilder Connection { get; }

    /// <summary>Server and database, for messages: never the password.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"PostgreSQL at {Connection.Host}{(Connection.Host!.Contains(':', StringComparison.Ordinal) ? "" : $":{Connection.Port}")}, database {Connection.Database ?? Connection.Username ?? "of the user"}, schema {Schema}");

    /// <exception cref="StorageRefusedException">It can't be read; the message names the part and shows a good one.</exception>
    public static PostgresSettings Parse(string text)
    {
        try
        {
            NpgsqlConnectionStringBuilder connection = IsUri(text) ? FromUri(text) : new NpgsqlConnectionStringBuilder(text);
            if (string.IsNullOrEmpty(connection.Host))
                throw new ArgumentException("it names no Host");
            int checkpointSeconds = Says(connection, "Command Timeout") ? connection.CommandTimeout : Limits.CheckpointCommandSeconds;
            AddDefaults(connection);
            CheckSchema(connection.SearchPath!);
            return new PostgresSettings(connection, checkpointSeconds);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            // The text itself is not shown: it may hold a password.
            throw new StorageRefusedException($"the store's connection can't be read: {e.Message.TrimEnd('.')}. Give a connection string such as Host=db.example.org;Username=collections;Database=collections, or a URI such as postgresql://collections@db.example.org/collections", e);
        }
    }

    private static void AddDefaults(NpgsqlConnectionStringBuilder connection)
    {
        if (string.IsNullOrEmpty(connection.SearchPath))
            connection.SearchPath = SchemaDefault;
        connection.ApplicationName ??= "collections";
        if (!Says(connection, "Command Timeout"))
            connection.CommandTimeout = Limits.CommandSeconds;
        // A partner that is gone without a word is noticed by the system, whatever is waited for.
        if (!Says(connection, "TCP Keepalive"))
        {
            connection.TcpKeepAlive = true;
            connection.TcpKeepAliveTime = Limits.KeepAliveSeconds;
            connection.TcpKeepAliveInterval = Limits.KeepAliveSeconds;
        }
        if (!Says(connection, "Max Auto Prepare"))
        {
            connection.MaxAutoPrepare = Limits.PreparedStatementsMax;
            connection.AutoPrepareMinUsages = 2;
        }
        // The store's own staging table lives as long as its connection; COPY needs a connection for itself.
        connection.NoResetOnClose = true;
        connection.Multiplexing = false;
        connection.Enlist = false;
    }

    private static void CheckSchema(string schema)
    {
        bool holds = schema.Length <= SchemaLengthMax && (char.IsAsciiLetterLower(schema[0]) || schema[0] == '_')
            && schema.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_') && !schema.StartsWith("pg_", StringComparison.Ordinal);
        if (!holds)
            throw new ArgumentException($"Search Path is the one schema of the store: lower-case letters, digits and underscores, at most {SchemaLengthMax}, not beginning with a digit or pg_; '{schema}' is none");
    }

    private static bool Says(NpgsqlConnectionStringBuilder connection, string keyword) => ((DbConnectionStringBuilder)connection).ShouldSerialize(keyword);

    private static bool IsUri(string text) =>
        text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase);

    /// <summary>postgresql://user:password@host:port,host:port/database?name=value&amp;…, each part percent-encoded.</summary>
    private static NpgsqlConnectionStringBuilder FromUri(string uri)
    {
        var connection = new NpgsqlConnectionStringBuilder();
        string rest = uri[(uri.IndexOf("://", StringComparison.Ordinal) + 3)..];
        (rest, string query) = Cut(rest, '?');
        (string authority, string database) = Cut(rest, '/');
        int at = authority.LastIndexOf('@');
        (string user, string password) = at < 0 ? ("", "") : Cut(authority[..at], ':');
        if (user.Length > 0)
            connection.Username = Uri.UnescapeDataString(user);
        if (password.Length > 0)
            connection.Password = Uri.UnescapeDataString(password);
        if (database.Length > 0)
            connection.Database = Uri.UnescapeDataString(database);
        SetHosts(connection, authority[(at + 1)..]);
        foreach (string pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            (string name, string value) = Cut(pair, '=');
            name = Uri.UnescapeDataString(name);
            value = Uri.UnescapeDataString(value);
            // libpq writes verify-full, and Npgsql VerifyFull.
            bool isChoice = name is "sslmode" or "target_session_attrs" or "channel_binding";
            connection[UriNames.GetValueOrDefault(name, name)] = isChoice ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }
        return connection;
    }

    private static void SetHosts(NpgsqlConnectionStringBuilder connection, string hosts)
    {
        string unescaped = Uri.UnescapeDataString(hosts);
        // An address of IPv6 is written in brackets, with colons of its own.
        int colon = unescaped.LastIndexOf(':');
        bool hasOnePort = !unescaped.Contains(',', StringComparison.Ordinal) && colon > unescaped.LastIndexOf(']');
        connection.Host = (hasOnePort ? unescaped[..colon] : unescaped).Trim('[', ']');
        if (hasOnePort)
            connection.Port = int.Parse(unescaped.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static (string Before, string After) Cut(string text, char at)
    {
        int index = text.IndexOf(at, StringComparison.Ordinal);
        return index < 0 ? (text, "") : (text[..index], text[(index + 1)..]);
    }
}
