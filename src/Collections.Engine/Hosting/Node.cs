using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>
/// A node: partitions on workers over one log and one store. Starting it loads the checkpoints, opens the leases again and reads
/// the log to its end; only then is anything handed out.
/// </summary>
public sealed class Node : IAsyncDisposable
{
    private readonly TimeProvider time;
    private readonly IStore store;
    private readonly Action<string> warn;
    private readonly Worker[] workers;

    /// <summary>Written once, by who disposes.</summary>
    private volatile bool closing;

    private Node(IEventLog log, IStore store, EngineOptions options, TimeProvider time, Action<string> warn)
    {
        options.Validate();
        Log = log;
        this.store = store;
        Options = options;
        Owner = options.Owner;
        this.time = time;
        this.warn = warn;
        Ownership = new PartitionOwnership(this, store, warn);
        workers = new Worker[Math.Min(options.Workers == 0 ? Environment.ProcessorCount : options.Workers, log.PartitionCount)];
        for (int i = 0; i < workers.Length; i++)
            workers[i] = new Worker(i, time, Ownership.Verify);
        Meters = new NodeMeters(this);
        Checkpoints = new CheckpointWriter(store, Meters, warn);
        LeaseWrites = new LeaseWriter(store, Meters, warn, OnFenced);
        Histories = new HistoryReader(log, Meters, warn);
        Outbox = log.Publisher is { } publisher ? new OutboxPublisher(store, publisher, Meters, warn) : null;
        Intake = new Intake(this);
        Actions = new ActionDesk(this);
        DeadLetters = new DeadLetterDesk(this, store);
        Models = new ModelRegistry(this, store);
        Models.Begin(options.Model, options.ActivateModel);
        Surveys = new ModelSurveys(this);
    }

    /// <summary>Events in.</summary>
    public Intake Intake { get; }

    /// <summary>Next best actions out.</summary>
    public ActionDesk Actions { get; }

    /// <summary>What could not be applied.</summary>
    public DeadLetterDesk DeadLetters { get; }

    /// <summary>What it scores with.</summary>
    public ModelRegistry Models { get; }

    /// <summary>How that does, in the partitions that run here.</summary>
    public ModelSurveys Surveys { get; }

    /// <summary>What it measures for its operators.</summary>
    public NodeMeters Meters { get; }

    public EngineOptions Options { get; }

    /// <summary>What the store says of the partitions that run here.</summary>
    public string Owner { get; private set; }

    public IEventLog Log { get; }

    /// <summary>Of the log; how many of them run here, the group says.</summary>
    public int PartitionCount => Log.PartitionCount;

    /// <summary>The partitions that run here now, in order.</summary>
    public IReadOnlyList<int> Owned => [.. Ownership.Hosts.Select(static host => host.Partition.Number)];

    /// <summary>Whether the group has said which partitions run here; always, where there is no group.</summary>
    public bool HasJoined => Ownership.HasJoined;

    /// <summary>The wall clock that the node was given, in Unix milliseconds.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Leases that were voided, on the thread of a worker: listeners must be quick.</summary>
    public event Action<IReadOnlyList<LeaseVoidedNotice>>? Voided;

    /// <summary>Leases that have ended in any way, on the thread of a worker: listeners must be quick.</summary>
    public event Action<IReadOnlyList<LeaseChange>>? LeasesEnded;

    /// <summary>Measures how long things take; never decides anything about a debtor.</summary>
    internal TimeProvider Cadence { get; } = TimeProvider.System;

    internal CheckpointWriter Checkpoints { get; }

    internal LeaseWriter LeaseWrites { get; }

    internal HistoryReader Histories { get; }

    /// <summary>What leaves for others; null: nobody follows it.</summary>
    internal OutboxPublisher? Outbox { get; }

    internal IReadOnlyList<Worker> Workers => workers;

    internal PartitionOwnership Ownership { get; }

    /// <summary>Loads every partition from the store and starts the workers.</summary>
    /// <param name="warn">Takes what an operator should know; called from any thread.</param>
    /// <exception cref="StoreCorruptException">What is stored can't be trusted.</exception>
    public static Node Start(IEventLog log, IStore store, EngineOptions options, TimeProvider time, Action<string> warn)
    {
        var node = new Node(log, store, options, time, warn);
        if (log.Group is null)
            node.Ownership.TakeAll();
        node.Meters.Begin();
        log.Appended = number => node.Ownership.Find(number)?.Worker.Wake();
        foreach (Worker worker in node.workers)
            worker.Start();
        return node;
    }

    /// <summary>Joins the group of nodes that share the log, which then gives this one its partitions; where there is none, it does nothing.</summary>
    /// <param name="address">Where the other nodes reach this one; what the store says of its partitions.</param>
    public void Join(string address)
    {
        Owner = address;
        Log.Group?.Join(Ownership);
    }

    /// <summary>Asks a partition on its own thread, between two slices.</summary>
    public Task<T> Ask<T>(int partition, Func<Partition, T> question) => Ask(partition, question, isOrder: false);

    /// <param name="isOrder">Whether it is the node's own and must not be lost behind what callers ask.</param>
    internal Task<T> Ask<T>(int partition, Func<Partition, T> question, bool isOrder)
    {
        PartitionHost host = HostOf(partition);
        return host.Worker.Ask(
            () => host.State switch
            {
                PartitionState.Stopped => throw new InvalidOperationException($"partition {partition} has stopped: {host.Reason}"),
                PartitionState.Leaving or PartitionState.Elsewhere => throw new PartitionElsewhereException(partition),
                _ => question(host.Partition),
            },
            isOrder);
    }

    /// <summary>Asks all partitions that run here; the answers are in their order. Those that are being given up are left out.</summary>
    public async Task<T[]> AskAll<T>(Func<Partition, T> question)
    {
        Task<(bool, T)>[] asked = [.. Owned.Select(number => AskUnlessLeaving(number, question))];
        return [.. (await Task.WhenAll(asked)).Where(static answer => answer.Item1).Select(static answer => answer.Item2)];
    }

    private async Task<(bool IsHere, T Answer)> AskUnlessLeaving<T>(int number, Func<Partition, T> question)
    {
        try
        {
            return (true, await Ask(number, question));
        }
        catch (PartitionElsewhereException)
        {
            return (false, default!);
        }
    }

    public PartitionState StateOf(int partition) => Ownership.Standing(partition).State;

    public string ReasonOf(int partition) => Ownership.Standing(partition).Reason;

    /// <summary>Under which epoch the partition runs here; 0: it does not.</summary>
    public long EpochOf(int partition) => Ownership.Find(partition)?.Partition.Checkpoints.Epoch ?? 0;

    /// <summary>Completes when the partition has applied everything before the positions.</summary>
    public async Task WaitAppliedAsync(int partition, StreamPositions target, CancellationToken cancellation)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        PartitionHost host = HostOf(partition);
        await Ask(partition, _ =>
        {
            host.WaitFor(target, done);
            return true;
        }).WaitAsync(cancellation);
        await done.Task.WaitAsync(cancellation);
    }

    /// <summary>
    /// Completes when every partition has applied all that is in the log, evaluated everybody as of the clock and waits for nothing: the
    /// state is then a function of the log and the clock alone.
    /// </summary>
    public Task SettleAsync() => Task.WhenAll(workers.Select(w => w.SettleAsync()));

    /// <summary>Keeps everything applied so far; completes when the store has it.</summary>
    public Task CheckpointAsync() => Task.WhenAll(Ownership.Hosts.Select(CheckpointAsync));

    /// <summary>Gives every partition to the other nodes of the group, each when it is kept; where there is no group, it does nothing.</summary>
    public Task LeaveAsync() => Log.Group is { } group ? Task.Run(group.Leave) : Task.CompletedTask;

    /// <summary>Keeps everything, then stops the workers.</summary>
    public async ValueTask DisposeAsync()
    {
        closing = true;
        await LeaveAsync();
        try
        {
            // A store that is away is not waited for for ever: the log has everything.
            await CheckpointAsync().WaitAsync(TimeSpan.FromSeconds(Limits.LastCheckpointSecondsMax));
        }
        catch (Exception failure) when (failure is InvalidOperationException or StoreFencedException or StoreUnavailableException or TimeoutException)
        {
            warn($"the last checkpoint was not taken: {failure.Message}; the next start reads the log from the one before");
        }
        Abandon();
    }

    /// <summary>Stops without keeping anything, as a crash does; what has been acknowledged is in the log and in the store.</summary>
    public void Abandon()
    {
        Log.Appended = null;
        Ownership.Dispose();
        // The workers first: until they have stopped they hand requests to the others.
        foreach (Worker worker in workers)
            worker.Stop();
        Histories.Dispose();
        Checkpoints.Dispose();
        LeaseWrites.Dispose();
        Outbox?.Dispose();
        foreach (PartitionHost host in Ownership.Hosts)
            host.Dispose();
        foreach (Worker worker in workers)
            worker.Dispose();
        Models.Dispose();
        Meters.Dispose();
    }

    /// <summary>An empty checkpoint that takes what the store wants.</summary>
    internal Checkpoint NewCheckpoint() => new() { Readable = store.WantsReadable ? new ReadableStates() : null };

    /// <summary>The one with the fewest partitions, the first of several.</summary>
    internal Worker LeastBusyWorker() => workers.MinBy(static worker => worker.Hosts.Count)!;

    /// <exception cref="PartitionElsewhereException">It does not run here.</exception>
    internal PartitionHost HostOf(int partition) => Ownership.Find(partition) ?? throw new PartitionElsewhereException(partition);

    internal void OnVoided(IReadOnlyList<LeaseVoidedNotice> notices) => Voided?.Invoke(notices);

    internal void OnLeasesEnded(IReadOnlyList<LeaseChange> changes)
    {
        Actions.ForgetRequests(changes);
        LeasesEnded?.Invoke([.. changes]);
    }

    /// <summary>What somebody has read of the owners: a partition that another node has taken is given up.</summary>
    public void OnOwnersSeen(IReadOnlyList<PartitionOwner> owners)
    {
        foreach (PartitionOwner owner in owners)
        {
            if (EpochOf(owner.Partition) is > 0 and var epoch && epoch < owner.Epoch)
                OnFenced(owner.Partition, epoch);
        }
    }

    /// <summary>The store says that another owner has the partition. Without a group nobody else can: its next checkpoint stops it.</summary>
    /// <param name="partition">Which one.</param>
    /// <param name="epoch">The one that is over; of a later one it says nothing.</param>
    internal void OnFenced(int partition, long epoch)
    {
        if (Log.Group is not null && EpochOf(partition) == epoch)
            Ownership.OnFenced(partition);
    }

    internal void OnPartitionStopped(int partition, Exception failure) => warn($"partition {partition} has stopped: {failure}");

    /// <summary>Appends on the engine's own account until it is durable; the events carry ids, so that trying again is harmless.</summary>
    internal async Task AppendUntilDurableAsync(AppendBatch events)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                await Log.AppendAsync(events, CancellationToken.None);
                return;
            }
            catch (LogUnavailableException unavailable)
            {
                Meters.OnFailure(FailedOperation.Append);
                warn($"{events.Count} events of the engine's own not appended, tried again: {unavailable.Message}");
                await Task.Delay(Math.Min(100 << Math.Min(attempt, 6), 5_000), CancellationToken.None);
            }
            catch (ObjectDisposedException)
            {
                // The node stops: the lease is still in the store, and its event is asked for again after the restart.
                return;
            }
        }
    }

    private async Task CheckpointAsync(PartitionHost host)
    {
        if (host.State == PartitionState.Stopped)
            return;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Ask(host.Partition.Number, _ =>
        {
            // Who closes does not wait for a log that takes nothing.
            if (closing && host.IsRerouting)
                throw new InvalidOperationException($"misplaced records of partition {host.Partition.Number} are not yet durable where they belong");
            host.RequestCheckpoint(done);
            return true;
        });
        await done.Task;
    }
}
