using Collections.Engine.Logs;

namespace Collections.Engine.Stores;

/// <summary>
/// Where partitions keep their checkpoints and leases, and nodes their configuration. Contract: a checkpoint and a batch of lease changes are one transaction each,
/// durable when the call returns, and refused when another owner has taken the partition since (the fencing epoch).
/// </summary>
public interface IStore : IDisposable
{
    /// <summary>Whether checkpoints are to carry a readable row for each state (<see cref="Checkpoint.Readable"/>).</summary>
    bool WantsReadable => false;

    /// <summary>Takes a partition: from now on only the returned epoch may write. Epochs of a partition rise by one at a time from 1.</summary>
    /// <param name="partition">Which one.</param>
    /// <param name="owner">Where the owner can be reached; not empty.</param>
    long TakeOwnership(int partition, string owner);

    /// <summary>Gives a partition up, so that others see it as nobody's until it is taken. Of an epoch that is over it changes nothing.</summary>
    /// <exception cref="StoreUnavailableException">It still counts as owned, until the next one takes it.</exception>
    void ReleaseOwnership(int partition, long epoch);

    /// <summary>Who owns which partition, in order of partition; those that nobody owns are left out.</summary>
    /// <exception cref="StoreUnavailableException">It can't be asked now; try again.</exception>
    IReadOnlyList<PartitionOwner> LoadOwners();

    /// <summary>Streams the partition's last checkpoint into <paramref name="into"/>; false if there is none.</summary>
    /// <exception cref="StoreCorruptException">What is stored can't be trusted: the message says what, where, and what to do.</exception>
    bool Load(int partition, ICheckpointSink into);

    /// <summary>
    /// Commits a checkpoint: states, positions, names, outcomes, held events, audit rows, dead letters and rows of the outbox, in one transaction; and says
    /// in <see cref="Checkpoint.OutboxLast"/> how far the outbox goes now.
    /// </summary>
    /// <exception cref="StoreFencedException">Another owner has the partition: stop it.</exception>
    /// <exception cref="StoreUnavailableException">Nothing was committed; try again.</exception>
    void Commit(Checkpoint checkpoint);

    /// <summary>Commits changes of leases, of one or several partitions, in one transaction.</summary>
    /// <exception cref="StoreFencedException">Another owner has one of the partitions: nothing was committed.</exception>
    /// <exception cref="StoreUnavailableException">Nothing was committed; try again.</exception>
    void CommitLeases(IReadOnlyList<LeaseChange> changes);

    /// <summary>The leases of a partition that have not been closed, voided ones included, in order of their sequence.</summary>
    IReadOnlyList<LeaseRow> LoadLeases(int partition);

    /// <summary>Dead letters of a partition in order of their numbers, settled ones included.</summary>
    /// <param name="after">Only those with a higher number; 0 for all.</param>
    /// <param name="maxCount">At most so many.</param>
    IReadOnlyList<StoredDeadLetter> LoadDeadLetters(int partition, long after, int maxCount);

    /// <summary>Writes down what became of a dead letter; it stays where it is.</summary>
    /// <returns>False if there is none of that number, or it has been settled before.</returns>
    /// <exception cref="StoreUnavailableException">Nothing was written; try again.</exception>
    bool SettleDeadLetter(int partition, long number, long atMs, string how);

    /// <summary>What is to leave the engine, in order of its numbers. A partition that starts anew goes on counting.</summary>
    /// <param name="after">Only rows with a higher number; 0 for all.</param>
    /// <param name="maxCount">At most so many.</param>
    /// <param name="maxBytes">No more once their content is so long; at least one.</param>
    /// <exception cref="StoreUnavailableException">The store can't be read now; try again.</exception>
    /// <exception cref="StoreCorruptException">A row doesn't match its checksum.</exception>
    OutboxPage LoadOutbox(int partition, OutboxKind kind, long after, int maxCount, long maxBytes);

    /// <summary>Removes rows that have left.</summary>
    /// <param name="through">The last of them; those before it go too.</param>
    /// <exception cref="StoreFencedException">Another owner has the partition: nothing was removed, and it will publish them again.</exception>
    /// <exception cref="StoreUnavailableException">Try again; what was removed stays so.</exception>
    void RemoveOutbox(int partition, long epoch, OutboxKind kind, long through);

    /// <summary>Every version of the configuration, in order of number.</summary>
    IReadOnlyList<ConfigurationVersion> LoadVersions();

    /// <summary>Every change of the configuration, in order of sequence.</summary>
    IReadOnlyList<ConfigurationAct> LoadActs();

    /// <summary>One document of a version; null if it has none of that name.</summary>
    /// <exception cref="StoreCorruptException">It doesn't match its checksum.</exception>
    byte[]? LoadDocument(int number, string name);

    /// <summary>Commits a change of the configuration, with the version that it adds, in one transaction.</summary>
    /// <param name="act">Its sequence follows the last one's.</param>
    /// <param name="added">The version that it adds, with the number that follows the last one's; null: it adds none.</param>
    /// <param name="documents">The documents of <paramref name="added"/>.</param>
    /// <exception cref="StoreFencedException">Somebody else has changed the configuration meanwhile: nothing was committed; load it again.</exception>
    /// <exception cref="StoreUnavailableException">Nothing was committed; try again.</exception>
    void CommitConfiguration(ConfigurationAct act, ConfigurationVersion? added, IReadOnlyList<ConfigurationDocument> documents);
}

/// <summary>Takes what <see cref="IStore.Load"/> reads; the spans are valid during the call only. Called in this order.</summary>
public interface ICheckpointSink
{
    void Header(CheckpointHeader header);

    /// <summary>The partition's interned names, in order of their ids.</summary>
    void Names(ReadOnlySpan<byte> names);

    /// <summary>What became of watched predictions; not called when there is nothing.</summary>
    void Outcomes(ReadOnlySpan<byte> outcomes);

    void State(int slot, ReadOnlySpan<byte> image);

    /// <summary>An event that waits for its parked debtor, in order.</summary>
    void Held(in LogRecord record);
}

/// <summary>Who may write a partition.</summary>
/// <param name="Address">Where the owner can be reached, as it was given to <see cref="IStore.TakeOwnership"/>.</param>
public readonly record struct PartitionOwner(int Partition, long Epoch, string Address);

/// <summary>Another owner has taken the partition.</summary>
/// <param name="message">Says who came and who owns.</param>
/// <param name="partition">Which one it is about; -1: the configuration, which somebody else has changed.</param>
public sealed class StoreFencedException(string message, int partition = -1) : Exception(message)
{
    public int Partition { get; } = partition;
}

/// <summary>The store can't be reached or written now; nothing was committed.</summary>
public sealed class StoreUnavailableException(string message, Exception inner) : Exception(message, inner);

/// <summary>What is stored can't be trusted.</summary>
public sealed class StoreCorruptException(string message) : Exception(message);
