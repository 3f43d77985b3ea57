using System.Collections.Concurrent;
using Collections.Engine.Partitions;

namespace Collections.Engine.Hosting;

/// <summary>
/// One thread that runs some partitions in turn: commands first, then a slice of records for each. Other threads only enqueue
/// commands; between two slices they are all drained, so a pull never waits long behind ingest.
/// </summary>
internal sealed class Worker : IDisposable
{
    /// <summary>How long an idle worker sleeps at most; news wake it at once, so this only bounds how late a timer may fire.</summary>
    public const int IdleMs = 20;

    private readonly Lock gate = new();
    private readonly ConcurrentQueue<Action> commands = new();
    private readonly List<TaskCompletionSource> settling = [];
    private readonly AutoResetEvent news = new(false);
    private readonly Thread thread;
    private volatile bool stopping;

    /// <summary>When its thread ran last, in milliseconds since the machine started, and by the calendar.</summary>
    private long ranAt;
    private long ranAtMs;

    /// <summary>Replaced whole under the gate; a turn goes through those that were there when it began.</summary>
    private volatile PartitionHost[] hosts = [];

    /// <summary>Its thread is gone: a command that is found from then on is refused.</summary>
    private volatile bool ended;

    private readonly TimeProvider time;
    private readonly Action<Worker> slept;

    /// <param name="time">The calendar's: where a whole machine was suspended, it alone may show it.</param>
    /// <param name="slept">Called on its thread when it has not run for a while: what it knows of who owns what may be old.</param>
    public Worker(int number, TimeProvider time, Action<Worker> slept)
    {
        this.time = time;
        this.slept = slept;
        thread = new Thread(Run) { IsBackground = true, Name = $"partition worker {number}" };
    }

    /// <summary>The partitions that it runs.</summary>
    public IReadOnlyList<PartitionHost> Hosts => hosts;

    /// <summary>Runs a partition from its next turn on. Any thread.</summary>
    public void Add(PartitionHost host)
    {
        lock (gate)
            hosts = [.. hosts, host];
        Wake();
    }

    /// <summary>Runs it no more. On the worker's thread: so it is not in the middle of a turn.</summary>
    public void Remove(PartitionHost host)
    {
        lock (gate)
            hosts = [.. hosts.Where(other => other != host)];
    }

    public void Start() => thread.Start();

    /// <summary>Wakes the worker: records, a timer or a command may be waiting.</summary>
    public void Wake() => news.Set();

    /// <summary>Runs a question on the worker's thread, between two slices.</summary>
    /// <param name="isOrder">Whether it is the node's own and must not be lost: it is taken however many commands wait.</param>
    /// <exception cref="InvalidOperationException">Too many commands wait, or the worker has stopped.</exception>
    public Task<T> Ask<T>(Func<T> question, bool isOrder = false)
    {
        if (stopping)
            throw ShuttingDown();
        if (!isOrder && commands.Count >= Limits.CommandsMax)
            throw new InvalidOperationException($"{Limits.CommandsMax} commands wait for this worker; try again later");
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        commands.Enqueue(() =>
        {
            try
            {
                answer.TrySetResult(ended ? throw ShuttingDown() : question());
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                answer.TrySetException(failure);
            }
        });
        // Who came while it stopped may be too late for its last look at the commands.
        if (ended)
            answer.TrySetException(ShuttingDown());
        else
            Wake();
        return answer.Task;
    }

    /// <summary>Runs something on the worker's thread; a worker that has stopped forgets it.</summary>
    public void Post(Action act)
    {
        commands.Enqueue(() =>
        {
            if (!ended)
                act();
        });
        Wake();
    }

    /// <summary>Completes when all its partitions have applied everything, evaluated everybody and wait for nothing.</summary>
    public Task SettleAsync()
    {
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        commands.Enqueue(() =>
        {
            if (ended)
                settled.TrySetException(ShuttingDown());
            else
                settling.Add(settled);
        });
        Wake();
        return settled.Task;
    }

    /// <summary>Stops after the slice at hand; commands that still wait are run, those that come later refused.</summary>
    public void Stop()
    {
        stopping = true;
        Wake();
        if (thread.IsAlive)
            thread.Join();
        ended = true;
        RunCommands();
    }

    public void Dispose() => news.Dispose();

    private static InvalidOperationException ShuttingDown() => new("the node is shutting down");

    private void Run()
    {
        while (!stopping)
        {
            LookAtTheClock();
            bool worked = RunCommands();
            foreach (PartitionHost host in hosts)
            {
                LookAtTheClock();
                worked |= host.Step();
                worked |= RunCommands();
            }
            if (!worked && !CompleteSettled())
                news.WaitOne(IdleMs);
        }
        RunCommands();
        foreach (TaskCompletionSource waiter in settling)
            waiter.TrySetException(ShuttingDown());
        foreach (PartitionHost host in hosts)
            host.FailWaiting(ShuttingDown());
    }

    /// <summary>A process that was stopped for longer than its turns take wakes up in the middle of one; it learns so before the next.</summary>
    private void LookAtTheClock()
    {
        (long now, long nowMs) = (Environment.TickCount64, time.GetUtcNow().ToUnixTimeMilliseconds());
        bool hasSlept = ranAt != 0 && (now - ranAt > Limits.SleepMs || nowMs - ranAtMs > Limits.SleepMs);
        (ranAt, ranAtMs) = (now, nowMs);
        if (hasSlept)
            slept(this);
    }

    private bool RunCommands()
    {
        bool ran = false;
        while (commands.TryDequeue(out Action? command))
        {
            command();
            ran = true;
        }
        return ran;
    }

    private bool CompleteSettled()
    {
        if (settling.Count == 0 || !Array.TrueForAll(hosts, h => h.IsSettled))
            return false;
        foreach (TaskCompletionSource waiter in settling)
            waiter.SetResult();
        settling.Clear();
        return true;
    }
}
