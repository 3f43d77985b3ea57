using Collections.Engine.Stores;
using Collections.Storage.Stores;
using Npgsql;

namespace Collections.Storage.Postgres;

/// <summary>
/// The store of many nodes: one schema of a PostgreSQL database. Any thread; each call has a connection for itself. What a caller does next is in the
/// exception: try again (unavailable), stop the partition (fenced), call an operator (corrupt).
/// </summary>
public sealed class PostgresStore : IStore
{
    private readonly PostgresSessions sessions;
    private readonly PostgresOwners owners;
    private readonly PostgresCheckpoints checkpoints;
    private readonly PostgresLoading loading;
    private readonly PostgresLeases leases;
    private readonly PostgresOutbox outbox;
    private readonly PostgresConfiguration configuration;

    /// <summary>Opens the store, and brings its schema up to date.</summary>
    /// <exception cref="StorageRefusedException">The settings are wrong, or the schema is not one for this program: the message says what to do.</exception>
    /// <exception cref="StoreUnavailableException">The server can't be reached now.</exception>
    public PostgresStore(PostgresSettings settings)
        : this(settings, fault: null)
    {
    }

    internal PostgresStore(PostgresSettings settings, Action<StoreStep, int>? fault, int takeOverPatienceMs = Limits.TakeOverPatienceMs)
    {
        Standing = Migrate(settings);
        sessions = new PostgresSessions(settings);
        owners = new PostgresOwners(sessions, takeOverPatienceMs);
        checkpoints = new PostgresCheckpoints(sessions, fault);
        loading = new PostgresLoading(sessions);
        leases = new PostgresLeases(sessions, fault);
        outbox = new PostgresOutbox(sessions, fault);
        configuration = new PostgresConfiguration(sessions, fault);
    }

    /// <summary>How the schema stood when the store was opened.</summary>
    public SchemaStanding Standing { get; }

    public bool WantsReadable => true;

    /// <summary>Brings the schema up to date.</summary>
    /// <inheritdoc cref="PostgresStore(PostgresSettings)"/>
    public static SchemaStanding Migrate(PostgresSettings settings) => OnSchema(settings, connection => new SchemaMigrations(settings).Apply(connection));

    /// <summary>Says how the schema stands, and changes nothing.</summary>
    /// <inheritdoc cref="PostgresStore(PostgresSettings)"/>
    public static SchemaStanding Check(PostgresSettings settings) => OnSchema(settings, connection => new SchemaMigrations(settings).Check(connection));

    public long TakeOwnership(int partition, string owner)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)partition, (uint)Limits.PartitionsMax, nameof(partition));
        return owners.Take(partition, owner);
    }

    public void ReleaseOwnership(int partition, long epoch) => owners.Release(partition, epoch);

    public IReadOnlyList<PartitionOwner> LoadOwners() => owners.Load();

    public bool Load(int partition, ICheckpointSink into) => loading.Load(partition, into);

    public void Commit(Checkpoint checkpoint) => checkpoints.Commit(checkpoint);

    public void CommitLeases(IReadOnlyList<LeaseChange> changes)
    {
        if (changes.Count > 0)
            leases.Commit(changes);
    }

    public IReadOnlyList<LeaseRow> LoadLeases(int partition) => leases.Load(partition);

    public IReadOnlyList<StoredDeadLetter> LoadDeadLetters(int partition, long after, int maxCount) => loading.LoadDeadLetters(partition, after, maxCount);

    public bool SettleDeadLetter(int partition, long number, long atMs, string how) => loading.SettleDeadLetter(partition, number, atMs, how);

    public OutboxPage LoadOutbox(int partition, OutboxKind kind, long after, int maxCount, long maxBytes) => outbox.Load(partition, kind, after, maxCount, maxBytes);

    public void RemoveOutbox(int partition, long epoch, OutboxKind kind, long through) => outbox.Remove(partition, epoch, kind, through);

    public IReadOnlyList<ConfigurationVersion> LoadVersions() => configuration.LoadVersions();

    public IReadOnlyList<ConfigurationAct> LoadActs() => configuration.LoadActs();

    public byte[]? LoadDocument(int number, string name) => configuration.LoadDocument(number, name);

    public void CommitConfiguration(ConfigurationAct act, ConfigurationVersion? added, IReadOnlyList<ConfigurationDocument> documents) =>
        configuration.Commit(act, added, documents);

    public void Dispose() => sessions.Dispose();

    /// <summary>The first thing that is done with a store: what is wrong with its settings comes to light here.</summary>
    private static SchemaStanding OnSchema(PostgresSettings settings, Func<NpgsqlConnection, SchemaStanding> work)
    {
        using var sessions = new PostgresSessions(settings);
        try
        {
            return sessions.Run("opening the store", work);
        }
        catch (StoreUnavailableException failure) when (failure.InnerException is PostgresException said && said.SqlState[..2] is "28" or "3D")
        {
            throw new StorageRefusedException($"{settings}: {said.MessageText} (SQLSTATE {said.SqlState}). {Remedy(said)}", failure);
        }
        catch (StoreUnavailableException failure)
        {
            // Nobody tries an opening again but who has asked for it.
            throw new StoreUnavailableException(failure.Message.Replace(PostgresFailures.TriedAgain, " Start the server, or name another one in the store's connection.", StringComparison.Ordinal), failure);
        }
    }

    private static string Remedy(PostgresException said) => said.SqlState[..2] == "3D"
        ? "Create the database, or name another one in the store's connection"
        : "Mend user or password in the store's connection, or what the server's pg_hba.conf lets in";
}
