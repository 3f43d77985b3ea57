using System.Globalization;
using Collections.Engine.Stores;
using Collections.Storage.Stores;
using Npgsql;
using static Collections.Storage.Postgres.PostgresSessions;

namespace Collections.Storage.Postgres;

/// <summary>What is to leave the engine: written with a checkpoint, removed when it has left. Any thread.</summary>
internal sealed class PostgresOutbox(PostgresSessions sessions, Action<StoreStep, int>? fault)
{
    /// <summary>Numbers the rows and writes them, within the checkpoint's transaction, which has locked the owner's row.</summary>
    /// <returns>The numbers that are given last now.</returns>
    /// <exception cref="Domain.InvariantBrokenException">A row brings a number that does not follow.</exception>
    public static OutboxNumbers Write(NpgsqlConnection connection, int partition, List<OutboxRow> rows, int seconds)
    {
        OutboxNumbers last = LastOf(connection, partition);
        if (rows.Count == 0)
            return last;
        CopyIn(connection, "outbox (partition, kind, sequence, content, checksum)", seconds, to =>
        {
            foreach (OutboxRow row in rows)
            {
                last = last.Following(partition, row);
                long sequence = last[row.Kind];
                to.Row(5).Int32(partition).Int16((short)row.Kind).Int64(sequence).Bytes(row.Content).Int64(RowChecksums.OfOutbox(row.Kind, sequence, row.Content));
            }
        });
        Execute(connection, "UPDATE owner SET decisions = $2, dead_letters = $3 WHERE partition = $1", partition, last.Decisions, last.DeadLetters);
        return last;
    }

    /// <summary>The numbers that were given last.</summary>
    public static OutboxNumbers LastOf(NpgsqlConnection connection, int partition)
    {
        using NpgsqlCommand command = Command(connection, "SELECT decisions, dead_letters FROM owner WHERE partition = $1", partition);
        using NpgsqlDataReader row = command.ExecuteReader();
        return row.Read() ? new OutboxNumbers(row.GetInt64(0), row.GetInt64(1)) : default;
    }

    public OutboxPage Load(int partition, OutboxKind kind, long after, int maxCount, long maxBytes) => sessions.Read(Text($"reading the outbox of partition {partition}"), connection =>
    {
        long last = LastOf(connection, partition)[kind];
        var rows = new List<OutboxRow>();
        if (last <= after)
            return new OutboxPage(rows, last);
        using NpgsqlCommand command = Command(
            connection, "SELECT sequence, content, checksum FROM outbox WHERE partition = $1 AND kind = $2 AND sequence > $3 ORDER BY sequence LIMIT $4",
            partition, (short)kind, after, maxCount);
        using NpgsqlDataReader row = command.ExecuteReader();
        for (long bytes = 0; bytes < maxBytes && row.Read();)
        {
            (long sequence, byte[] content) = (row.GetInt64(0), row.GetFieldValue<byte[]>(1));
            if (row.GetInt64(2) != RowChecksums.OfOutbox(kind, sequence, content))
                throw new StoreCorruptException(Text($"{sessions.Settings}: row {sequence} of kind {(int)kind} in the outbox of partition {partition} doesn't match its checksum. Restore it from a backup; or delete it, and those who follow the topic lack it."));
            rows.Add(new OutboxRow(sequence, kind, content));
            bytes += content.Length;
        }
        return new OutboxPage(rows, last);
    });

    /// <summary>
    /// Without a lock on the owner's row, which would wait for the checkpoint that is under way: what is removed has been acknowledged, so an owner that comes
    /// in between only has less to repeat.
    /// </summary>
    public void Remove(int partition, long epoch, OutboxKind kind, long through) => sessions.Run(Text($"removing from the outbox of partition {partition}"), connection =>
    {
        fault?.Invoke(StoreStep.RemoveOutbox, partition);
        int removed = Execute(
            connection, "DELETE FROM outbox WHERE partition = $1 AND kind = $2 AND sequence <= $3 AND EXISTS (SELECT FROM owner WHERE partition = $1 AND epoch = $4)",
            partition, (short)kind, through, epoch);
        if (removed == 0 && Scalar<long>(connection, "SELECT epoch FROM owner WHERE partition = $1", partition) is var current && current != epoch)
            throw new StoreFencedException(Text($"partition {partition} is owned under epoch {current}, and the removal of what has left is of epoch {epoch}: another owner has taken it, so stop it here"), partition);
        return true;
    });

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
