using Collections.Engine.Logs;

namespace Collections.Storage.Logs;

/// <summary>A batch on its way: the queue admits it, the append threads of its partitions write their parts, the last one completes it.</summary>
internal sealed class PendingAppend(AppendBatch batch, ulong threads)
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Events that no thread has dealt with yet; counted down by the append threads.
    private int remaining = batch.Count;

    // The first failure; written by the append threads before they count down.
    private Exception? failure;

    public AppendBatch Batch => batch;

    /// <summary>Which append threads have a part of it, a bit each.</summary>
    public ulong Threads => threads;

    public long Bytes => batch.ByteCount;

    public Task Task => done.Task;

    public CancellationTokenRegistration Cancellation { get; set; }

    public void Cancel(CancellationToken cancellation) => done.TrySetCanceled(cancellation);

    /// <summary>Counts <paramref name="count"/> of its events as dealt with; true when these were the last.</summary>
    public bool CountDown(int count, Exception? failed)
    {
        if (failed != null)
            Interlocked.CompareExchange(ref failure, failed, null);
        return Interlocked.Add(ref remaining, -count) == 0;
    }

    public void Complete()
    {
        if (failure == null)
            done.TrySetResult();
        else
            done.TrySetException(failure);
    }
}

/// <summary>
/// Admits batches strictly in the order of arrival while few enough bytes and batches are under way; the others wait here, where they can
/// still be cancelled. What has been admitted is written, whatever its caller does.
/// </summary>
internal sealed class AppendQueue(Action<PendingAppend> hand, long bytesMax, int batchesMax)
{
    private readonly Lock gate = new();
    private readonly LinkedList<PendingAppend> waiting = [];
    private long bytes;
    private int batches;
    private bool closed;

    /// <summary>Batches that wait to be admitted.</summary>
    public int WaitingCount
    {
        get
        {
            lock (gate)
                return waiting.Count;
        }
    }

    public Task Add(PendingAppend pending, CancellationToken cancellation)
    {
        LinkedListNode<PendingAppend> node;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, typeof(SqliteEventLog));
            if (waiting.Count == 0 && HasRoom(pending))
            {
                Admit(pending);
                return pending.Task;
            }
            node = waiting.AddLast(pending);
        }
        if (cancellation.CanBeCanceled)
            pending.Cancellation = cancellation.Register(() => Withdraw(node, cancellation));
        return pending.Task;
    }

    /// <summary>A batch is done with: others may have room now.</summary>
    public void Release(PendingAppend pending)
    {
        lock (gate)
        {
            bytes -= pending.Bytes;
            batches--;
            while (waiting.First is { } first && HasRoom(first.Value))
            {
                waiting.RemoveFirst();
                Admit(first.Value);
            }
        }
        pending.Complete();
    }

    /// <summary>Takes no more batches; the ones that it has are still written.</summary>
    public void Close()
    {
        lock (gate)
            closed = true;
    }

    /// <summary>Whether everything that was ever taken has been dealt with.</summary>
    public bool IsDrained
    {
        get
        {
            lock (gate)
                return batches == 0 && waiting.Count == 0;
        }
    }

    // A batch bigger than the bound is admitted when it is alone.
    private bool HasRoom(PendingAppend pending) => batches == 0 || batches < batchesMax && bytes + pending.Bytes <= bytesMax;

    private void Admit(PendingAppend pending)
    {
        bytes += pending.Bytes;
        batches++;
        hand(pending);
    }

    private void Withdraw(LinkedListNode<PendingAppend> node, CancellationToken cancellation)
    {
        lock (gate)
        {
            if (node.List == null)
                return;
            waiting.Remove(node);
            // The one behind it may be smaller and have room.
            while (waiting.First is { } first && HasRoom(first.Value))
            {
                waiting.RemoveFirst();
                Admit(first.Value);
            }
        }
        node.Value.Cancel(cancellation);
    }
}
