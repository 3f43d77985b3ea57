using System.Collections.Concurrent;

namespace Collections.Kafka;

/// <summary>Tells an operator what is wrong, each kind of thing once in a while. Any thread.</summary>
internal sealed class Warnings(Action<string> warn, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, long> saidAt = new(StringComparer.Ordinal);

    public void Say(string kind, string message)
    {
        long now = time.GetTimestamp();
        long last = saidAt.GetValueOrDefault(kind, long.MinValue);
        if (last != long.MinValue && time.GetElapsedTime(last, now).TotalMilliseconds < Limits.WarnEveryMs)
            return;
        saidAt[kind] = now;
        warn(message);
    }
}
