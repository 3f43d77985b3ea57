using System.Globalization;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Storage.Stores;
using Npgsql;
using static Collections.Storage.Postgres.PostgresSessions;

namespace Collections.Storage.Postgres;

/// <summary>Loads checkpoints: one state of the store, the states of the debtors streamed by binary COPY straight from the connection's buffer into the partition.</summary>
internal sealed class PostgresLoading(PostgresSessions sessions)
{
    public bool Load(int partition, ICheckpointSink into) => sessions.Read(Text($"loading partition {partition}"), connection =>
    {
        if (!LoadHeader(connection, partition, into))
            return false;
        LoadStates(connection, partition, into);
        LoadHeld(connection, partition, into);
        return true;
    });

    public IReadOnlyList<StoredDeadLetter> LoadDeadLetters(int partition, long after, int maxCount) => sessions.Read(Text($"reading the dead letters of partition {partition}"), connection =>
    {
        var found = new List<StoredDeadLetter>();
        using NpgsqlCommand command = Command(
            connection,
            "SELECT sequence, at_ms, stream, log_offset, reason, content, settled_ms, settled FROM dead_letter WHERE partition = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
            partition, after, maxCount);
        using NpgsqlDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            var letter = new DeadLetter(row.GetInt64(1), (byte)row.GetInt16(2), row.GetInt64(3), TextForm.Read(row.GetString(4)), row.GetFieldValue<byte[]>(5));
            found.Add(new StoredDeadLetter(row.GetInt64(0), letter, row.GetInt64(6), TextForm.Read(row.GetString(7))));
        }
        return found;
    });

    public bool SettleDeadLetter(int partition, long number, long atMs, string how) => sessions.Run(Text($"settling dead letter {number} of partition {partition}"), connection =>
        Execute(
            connection, "UPDATE dead_letter SET settled_ms = $3, settled = $4 WHERE partition = $1 AND sequence = $2 AND settled_ms = 0",
            partition, number, atMs, TextForm.Write(how)) == 1);

    private bool LoadHeader(NpgsqlConnection connection, int partition, ICheckpointSink into)
    {
        using NpgsqlCommand command = Command(connection, "SELECT header, names, names_checksum, outcomes, outcomes_checksum FROM checkpoint WHERE partition = $1", partition);
        using NpgsqlDataReader row = command.ExecuteReader();
        if (!row.Read())
            return false;
        string? wrong = CheckpointHeaderForm.TryRead(row.GetFieldValue<byte[]>(0), out CheckpointHeader header);
        Trust(wrong is null, partition, wrong ?? "");
        into.Header(header);
        into.Names(Part(row, 1, partition, "the names don't match their checksum"));
        if (Part(row, 3, partition, "the outcomes of predictions don't match their checksum") is { Length: > 0 } outcomes)
            into.Outcomes(outcomes);
        return true;
    }

    /// <summary>Bytes and, in the column after them, their checksum; nothing where both are NULL.</summary>
    private byte[] Part(NpgsqlDataReader row, int column, int partition, string wrong)
    {
        byte[] bytes = row.IsDBNull(column) ? [] : row.GetFieldValue<byte[]>(column);
        Trust(row.IsDBNull(column) ? row.IsDBNull(column + 1) : !row.IsDBNull(column + 1) && row.GetInt64(column + 1) == Checksum.Of(bytes), partition, wrong);
        return bytes;
    }

    private void LoadStates(NpgsqlConnection connection, int partition, ICheckpointSink into)
    {
        CopyOut(connection, Text($"SELECT slot, checksum, image FROM state WHERE partition = {partition} ORDER BY slot"), rows =>
        {
            int slot = rows.Int32();
            long checksum = rows.Int64();
            ReadOnlySpan<byte> image = rows.Field();
            if (checksum != RowChecksums.OfState(slot, image))
                Trust(false, partition, Text($"the state of slot {slot} doesn't match its checksum"));
            into.State(slot, image);
        });
    }

    private void LoadHeld(NpgsqlConnection connection, int partition, ICheckpointSink into)
    {
        int expected = 0;
        CopyOut(connection, Text($"SELECT sequence, stream, log_offset, known_ms, history, checksum, content FROM held WHERE partition = {partition} ORDER BY sequence"), rows =>
        {
            int sequence = rows.Int32();
            var stream = (EventStream)rows.Int16();
            long offset = rows.Int64(), knownMs = rows.Int64();
            bool history = rows.Boolean();
            long checksum = rows.Int64();
            var record = new LogRecord(stream, offset, knownMs, history, rows.Field());
            if (sequence != expected || checksum != RowChecksums.OfHeld(expected, record))
                Trust(false, partition, Text($"held event {expected} is missing or doesn't match its checksum"));
            into.Held(record);
            expected++;
        });
    }

    private void CopyOut(NpgsqlConnection connection, string query, Action<BinaryCopyReader> row)
    {
        using NpgsqlRawCopyStream stream = connection.BeginRawBinaryCopy($"COPY ({query}) TO STDOUT (FORMAT binary)");
        stream.ReadTimeout = sessions.Settings.CheckpointSeconds * 1000;
        var reader = new BinaryCopyReader(stream);
        while (reader.NextRow())
            row(reader);
    }

    private void Trust(bool holds, int partition, string what)
    {
        if (!holds)
            throw new StoreCorruptException(Text($"{sessions.Settings}, partition {partition}: {what}. Stop, and restore the database from a backup; or delete the partition's rows from 'checkpoint' and 'state', and it is folded anew from the log."));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
