using System.Collections.Concurrent;
using System.Diagnostics;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>
/// A few threads that commit checkpoints, each one after another, in the order in which they come; of a partition one at a time comes. A store that
/// can't be reached is tried again until it answers; meanwhile the partition goes on, and its log holds what is not yet kept.
/// </summary>
internal sealed class CheckpointWriter : IDisposable
{
    private readonly BlockingCollection<(Checkpoint Checkpoint, Action<Exception?> Done)> waiting = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly IStore store;
    private readonly NodeMeters meters;
    private readonly Action<string> warn;
    private readonly Thread[] threads = new Thread[Limits.CheckpointsAtOnce];

    public CheckpointWriter(IStore store, NodeMeters meters, Action<string> warn)
    {
        this.store = store;
        this.meters = meters;
        this.warn = warn;
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Run) { IsBackground = true, Name = $"checkpoint writer {i}" };
            threads[i].Start();
        }
    }

    /// <param name="done">Called with null, or with why the checkpoint was refused for good.</param>
    public void Enqueue(Checkpoint checkpoint, Action<Exception?> done) => waiting.Add((checkpoint, done));

    public void Dispose()
    {
        waiting.CompleteAdding();
        stopping.Cancel();
        Array.ForEach(threads, static thread => thread.Join());
        waiting.Dispose();
        stopping.Dispose();
    }

    private void Run()
    {
        foreach ((Checkpoint checkpoint, Action<Exception?> done) in waiting.GetConsumingEnumerable())
            done(Commit(checkpoint));
    }

    private Exception? Commit(Checkpoint checkpoint)
    {
        using Activity? span = NodeMeters.Spans.StartActivity("checkpoint");
        span?.SetTag("collections.partition", checkpoint.Partition).SetTag("collections.debtors", checkpoint.StateCount).SetTag("collections.bytes", checkpoint.ImageBytes);
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                store.Commit(checkpoint);
                return null;
            }
            catch (StoreUnavailableException unavailable)
            {
                meters.OnFailure(FailedOperation.Checkpoint);
                warn($"checkpoint of partition {checkpoint.Partition} not committed, tried again: {unavailable.Message}");
                if (stopping.Token.WaitHandle.WaitOne(Math.Min(100 << Math.Min(attempt, 6), 5_000)))
                {
                    span?.SetStatus(ActivityStatusCode.Error, unavailable.Message);
                    return unavailable;
                }
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                span?.SetStatus(ActivityStatusCode.Error, failure.Message);
                return failure;
            }
        }
    }
}
