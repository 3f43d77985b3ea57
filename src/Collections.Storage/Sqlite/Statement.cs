using System.Text;
using SQLitePCL;

namespace Collections.Storage.Sqlite;

/// <summary>A prepared statement, bound and stepped by its connection's thread. Parameters count from 1, columns from 0, as SQLite has it.</summary>
internal sealed class Statement(Database database, sqlite3_stmt handle, string sql)
{
    public Statement Bind(int parameter, long value)
    {
        database.Check(raw.sqlite3_bind_int64(handle, parameter, value), sql);
        return this;
    }

    public Statement Bind(int parameter, double value)
    {
        database.Check(raw.sqlite3_bind_double(handle, parameter, value), sql);
        return this;
    }

    public Statement Bind(int parameter, string value)
    {
        database.Check(raw.sqlite3_bind_text(handle, parameter, value), sql);
        return this;
    }

    /// <summary>SQLite copies the bytes. An empty span is an empty blob, not NULL.</summary>
    public Statement Bind(int parameter, ReadOnlySpan<byte> value)
    {
        int code = value.IsEmpty ? raw.sqlite3_bind_zeroblob(handle, parameter, 0) : raw.sqlite3_bind_blob(handle, parameter, value);
        database.Check(code, sql);
        return this;
    }

    /// <summary>Whether there is a row. After the last one the statement is ready to be bound and run again.</summary>
    public bool Step()
    {
        int code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW)
            return true;
        if (code != raw.SQLITE_DONE)
        {
            DatabaseException failure = database.Failure(code, sql);
            raw.sqlite3_reset(handle);
            throw failure;
        }
        raw.sqlite3_reset(handle);
        return false;
    }

    /// <summary>Runs a statement that returns no rows.</summary>
    public void Run()
    {
        while (Step())
        {
        }
    }

    /// <summary>Ends a query early, and with it the read transaction that would keep the WAL from being reused.</summary>
    public void Reset() => raw.sqlite3_reset(handle);

    public long Int64(int column) => raw.sqlite3_column_int64(handle, column);

    /// <summary>SQLite has no NaN and keeps NULL for it.</summary>
    public double Double(int column) =>
        raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL ? double.NaN : raw.sqlite3_column_double(handle, column);

    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(handle, column);

    public string Text(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(handle, column));

    internal void Finish() => handle.Dispose();
}
