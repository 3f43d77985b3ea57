using Collections.Engine.Logs;
using Collections.Engine.Publishing;
using Collections.Engine.Stores;

namespace Collections.Simulation.Fakes;

/// <summary>
/// Topics in memory that keep the contract of a publisher, and fail when they are told to. What was published outlives a crash of whoever published it.
/// </summary>
internal sealed class MemoryPublisher : IPublisher
{
    private readonly Lock gate = new();
    private readonly List<Published> messages = [];
    private TaskCompletionSource? held;

    /// <summary>Asked before each message; when it answers true, that message and those after it in the call are not published, and the call fails.</summary>
    public Func<Published, bool>? Fails { get; set; }

    /// <summary>While true, what was published is never acknowledged, as when answers are lost.</summary>
    public bool LosesAnswers { get; set; }

    /// <summary>Everything that anybody could see, in the order in which it came.</summary>
    public IReadOnlyList<Published> Messages
    {
        get
        {
            lock (gate)
                return [.. messages];
        }
    }

    /// <summary>Nothing is taken until <see cref="LetGo"/>, as by brokers that are away.</summary>
    public void Hold() => held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void LetGo()
    {
        TaskCompletionSource? waiting = held;
        held = null;
        waiting?.TrySetResult();
    }

    public async Task PublishAsync(int partition, OutboxKind kind, IReadOnlyList<OutboxRow> rows)
    {
        if (held is { } waiting)
            await waiting.Task;
        lock (gate)
        {
            foreach (OutboxRow row in rows)
            {
                var message = new Published(partition, kind, row.Sequence, OutboxMessage.Of(partition, row));
                if (Fails?.Invoke(message) == true)
                    throw new LogUnavailableException("the simulated brokers take nothing now");
                messages.Add(message);
            }
        }
        if (LosesAnswers)
            await new TaskCompletionSource().Task;
    }

    /// <summary>What a consumer makes of the messages of one kind that drops what it has seen: those whose number is higher than the partition's before.</summary>
    public static List<Published> WithoutRepeats(IEnumerable<Published> messages, OutboxKind kind)
    {
        var highest = new Dictionary<int, long>();
        var kept = new List<Published>();
        foreach (Published message in messages.Where(message => message.Kind == kind))
        {
            if (message.Sequence <= highest.GetValueOrDefault(message.Partition))
                continue;
            highest[message.Partition] = message.Sequence;
            kept.Add(message);
        }
        return kept;
    }

    internal sealed record Published(int Partition, OutboxKind Kind, long Sequence, OutboxMessage Message);
}
