using Collections.Engine.Stores;
using Collections.Storage.Sqlite;
using Collections.Storage.Stores;

namespace Collections.Storage;

/// <summary>
/// The embedded store: one SQLite file a partition for checkpoints, so that partitions don't wait for each other, one for the leases of
/// all, so that granting doesn't wait for checkpoints, and one for the configuration.
/// </summary>
public sealed class SqliteStore : IStore
{
    private readonly string root;
    private readonly DirectoryLock directoryLock;
    private readonly Action<StoreStep, int>? fault;
    private readonly LeaseStore leases;
    private readonly ConfigurationStore configuration;
    private readonly Lock ownershipGate = new();
    private readonly Lock gate = new();
    private readonly Dictionary<int, PartitionStore> partitions = [];
    private bool disposed;

    /// <summary>Opens the store in <c>directory/store</c>, or creates it.</summary>
    /// <exception cref="StorageRefusedException">It is in use, or has another format.</exception>
    /// <exception cref="StoreCorruptException">A file can't be trusted.</exception>
    public SqliteStore(string directory)
        : this(directory, fault: null)
    {
    }

    internal SqliteStore(string directory, Action<StoreStep, int>? fault)
    {
        this.fault = fault;
        root = Path.GetFullPath(Path.Combine(directory, "store"));
        DurableFiles.CreateDirectory(root);
        directoryLock = DirectoryLock.Take(root);
        try
        {
            leases = new LeaseStore(Path.Combine(root, "leases.db"), fault);
            configuration = new ConfigurationStore(Path.Combine(root, "configuration.db"), fault);
            DurableFiles.SyncDirectory(root);
        }
        catch
        {
            leases?.Dispose();
            configuration?.Dispose();
            directoryLock.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The leases' file first: from then on the old owner grants nothing. The checkpoints' file then says which epoch was given last; if the
    /// process dies in between, the epoch was given to nobody and is given again.
    /// </summary>
    public long TakeOwnership(int partition, string owner)
    {
        PartitionStore checkpoints = Of(partition);
        lock (ownershipGate)
        {
            long given = checkpoints.Epoch;
            long begun = leases.EpochOf(partition);
            // A checkpoint file that was moved away begins at 0 again: then the leases' file alone knows the epochs that were given.
            long epoch = begun <= given + 1 ? given + 1 : begun + 1;
            leases.SetOwner(partition, epoch, owner);
            checkpoints.SetOwner(epoch, owner);
            return epoch;
        }
    }

    /// <summary>The leases' file says who owns what: it is the one of all partitions.</summary>
    public void ReleaseOwnership(int partition, long epoch)
    {
        lock (ownershipGate)
        {
            if (leases.EpochOf(partition) == epoch)
                leases.SetOwner(partition, epoch, "");
        }
    }

    public IReadOnlyList<PartitionOwner> LoadOwners() => leases.LoadOwners();

    public bool Load(int partition, ICheckpointSink into) => Of(partition).Load(into);

    public void Commit(Checkpoint checkpoint) => Of(checkpoint.Partition).Commit(checkpoint);

    public void CommitLeases(IReadOnlyList<LeaseChange> changes)
    {
        if (changes.Count > 0)
            leases.Commit(changes);
    }

    public IReadOnlyList<LeaseRow> LoadLeases(int partition) => leases.Load(partition);

    public IReadOnlyList<StoredDeadLetter> LoadDeadLetters(int partition, long after, int maxCount) => Of(partition).LoadDeadLetters(after, maxCount);

    public bool SettleDeadLetter(int partition, long number, long atMs, string how) => Of(partition).SettleDeadLetter(number, atMs, how);

    public OutboxPage LoadOutbox(int partition, OutboxKind kind, long after, int maxCount, long maxBytes) => Of(partition).LoadOutbox(kind, after, maxCount, maxBytes);

    public void RemoveOutbox(int partition, long epoch, OutboxKind kind, long through) => Of(partition).RemoveOutbox(epoch, kind, through);

    public IReadOnlyList<ConfigurationVersion> LoadVersions() => configuration.LoadVersions();

    public IReadOnlyList<ConfigurationAct> LoadActs() => configuration.LoadActs();

    public byte[]? LoadDocument(int number, string name) => configuration.LoadDocument(number, name);

    public void CommitConfiguration(ConfigurationAct act, ConfigurationVersion? added, IReadOnlyList<ConfigurationDocument> documents) =>
        configuration.Commit(act, added, documents);

    public void Dispose()
    {
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            foreach (PartitionStore partition in partitions.Values)
                partition.Dispose();
        }
        leases.Dispose();
        configuration.Dispose();
        directoryLock.Dispose();
    }

    private PartitionStore Of(int partition)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)partition, (uint)Limits.PartitionsMax, nameof(partition));
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (!partitions.TryGetValue(partition, out PartitionStore? found))
            {
                found = new PartitionStore(Path.Combine(root, $"{SqliteEventLog.NameOf(partition)}.db"), partition, fault);
                DurableFiles.SyncDirectory(root);
                partitions.Add(partition, found);
            }
            return found;
        }
    }
}
