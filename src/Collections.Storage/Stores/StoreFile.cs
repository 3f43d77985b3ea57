using System.Globalization;
using Collections.Engine.Stores;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Stores;

/// <summary>Where a store's write can be made to fail, in tests.</summary>
internal enum StoreStep
{
    Begin,
    States,
    Header,
    Held,
    Audit,
    DeadLetters,
    Outbox,
    Commit,
    OwnLeases,
    OwnCheckpoint,
    Leases,
    CommitLeases,
    Configuration,
    CommitConfiguration,

    // Of a store behind a network: it is committed, and the answer is lost.
    CheckpointCommitted,
    LeasesCommitted,
    ConfigurationCommitted,

    // Of what has left.
    RemoveOutbox,
}

/// <summary>An SQLite file of the store: opened or created, written in whole transactions, its failures told in the contract's words.</summary>
internal sealed class StoreFile : IDisposable
{
    private readonly Database database;
    private readonly long formatVersion;
    private readonly string remedy;
    private readonly Statement begin;
    private readonly Statement commit;

    /// <param name="schema">The tables of a new file, in the latest format.</param>
    /// <param name="remedy">What to do when the file can't be trusted.</param>
    /// <param name="steps">What brings a file of format 1, 2, … to the next one; as many as there were formats before the latest.</param>
    public StoreFile(string path, string schema, string remedy, params string[] steps)
    {
        this.remedy = remedy;
        formatVersion = steps.Length + 1;
        try
        {
            database = Database.Open(path, DatabaseUse.Create, Limits.StorePageBytes, Limits.StoreWalBytes, Limits.StoreCacheKiB);
            try
            {
                CreateOrCheck(schema, steps);
                begin = database.Prepare("BEGIN IMMEDIATE");
                commit = database.Prepare("COMMIT");
            }
            catch
            {
                database.Dispose();
                throw;
            }
        }
        catch (DatabaseException e)
        {
            throw Translate(e);
        }
    }

    public Statement Prepare(string sql) => database.Prepare(sql);

    /// <summary>One transaction: everything or nothing.</summary>
    public void Write(Action change)
    {
        try
        {
            begin.Run();
            change();
            commit.Run();
        }
        catch (Exception e)
        {
            database.RollBack();
            if (e is DatabaseException failure)
                throw Translate(failure);
            throw;
        }
    }

    /// <summary>Queries that see one state of the file. They are all ended afterwards, however far they got.</summary>
    public T Read<T>(Func<T> queries)
    {
        try
        {
            database.Execute("BEGIN");
            return queries();
        }
        catch (DatabaseException e)
        {
            throw Translate(e);
        }
        finally
        {
            database.ResetAll();
            database.RollBack();
        }
    }

    public void Trust(bool holds, string what)
    {
        if (!holds)
            throw new StoreCorruptException($"{database.Path}: {what}. {remedy}");
    }

    public void Dispose() => database.Dispose();

    private Exception Translate(DatabaseException e) => e.IsCorrupt
        ? new StoreCorruptException($"{e.Message}. {remedy}")
        : new StoreUnavailableException($"{e.Message}. Nothing was committed; it is tried again.", e);

    private void CreateOrCheck(string schema, string[] steps)
    {
        Statement ask = database.Prepare("PRAGMA user_version");
        ask.Step();
        long version = ask.Int64(0);
        ask.Reset();
        if (version == formatVersion)
            return;
        if (version < 0 || version > formatVersion)
            throw new StorageRefusedException($"{database.Path} has format version {version}, and this program reads versions up to {formatVersion}. Run the program that wrote it, or a newer one.");
        string change = version == 0 ? schema : string.Join("; ", steps.Skip((int)version - 1));
        // One transaction: a crash leaves the file as it was or whole.
        database.Execute($"BEGIN IMMEDIATE; {change}; PRAGMA user_version={formatVersion.ToString(CultureInfo.InvariantCulture)}; COMMIT");
    }
}
