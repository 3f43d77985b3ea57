using Collections.Engine.Hosting;
using Collections.Engine.Stores;
using Grpc.Net.Client;

namespace Collections.Server.Cluster;

/// <summary>
/// Where the partitions are: what the store says of their owners, and a channel to each of the other nodes. What it knows is a moment old; who is sent
/// to a node that does not run the partition any more is told so, and asks again.
/// </summary>
public sealed class PeerDirectory : IDisposable
{
    private readonly Node node;
    private readonly IStore store;
    private readonly TimeProvider time;
    private readonly Action<string> warn;
    private readonly Lock gate = new();
    private readonly Dictionary<string, Peer> peers = new(StringComparer.Ordinal);
    // When each other node was last seen to run something.
    private readonly Dictionary<string, long> seenAt = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim asking = new(1, 1);
    private IReadOnlyDictionary<int, PartitionOwner> owners = new Dictionary<int, PartitionOwner>();
    private long askedAt;

    /// <param name="warn">Takes what an operator should know.</param>
    public PeerDirectory(Node node, IStore store, TimeProvider time, Action<string> warn)
    {
        this.node = node;
        this.store = store;
        this.time = time;
        this.warn = warn;
        IsShared = node.Log.Group is not null;
        if (IsShared)
            node.Actions.Others = () => Others;
    }

    /// <summary>Whether other nodes may run partitions of this log.</summary>
    public bool IsShared { get; }

    /// <summary>The other nodes that run something, in order of their addresses.</summary>
    public IReadOnlyList<Peer> Others
    {
        get
        {
            lock (gate)
                return [.. owners.Values.Select(static owner => owner.Address).Distinct().Where(address => address != node.Owner).Order(StringComparer.Ordinal).Select(Of)];
        }
    }

    /// <summary>
    /// The other nodes that run something or did a while ago, in order of their addresses: one that is away comes back with its disk. Nodes that have run
    /// nothing since this one started are not known.
    /// </summary>
    public IReadOnlyList<Peer> Known
    {
        get
        {
            lock (gate)
                return [.. seenAt.Keys.Order(StringComparer.Ordinal).Select(Of)];
        }
    }

    /// <summary>Where the partition's owner is; null: nobody runs it, or this node does.</summary>
    public Peer? OwnerOf(int partition)
    {
        lock (gate)
            return owners.TryGetValue(partition, out PartitionOwner owner) && owner.Address != node.Owner && owner.Epoch > node.EpochOf(partition) ? Of(owner.Address) : null;
    }

    /// <summary>Keeps what is known fresh, of partitions and of models, until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        if (!IsShared)
            return;
        using var timer = new PeriodicTimer(ClusterLimits.DirectoryEvery, time);
        try
        {
            do
            {
                await RefreshAsync();
                await RefreshModelsAsync();
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    /// <summary>
    /// Asks the store if what is known is older than it may be, as in a node that was stopped for a while; one that does not answer is not waited for for
    /// long, as most requests can do without it.
    /// </summary>
    public async Task RefreshIfOldAsync()
    {
        if (!IsShared || time.GetElapsedTime(Interlocked.Read(ref askedAt)) <= ClusterLimits.DirectoryAgeMax)
            return;
        await RefreshAsync().WaitAsync(ClusterLimits.DirectoryPatience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Asks the store, unless somebody has a moment ago.</summary>
    public async Task RefreshAsync()
    {
        if (!IsShared)
            return;
        await asking.WaitAsync();
        try
        {
            if (askedAt != 0 && time.GetElapsedTime(askedAt) < ClusterLimits.DirectoryAgeMin)
                return;
            IReadOnlyList<PartitionOwner> found = await Task.Run(store.LoadOwners);
            lock (gate)
            {
                owners = found.ToDictionary(static owner => owner.Partition);
                Remember(found);
            }
            node.OnOwnersSeen(found);
        }
        catch (Exception unavailable) when (unavailable is not OutOfMemoryException)
        {
            warn($"who runs which partition can't be asked for: {unavailable.Message}");
        }
        finally
        {
            Interlocked.Exchange(ref askedAt, time.GetTimestamp());
            asking.Release();
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (Peer peer in peers.Values)
                peer.Dispose();
            peers.Clear();
            seenAt.Clear();
        }
        asking.Dispose();
    }

    private void Remember(IReadOnlyList<PartitionOwner> found)
    {
        long now = time.GetTimestamp();
        foreach (PartitionOwner owner in found.Where(owner => owner.Address != node.Owner))
            seenAt[owner.Address] = now;
        foreach (string gone in seenAt.Where(seen => time.GetElapsedTime(seen.Value, now) > ClusterLimits.RememberedFor).Select(static seen => seen.Key).ToArray())
            seenAt.Remove(gone);
    }

    /// <summary>What is activated on one node reaches the others this way.</summary>
    private async Task RefreshModelsAsync()
    {
        try
        {
            await node.Models.RefreshAsync();
        }
        catch (Exception failure) when (failure is not (OutOfMemoryException or OperationCanceledException))
        {
            warn($"what models other nodes have activated can't be found out: {failure.Message}");
        }
    }

    private Peer Of(string address) => peers.TryGetValue(address, out Peer? known) ? known : peers[address] = new Peer(address, time);
}
