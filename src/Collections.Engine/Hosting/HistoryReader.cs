using Collections.Engine.Logs;
using Collections.Engine.Partitions;

namespace Collections.Engine.Hosting;

/// <summary>
/// One thread that reads the history of parked debtors, so that workers never wait for it. Those of one partition are answered in the order in which they
/// were asked for; a partition whose past can't be read, now or at all, holds up no other.
/// </summary>
internal sealed class HistoryReader : IDisposable
{
    private const int RetryMsMin = 50;
    private const int RetryMsMax = 2_000;

    private readonly object gate = new();
    private readonly SortedDictionary<int, Queue<Order>> orders = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly IEventLog log;
    private readonly NodeMeters meters;
    private readonly Action<string> warn;
    private readonly Thread thread;

    public HistoryReader(IEventLog log, NodeMeters meters, Action<string> warn)
    {
        this.log = log;
        this.meters = meters;
        this.warn = warn;
        thread = new Thread(Run) { IsBackground = true, Name = "history reader" };
        thread.Start();
    }

    /// <param name="isWanted">Whether anybody still waits for it.</param>
    /// <param name="done">Takes the history, on the reader's thread.</param>
    /// <param name="lost">Takes why the history is not whole and never will be here. On the reader's thread.</param>
    /// <param name="failed">Takes why there is none and never will be: what is stored can't be trusted. On the reader's thread.</param>
    public void Enqueue(int partition, in HistoryRequest request, Func<bool> isWanted, Action<RecordBatch> done, Action<string> lost, Action<Exception> failed)
    {
        lock (gate)
        {
            if (!orders.TryGetValue(partition, out Queue<Order>? waiting))
                orders.Add(partition, waiting = new Queue<Order>());
            waiting.Enqueue(new Order(request, isWanted, done, lost, failed));
            Monitor.Pulse(gate);
        }
    }

    public void Dispose()
    {
        stopping.Cancel();
        lock (gate)
            Monitor.Pulse(gate);
        thread.Join();
        stopping.Dispose();
    }

    private void Run()
    {
        for (int idle = 0; ;)
        {
            List<(int Partition, Order Order)> heads = TakeHeads();
            if (stopping.IsCancellationRequested)
                return;
            bool done = false;
            foreach ((int partition, Order order) in heads)
                done |= Answer(partition, order);
            idle = done ? 0 : idle + 1;
            if (idle > 0)
                stopping.Token.WaitHandle.WaitOne(Math.Min(RetryMsMin << Math.Min(idle, 6), RetryMsMax));
        }
    }

    /// <summary>The first of each partition; waits until there is one.</summary>
    private List<(int Partition, Order Order)> TakeHeads()
    {
        lock (gate)
        {
            while (orders.Count == 0 && !stopping.IsCancellationRequested)
                Monitor.Wait(gate);
            return [.. orders.Select(static waiting => (waiting.Key, waiting.Value.Peek()))];
        }
    }

    /// <returns>Whether the order is dealt with.</returns>
    private bool Answer(int partition, Order order)
    {
        if (order.IsWanted())
        {
            var history = new RecordBatch();
            try
            {
                log.ReadHistory(partition, order.Request.DebtorHash, order.Request.Until, history);
            }
            catch (LogUnavailableException unavailable)
            {
                meters.OnFailure(FailedOperation.History);
                warn($"history in partition {partition} not read, tried again: {unavailable.Message}");
                return false;
            }
            catch (HistoryLostException lost)
            {
                Remove(partition);
                order.Lost(lost.Message);
                return true;
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                meters.OnFailure(FailedOperation.History);
                Remove(partition);
                order.Failed(failure);
                return true;
            }
            order.Done(history);
        }
        Remove(partition);
        return true;
    }

    private void Remove(int partition)
    {
        lock (gate)
        {
            Queue<Order> waiting = orders[partition];
            waiting.Dequeue();
            if (waiting.Count == 0)
                orders.Remove(partition);
        }
    }

    private sealed record Order(HistoryRequest Request, Func<bool> IsWanted, Action<RecordBatch> Done, Action<string> Lost, Action<Exception> Failed);
}
