using System.Globalization;
using SQLitePCL;

namespace Collections.Storage.Sqlite;

/// <summary>How a database file is opened.</summary>
internal enum DatabaseUse
{
    Read,
    Write,
    Create,
}

/// <summary>
/// One connection to one SQLite file. One thread at a time: connections are opened without SQLite's own mutex, and their owner holds a lock
/// or is a single thread.
/// </summary>
internal sealed class Database : IDisposable
{
    private readonly sqlite3 handle;
    private readonly List<Statement> statements = [];

    static Database() => Batteries_V2.Init();

    private Database(string path, sqlite3 handle)
    {
        Path = path;
        this.handle = handle;
    }

    public string Path { get; }
    /// <param name="pageBytes">Counts when the file is created; an existing file keeps its own.</param>
    /// <param name="walBytes">A commit that leaves the WAL longer than this copies it back into the file.</param>
    public static Database Open(string path, DatabaseUse use, int pageBytes, int walBytes, int cacheKiB)
    {
        int flags = raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_NOMUTEX | (use == DatabaseUse.Create ? raw.SQLITE_OPEN_CREATE : 0);
        int code = raw.sqlite3_open_v2(path, out sqlite3 handle, flags, null);
        var database = new Database(path, handle);
        try
        {
            database.Check(code, "open");
            raw.sqlite3_extended_result_codes(handle, 1);
            database.Check(raw.sqlite3_busy_timeout(handle, Limits.BusyMs), "set the busy time-out");
            if (use == DatabaseUse.Create)
                database.Execute(Invariant($"PRAGMA page_size={pageBytes}; PRAGMA journal_mode=WAL"));
            database.Execute(Invariant($"PRAGMA cache_size=-{cacheKiB}; PRAGMA temp_store=MEMORY"));
            if (use == DatabaseUse.Read)
            {
                database.Execute("PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0");
                return database;
            }
            // FULL syncs the WAL at every commit: what has been acknowledged survives the loss of power, not only of the process.
            database.Execute("PRAGMA synchronous=FULL");
            database.Execute(Invariant($"PRAGMA wal_autocheckpoint={walBytes / pageBytes}; PRAGMA journal_size_limit={2L * walBytes}"));
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public void Execute(string sql) => Check(raw.sqlite3_exec(handle, sql), sql);

    /// <summary>The statement lives as long as the connection.</summary>
    public Statement Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(handle, sql, out sqlite3_stmt statement), sql);
        var prepared = new Statement(this, statement, sql);
        statements.Add(prepared);
        return prepared;
    }

    /// <summary>Ends a transaction that failed. SQLite may have ended it already, and a broken connection is closed next anyway.</summary>
    public void RollBack()
    {
        if (raw.sqlite3_get_autocommit(handle) == 0)
            raw.sqlite3_exec(handle, "ROLLBACK");
    }

    /// <summary>Ends every query that was left in the middle.</summary>
    public void ResetAll()
    {
        foreach (Statement statement in statements)
            statement.Reset();
    }

    public void Dispose()
    {
        foreach (Statement statement in statements)
            statement.Finish();
        statements.Clear();
        handle.Dispose();
    }

    internal void Check(int code, string doing)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
            throw Failure(code, doing);
    }

    internal DatabaseException Failure(int code, string doing)
    {
        string said = raw.sqlite3_errmsg(handle).utf8_to_string() ?? "";
        return new DatabaseException(code, $"{Path}: {doing}: {said} (SQLite result {code.ToString(CultureInfo.InvariantCulture)})");
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}

/// <summary>What SQLite answered instead of success. It stays inside this project: adapters turn it into the contract's exceptions.</summary>
internal sealed class DatabaseException(int code, string message) : Exception(message)
{
    /// <summary>The file itself is damaged: trying again doesn't help.</summary>
    public bool IsCorrupt => (code & 0xff) is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;
}
