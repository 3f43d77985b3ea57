namespace Collections.Server.Hosting;

/// <summary>A clock that stands still until it is moved: the demo's days pass in seconds, and the same seed sees the same times.</summary>
public sealed class VirtualClock(long startMs) : TimeProvider
{
    private long nowMs = startMs;

    public long NowMs => Volatile.Read(ref nowMs);

    public void MoveTo(long unixMs) => Volatile.Write(ref nowMs, Math.Max(unixMs, NowMs));

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
}
