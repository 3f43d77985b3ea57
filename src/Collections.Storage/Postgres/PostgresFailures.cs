using System.Net.Sockets;
using Collections.Domain;
using Collections.Engine.Stores;
using Npgsql;

namespace Collections.Storage.Postgres;

/// <summary>What PostgreSQL's failures mean to a caller: by their SQLSTATE, as PostgreSQL's appendix A lists them.</summary>
internal static class PostgresFailures
{
    /// <summary>SQLSTATE 25P03, idle_in_transaction_session_timeout.</summary>
    private const string IdleInTransactionTimeout = "25P03";

    /// <summary>How a message of something unavailable ends.</summary>
    public const string TriedAgain = " Nothing was committed; it is tried again.";

    /// <summary>Failures of the connection and answers of the server; anything else is the program's own.</summary>
    public static bool IsOfPostgres(Exception failure) => failure is NpgsqlException or SocketException or TimeoutException or EndOfStreamException;

    /// <summary>
    /// Whether the connection is gone, and nothing is known of what was sent last. A server that answers with an error has done nothing, unless it
    /// says that it ends the session.
    /// </summary>
    public static bool IsLost(Exception failure) => failure is PostgresException said
        ? said.InvariantSeverity is "FATAL" or "PANIC"
        : IsOfPostgres(failure);

    /// <summary>Whether it took too long: trying again at once would take as long.</summary>
    public static bool IsTimeout(Exception failure) => failure is TimeoutException || failure.InnerException is TimeoutException;

    /// <summary>In the contract's words.</summary>
    /// <param name="place">Where the store is.</param>
    /// <param name="doing">What was being done.</param>
    public static Exception Translate(string place, string doing, Exception failure)
    {
        string said = failure is PostgresException answer ? $"{answer.MessageText} (SQLSTATE {answer.SqlState})" : Innermost(failure);
        string what = $"{place}: {doing}: {said}";
        string code = (failure as PostgresException)?.SqlState ?? "";
        return code switch
        {
            "" => IsTimeout(failure)
                ? Unavailable($"{what}: no answer in time; a slower server needs a longer 'Command Timeout' in the store's connection string")
                : Unavailable($"{what}: the server can't be reached"),
            PostgresErrorCodes.DiskFull => Unavailable($"{what}: the server's disk is full; make room there"),
            PostgresErrorCodes.OutOfMemory => Unavailable($"{what}: the server is out of memory"),
            PostgresErrorCodes.TooManyConnections => Unavailable($"{what}: the server takes no more connections; raise its max_connections, or let other programs use fewer"),
            PostgresErrorCodes.ReadOnlySqlTransaction => Unavailable($"{what}: this server is a standby or set read-only; name the primary"),
            PostgresErrorCodes.QueryCanceled => Unavailable($"{what}: raise the statement_timeout of the store's role, or leave it to the program"),
            PostgresErrorCodes.InsufficientPrivilege => Unavailable($"{what}: grant the store's role what it needs on the schema; it is best its owner"),
            PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => new StoreCorruptException($"{what}. Stop, and restore the database from a backup"),
            PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.DatatypeMismatch =>
                new StoreCorruptException($"{what}. The schema has been altered by hand; restore it from a backup"),
            _ => IsPassing(code) ? Unavailable(what) : new InvariantBrokenException($"the server takes what the store says, but: {what}", failure),
        };

        StoreUnavailableException Unavailable(string message) => new($"{message}.{TriedAgain}", failure);
    }

    /// <summary>By class: connections, rolled back, resources, operator, system, authentication, locks and sessions that waited too long.</summary>
    private static bool IsPassing(string code) =>
        code[..2] is "08" or "40" or "53" or "57" or "58" or "28" or "3D"
        || code is PostgresErrorCodes.LockNotAvailable or IdleInTransactionTimeout;

    private static string Innermost(Exception failure) => failure.InnerException is { } inner ? Innermost(inner) : failure.Message.TrimEnd('.');
}

/// <summary>The connection broke while a transaction was being committed: it may have been.</summary>
internal sealed class CommitInDoubtException(Exception inner) : Exception(inner.Message, inner);
