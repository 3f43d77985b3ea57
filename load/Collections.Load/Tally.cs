namespace Collections.Load;

/// <summary>What became of the requests of one class. Any thread may record; it is read afterwards, or for a glance while it goes on.</summary>
internal sealed class Tally
{
    /// <summary>Under which a request is counted that could not be sent before the run gave up.</summary>
    public const string NotSent = "NotSent";

    private readonly Lock gate = new();
    private readonly SortedDictionary<string, (long Count, string Example)> failures = new(StringComparer.Ordinal);

    public Histogram Latency { get; } = new();

    /// <summary>How late the sender itself was: from the planned time, or from when the last place in flight became free, to the sending.</summary>
    public Histogram Lateness { get; } = new();

    public long Planned { get; private set; }

    public long Sent => Lateness.Count;

    public long Ok { get; private set; }

    public long Failed => Failures.Sum(static f => f.Value.Count);

    /// <summary>When the last answer came, in microseconds since the start.</summary>
    public long LastAnswerMicros { get; private set; }

    /// <summary>By status, each with the first detail seen.</summary>
    public IReadOnlyDictionary<string, (long Count, string Example)> Failures
    {
        get
        {
            lock (gate)
                return failures.ToDictionary();
        }
    }

    /// <summary>The latest moment for which something was planned, in microseconds since the start.</summary>
    public long LastPlannedMicros { get; private set; }

    public void Plan(long atMicros)
    {
        lock (gate)
        {
            Planned++;
            LastPlannedMicros = Math.Max(LastPlannedMicros, atMicros);
        }
    }

    public void Send(long latenessMicros)
    {
        lock (gate)
            Lateness.Record(latenessMicros);
    }

    /// <param name="latencyMicros">Since the planned time, whatever the outcome.</param>
    public void End(in Outcome outcome, long latencyMicros, long atMicros)
    {
        lock (gate)
        {
            Latency.Record(latencyMicros);
            LastAnswerMicros = Math.Max(LastAnswerMicros, atMicros);
            if (outcome.Failure.Length == 0)
                Ok++;
            else
                failures[outcome.Failure] = failures.TryGetValue(outcome.Failure, out (long Count, string Example) earlier) ? (earlier.Count + 1, earlier.Example) : (1, outcome.Detail);
        }
    }
}
