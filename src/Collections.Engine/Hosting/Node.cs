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
    private readonly PartitionHost[] hosts;

    /// <summary>Written once, by who disposes.</summary>
    private volatile bool closing;

    private Node(IEventLog log, IStore store, EngineOptions options, TimeProvider time, Action<string> warn)
    {
        options.Validate();
        Log = log;
        this.store = store;
        Options = options;
        this.time = time;
        this.warn = warn;
        hosts = new PartitionHost[log.PartitionCount];
        workers = new Worker[Math.Min(options.Workers == 0 ? Environment.ProcessorCount : options.Workers, log.PartitionCount)];
        for (int i = 0; i < workers.Length; i++)
            workers[i] = new Worker(i);
        Meters = new NodeMeters(this);
        Checkpoints = new CheckpointWriter(store, Meters, warn);
        LeaseWrites = new LeaseWriter(store, Meters, warn);
        Histories = new HistoryReader(log, Meters, warn);
        Outbox = log.Publisher is { } publisher ? new OutboxPublisher(store, publisher, Meters, warn) : null;
        Intake = new Intake(this);
        Actions = new ActionDesk(this);
        DeadLetters = new DeadLetterDesk(this, store);
        Models = new ModelRegistry(this, store);
        Models.Begin(options.Model, options.ActivateModel);
    }

    /// <summary>Events in.</summary>
    public Intake Intake { get; }

    /// <summary>Next best actions out.</summary>
    public ActionDesk Actions { get; }

    /// <summary>What could not be applied.</summary>
    public DeadLetterDesk DeadLetters { get; }

    /// <summary>What it scores with.</summary>
    public ModelRegistry Models { get; }

    /// <summary>What it measures for its operators.</summary>
    public NodeMeters Meters { get; }

    public EngineOptions Options { get; }

    public IEventLog Log { get; }

    public int PartitionCount => hosts.Length;

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

    internal IReadOnlyList<PartitionHost> Hosts => hosts;

    /// <summary>Loads every partition from the store and starts the workers.</summary>
    /// <param name="warn">Takes what an operator should know; called from any thread.</param>
    /// <exception cref="StoreCorruptException">What is stored can't be trusted.</exception>
    public static Node Start(IEventLog log, IStore store, EngineOptions options, TimeProvider time, Action<string> warn)
    {
        var node = new Node(log, store, options, time, warn);
        for (int number = 0; number < log.PartitionCount; number++)
        {
            node.hosts[number] = new PartitionHost(node, node.Recover(number));
            node.WorkerOf(number).Add(node.hosts[number]);
        }
        node.Actions.RememberRequests(Enumerable.Range(0, log.PartitionCount).SelectMany(store.LoadLeases));
        node.Meters.Begin();
        log.Appended = number => node.WorkerOf(number).Wake();
        foreach (Worker worker in node.workers)
            worker.Start();
        return node;
    }

    /// <summary>Asks a partition on its own thread, between two slices.</summary>
    public Task<T> Ask<T>(int partition, Func<Partition, T> question) => Ask(partition, question, isOrder: false);

    /// <param name="isOrder">Whether it is the node's own and must not be lost behind what callers ask.</param>
    internal Task<T> Ask<T>(int partition, Func<Partition, T> question, bool isOrder)
    {
        PartitionHost host = hosts[partition];
        return WorkerOf(partition).Ask(
            () => host.State == PartitionState.Stopped
                ? throw new InvalidOperationException($"partition {partition} has stopped: {host.Reason}")
                : question(host.Partition),
            isOrder);
    }

    /// <summary>Asks all partitions; the answers are in their order.</summary>
    public Task<T[]> AskAll<T>(Func<Partition, T> question) =>
        Task.WhenAll(Enumerable.Range(0, PartitionCount).Select(number => Ask(number, question)));

    public PartitionState StateOf(int partition) => hosts[partition].State;

    public string ReasonOf(int partition) => hosts[partition].Reason;

    /// <summary>Completes when the partition has applied everything before the positions.</summary>
    public async Task WaitAppliedAsync(int partition, StreamPositions target, CancellationToken cancellation)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Ask(partition, _ =>
        {
            hosts[partition].WaitFor(target, done);
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
    public Task CheckpointAsync() => Task.WhenAll(hosts.Select(CheckpointAsync));

    /// <summary>Keeps everything, then stops the workers.</summary>
    public async ValueTask DisposeAsync()
    {
        closing = true;
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
        // The workers first: until they have stopped they hand requests to the others.
        foreach (Worker worker in workers)
            worker.Stop();
        Histories.Dispose();
        Checkpoints.Dispose();
        LeaseWrites.Dispose();
        Outbox?.Dispose();
        foreach (PartitionHost host in hosts)
            host.Dispose();
        foreach (Worker worker in workers)
            worker.Dispose();
        Models.Dispose();
        Meters.Dispose();
    }

    /// <summary>An empty checkpoint that takes what the store wants.</summary>
    internal Checkpoint NewCheckpoint() => new() { Readable = store.WantsReadable ? new ReadableStates() : null };

    internal Worker WorkerOf(int partition) => workers[partition % workers.Length];

    internal void OnVoided(IReadOnlyList<LeaseVoidedNotice> notices) => Voided?.Invoke(notices);

    internal void OnLeasesEnded(IReadOnlyList<LeaseChange> changes) => LeasesEnded?.Invoke([.. changes]);

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

    private Partition Recover(int number)
    {
        long epoch = store.TakeOwnership(number, Options.Owner);
        var partition = new Partition(number, PartitionCount, Models.Current, Options.Debtors, publishes: Outbox is not null);
        bool found = store.Load(number, partition.Checkpoints);
        string reason = partition.Checkpoints.RefoldReason;
        uint nextLeaseSequence = partition.Checkpoints.StoredLeaseSequence;
        if (reason.Length > 0)
        {
            warn($"partition {number} is folded anew from the log: {reason}");
            partition.Dispose();
            partition = new Partition(number, PartitionCount, Models.Current, Options.Debtors, publishes: Outbox is not null);
        }
        if (reason.Length == 0 && found && !Log.End(number).Covers(partition.Positions))
            throw new StoreCorruptException($"partition {number}: the store has applied the log up to {partition.Positions}, and the log ends at {Log.End(number)}: they are not of one node. Name the store that belongs to this log, or the log that belongs to this store; or restore both from one backup");
        partition.Checkpoints.Own(epoch, startAnew: reason.Length > 0 || !found, nextLeaseSequence);
        partition.Checkpoints.Finish(store.LoadLeases(number));
        return partition;
    }
}
