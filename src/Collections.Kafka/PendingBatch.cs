using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>Messages under way that one caller waits for. Counted down by librdkafka's thread, and by the caller's for what was refused at once.</summary>
/// <param name="fate">What is to be said when one of them failed, behind the reason.</param>
internal sealed class PendingBatch(int count, string fate)
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int remaining = count;
    private string? failure;

    /// <summary>Fails with a <see cref="LogUnavailableException"/> once all have been counted down, if one of them has failed.</summary>
    public Task Task => done.Task;

    public void CountDown(string? failed)
    {
        if (failed is not null)
            Interlocked.CompareExchange(ref failure, failed, null);
        if (Interlocked.Decrement(ref remaining) > 0)
            return;
        if (failure is null)
            done.TrySetResult();
        else
            done.TrySetException(new LogUnavailableException($"{failure}. {fate}"));
    }
}
