using System.Data;
using Collections.Engine.Stores;
using Npgsql;

namespace Collections.Storage.Postgres;

/// <summary>
/// The store's connections: as many as are used at once, kept and replaced when they break. A transaction that a broken connection has cut off before
/// its commit is run once more on a fresh one, because a server that was restarted leaves nothing but broken ones. Any thread.
/// </summary>
internal sealed class PostgresSessions : IDisposable
{
    /// <summary>Run on each new connection; what the server, the role or the connection string has set already stays.</summary>
    private static readonly string Prepare = FormattableString.Invariant($"""
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
        SELECT set_config('idle_in_transaction_session_timeout', '{Limits.IdleInTransactionMs}', false) WHERE current_setting('idle_in_transaction_session_timeout') = '0'
        """);

    private readonly NpgsqlDataSource source;

    public PostgresSessions(PostgresSettings settings)
    {
        Settings = settings;
        // Named, because what measures it is labelled by its name, and without one by its connection string.
        var builder = new NpgsqlDataSourceBuilder(settings.Connection.ConnectionString) { Name = "store" };
        builder.UsePhysicalConnectionInitializer(
            static connection => Execute(connection, Prepare),
            static async connection =>
            {
                await using NpgsqlCommand command = new(Prepare, connection);
                await command.ExecuteNonQueryAsync();
            });
        // Of several hosts, only the primary can be written.
        source = settings.Connection.Host!.Contains(',', StringComparison.Ordinal)
            ? builder.BuildMultiHost().WithTargetSession(TargetSessionAttributes.Primary)
            : builder.Build();
    }

    public PostgresSettings Settings { get; }

    /// <summary>Statements outside a transaction of ours.</summary>
    public T Run<T>(string doing, Func<NpgsqlConnection, T> work)
    {
        try
        {
            return OnAnyConnection(work);
        }
        catch (Exception failure) when (PostgresFailures.IsOfPostgres(failure))
        {
            throw PostgresFailures.Translate(Settings.ToString(), doing, failure);
        }
    }

    /// <summary>One transaction: everything or nothing.</summary>
    /// <exception cref="CommitInDoubtException">It may have been committed: who can tell must find out.</exception>
    public T Transact<T>(string doing, Func<NpgsqlConnection, T> work, Action? committed = null) =>
        Run(doing, connection => Transact(connection, IsolationLevel.ReadCommitted, work, committed));

    /// <summary>Queries that see one state of the store.</summary>
    public T Read<T>(string doing, Func<NpgsqlConnection, T> work) => Run(doing, connection => Transact(connection, IsolationLevel.RepeatableRead, work, null));

    public void Dispose() => source.Dispose();

    /// <param name="parameters">In the order of $1, $2, ….</param>
    public static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params ReadOnlySpan<object?> parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (object? parameter in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter ?? DBNull.Value });
        return command;
    }

    public static int Execute(NpgsqlConnection connection, string sql, params ReadOnlySpan<object?> parameters)
    {
        using NpgsqlCommand command = Command(connection, sql, parameters);
        return command.ExecuteNonQuery();
    }

    /// <summary>The first column of the first row; null if there is none.</summary>
    public static T? Scalar<T>(NpgsqlConnection connection, string sql, params ReadOnlySpan<object?> parameters)
    {
        using NpgsqlCommand command = Command(connection, sql, parameters);
        return command.ExecuteScalar() is T value ? value : default;
    }

    /// <summary>Sends rows by COPY.</summary>
    /// <param name="into">Table and columns.</param>
    public static void CopyIn(NpgsqlConnection connection, string into, int seconds, Action<BinaryCopyWriter> rows)
    {
        using NpgsqlRawCopyStream stream = connection.BeginRawBinaryCopy($"COPY {into} FROM STDIN (FORMAT binary)");
        stream.WriteTimeout = stream.ReadTimeout = seconds * 1000;
        try
        {
            var writer = new BinaryCopyWriter(stream);
            rows(writer);
            writer.Complete();
        }
        catch (Exception failure) when (!PostgresFailures.IsOfPostgres(failure))
        {
            // Left alone, it would be ended as if it were whole.
            stream.Cancel();
            throw;
        }
    }

    private T OnAnyConnection<T>(Func<NpgsqlConnection, T> work)
    {
        try
        {
            return OnConnection(work);
        }
        catch (Exception lost) when (PostgresFailures.IsLost(lost) && !PostgresFailures.IsTimeout(lost))
        {
            source.Clear();
            return OnConnection(work);
        }
    }

    private T OnConnection<T>(Func<NpgsqlConnection, T> work)
    {
        using NpgsqlConnection connection = source.OpenConnection();
        return work(connection);
    }

    private static T Transact<T>(NpgsqlConnection connection, IsolationLevel isolation, Func<NpgsqlConnection, T> work, Action? committed)
    {
        using NpgsqlTransaction transaction = connection.BeginTransaction(isolation);
        T result = work(connection);
        try
        {
            transaction.Commit();
            committed?.Invoke();
            return result;
        }
        catch (Exception lost) when (PostgresFailures.IsLost(lost))
        {
            throw new CommitInDoubtException(lost);
        }
    }
}
