using System.Globalization;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Storage.Stores;
using Npgsql;
using static Collections.Storage.Postgres.PostgresSessions;

namespace Collections.Storage.Postgres;

/// <summary>
/// The leases of all partitions. A batch of changes is one transaction: it locks the rows of the partitions that it touches, in their order, checks
/// their epochs, and makes its changes. Any thread; its lock admits one at a time.
/// </summary>
internal sealed class PostgresLeases(PostgresSessions sessions, Action<StoreStep, int>? fault)
{
    private const string Columns =
        "partition, sequence, tenant, debtor, queue, channel, caller, request, granted_ms, value, propensity, model, invoices, payments, activity, reasons, checksum, " +
        "expires_ms, state, life_checksum";

    private const string Fence = """
        WITH locked AS (SELECT partition FROM lease_owner WHERE partition = ANY ($1) ORDER BY partition FOR UPDATE)
        UPDATE lease_owner o SET batches = batches + 1 FROM locked WHERE o.partition = locked.partition RETURNING o.partition, o.epoch, o.batches
        """;

    private const string Insert = $"""
        INSERT INTO lease ({Columns}) SELECT * FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::text[],
            $9::bigint[], $10::double precision[], $11::double precision[], $12::integer[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bytea[], $17::bigint[],
            $18::bigint[], $19::smallint[], $20::bigint[]) ON CONFLICT DO NOTHING
        """;

    /// <summary>An extension moves the end and not the state: what was voided stays so. Both checksums come along, and the state chooses.</summary>
    private const string Update = """
        UPDATE lease l SET expires_ms = c.expires_ms, state = CASE WHEN c.voided THEN 2 ELSE l.state END,
            life_checksum = CASE WHEN c.voided OR l.state = 2 THEN c.voided_checksum ELSE c.open_checksum END
        FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::boolean[], $5::bigint[], $6::bigint[])
            AS c(partition, sequence, expires_ms, voided, open_checksum, voided_checksum)
        WHERE l.partition = c.partition AND l.sequence = c.sequence
        """;

    private const string Delete = """
        DELETE FROM lease l USING unnest($1::integer[], $2::bigint[]) AS c(partition, sequence) WHERE l.partition = c.partition AND l.sequence = c.sequence
        """;

    private readonly Lock gate = new();

    /// <summary>
    /// Grants that were reported as not committed, and may have been: their callers have let go of them, so the next batch of their partition, if it is
    /// still owned under the same epoch, closes them.
    /// </summary>
    private readonly List<(int Partition, long Epoch, uint Sequence)> doubtful = [];

    public void Commit(IReadOnlyList<LeaseChange> changes)
    {
        LeaseBatch batch = LeaseBatch.Of(changes);
        lock (gate)
        {
            foreach ((int partition, long epoch, uint sequence) in doubtful)
            {
                if (batch.Epochs.TryGetValue(partition, out long now) && now == epoch)
                    batch.CloseUnlessNamed(partition, sequence);
            }
            Dictionary<int, long> numbers = [];
            try
            {
                sessions.Transact(
                    "leases",
                    connection =>
                    {
                        numbers = Lock(connection, batch);
                        Write(connection, batch);
                        fault?.Invoke(StoreStep.CommitLeases, -1);
                        return true;
                    },
                    () => fault?.Invoke(StoreStep.LeasesCommitted, -1));
            }
            catch (CommitInDoubtException lost)
            {
                Settle(batch, numbers, lost);
            }
            doubtful.RemoveAll(lease => batch.Epochs.ContainsKey(lease.Partition));
        }
    }

    public IReadOnlyList<LeaseRow> Load(int partition) => sessions.Read(Text($"reading the leases of partition {partition}"), connection =>
    {
        var found = new List<LeaseRow>();
        using NpgsqlCommand command = Command(connection, $"SELECT {Columns} FROM lease WHERE partition = $1 ORDER BY sequence", partition);
        using NpgsqlDataReader row = command.ExecuteReader();
        while (row.Read())
            found.Add(Read(row));
        return found;
    });

    /// <returns>The number of this batch in each of its partitions.</returns>
    private static Dictionary<int, long> Lock(NpgsqlConnection connection, LeaseBatch batch)
    {
        var epochs = new Dictionary<int, long>();
        var numbers = new Dictionary<int, long>();
        using (NpgsqlCommand command = Command(connection, Fence, batch.Epochs.Keys.ToArray()))
        using (NpgsqlDataReader row = command.ExecuteReader())
        {
            while (row.Read())
            {
                epochs.Add(row.GetInt32(0), row.GetInt64(1));
                numbers.Add(row.GetInt32(0), row.GetInt64(2));
            }
        }
        foreach ((int partition, long epoch) in batch.Epochs)
        {
            if (epochs.GetValueOrDefault(partition) != epoch)
                throw Fenced(partition, epochs.GetValueOrDefault(partition), epoch);
        }
        return numbers;
    }

    private static StoreFencedException Fenced(int partition, long current, long came) =>
        new(Text($"partition {partition} is owned under epoch {current}, and a lease of epoch {came} came: another owner has taken it, so stop it here"), partition);

    private void Write(NpgsqlConnection connection, LeaseBatch batch)
    {
        foreach (int partition in batch.Epochs.Keys)
            fault?.Invoke(StoreStep.Leases, partition);
        (int Partition, uint Sequence)[] closed = [.. batch.Closed];
        if (closed.Length > 0)
            Execute(connection, Delete, closed.Select(static c => c.Partition).ToArray(), closed.Select(static c => (long)c.Sequence).ToArray());
        (int Partition, uint Sequence, long ExpiresMs, bool IsVoided)[] changed = [.. batch.Changed];
        if (changed.Length > 0)
        {
            Execute(
                connection, Update, changed.Select(static c => c.Partition).ToArray(), changed.Select(static c => (long)c.Sequence).ToArray(),
                changed.Select(static c => c.ExpiresMs).ToArray(), changed.Select(static c => c.IsVoided).ToArray(),
                changed.Select(static c => RowChecksums.OfLife(c.Partition, c.Sequence, c.ExpiresMs, LeaseState.Open)).ToArray(),
                changed.Select(static c => RowChecksums.OfLife(c.Partition, c.Sequence, c.ExpiresMs, LeaseState.Voided)).ToArray());
        }
        LeaseRow[] granted = [.. batch.Granted];
        if (granted.Length > 0 && Grant(connection, granted) is var inserted && inserted != granted.Length)
            throw new InvariantBrokenException(Text($"a lease is granted once, but {granted.Length - inserted} of {granted.Length} are there already, of {string.Join(", ", granted.Take(10).Select(static row => row.Id))}"));
    }

    private static int Grant(NpgsqlConnection connection, LeaseRow[] rows)
    {
        return Execute(
            connection, Insert, Of(static r => r.Partition), Of(static r => (long)r.Sequence), Of(static r => r.Tenant), Of(static r => r.Debtor), Of(static r => r.Queue),
            Of(static r => (short)r.Channel), Of(static r => TextForm.Write(r.Caller)), Of(static r => TextForm.Write(r.RequestId)), Of(static r => r.GrantedMs),
            Of(static r => r.Value), Of(static r => r.Propensity), Of(static r => (int)r.ModelVersion), Of(static r => r.DecidedAt.Invoices),
            Of(static r => r.DecidedAt.Payments), Of(static r => r.DecidedAt.Activity), Of(static r => ReasonsForm.Write(r.Reasons)), Of(RowChecksums.OfLease),
            Of(static r => r.ExpiresMs), Of(static r => (short)r.State), Of(static r => RowChecksums.OfLife(r.Partition, r.Sequence, r.ExpiresMs, r.State)));

        T[] Of<T>(Func<LeaseRow, T> column) => Array.ConvertAll(rows, row => column(row));
    }

    /// <summary>
    /// The answer to a commit was lost: each partition counts its batches, and under its epoch nobody else writes one, so the count tells. Reading it
    /// with a lock waits for a commit that is still under way.
    /// </summary>
    private void Settle(LeaseBatch batch, Dictionary<int, long> numbers, CommitInDoubtException lost)
    {
        (int partition, long epoch) = batch.Epochs.First();
        (long Epoch, long Batches) stands;
        try
        {
            stands = sessions.Transact("leases whose commit is in doubt", connection =>
            {
                using NpgsqlCommand command = Command(connection, "SELECT epoch, batches FROM lease_owner WHERE partition = $1 FOR UPDATE", partition);
                using NpgsqlDataReader row = command.ExecuteReader();
                return row.Read() ? (row.GetInt64(0), row.GetInt64(1)) : (0, 0);
            });
        }
        catch (Exception failure) when (failure is StoreUnavailableException or CommitInDoubtException)
        {
            doubtful.AddRange(batch.Granted.Select(row => (row.Partition, batch.Epochs[row.Partition], row.Sequence)));
            throw new StoreUnavailableException($"{sessions.Settings}: leases: the connection broke while they were being committed: {lost.Message.TrimEnd('.')}. They count as not committed, and are closed as soon as the store is back.", lost);
        }
        if (stands.Epoch != epoch)
            throw Fenced(partition, stands.Epoch, epoch);
        if (stands.Batches < numbers[partition])
            throw PostgresFailures.Translate(sessions.Settings.ToString(), "leases", lost.InnerException!);
    }

    private LeaseRow Read(NpgsqlDataReader row)
    {
        byte[] reasons = row.GetFieldValue<byte[]>(15);
        var lease = new LeaseRow(
            Partition: row.GetInt32(0),
            Sequence: (uint)row.GetInt64(1),
            Tenant: row.GetString(2),
            Debtor: row.GetString(3),
            Queue: row.GetString(4),
            Channel: (Channel)row.GetInt16(5),
            Caller: TextForm.Read(row.GetString(6)),
            RequestId: TextForm.Read(row.GetString(7)),
            GrantedMs: row.GetInt64(8),
            ExpiresMs: row.GetInt64(17),
            Value: row.GetDouble(9),
            Propensity: row.GetDouble(10),
            ModelVersion: (ushort)row.GetInt32(11),
            DecidedAt: new StreamPositions(row.GetInt64(12), row.GetInt64(13), row.GetInt64(14)),
            State: (LeaseState)row.GetInt16(18))
        { Reasons = ReasonsForm.Read(reasons) };
        bool holds = ReasonsForm.Write(lease.Reasons).AsSpan().SequenceEqual(reasons) && row.GetInt64(16) == RowChecksums.OfLease(lease)
            && row.GetInt64(19) == RowChecksums.OfLife(lease.Partition, lease.Sequence, lease.ExpiresMs, lease.State);
        if (!holds)
            throw new StoreCorruptException($"{sessions.Settings}: lease {lease.Id} doesn't match its checksum. Stop, and restore the database from a backup: without its leases, debtors could be handed out a second time.");
        return lease;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
