using System.Globalization;
using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Storage.Stores;
using Npgsql;
using static Collections.Storage.Postgres.PostgresSessions;

namespace Collections.Storage.Postgres;

/// <summary>
/// Writes checkpoints. States go by binary COPY, the first ones of a partition into the table of all, later ones into a staging table of the connection's
/// own and from there in one statement; everything else is a few rows. Any thread, one at a time for a partition.
/// </summary>
internal sealed class PostgresCheckpoints(PostgresSessions sessions, Action<StoreStep, int>? fault)
{
    /// <summary>Emptied by every commit, so that it is made once a connection.</summary>
    private const string Staging = """
        CREATE TEMPORARY TABLE IF NOT EXISTS staging (slot integer, tenant text, debtor text, portfolio text, currency text, balance_minor bigint,
            overdue_minor bigint, oldest_dpd integer, stage smallint, score double precision, propensity double precision, value double precision,
            queue text, scored_at timestamptz, checksum bigint, image bytea) ON COMMIT DELETE ROWS
        """;

    private const string Columns =
        "slot, tenant, debtor, portfolio, currency, balance_minor, overdue_minor, oldest_dpd, stage, score, propensity, value, queue, scored_at, checksum, image";

    private const int ColumnCount = 16;

    /// <summary>Columns that people read; without a readable row they are NULL.</summary>
    private const int ReadableColumns = 13;

    private static readonly string Upsert = $"""
        INSERT INTO state (partition, {Columns}) SELECT $1, {Columns} FROM pg_temp.staging
        ON CONFLICT (partition, slot) DO UPDATE SET {string.Join(", ", Columns.Split(", ").Skip(1).Select(static column => $"{column} = EXCLUDED.{column}"))}
        """;

    private static readonly byte[][] ChannelNames = [.. Enumerable.Range(0, 1 + (int)Enum.GetValues<Channel>().Max()).Select(static number => Encoding.UTF8.GetBytes(((Channel)number).ToString().ToLowerInvariant()))];

    private readonly Lock gate = new();

    /// <summary>Checkpoints of which it is not known whether they were committed, by partition.</summary>
    private readonly Dictionary<int, (Checkpoint Checkpoint, long Filling, long Epoch, long Number)> inDoubt = [];

    public void Commit(Checkpoint checkpoint)
    {
        string doing = Text($"checkpoint of partition {checkpoint.Partition}");
        long number = 0;
        bool isCommitted = false, isFirst = false;
        OutboxNumbers last = default;
        try
        {
            sessions.Transact(
                doing,
                connection =>
                {
                    (number, isFirst) = Number(connection, checkpoint);
                    isCommitted = IsCommitted(checkpoint, number);
                    last = isCommitted ? PostgresOutbox.LastOf(connection, checkpoint.Partition) : Write(connection, checkpoint, isFirst);
                    return true;
                },
                () => fault?.Invoke(StoreStep.CheckpointCommitted, checkpoint.Partition));
            checkpoint.OutboxLast = last;
            lock (gate)
                inDoubt.Remove(checkpoint.Partition);
        }
        catch (CommitInDoubtException lost)
        {
            // Of one that is known to be there, only the counting is in doubt.
            lock (gate)
            {
                if (!isCommitted)
                    inDoubt[checkpoint.Partition] = (checkpoint, checkpoint.Filling, checkpoint.Epoch, number);
            }
            throw new StoreUnavailableException($"{sessions.Settings}: {doing}: the connection broke while it was being committed: {lost.Message.TrimEnd('.')}. It is tried again, and found out first whether it is there already.", lost);
        }
    }

    /// <summary>Checks the epoch, locks the partition against another owner, and counts the checkpoint; tells whether there was none before.</summary>
    private (long Number, bool IsFirst) Number(NpgsqlConnection connection, Checkpoint checkpoint)
    {
        fault?.Invoke(StoreStep.Begin, checkpoint.Partition);
        using (NpgsqlCommand count = Command(
            connection,
            "UPDATE owner SET checkpoints = checkpoints + 1 WHERE partition = $1 AND epoch = $2 RETURNING checkpoints, NOT EXISTS (SELECT FROM checkpoint WHERE partition = $1)",
            checkpoint.Partition, checkpoint.Epoch))
        using (NpgsqlDataReader row = count.ExecuteReader())
        {
            if (row.Read())
                return (row.GetInt64(0), row.GetBoolean(1));
        }
        long epoch = Scalar<long>(connection, "SELECT epoch FROM owner WHERE partition = $1", checkpoint.Partition);
        throw new StoreFencedException(Text($"partition {checkpoint.Partition} is owned under epoch {epoch}, and this checkpoint is of epoch {checkpoint.Epoch}: another owner has taken it, so stop it here"), checkpoint.Partition);
    }

    /// <summary>Whether this very checkpoint was committed before, by a commit whose answer was lost: then the count has passed it.</summary>
    private bool IsCommitted(Checkpoint checkpoint, long number)
    {
        lock (gate)
        {
            return inDoubt.TryGetValue(checkpoint.Partition, out var before) && before.Checkpoint == checkpoint && before.Filling == checkpoint.Filling
                && before.Epoch == checkpoint.Epoch && number > before.Number;
        }
    }

    /// <returns>The numbers that the outbox has given last.</returns>
    private OutboxNumbers Write(NpgsqlConnection connection, Checkpoint checkpoint, bool isFirst)
    {
        int partition = checkpoint.Partition;
        fault?.Invoke(StoreStep.States, partition);
        WriteStates(connection, checkpoint, isFirst);
        fault?.Invoke(StoreStep.Header, partition);
        WriteHeader(connection, checkpoint);
        fault?.Invoke(StoreStep.Held, partition);
        WriteHeld(connection, partition, checkpoint.Held);
        fault?.Invoke(StoreStep.Audit, partition);
        WriteAudit(connection, partition, checkpoint.Audit);
        fault?.Invoke(StoreStep.DeadLetters, partition);
        WriteDeadLetters(connection, partition, checkpoint.DeadLetters);
        fault?.Invoke(StoreStep.Outbox, partition);
        OutboxNumbers last = PostgresOutbox.Write(connection, partition, checkpoint.Outbox, sessions.Settings.CheckpointSeconds);
        fault?.Invoke(StoreStep.Commit, partition);
        return last;
    }

    /// <summary>Into a table that has none of the partition's states they go at once; among others by way of the staging table.</summary>
    private void WriteStates(NpgsqlConnection connection, Checkpoint checkpoint, bool isFirst)
    {
        int seconds = sessions.Settings.CheckpointSeconds, partition = checkpoint.Partition;
        bool isAlone = checkpoint.Replace || isFirst;
        if (isAlone)
        {
            // Also before the first one: somebody may have deleted the checkpoint by hand and left the states.
            using NpgsqlCommand drop = Command(connection, "DELETE FROM state WHERE partition = $1", partition);
            drop.CommandTimeout = seconds;
            drop.ExecuteNonQuery();
        }
        if (checkpoint.StateCount == 0)
            return;
        if (isAlone)
        {
            CopyIn(connection, $"state (partition, {Columns})", seconds, to => WriteStates(to, checkpoint, partition));
            return;
        }
        Execute(connection, Staging);
        CopyIn(connection, $"pg_temp.staging ({Columns})", seconds, to => WriteStates(to, checkpoint, null));
        using NpgsqlCommand upsert = Command(connection, Upsert, partition);
        upsert.CommandTimeout = seconds;
        upsert.ExecuteNonQuery();
    }

    /// <summary>In the order of the slots, so that they lie in the table as they are loaded; of a slot that comes twice only its last image.</summary>
    /// <param name="partition">The first column of each row; null: the table has none such.</param>
    private static void WriteStates(BinaryCopyWriter to, Checkpoint checkpoint, int? partition)
    {
        var order = new ulong[checkpoint.StateCount];
        for (int i = 0; i < order.Length; i++)
            order[i] = (ulong)(uint)checkpoint.SlotOf(i) << 32 | (uint)i;
        order.AsSpan().Sort();
        ReadableStates? readable = checkpoint.Readable;
        Invariant.Require(readable is null || readable.Count == checkpoint.StateCount, "a checkpoint has a readable row for each state, or none");
        for (int at = 0; at < order.Length; at++)
        {
            ulong entry = order[at];
            if (at + 1 < order.Length && order[at + 1] >> 32 == entry >> 32)
                continue;
            int slot = (int)(entry >> 32), index = (int)(entry & uint.MaxValue);
            if (partition is { } number)
                to.Row(1 + ColumnCount).Int32(number).Int32(slot);
            else
                to.Row(ColumnCount).Int32(slot);
            if (readable is not null)
                WriteReadable(to, readable, index);
            else
                WriteNulls(to, ReadableColumns);
            ReadOnlySpan<byte> image = checkpoint.ImageOf(index);
            to.Int64(RowChecksums.OfState(slot, image)).Bytes(image);
        }
    }

    private static void WriteReadable(BinaryCopyWriter to, ReadableStates rows, int index)
    {
        ReadableState figures = rows.FiguresOf(index);
        to.Bytes(rows.TenantOf(index)).Bytes(rows.DebtorOf(index)).Bytes(rows.PortfolioOf(index));
        if (figures.Currency.IsNone)
            to.Null();
        else
            to.Text(figures.Currency.ToString());
        to.Int64(figures.OpenMinor).Int64(figures.OverdueMinor);
        if (figures.OldestDpd is { } days)
            to.Int32(days);
        else
            to.Null();
        to.Int16(figures.Stage);
        WriteNumber(to, figures.Score);
        WriteNumber(to, figures.Propensity);
        if (figures.Queue == Channel.None)
        {
            WriteNulls(to, 2);
        }
        else
        {
            WriteNumber(to, figures.Value);
            WriteQueue(to, rows.PortfolioOf(index), ChannelNames[(int)figures.Queue]);
        }
        if (figures.ScoredAtMs == 0)
            to.Null();
        else
            to.Instant(figures.ScoredAtMs);
    }

    private static void WriteQueue(BinaryCopyWriter to, ReadOnlySpan<byte> portfolio, ReadOnlySpan<byte> channel)
    {
        Span<byte> name = stackalloc byte[portfolio.Length + 1 + channel.Length];
        portfolio.CopyTo(name);
        name[portfolio.Length] = (byte)'/';
        channel.CopyTo(name[(portfolio.Length + 1)..]);
        to.Bytes(name);
    }

    /// <summary>NULL is what SQL's aggregates leave out; NaN would spoil them.</summary>
    private static void WriteNumber(BinaryCopyWriter to, double value)
    {
        if (double.IsNaN(value))
            to.Null();
        else
            to.Double(value);
    }

    private static void WriteNulls(BinaryCopyWriter to, int count)
    {
        for (int i = 0; i < count; i++)
            to.Null();
    }

    private static void WriteHeader(NpgsqlConnection connection, Checkpoint checkpoint)
    {
        byte[] form = new byte[CheckpointHeaderForm.Bytes];
        CheckpointHeader header = checkpoint.Header;
        CheckpointHeaderForm.Write(form, header);
        byte[]? names = checkpoint.Names.Length > 0 ? checkpoint.Names : null, outcomes = checkpoint.Outcomes.Length > 0 ? checkpoint.Outcomes : null;
        Execute(
            connection,
            """
            INSERT INTO checkpoint AS c (partition, committed_at, clock_at, next_invoices, next_payments, next_activity, applied, header, names, names_checksum,
                outcomes, outcomes_checksum)
            VALUES ($1, now(), to_timestamp($2 / 1000.0), $3, $4, $5, $6, $7, $8::bytea, $9::bigint, $10::bytea, $11::bigint)
            ON CONFLICT (partition) DO UPDATE SET committed_at = EXCLUDED.committed_at, clock_at = EXCLUDED.clock_at, next_invoices = EXCLUDED.next_invoices,
                next_payments = EXCLUDED.next_payments, next_activity = EXCLUDED.next_activity, applied = EXCLUDED.applied, header = EXCLUDED.header,
                names = CASE WHEN $12 THEN EXCLUDED.names ELSE coalesce(EXCLUDED.names, c.names) END,
                names_checksum = CASE WHEN $12 THEN EXCLUDED.names_checksum ELSE coalesce(EXCLUDED.names_checksum, c.names_checksum) END,
                outcomes = CASE WHEN $12 THEN EXCLUDED.outcomes ELSE coalesce(EXCLUDED.outcomes, c.outcomes) END,
                outcomes_checksum = CASE WHEN $12 THEN EXCLUDED.outcomes_checksum ELSE coalesce(EXCLUDED.outcomes_checksum, c.outcomes_checksum) END
            """,
            checkpoint.Partition, header.ClockMs, header.Next.Invoices, header.Next.Payments, header.Next.Activity, header.Counters.Applied, form,
            names, names is null ? null : (long)Checksum.Of(names), outcomes, outcomes is null ? null : (long)Checksum.Of(outcomes), checkpoint.Replace);
    }

    private void WriteHeld(NpgsqlConnection connection, int partition, RecordBatch held)
    {
        Execute(connection, "DELETE FROM held WHERE partition = $1", partition);
        if (held.Count == 0)
            return;
        CopyIn(connection, "held (partition, sequence, stream, log_offset, known_ms, history, content, checksum)", sessions.Settings.CheckpointSeconds, to =>
        {
            for (int i = 0; i < held.Count; i++)
            {
                LogRecord record = held[i];
                to.Row(8).Int32(partition).Int32(i).Int16((int)record.Stream).Int64(record.Offset).Int64(record.KnownMs).Boolean(record.History)
                    .Bytes(record.Content).Int64(RowChecksums.OfHeld(i, record));
            }
        });
    }

    private void WriteAudit(NpgsqlConnection connection, int partition, List<AuditRow> rows)
    {
        if (rows.Count == 0)
            return;
        long last = Scalar<long>(connection, "SELECT coalesce(max(sequence), 0) FROM audit WHERE partition = $1", partition);
        CopyIn(connection, "audit (partition, sequence, at_ms, kind, tenant, debtor, detail)", sessions.Settings.CheckpointSeconds, to =>
        {
            foreach (AuditRow row in rows)
            {
                // A row without a number gets the next one; a number that leaves a gap or comes twice means that acts were lost or repeated.
                long sequence = row.Sequence == 0 ? last + 1 : row.Sequence;
                if (sequence != last + 1)
                    throw new InvariantBrokenException(Text($"audit rows of partition {partition} count without gaps, but {last} would be followed by {sequence}"));
                to.Row(7).Int32(partition).Int64(sequence).Int64(row.AtMs).Int16((int)row.Kind).Text(TextForm.Write(row.Tenant)).Text(TextForm.Write(row.Debtor)).Text(TextForm.Write(row.Detail));
                last = sequence;
            }
        });
    }

    private void WriteDeadLetters(NpgsqlConnection connection, int partition, List<DeadLetter> letters)
    {
        if (letters.Count == 0)
            return;
        CopyIn(connection, "dead_letter (partition, at_ms, stream, log_offset, reason, content)", sessions.Settings.CheckpointSeconds, to =>
        {
            foreach (DeadLetter letter in letters)
                to.Row(6).Int32(partition).Int64(letter.AtMs).Int16(letter.Stream).Int64(letter.Offset).Text(TextForm.Write(letter.Reason)).Bytes(letter.Content);
        });
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
