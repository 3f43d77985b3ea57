using System.Collections.Concurrent;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;

namespace Collections.Engine.Hosting;

/// <summary>One thread that reads the history of parked debtors, so that workers never wait for it.</summary>
internal sealed class HistoryReader : IDisposable
{
    private readonly BlockingCollection<(int Partition, HistoryRequest Request, Action<RecordBatch> Done)> waiting = [];
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

    public void Enqueue(int partition, in HistoryRequest request, Action<RecordBatch> done)
    {
        if (!waiting.IsAddingCompleted)
            waiting.Add((partition, request, done));
    }

    public void Dispose()
    {
        waiting.CompleteAdding();
        stopping.Cancel();
        thread.Join();
        waiting.Dispose();
        stopping.Dispose();
    }

    private void Run()
    {
        foreach ((int partition, HistoryRequest request, Action<RecordBatch> done) in waiting.GetConsumingEnumerable())
        {
            if (Read(partition, request) is not { } history)
                return;
            done(history);
        }
    }

    /// <summary>Tries until the log answers; null when the node stops before.</summary>
    private RecordBatch? Read(int partition, in HistoryRequest request)
    {
        for (int attempt = 0; !stopping.IsCancellationRequested; attempt++)
        {
            var history = new RecordBatch();
            try
            {
                log.ReadHistory(partition, request.DebtorHash, request.Until, history);
                return history;
            }
            catch (LogUnavailableException unavailable)
            {
                meters.OnFailure(FailedOperation.History);
                warn($"history in partition {partition} not read, tried again: {unavailable.Message}");
                stopping.Token.WaitHandle.WaitOne(Math.Min(50 << Math.Min(attempt, 6), 2_000));
            }
        }
        return null;
    }
}
