using System.Threading.Channels;
using Collections.Domain;
using Collections.Engine.Logs;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>
/// One thread that brings what the outboxes of this node's partitions hold to the log's publisher, and removes it when it is acknowledged: at least once, in
/// order. Each partition and kind is a lane of its own with one batch under way, so that nobody waits for another's messages. Brokers that are away hold up
/// nothing but this: what is to leave waits in the store.
/// </summary>
internal sealed class OutboxPublisher : IDisposable
{
    private readonly Channel<Lane> ready = Channel.CreateUnbounded<Lane>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly Dictionary<(int Partition, OutboxKind Kind), Lane> lanes = [];
    private readonly IStore store;
    private readonly IPublisher publisher;
    private readonly NodeMeters meters;
    private readonly Action<string> warn;
    private readonly Thread thread;

    public OutboxPublisher(IStore store, IPublisher publisher, NodeMeters meters, Action<string> warn)
    {
        this.store = store;
        this.publisher = publisher;
        this.meters = meters;
        this.warn = warn;
        thread = new Thread(Run) { IsBackground = true, Name = "outbox" };
        thread.Start();
    }

    /// <summary>The node has taken a partition: what its owner before has left is published first. Any thread.</summary>
    public void Begin(int partition, long epoch)
    {
        foreach (OutboxKind kind in OutboxRow.Kinds)
        {
            var lane = new Lane(partition, kind, epoch);
            lock (gate)
            {
                if (lanes.Remove((partition, kind), out Lane? before))
                    before.IsEnded = true;
                lanes.Add((partition, kind), lane);
            }
            Wake(lane);
        }
    }

    /// <summary>A checkpoint is committed. Any thread.</summary>
    /// <param name="last">As the store has told in it.</param>
    public void OnCommitted(int partition, OutboxNumbers last)
    {
        foreach (OutboxKind kind in OutboxRow.Kinds)
        {
            if (Find(partition, kind) is { } lane && lane.Raise(last[kind]))
                Wake(lane);
        }
    }

    /// <summary>The node gives the partition away: nothing more of it is begun. What is under way may still arrive, and is then a repeat. Any thread.</summary>
    public void End(int partition)
    {
        lock (gate)
        {
            foreach (OutboxKind kind in OutboxRow.Kinds)
            {
                if (lanes.Remove((partition, kind), out Lane? lane))
                    lane.IsEnded = true;
            }
        }
    }

    /// <summary>Rows that wait, as far as is known; null: the partition is not this node's.</summary>
    public long? WaitingOf(int partition, OutboxKind kind) => Find(partition, kind)?.Waiting;

    /// <summary>Stops after the step at hand; what is not acknowledged and removed stays in the store.</summary>
    public void Dispose()
    {
        stopping.Cancel();
        ready.Writer.TryComplete();
        thread.Join();
        stopping.Dispose();
    }

    private Lane? Find(int partition, OutboxKind kind)
    {
        lock (gate)
            return lanes.GetValueOrDefault((partition, kind));
    }

    /// <summary>Has the thread look at a lane, unless it is at work on it; then it looks again afterwards.</summary>
    private void Wake(Lane lane)
    {
        if (lane.TryTakeUp())
            ready.Writer.TryWrite(lane);
    }

    private void Run()
    {
        while (!stopping.IsCancellationRequested && ready.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (!stopping.IsCancellationRequested && ready.Reader.TryRead(out Lane? lane))
                Advance(lane);
        }
    }

    /// <summary>The next step of a lane: removes what has been acknowledged, and sends what follows.</summary>
    private void Advance(Lane lane)
    {
        if (lane.IsEnded)
            return;
        try
        {
            if (lane.Published is { } published)
            {
                lane.Published = null;
                published.GetAwaiter().GetResult();
                lane.Acknowledged = lane.Sent;
            }
            if (lane.Removed >= 0 && lane.Acknowledged > lane.Removed)
            {
                store.RemoveOutbox(lane.Partition, lane.Epoch, lane.Kind, lane.Acknowledged);
                lane.OnRemoved();
            }
            lane.Failures = 0;
            Send(lane);
        }
        catch (StoreFencedException)
        {
            // Another node has the partition, and publishes what is left; the partition's own checkpoint says so.
            lane.IsEnded = true;
        }
        catch (Exception failure) when (failure is StoreUnavailableException or LogUnavailableException)
        {
            Retry(lane, failure);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            lane.IsEnded = true;
            meters.OnFailure(FailedOperation.Publish);
            if (!stopping.IsCancellationRequested)
                warn($"{lane} is published no more, until the partition is taken anew: {failure.Message}");
        }
    }

    private void Send(Lane lane)
    {
        lane.IsNews = false;
        OutboxPage page = store.LoadOutbox(lane.Partition, lane.Kind, lane.Acknowledged, Limits.OutboxBatchRows, Limits.OutboxBatchBytes);
        lane.Raise(page.Last);
        if (page.Rows.Count == 0)
        {
            lane.Begin(page.Last);
            lane.Rest();
            if (lane.IsNews)
                Wake(lane);
            return;
        }
        lane.Begin(page.Rows[0].Sequence - 1);
        for (int i = 0; i < page.Rows.Count; i++)
        {
            long expected = lane.Removed + 1 + i;
            Invariant.Require(page.Rows[i].Sequence == expected, $"{lane} counts without gaps, but {page.Rows[i].Sequence} stands where {expected} is to come");
        }
        lane.Sent = page.Rows[^1].Sequence;
        Task publishing = publisher.PublishAsync(lane.Partition, lane.Kind, page.Rows);
        lane.Published = publishing;
        int count = page.Rows.Count;
        _ = publishing.ContinueWith(
            done =>
            {
                if (done.IsCompletedSuccessfully)
                    meters.OnPublished(lane.Kind, count);
                ready.Writer.TryWrite(lane);
            },
            TaskScheduler.Default);
    }

    /// <summary>Tries a lane again later, the later the more often it has failed; meanwhile nobody else looks at it.</summary>
    private void Retry(Lane lane, Exception failure)
    {
        meters.OnFailure(FailedOperation.Publish);
        warn($"{lane} waits, tried again: {failure.Message}");
        int delayMs = Math.Min(100 << Math.Min(lane.Failures++, 6), Limits.OutboxRetryMsMax);
        _ = Task.Delay(delayMs, stopping.Token).ContinueWith(_ => ready.Writer.TryWrite(lane), TaskScheduler.Default);
    }

    /// <summary>
    /// The rows of one partition and kind on their way out. The thread alone moves it; other threads raise its end and end it.
    /// <code>
    /// at rest ──news──▶ taken up ──rows──▶ published ──acknowledged──▶ removed ──▶ taken up … ──no rows──▶ at rest
    /// </code>
    /// </summary>
    private sealed class Lane(int partition, OutboxKind kind, long epoch)
    {
        private long last = -1;
        private long removed = -1;
        private int isTakenUp;

        public int Partition => partition;

        public OutboxKind Kind => kind;

        public long Epoch => epoch;

        /// <summary>Everything up to it has left the store; -1 before the first look. Written by the thread.</summary>
        public long Removed => Interlocked.Read(ref removed);

        /// <summary>Everything up to it is acknowledged. The thread's.</summary>
        public long Acknowledged { get; set; }

        /// <summary>The last row of the batch under way. The thread's.</summary>
        public long Sent { get; set; }

        /// <summary>The batch under way; null: none. The thread's.</summary>
        public Task? Published { get; set; }

        public int Failures { get; set; }

        /// <summary>Written once, by who takes the partition away or finds that it is another's.</summary>
        public volatile bool IsEnded;

        /// <summary>Whether it was woken since the last look. Written by any thread.</summary>
        public volatile bool IsNews;

        /// <summary>As far as is known: none before the first look.</summary>
        public long Waiting => Removed < 0 ? 0 : Math.Max(0, Interlocked.Read(ref last) - Removed);

        /// <summary>Numbers up to this one have been given.</summary>
        /// <returns>Whether that is new.</returns>
        public bool Raise(long to)
        {
            long seen = Interlocked.Read(ref last);
            while (to > seen)
            {
                long now = Interlocked.CompareExchange(ref last, to, seen);
                if (now == seen)
                    return true;
                seen = now;
            }
            return false;
        }

        public bool TryTakeUp()
        {
            IsNews = true;
            return Interlocked.CompareExchange(ref isTakenUp, 1, 0) == 0;
        }

        public void Rest() => Interlocked.Exchange(ref isTakenUp, 0);

        /// <summary>The first look says where the rows begin.</summary>
        public void Begin(long before)
        {
            if (Removed >= 0)
                return;
            Interlocked.Exchange(ref removed, before);
            Acknowledged = before;
        }

        public void OnRemoved() => Interlocked.Exchange(ref removed, Acknowledged);

        public override string ToString() => FormattableString.Invariant($"what partition {partition} has for the topic of {(kind == OutboxKind.Decision ? "decisions" : "dead letters")}");
    }
}
