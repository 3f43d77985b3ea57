using System.Diagnostics;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>How a partition stands on this node.</summary>
public enum PartitionState
{
    /// <summary>Its checkpoint is loaded, and the log is being read to its end: nothing is handed out yet.</summary>
    Recovering,
    Serving,

    /// <summary>Too far behind the log: nothing is handed out until it has caught up.</summary>
    Behind,

    /// <summary>Something that must not happen has happened; the reason says what. Other partitions go on.</summary>
    Stopped,

    /// <summary>It is being given up: nothing is read or handed out any more, and what is under way ends.</summary>
    Leaving,

    /// <summary>Another node runs it, or will.</summary>
    Elsewhere,
}

/// <summary>
/// What surrounds one partition on its worker: it reads the log for it, gives it the time, does what it decided, and takes its checkpoints.
/// Everything here runs on the worker's thread unless it says otherwise.
/// </summary>
internal sealed class PartitionHost : IDisposable
{
    private readonly Node node;
    private readonly RecordBatch records = new();
    private readonly RecordBatch unused = new();
    private readonly Checkpoint checkpoint;
    private readonly PartitionGauge gauge;
    private readonly List<Waiter> waiters = [];
    private readonly List<TaskCompletionSource> checkpointRequests = [];
    private bool checkpointInFlight;
    private long checkpointStartedAt;
    private long checkpointEndedAt;

    /// <summary>When the store was last known to have everything, and the moment that the checkpoint under way is a copy of.</summary>
    private long keptAt;
    private TimeSpan checkpointTook;
    private double rescoreBudget;
    private long rescoreCountedAt;

    /// <summary>Effects under way; written by the worker and by the tasks that end them.</summary>
    private int underWay;

    /// <summary>Appends of misplaced records under way; written by the worker and by the tasks that end them.</summary>
    private int rerouting;

    /// <summary>Actions chosen, and not yet confirmed or put back; outcomes told, and not yet durable.</summary>
    private int granting;

    /// <summary>Waits until nothing is under way; null: nobody does.</summary>
    private TaskCompletionSource? quiet;

    /// <summary>What the stored checkpoint is folded anew under; null: it was taken over, or what it had has been read again.</summary>
    private Refold? refold;

    /// <param name="refold">Given if the partition is folded anew instead of taking its stored checkpoint over.</param>
    public PartitionHost(Node node, Partition partition, Worker worker, Refold? refold)
    {
        this.node = node;
        this.refold = refold;
        Partition = partition;
        Worker = worker;
        checkpoint = node.NewCheckpoint();
        gauge = new PartitionGauge(partition);
        checkpointEndedAt = node.Cadence.GetTimestamp();
        keptAt = checkpointEndedAt;
        node.Outbox?.Begin(partition.Number, partition.Checkpoints.Epoch);
    }

    public Partition Partition { get; }

    public int Number => Partition.Number;

    /// <summary>Whose thread it runs on.</summary>
    public Worker Worker { get; }

    /// <summary>Read by any thread, written by the worker.</summary>
    public volatile PartitionState State = PartitionState.Recovering;

    /// <summary>Why it is stopped; empty otherwise.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Whether nothing is left to do at this moment of the clock.</summary>
    public bool IsSettled =>
        !IsRunning
        || (Partition.Positions.Covers(node.Log.End(Partition.Number)) && !Partition.HasWork && Partition.ParkedCount == 0
            && Volatile.Read(ref underWay) == 0 && Partition.ClockMs >= node.NowMs && Partition.NextTimerMs > node.NowMs);

    /// <summary>Whether records are applied.</summary>
    private bool IsRunning => State is PartitionState.Recovering or PartitionState.Serving or PartitionState.Behind;

    /// <summary>One turn: a slice of records, then what follows from it.</summary>
    /// <returns>Whether there was anything to do.</returns>
    public bool Step()
    {
        if (!IsRunning)
        {
            CompleteIfQuiet();
            return false;
        }
        try
        {
            return Turn();
        }
        catch (LogUnavailableException)
        {
            node.Meters.OnFailure(FailedOperation.Read);
            // What was acknowledged is safe; the next turn reads again.
            return false;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            Fail(failure);
            return false;
        }
    }

    /// <summary>Completes when everything before the target has been applied.</summary>
    public void WaitFor(StreamPositions target, TaskCompletionSource done)
    {
        var waiter = new Waiter(target, done);
        if (!TryComplete(waiter))
            waiters.Add(waiter);
    }

    public void Stop(string reason)
    {
        Reason = reason;
        State = PartitionState.Stopped;
        FailWaiting(new InvalidOperationException($"partition {Partition.Number} has stopped: {reason}"));
    }

    /// <summary>Ends the waiting of everybody who waits for this partition: what they wait for will not come.</summary>
    public void FailWaiting(InvalidOperationException reason)
    {
        waiters.ForEach(waiter => waiter.Done.TrySetException(reason));
        waiters.Clear();
        checkpointRequests.ForEach(done => done.TrySetException(reason));
        checkpointRequests.Clear();
    }

    /// <summary>
    /// Whether misplaced records are not yet durable where they belong. No checkpoint may pass them before that: it would say that they are done.
    /// </summary>
    public bool IsRerouting => Volatile.Read(ref rerouting) > 0;

    /// <summary>
    /// Completes when everything applied so far is kept; after the checkpoint under way, if there is one, and after misplaced records
    /// that are on their way.
    /// </summary>
    public void RequestCheckpoint(TaskCompletionSource done)
    {
        if (refold is not null)
        {
            done.TrySetException(new InvalidOperationException($"partition {Number} is being folded anew from the log"));
            return;
        }
        checkpointRequests.Add(done);
        if (!checkpointInFlight)
            StartCheckpoint();
    }

    /// <summary>What the partition says of itself for its operators.</summary>
    public PartitionReading Read() => gauge.Read(checkpointInFlight || Partition.Checkpoints.IsDue ? keptAt : 0);

    /// <summary>
    /// Actions have been chosen, or an outcome is told: while they are on their way into the store or the log, the partition is not given up. On its
    /// worker's thread.
    /// </summary>
    public void OnGranting(int count) => granting += count;

    /// <summary>It is another node's: nothing is read, decided or answered any more. On its worker's thread.</summary>
    public void Forbid()
    {
        if (IsRunning)
            State = PartitionState.Leaving;
    }

    /// <summary>Stops reading and handing out, and ends what is under way. Any thread.</summary>
    /// <param name="keep">Whether a last checkpoint is taken; otherwise it returns at once.</param>
    /// <exception cref="InvalidOperationException">It has stopped, or misplaced records are on their way: there is no last checkpoint.</exception>
    /// <exception cref="TimeoutException">What is under way, or the checkpoint, takes too long.</exception>
    public async Task LeaveAsync(bool keep)
    {
        Task drained = await Worker.Ask(Drain, isOrder: true);
        if (!keep)
            return;
        await drained.WaitAsync(TimeSpan.FromSeconds(Limits.DrainSecondsMax));
        var kept = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Worker.Ask(
            () =>
            {
                RequestCheckpoint(kept);
                return true;
            },
            isOrder: true);
        await kept.Task.WaitAsync(TimeSpan.FromSeconds(Limits.HandOverSecondsMax));
    }

    /// <summary>Takes it from its worker. Any thread.</summary>
    public async Task RemoveAsync()
    {
        try
        {
            await Worker.Ask(
                () =>
                {
                    State = PartitionState.Elsewhere;
                    FailWaiting(new PartitionElsewhereException(Partition.Number));
                    Worker.Remove(this);
                    return true;
                },
                isOrder: true);
        }
        catch (InvalidOperationException)
        {
            // The worker has stopped, and runs nothing any more.
        }
    }

    public void Dispose()
    {
        node.Outbox?.End(Partition.Number);
        Partition.Dispose();
    }

    private Task Drain()
    {
        if (State == PartitionState.Stopped)
            throw new InvalidOperationException($"it has stopped: {Reason}");
        if (refold is not null)
            throw new InvalidOperationException("it is being folded anew from the log");
        State = PartitionState.Leaving;
        quiet = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        CompleteIfQuiet();
        return quiet.Task;
    }

    private void CompleteIfQuiet()
    {
        if (quiet is not null && granting == 0 && Volatile.Read(ref underWay) == 0)
            quiet.TrySetResult();
    }

    private bool Turn()
    {
        records.Clear();
        StreamPositions next = Partition.Positions;
        int wanted = node.Options.SliceRecords;
        // Asked before reading: what comes meanwhile is for the next turn.
        bool knowsEnd = node.Log.KnowsEnd(Partition.Number);
        StreamPositions end = node.Log.End(Partition.Number);
        // A checkpoint waits for misplaced records on their way; a steady flow of them must not put it off for ever.
        bool canRead = Partition.CanRead && !(IsRerouting && IsTimeForCheckpoint);
        int count = canRead ? node.Log.Read(Partition.Number, ref next, wanted, records) : 0;
        bool caughtUp = count < wanted && canRead && knowsEnd && next.Covers(end);
        long nowMs = node.NowMs;
        int sweepMax = SweepMax();
        bool hasWork = Partition.HasWork && !(Partition.OnlyRescores && sweepMax == 0);
        if (count == 0 && next == Partition.Positions && !hasWork && Partition.ClockMs >= nowMs && State != PartitionState.Recovering)
        {
            CheckpointIfTime();
            return false;
        }
        refold?.Count(records);
        long began = count == 0 ? 0 : node.Cadence.GetTimestamp();
        Partition.RunOnce(new Slice { Records = records, ReadTo = next, CaughtUp = caughtUp, NowMs = nowMs, SweepMax = sweepMax });
        if (count > 0)
            node.Meters.SliceDuration.Record(node.Cadence.GetElapsedTime(began).TotalSeconds);
        if (refold is not null && refold.IsOver(Number, Partition.Positions))
            refold = null;
        State = caughtUp && refold is null ? PartitionState.Serving
            : State == PartitionState.Recovering ? PartitionState.Recovering
            : Partition.BehindMs > Limits.BehindMsMax ? PartitionState.Behind : State;
        Do(Partition.Effects);
        CompleteWaiters();
        CheckpointIfTime();
        return count > 0 || (Partition.HasWork && sweepMax > 0);
    }

    /// <summary>
    /// What the book may be looked at in this slice: at the day roll as much as a slice takes; after a change of models what the rate has left
    /// over, saved up to one slice.
    /// </summary>
    private int SweepMax()
    {
        if (!Partition.IsRescoring)
        {
            rescoreBudget = Limits.SweepPerSlice;
            rescoreCountedAt = node.Cadence.GetTimestamp();
            return Limits.SweepPerSlice;
        }
        long now = node.Cadence.GetTimestamp();
        double perSecond = (double)node.Options.RescoresPerSecond / node.PartitionCount;
        rescoreBudget = Math.Min(Limits.SweepPerSlice, rescoreBudget + node.Cadence.GetElapsedTime(rescoreCountedAt, now).TotalSeconds * perSecond);
        rescoreCountedAt = now;
        // Not debtor by debtor: as much as comes in while an idle worker sleeps.
        if (rescoreBudget < Math.Clamp(perSecond * Worker.IdleMs / 1_000, 1, Limits.SweepPerSlice))
            return 0;
        int granted = (int)rescoreBudget;
        rescoreBudget -= granted;
        return granted;
    }

    private void Do(PartitionEffects effects)
    {
        if (effects.TakeEvents() is { } events)
            Append(events, () => { });
        if (effects.TakeMisplaced() is { } misplaced)
        {
            Interlocked.Increment(ref rerouting);
            Append(misplaced, () => Interlocked.Decrement(ref rerouting));
        }
        if (effects.LeaseChanges.Count > 0)
        {
            node.LeaseWrites.Post([.. effects.LeaseChanges]);
            effects.LeaseChanges.Clear();
        }
        if (effects.Ended.Count > 0)
        {
            node.OnLeasesEnded(effects.Ended);
            effects.Ended.Clear();
        }
        if (effects.Voided.Count > 0)
        {
            node.OnVoided([.. effects.Voided]);
            effects.Voided.Clear();
        }
        foreach (HistoryRequest request in effects.HistoryRequests)
        {
            node.Histories.Enqueue(
                Partition.Number, request, () => IsRunning, history => Worker.Post(() => Resume(() => Partition.Resume(request, history))),
                lost => Worker.Post(() => Resume(() => Partition.ResumeWithout(request, lost))), failure => Worker.Post(() => Fail(failure)));
        }
        effects.HistoryRequests.Clear();
    }

    private void Append(AppendBatch events, Action done)
    {
        Interlocked.Increment(ref underWay);
        _ = node.AppendUntilDurableAsync(events).ContinueWith(
            _ =>
            {
                done();
                Interlocked.Decrement(ref underWay);
                Worker.Wake();
            },
            TaskScheduler.Default);
    }

    private void Resume(Action resume)
    {
        // One that is leaving keeps the events of a parked debtor in its last checkpoint; who has it next asks again.
        if (!IsRunning)
            return;
        try
        {
            resume();
            // An empty slice evaluates the debtor and lets its effects out.
            Partition.RunOnce(new Slice { Records = unused, CaughtUp = false, NowMs = node.NowMs, SweepMax = 0 });
            Do(Partition.Effects);
            CompleteWaiters();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            Fail(failure);
        }
    }

    /// <summary>Something that must not happen has happened.</summary>
    private void Fail(Exception failure)
    {
        // What comes to light when it is another's already, concerns it no more.
        if (!IsRunning)
            return;
        Stop($"{failure.GetType().Name}: {failure.Message}");
        node.OnPartitionStopped(Partition.Number, failure);
    }

    private void CompleteWaiters() => waiters.RemoveAll(TryComplete);

    /// <summary>
    /// What was read may be held for a debtor who is parked. Histories come in the order in which they were asked for, so everything that had been
    /// parked by then has been applied once as many have resumed.
    /// </summary>
    private bool TryComplete(Waiter waiter)
    {
        if (!Partition.Positions.Covers(waiter.Target))
            return false;
        waiter.ParkedWhenRead ??= Partition.Counters.Parked;
        if (Partition.Counters.Parked - Partition.ParkedCount < waiter.ParkedWhenRead)
            return false;
        waiter.Done.TrySetResult();
        return true;
    }

    /// <summary>The interval follows the load: a checkpoint that takes long is taken less often, between the limits.</summary>
    private bool IsTimeForCheckpoint
    {
        get
        {
            double seconds = Math.Clamp(checkpointTook.TotalSeconds * Limits.CheckpointShare, node.Options.CheckpointSeconds, Limits.CheckpointSecondsMax);
            return checkpointRequests.Count > 0 || node.Cadence.GetElapsedTime(checkpointEndedAt).TotalSeconds >= seconds;
        }
    }

    private void CheckpointIfTime()
    {
        if (!checkpointInFlight && IsTimeForCheckpoint)
            StartCheckpoint();
    }

    private void StartCheckpoint()
    {
        if (IsRerouting || refold is not null)
            return;
        TaskCompletionSource[] requests = [.. checkpointRequests];
        checkpointRequests.Clear();
        if (!Partition.Checkpoints.IsDue)
        {
            keptAt = node.Cadence.GetTimestamp();
            Array.ForEach(requests, r => r.TrySetResult());
            return;
        }
        checkpointInFlight = true;
        checkpointStartedAt = node.Cadence.GetTimestamp();
        gauge.CountTrail();
        Partition.Checkpoints.Fill(checkpoint);
        gauge.OnTrailTaken();
        node.Meters.CheckpointFill.Record(node.Cadence.GetElapsedTime(checkpointStartedAt).TotalSeconds);
        node.Meters.CheckpointSize.Record(checkpoint.ImageBytes);
        node.Checkpoints.Enqueue(checkpoint, failure => Worker.Post(() => Finish(failure, requests)));
    }

    private void Finish(Exception? failure, TaskCompletionSource[] requests)
    {
        checkpointInFlight = false;
        if (State == PartitionState.Elsewhere)
        {
            Array.ForEach(requests, r => r.TrySetException(new PartitionElsewhereException(Partition.Number)));
            return;
        }
        checkpointEndedAt = node.Cadence.GetTimestamp();
        checkpointTook = node.Cadence.GetElapsedTime(checkpointStartedAt);
        if (failure is StoreFencedException && node.Log.Group is not null)
        {
            Forbid();
            node.Ownership.OnFenced(Partition.Number);
            Array.ForEach(requests, r => r.TrySetException(failure));
            checkpointRequests.ForEach(r => r.TrySetException(failure));
            checkpointRequests.Clear();
            return;
        }
        if (failure is not null)
        {
            Stop($"its checkpoint was refused: {failure.Message}");
            node.OnPartitionStopped(Partition.Number, failure);
            Array.ForEach(requests, r => r.TrySetException(failure));
            return;
        }
        keptAt = checkpointStartedAt;
        node.Meters.CheckpointDuration.Record(checkpointTook.TotalSeconds);
        Partition.Checkpoints.OnCommitted(checkpoint.Header);
        node.Log.OnKept(Partition.Number, checkpoint.Header.Next);
        node.Outbox?.OnCommitted(Partition.Number, checkpoint.OutboxLast);
        Array.ForEach(requests, r => r.TrySetResult());
        if (checkpointRequests.Count > 0)
            StartCheckpoint();
    }

    /// <summary>Somebody who waits until everything before the target has been applied.</summary>
    private sealed class Waiter(StreamPositions target, TaskCompletionSource done)
    {
        public StreamPositions Target { get; } = target;

        public TaskCompletionSource Done { get; } = done;

        /// <summary>How many debtors had ever been parked when the target was read; null before.</summary>
        public long? ParkedWhenRead { get; set; }
    }
}
