using Collections.Engine.Stores;
using Npgsql;

namespace Collections.Storage.Postgres;

/// <summary>
/// Who owns which partition. The new owner's epoch is given in one transaction to the row that checkpoints lock and to the one that leases lock, so that
/// from its commit on nothing of the old owner is accepted; a transaction of the old owner that is under way is waited for, for a while. A process that was
/// stopped in the middle of one would be waited for for ever: its session is ended.
/// </summary>
internal sealed class PostgresOwners(PostgresSessions sessions, int patienceMs)
{
    private const int AttemptsMax = 3;

    /// <summary>Ends the sessions whose transactions have locked the partition's rows: a locked row names the transaction.</summary>
    private const string EndHolders = """
        SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l WHERE l.locktype = 'transactionid' AND l.granted AND l.pid <> pg_backend_pid() AND
            l.transactionid IN (SELECT xmax FROM owner WHERE partition = $1 UNION ALL SELECT xmax FROM lease_owner WHERE partition = $1)
        """;

    public long Take(int partition, string owner)
    {
        string doing = FormattableString.Invariant($"taking partition {partition}");
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return sessions.Run(doing, connection => Take(connection, partition, owner));
            }
            catch (StoreUnavailableException held) when (attempt < AttemptsMax && held.InnerException is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable })
            {
                sessions.Run(doing, connection => PostgresSessions.Scalar<long>(connection, EndHolders, partition));
            }
        }
    }

    public void Release(int partition, long epoch) => sessions.Run(
        FormattableString.Invariant($"releasing partition {partition}"),
        connection => PostgresSessions.Execute(connection, "UPDATE owner SET owner = '', since = now() WHERE partition = $1 AND epoch = $2", partition, epoch));

    public IReadOnlyList<PartitionOwner> Load() => sessions.Run("reading who owns which partition", connection =>
    {
        var found = new List<PartitionOwner>();
        using NpgsqlCommand command = PostgresSessions.Command(connection, "SELECT partition, epoch, owner FROM owner WHERE owner <> '' ORDER BY partition");
        using NpgsqlDataReader reader = command.ExecuteReader();
        while (reader.Read())
            found.Add(new PartitionOwner(reader.GetInt32(0), reader.GetInt64(1), reader.GetString(2)));
        return found;
    });

    private long Take(NpgsqlConnection connection, int partition, string owner)
    {
        using NpgsqlTransaction transaction = connection.BeginTransaction();
        PostgresSessions.Execute(connection, FormattableString.Invariant($"SET LOCAL lock_timeout = {patienceMs}"));
        long epoch = PostgresSessions.Scalar<long>(connection, """
            INSERT INTO owner AS o (partition, epoch, owner) VALUES ($1, 1, $2)
            ON CONFLICT (partition) DO UPDATE SET epoch = o.epoch + 1, owner = EXCLUDED.owner, since = now() RETURNING epoch
            """, partition, owner);
        PostgresSessions.Execute(connection, """
            INSERT INTO lease_owner (partition, epoch) VALUES ($1, $2) ON CONFLICT (partition) DO UPDATE SET epoch = EXCLUDED.epoch
            """, partition, epoch);
        // If the answer is lost, an epoch was given to nobody; the next one is as good.
        transaction.Commit();
        return epoch;
    }
}
