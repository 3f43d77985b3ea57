using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>
/// Takes partitions and gives them up while the node runs. To take one is: raise its epoch, load its checkpoint and its leases, open its log, run
/// it. To give one up is: stop reading and handing out, let what is under way end, keep a last checkpoint, release. Changes of one partition are
/// made one after another; those of different ones side by side.
/// </summary>
internal sealed class PartitionOwnership : IGroupMember, IDisposable
{
    private readonly Node node;
    private readonly IStore store;
    private readonly Action<string> warn;
    private readonly PartitionHost?[] hosts;
    private readonly string?[] faults;
    private readonly CancellationTokenSource closing = new();

    /// <summary>Loading is the store's and the processor's work: more at once would only wait for each other.</summary>
    private readonly SemaphoreSlim loading = new(Limits.LoadsAtOnce, Limits.LoadsAtOnce);

    // Guards what the group wants and the order of changes.
    private readonly Lock gate = new();
    private readonly bool[] wanted;
    private readonly Task[] changes;
    private bool isOver;
    private volatile bool hasJoined;

    public PartitionOwnership(Node node, IStore store, Action<string> warn)
    {
        this.node = node;
        this.store = store;
        this.warn = warn;
        hosts = new PartitionHost?[node.PartitionCount];
        faults = new string?[node.PartitionCount];
        wanted = new bool[node.PartitionCount];
        changes = new Task[node.PartitionCount];
        Array.Fill(changes, Task.CompletedTask);
    }

    /// <summary>Whether the group has said what this node runs.</summary>
    public bool HasJoined => hasJoined;

    /// <summary>Those that run here now, in order of their numbers.</summary>
    public IEnumerable<PartitionHost> Hosts
    {
        get
        {
            for (int number = 0; number < hosts.Length; number++)
            {
                if (Find(number) is { } host)
                    yield return host;
            }
        }
    }

    /// <summary>Null if it does not run here.</summary>
    public PartitionHost? Find(int number) => Volatile.Read(ref hosts[number]);

    /// <summary>How it stands here, and why if it can't run.</summary>
    public (PartitionState State, string Reason) Standing(int number)
    {
        if (Find(number) is { } host)
            return (host.State, host.Reason);
        if (Volatile.Read(ref faults[number]) is { } fault)
            return (PartitionState.Stopped, fault);
        return (Volatile.Read(ref wanted[number]) ? PartitionState.Recovering : PartitionState.Elsewhere, "");
    }

    /// <summary>Without a group: takes all partitions, now.</summary>
    /// <exception cref="StoreCorruptException">What is stored can't be trusted.</exception>
    public void TakeAll()
    {
        for (int number = 0; number < hosts.Length; number++)
        {
            wanted[number] = true;
            Take(number);
        }
        hasJoined = true;
    }

    public void OnAssigned(IReadOnlyCollection<int> partitions)
    {
        foreach (int number in partitions)
            _ = Change(number, wants: true, () => TakeUntilDoneAsync(number));
        hasJoined = true;
    }

    public void OnRevoked(IReadOnlyCollection<int> partitions)
    {
        Task all = Task.WhenAll(partitions.Select(number => Change(number, wants: false, () => GiveUpAsync(number, keep: true))));
        if (!all.Wait(TimeSpan.FromSeconds(Limits.HandOverSecondsMax)))
            warn($"giving up partitions {string.Join(", ", partitions)} takes longer than {Limits.HandOverSecondsMax} s; they go on without a last checkpoint, from the one before");
    }

    public void OnLost(IReadOnlyCollection<int> partitions)
    {
        foreach (int number in partitions)
            _ = Change(number, wants: false, () => GiveUpAsync(number, keep: false));
    }

    /// <summary>The store says that another owner has it: it is dropped. If the group still wants it here after a while, it is taken again.</summary>
    public void OnFenced(int number)
    {
        if (Find(number) is not { } host)
            return;
        lock (gate)
        {
            if (isOver)
                return;
            changes[number] = After(changes[number], async () =>
            {
                if (Find(number) != host)
                    return;
                warn($"partition {number} has been taken by another node");
                await GiveUpAsync(number, keep: false);
                // Who was away for a while learns only now and then that the group has gone on without it; taking it back at once would disturb its new owner.
                await PauseAsync(number, Limits.FencedPauseMs);
                await TakeUntilDoneAsync(number);
            });
        }
    }

    /// <summary>
    /// A worker has slept: nothing of its partitions is read, decided or answered until the store has said that they are still this node's. On its
    /// thread.
    /// </summary>
    public void Verify(Worker worker)
    {
        if (node.Log.Group is null)
            return;
        // Those that come while the store is asked have just been taken.
        IReadOnlyList<PartitionHost> asked = worker.Hosts;
        while (!closing.IsCancellationRequested && asked.Count > 0)
        {
            try
            {
                Dictionary<int, long> epochs = store.LoadOwners().ToDictionary(static owner => owner.Partition, static owner => owner.Epoch);
                foreach (PartitionHost host in asked)
                {
                    if (epochs.GetValueOrDefault(host.Number) == host.Partition.Checkpoints.Epoch)
                        continue;
                    host.Forbid();
                    OnFenced(host.Number);
                }
                return;
            }
            catch (Exception unavailable) when (unavailable is not OutOfMemoryException)
            {
                warn($"after a sleep this node can't find out whether its partitions are still its own; until then it does nothing: {unavailable.Message}");
                closing.Token.WaitHandle.WaitOne(Limits.PauseStepMs);
            }
        }
    }

    /// <summary>Gives nothing up and takes nothing any more.</summary>
    public void Dispose()
    {
        closing.Cancel();
        lock (gate)
        {
            isOver = true;
            Array.Fill(wanted, false);
        }
        // How each ended, it has told itself.
        Task.WhenAll(changes).ContinueWith(static _ => { }, TaskScheduler.Default).Wait();
        loading.Dispose();
    }

    private Task Change(int number, bool wants, Func<Task> change)
    {
        lock (gate)
        {
            // A node that was abandoned is as good as dead: what its group wants of it goes to nobody.
            if (isOver)
                return Task.CompletedTask;
            wanted[number] = wants;
            return changes[number] = After(changes[number], change);
        }
    }

    private static async Task After(Task before, Func<Task> change)
    {
        // However the one before ended, it has told of it.
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding | ConfigureAwaitOptions.SuppressThrowing);
        await change();
    }

    private async Task TakeUntilDoneAsync(int number)
    {
        for (int attempt = 0; IsWanted(number) && Find(number) is null; attempt++)
        {
            try
            {
                await loading.WaitAsync(closing.Token);
                try
                {
                    // It may have waited for others to be loaded, and the group have changed its mind.
                    if (IsWanted(number))
                        Take(number);
                }
                finally
                {
                    loading.Release();
                }
                Volatile.Write(ref faults[number], null);
                return;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception unavailable) when (unavailable is StoreUnavailableException or LogUnavailableException)
            {
                warn($"partition {number} can't be taken now, tried again: {unavailable.Message}");
                await PauseAsync(number, Math.Min(250 << Math.Min(attempt, 5), 5_000));
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                Volatile.Write(ref faults[number], failure.Message);
                warn($"partition {number} can't be run here: {failure}");
                return;
            }
        }
    }

    /// <summary>Waits, as long as the partition is wanted.</summary>
    private async Task PauseAsync(int number, int milliseconds)
    {
        for (int waited = 0; waited < milliseconds && IsWanted(number); waited += Limits.PauseStepMs)
            await Task.Delay(Limits.PauseStepMs, CancellationToken.None);
    }

    private bool IsWanted(int number)
    {
        lock (gate)
            return wanted[number] && !closing.IsCancellationRequested;
    }

    private void Take(int number)
    {
        long epoch = store.TakeOwnership(number, node.Owner);
        ModelSet models = node.Models.Current;
        Partition partition = Load(number, epoch, models, out Refold? refold);
        PartitionHost host;
        try
        {
            node.Log.Open(number, partition.Positions);
            Check(number, partition);
            IReadOnlyList<LeaseRow> leases = store.LoadLeases(number);
            partition.Checkpoints.Finish(leases);
            node.Actions.RememberRequests(leases);
            host = new PartitionHost(node, partition, node.LeastBusyWorker(), refold);
        }
        catch
        {
            partition.Dispose();
            node.Log.Close(number);
            throw;
        }
        Volatile.Write(ref hosts[number], host);
        host.Worker.Add(host);
        node.Models.OnTaken(host, models);
    }

    private Partition Load(int number, long epoch, ModelSet models, out Refold? refold)
    {
        refold = null;
        var partition = new Partition(number, node.PartitionCount, models, node.Options.Debtors, publishes: node.Outbox is not null);
        try
        {
            bool found = store.Load(number, partition.Checkpoints);
            string reason = partition.Checkpoints.RefoldReason;
            uint nextLeaseSequence = partition.Checkpoints.StoredLeaseSequence;
            if (reason.Length > 0)
            {
                warn($"partition {number} is folded anew from the log: {reason}");
                refold = new Refold(partition.Checkpoints);
                partition.Dispose();
                partition = new Partition(number, node.PartitionCount, models, node.Options.Debtors, publishes: node.Outbox is not null);
            }
            partition.Checkpoints.Own(epoch, startAnew: reason.Length > 0 || !found, nextLeaseSequence);
            return partition;
        }
        catch
        {
            partition.Dispose();
            throw;
        }
    }

    private void Check(int number, Partition partition)
    {
        if (!node.Log.End(number).Covers(partition.Positions))
            throw new StoreCorruptException($"partition {number}: the store has applied the log up to {partition.Positions}, and the log ends at {node.Log.End(number)}: they are not of one node. Name the store that belongs to this log, or the log that belongs to this store; or restore both from one backup");
    }

    /// <param name="keep">Whether it is still this node's, so that a last checkpoint may be taken.</param>
    private async Task GiveUpAsync(int number, bool keep)
    {
        Volatile.Write(ref faults[number], null);
        if (Find(number) is not { } host)
            return;
        try
        {
            await host.LeaveAsync(keep);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            warn($"partition {number} is given up without a last checkpoint, and goes on from the one before: {failure.Message}");
        }
        await host.RemoveAsync();
        Volatile.Write(ref hosts[number], null);
        node.Actions.ForgetRequests(number);
        node.Meters.OnGone(number);
        try
        {
            node.Log.Close(number);
            if (keep)
                Release(number, host.Partition.Checkpoints.Epoch);
        }
        finally
        {
            host.Dispose();
        }
    }

    private void Release(int number, long epoch)
    {
        try
        {
            store.ReleaseOwnership(number, epoch);
        }
        catch (StoreUnavailableException unavailable)
        {
            warn($"partition {number} still counts as this node's, until another takes it: {unavailable.Message}");
        }
    }
}
