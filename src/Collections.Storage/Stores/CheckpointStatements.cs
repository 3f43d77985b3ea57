using Collections.Storage.Sqlite;

namespace Collections.Storage.Stores;

/// <summary>The tables of a partition's checkpoint file, and the prepared statements over them.</summary>
internal sealed class CheckpointStatements(StoreFile file)
{
    /// <summary>From format 1, which knows no outcomes of predictions, to 2.</summary>
    public const string AddOutcomes = "CREATE TABLE IF NOT EXISTS outcomes(id INTEGER PRIMARY KEY CHECK(id = 1), data BLOB NOT NULL, checksum INTEGER NOT NULL)";

    /// <summary>From format 2, whose dead letters are never settled, to 3.</summary>
    public const string AddSettlement = """
        ALTER TABLE dead_letter ADD COLUMN settled_ms INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE dead_letter ADD COLUMN settled TEXT NOT NULL DEFAULT ''
        """;

    /// <summary>From format 3, which publishes nothing, to 4. What was counted outlives the rows.</summary>
    public const string AddOutbox = """
        CREATE TABLE IF NOT EXISTS outbox(kind INTEGER NOT NULL, sequence INTEGER NOT NULL, content BLOB NOT NULL, checksum INTEGER NOT NULL,
            PRIMARY KEY(kind, sequence)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS outbox_last(kind INTEGER PRIMARY KEY, sequence INTEGER NOT NULL)
        """;

    public const string Schema = $"""
        CREATE TABLE owner(id INTEGER PRIMARY KEY CHECK(id = 1), epoch INTEGER NOT NULL, owner TEXT NOT NULL);
        CREATE TABLE header(id INTEGER PRIMARY KEY CHECK(id = 1), data BLOB NOT NULL);
        CREATE TABLE names(id INTEGER PRIMARY KEY CHECK(id = 1), data BLOB NOT NULL, checksum INTEGER NOT NULL);
        {AddOutcomes};
        CREATE TABLE state(slot INTEGER PRIMARY KEY, image BLOB NOT NULL, checksum INTEGER NOT NULL);
        CREATE TABLE held(sequence INTEGER PRIMARY KEY, stream INTEGER NOT NULL, log_offset INTEGER NOT NULL, known_ms INTEGER NOT NULL,
            history INTEGER NOT NULL, content BLOB NOT NULL, checksum INTEGER NOT NULL);
        CREATE TABLE audit(sequence INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind INTEGER NOT NULL, tenant TEXT NOT NULL,
            debtor TEXT NOT NULL, detail TEXT NOT NULL);
        CREATE TABLE dead_letter(sequence INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, stream INTEGER NOT NULL, log_offset INTEGER NOT NULL,
            reason TEXT NOT NULL, content BLOB NOT NULL);
        {AddSettlement};
        {AddOutbox}
        """;

    public Statement ReadEpoch { get; } = file.Prepare("SELECT epoch FROM owner");

    public Statement PutOwner { get; } = file.Prepare("REPLACE INTO owner VALUES(1, ?, ?)");

    public Statement DropStates { get; } = file.Prepare("DELETE FROM state");

    public Statement PutState { get; } = file.Prepare("REPLACE INTO state VALUES(?, ?, ?)");

    public Statement ReadStates { get; } = file.Prepare("SELECT slot, image, checksum FROM state ORDER BY slot");

    public Statement PutHeader { get; } = file.Prepare("REPLACE INTO header VALUES(1, ?)");

    public Statement ReadHeader { get; } = file.Prepare("SELECT data FROM header");

    public Statement DropNames { get; } = file.Prepare("DELETE FROM names");

    public Statement PutNames { get; } = file.Prepare("REPLACE INTO names VALUES(1, ?, ?)");

    public Statement ReadNames { get; } = file.Prepare("SELECT data, checksum FROM names");

    public Statement DropOutcomes { get; } = file.Prepare("DELETE FROM outcomes");

    public Statement PutOutcomes { get; } = file.Prepare("REPLACE INTO outcomes VALUES(1, ?, ?)");

    public Statement ReadOutcomes { get; } = file.Prepare("SELECT data, checksum FROM outcomes");

    public Statement DropHeld { get; } = file.Prepare("DELETE FROM held");

    public Statement PutHeld { get; } = file.Prepare("INSERT INTO held VALUES(?, ?, ?, ?, ?, ?, ?)");

    public Statement ReadHeld { get; } =
        file.Prepare("SELECT sequence, stream, log_offset, known_ms, history, content, checksum FROM held ORDER BY sequence");

    public Statement ReadLastAudit { get; } = file.Prepare("SELECT sequence FROM audit ORDER BY sequence DESC LIMIT 1");

    public Statement PutAudit { get; } = file.Prepare("INSERT INTO audit VALUES(?, ?, ?, ?, ?, ?)");

    public Statement PutDeadLetter { get; } =
        file.Prepare("INSERT INTO dead_letter(at_ms, stream, log_offset, reason, content) VALUES(?, ?, ?, ?, ?)");

    public Statement ReadDeadLetters { get; } = file.Prepare(
        "SELECT sequence, at_ms, stream, log_offset, reason, content, settled_ms, settled FROM dead_letter WHERE sequence > ? ORDER BY sequence LIMIT ?");

    public Statement ReadOutboxLast { get; } = file.Prepare("SELECT kind, sequence FROM outbox_last");

    public Statement PutOutboxLast { get; } = file.Prepare("REPLACE INTO outbox_last VALUES(?, ?)");

    public Statement PutOutbox { get; } = file.Prepare("INSERT INTO outbox VALUES(?, ?, ?, ?)");

    public Statement ReadOutbox { get; } = file.Prepare("SELECT sequence, content, checksum FROM outbox WHERE kind = ? AND sequence > ? ORDER BY sequence LIMIT ?");

    public Statement RemoveOutbox { get; } = file.Prepare("DELETE FROM outbox WHERE kind = ? AND sequence <= ?");

    public Statement ReadOpenDeadLetter { get; } = file.Prepare("SELECT 1 FROM dead_letter WHERE sequence = ? AND settled_ms = 0");

    public Statement SettleDeadLetter { get; } = file.Prepare("UPDATE dead_letter SET settled_ms = ?, settled = ? WHERE sequence = ?");
}
