using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>What can fail outside a partition and is tried again, or told to whoever asked for it.</summary>
internal enum FailedOperation
{
    /// <summary>Putting events into the log.</summary>
    Append,

    /// <summary>Reading the log on.</summary>
    Read,

    /// <summary>Reading a debtor's history.</summary>
    History,
    Checkpoint,

    /// <summary>Committing changes of leases.</summary>
    Leases,

    /// <summary>Publishing what the outbox holds.</summary>
    Publish,
}

/// <summary>
/// What a node measures while it works, as instruments of <c>System.Diagnostics.Metrics</c> and spans of <c>System.Diagnostics</c>: who listens,
/// and in which form, is the server's business. Without a listener a recording is a comparison. Durations are in seconds, sizes in bytes.
/// How things stand, as against how long they took, is in <see cref="NodeGauges"/>.
/// </summary>
public sealed class NodeMeters : IDisposable
{
    /// <summary>The name of the meter and of the source of spans.</summary>
    public const string Name = "Collections.Engine";

    /// <summary>Spans of what callers wait for, and of checkpoints. One for all nodes of a process, as listeners know it by its name.</summary>
    internal static readonly ActivitySource Spans = new(Name);

    private readonly NodeReadings readings;
    private readonly NodeGauges gauges;
    private readonly QueueLabels queueLabels = new();
    private readonly long[] failures = new long[Enum.GetValues<FailedOperation>().Length];
    private readonly ConcurrentDictionary<KeyValuePair<string, object?>[], StrongBox<long>> pulled = new(ReferenceEqualityComparer.Instance);
    private readonly long[] published = new long[OutboxRow.Kinds.Max(static kind => (int)kind) + 1];
    private long eventsTaken;
    private long eventsRefused;

    internal NodeMeters(Node node)
    {
        readings = new NodeReadings(node);
        // The node is the scope, so that a listener in a process of several nodes can tell whose instruments it has.
        Meter = new Meter(new MeterOptions(Name) { Scope = node });
        SliceDuration = Histogram("collections.slice.duration", "s", "Applying one slice of records and evaluating whom it touched", [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]);
        CheckpointFill = Histogram("collections.checkpoint.fill.duration", "s", "Copying what changed into a checkpoint, while the partition waits", [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]);
        CheckpointDuration = Histogram("collections.checkpoint.duration", "s", "A checkpoint from its copy to its commit in the store", [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]);
        CheckpointSize = Histogram("collections.checkpoint.size", "By", "States of debtors in one checkpoint", [4 << 10, 32 << 10, 256 << 10, 2 << 20, 16 << 20, 128 << 20, 1 << 30]);
        PullDuration = Histogram("collections.pull.duration", "s", "One pull, its leases committed", [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]);
        AppendDurable = Histogram("collections.append.durable.duration", "s", "From the append of a call's events until they are durable in the log", [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]);
        AppendApplied = Histogram("collections.append.applied.duration", "s", "From the append of a call's events until they are applied and every queue is in the new order; of calls that waited for it", [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]);
        // Counted here and told when somebody looks: so each is seen from its first look on, and not only from its first event on.
        Meter.CreateObservableCounter("collections.intake.events", () => Interlocked.Read(ref eventsTaken), "{event}", "Events that came in by calls and are durable in the log");
        Meter.CreateObservableCounter("collections.intake.refused", () => Interlocked.Read(ref eventsRefused), "{event}", "Events that were refused at the door; each caller was told why");
        Meter.CreateObservableCounter("collections.actions.pulled", () => pulled.Select(queue => new Measurement<long>(Interlocked.Read(ref queue.Value.Value), queue.Key)), "{action}", "Actions handed out");
        Meter.CreateObservableCounter("collections.failures", ReadFailures, "{failure}", "Operations of the log or the store that failed and are tried again, or whose caller was told");
        if (node.Log.Publisher is not null)
            Meter.CreateObservableCounter("collections.outbox.published", ReadPublished, "{message}", "Messages that were acknowledged by the brokers; repeats included");
        gauges = new NodeGauges(node, readings, queueLabels, Meter);
    }

    /// <summary>Its <see cref="Meter.Scope"/> is the node.</summary>
    public Meter Meter { get; }

    internal Histogram<double> SliceDuration { get; }

    internal Histogram<double> CheckpointFill { get; }

    internal Histogram<double> CheckpointDuration { get; }

    internal Histogram<double> CheckpointSize { get; }

    internal Histogram<double> PullDuration { get; }

    internal Histogram<double> AppendDurable { get; }

    internal Histogram<double> AppendApplied { get; }

    /// <summary>Brings what the gauges tell up to the moment; waits at most half a second for workers that are busy.</summary>
    public Task RefreshAsync() => readings.RefreshAsync();

    public void Dispose() => Meter.Dispose();

    /// <summary>A partition runs here no more.</summary>
    internal void OnGone(int partition) => readings.Forget(partition);

    /// <summary>The partitions are there.</summary>
    internal void Begin() => gauges.Begin();

    internal void OnTaken(int durable, int refused)
    {
        Interlocked.Add(ref eventsTaken, durable);
        Interlocked.Add(ref eventsRefused, refused);
    }

    internal void OnPulled(string tenant, Queues.QueueName queue, int actions)
    {
        if (actions > 0)
            Interlocked.Add(ref pulled.GetOrAdd(queueLabels.Of(tenant, queue), static _ => new StrongBox<long>()).Value, actions);
    }

    internal void OnPublished(OutboxKind kind, int messages) => Interlocked.Add(ref published[(int)kind], messages);

    internal void OnFailure(FailedOperation operation) => Interlocked.Increment(ref failures[(int)operation]);

    private IEnumerable<Measurement<long>> ReadPublished() =>
        OutboxRow.Kinds.Select(kind => new Measurement<long>(Interlocked.Read(ref published[(int)kind]), NodeGauges.LabelOf(kind)));

    private IEnumerable<Measurement<long>> ReadFailures() => Enum.GetValues<FailedOperation>().Select(operation => new Measurement<long>(
        Interlocked.Read(ref failures[(int)operation]), new KeyValuePair<string, object?>("operation", operation.ToString().ToLowerInvariant())));

    private Histogram<double> Histogram(string name, string unit, string description, double[] bounds) =>
        Meter.CreateHistogram(name, unit, description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
}
