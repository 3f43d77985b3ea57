using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Collections.Engine.Hosting;

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
    private readonly Counter<long> eventsTaken;
    private readonly Counter<long> eventsRefused;
    private readonly Counter<long> actionsPulled;
    private readonly Counter<long> failures;

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
        eventsTaken = Meter.CreateCounter<long>("collections.intake.events", "{event}", "Events that came in by calls and are durable in the log");
        eventsRefused = Meter.CreateCounter<long>("collections.intake.refused", "{event}", "Events that were refused at the door; each caller was told why");
        actionsPulled = Meter.CreateCounter<long>("collections.actions.pulled", "{action}", "Actions handed out");
        failures = Meter.CreateCounter<long>("collections.failures", "{failure}", "Operations of the log or the store that failed and are tried again, or whose caller was told");
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

    /// <summary>The partitions are there.</summary>
    internal void Begin() => gauges.Begin();

    internal void OnTaken(int durable, int refused)
    {
        eventsTaken.Add(durable);
        if (refused > 0)
            eventsRefused.Add(refused);
    }

    internal void OnPulled(string tenant, Queues.QueueName queue, int actions)
    {
        if (actions > 0)
            actionsPulled.Add(actions, queueLabels.Of(tenant, queue));
    }

    /// <param name="operation">One of a few: it is a label.</param>
    internal void OnFailure(string operation) => failures.Add(1, new KeyValuePair<string, object?>("operation", operation));

    private Histogram<double> Histogram(string name, string unit, string description, double[] bounds) =>
        Meter.CreateHistogram(name, unit, description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
}
