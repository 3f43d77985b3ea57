namespace Collections.Kafka;

/// <summary>Lets appends in, in the order of arrival, while few enough events and bytes are under way; one that is larger than that goes alone.</summary>
internal sealed class AppendGate(int eventsMax, long bytesMax)
{
    private readonly Lock gate = new();
    private readonly LinkedList<Waiter> waiting = [];
    private int batches;
    private long events;
    private long bytes;
    private bool closed;

    /// <summary>Cancelling withdraws who still waits.</summary>
    /// <exception cref="ObjectDisposedException">It has been closed.</exception>
    public async Task EnterAsync(int eventCount, long byteCount, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var waiter = new Waiter(eventCount, byteCount);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, typeof(KafkaEventLog));
            if (waiting.Count == 0 && HasRoom(waiter))
            {
                Admit(waiter);
                return;
            }
            waiting.AddLast(waiter);
        }
        using CancellationTokenRegistration registration = cancellation.Register(() =>
        {
            lock (gate)
            {
                if (waiting.Remove(waiter))
                    waiter.Admitted.TrySetCanceled(cancellation);
            }
        });
        await waiter.Admitted.Task;
    }

    public void Leave(int eventCount, long byteCount)
    {
        lock (gate)
        {
            batches--;
            events -= eventCount;
            bytes -= byteCount;
            while (waiting.First is { } first && HasRoom(first.Value))
            {
                waiting.RemoveFirst();
                Admit(first.Value);
                first.Value.Admitted.TrySetResult();
            }
        }
    }

    /// <summary>Lets nobody in any more; who waits is refused.</summary>
    public void Close()
    {
        lock (gate)
        {
            closed = true;
            foreach (Waiter waiter in waiting)
                waiter.Admitted.TrySetException(new ObjectDisposedException(nameof(KafkaEventLog)));
            waiting.Clear();
        }
    }

    private bool HasRoom(Waiter waiter) => batches == 0 || (events + waiter.Events <= eventsMax && bytes + waiter.Bytes <= bytesMax);

    private void Admit(Waiter waiter)
    {
        batches++;
        events += waiter.Events;
        bytes += waiter.Bytes;
    }

    private sealed record Waiter(int Events, long Bytes)
    {
        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
