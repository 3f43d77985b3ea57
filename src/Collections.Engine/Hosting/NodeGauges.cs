using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using Collections.Domain.Events;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;
using Collections.Scoring.Registry;
using Collections.Strategy;

namespace Collections.Engine.Hosting;

/// <summary>
/// How a node stands, told when somebody looks: nothing of this is counted while records are applied that the partitions don't count anyway.
/// Labels are bounded: partitions by the log, streams, states, rules and acts by their enums, queues by <see cref="QueueLabels"/>.
/// </summary>
internal sealed class NodeGauges(Node node, NodeReadings readings, QueueLabels queueLabels, Meter meter)
{
    private static readonly EventStream[] Streams = Enum.GetValues<EventStream>();
    private static readonly PartitionState[] States = Enum.GetValues<PartitionState>();
    private static readonly ModelTarget[] Targets = Enum.GetValues<ModelTarget>();

    private static readonly (string, int)[] Verdicts =
        [.. Enum.GetValues<Eligibility>().Where(verdict => verdict != Eligibility.Unknown).Select(verdict => (Label(verdict), (int)verdict))];

    /// <summary>Named without the word that each of them begins with.</summary>
    private static readonly (string, int)[] Acts =
        [.. ((AuditKind[])[AuditKind.LeaseGranted, AuditKind.LeaseReported, AuditKind.LeaseReleased, AuditKind.LeaseExpired, AuditKind.LeaseVoided]).Select(act => (Label(act)["lease_".Length..], (int)act))];

    private readonly KeyValuePair<string, object?>[] partitions =
        [.. Enumerable.Range(0, node.PartitionCount).Select(number => new KeyValuePair<string, object?>("partition", number.ToString(CultureInfo.InvariantCulture)))];

    /// <summary>Offers the gauges to listeners; the partitions must be there.</summary>
    public void Begin()
    {
        OfferPartitions();
        OfferCounts();
        OfferQueues();
        OfferModels();
        if (node.Outbox is { } outbox)
            Gauge("collections.outbox.waiting", "{message}", "Messages of the partition that the brokers have not acknowledged", () => ReadOutbox(outbox));
    }

    internal static KeyValuePair<string, object?> LabelOf(OutboxKind kind) => new("kind", Label(kind));

    private void OfferPartitions()
    {
        Gauge("collections.partition.lag.records", "{record}", "Durable records of a stream that the partition has not applied", Lags);
        Gauge("collections.partition.clock.delay", "s", "How far the partition's clock is behind the wall clock: the age of the oldest record that it has not applied", () => Each(DelaySeconds));
        Gauge("collections.partition.state", null, "1 for the state in which the partition is, else 0", ReadStates);
        Gauge("collections.partition.checkpoint.age", "s", "Age of the oldest work that no checkpoint has; 0 when the store has everything", () => Each(CheckpointAgeSeconds));
        Gauge("collections.debtors", "{debtor}", "Debtors of the partition", () => Each(reading => reading.Debtors));
        Gauge("collections.debtors.memory", "By", "Memory of the debtors: records, lists, index, queue entries, remembered scores", () => Each(reading => reading.DebtorBytes));
        Gauge("collections.debtors.parked", "{debtor}", "Debtors who wait for their history to be read", () => Each(reading => reading.Parked));
        Gauge("collections.leases.open", "{lease}", "Leases that keep their debtor out of the queues", () => Each(reading => reading.OpenLeases));
    }

    private void OfferCounts()
    {
        Counter("collections.events.applied", "{event}", "Events applied, since the log began", reading => reading.Counters.Applied);
        Counter("collections.events.duplicate", "{event}", "Events that had been applied before, since the log began", reading => reading.Counters.Duplicates);
        Counter("collections.events.misplaced", "{event}", "Records found on a partition that is not their debtor's and sent on, since the log began", reading => reading.Counters.Misplaced);
        Counter("collections.dead.letters", "{record}", "Records that could not be applied, since the log began", reading => reading.Counters.DeadLetters);
        Counter("collections.scores", "{score}", "Debtors scored", reading => reading.Scores);
        Counter("collections.scores.skipped", "{score}", "Scores, each model's counted, that were known without computing them as nothing that the model looks at had changed", reading => reading.Skips);
        meter.CreateObservableCounter("collections.decisions", () => Sums("verdict", reading => reading.Decisions, Verdicts), "{decision}", "Decisions about debtors: eligible, or the rule that refused");
        meter.CreateObservableCounter("collections.lease.acts", () => Sums("act", reading => reading.Acts, Acts), "{act}", "What became of leases; told again after a crash as far as the log is read again");
    }

    private void OfferQueues()
    {
        Gauge("collections.queue.waiting", "{debtor}", "Debtors that wait in a queue", () => Sum((_, depth) => depth.Waiting, (a, b) => a + b));
        Gauge("collections.queue.staleness", "s", "Age of the oldest news that the queue's order does not know: the largest clock delay of the partitions in which somebody waits", () => Sum((delay, _) => delay, Math.Max));
    }

    private void OfferModels()
    {
        Gauge("collections.model.info", null, "1 for each model in use", ReadModels);
        Gauge("collections.model.rescores.remaining", "{debtor}", "Debtors that a change of models has not reached yet", () => [new Measurement<double>(Known().Sum(known => (double)known.Reading.RescoresLeft))]);
        Gauge("collections.model.alerts", "{alert}", "What was beyond a threshold when the active model was last looked at", () => Watched(seen => seen.Health.Alerts.Count, never: 0));
        Gauge("collections.model.score.stability.index", null, "Population stability index of the score against the training rows; NaN: not looked at", () => Watched(seen => seen.Health.Drift.Score, double.NaN));
        Gauge("collections.model.feature.stability.index.max", null, "Largest population stability index of a feature against the training rows; NaN: not looked at", () => Watched(LargestDrift, double.NaN));
        Gauge("collections.model.watch.age", "s", "Time since the active model was last looked at; NaN: not looked at", () => Watched(seen => node.Cadence.GetElapsedTime(seen.At).TotalSeconds, double.NaN));
    }

    private void Gauge(string name, string? unit, string description, Func<IEnumerable<Measurement<double>>> read) => meter.CreateObservableGauge(name, read, unit, description);

    private void Counter(string name, string unit, string description, Func<PartitionReading, long> read) => meter.CreateObservableCounter(
        name, () => Known().Select(known => new Measurement<long>(read(known.Reading), partitions[known.Number])), unit, description);

    private IEnumerable<Measurement<double>> Each(Func<PartitionReading, double> read) => Known().Select(known => new Measurement<double>(read(known.Reading), partitions[known.Number]));

    /// <summary>The partitions that have been read, with what was read last.</summary>
    private List<(int Number, PartitionReading Reading)> Known()
    {
        readings.RefreshIfOld();
        var known = new List<(int, PartitionReading)>(node.PartitionCount);
        for (int number = 0; number < node.PartitionCount; number++)
        {
            if (readings.Of(number) is { } reading)
                known.Add((number, reading));
        }
        return known;
    }

    /// <summary>Against the clock of the moment: a worker that stands still shows.</summary>
    private double DelaySeconds(PartitionReading reading) => Math.Max(0, node.NowMs - reading.ClockMs) / 1_000.0;

    private double CheckpointAgeSeconds(PartitionReading reading) => reading.KeptAt == 0 ? 0 : node.Cadence.GetElapsedTime(reading.KeptAt).TotalSeconds;

    private IEnumerable<Measurement<double>> Lags() =>
        from known in Known()
        let end = node.Log.End(known.Number)
        from stream in Streams
        select new Measurement<double>(Math.Max(0, end[stream] - known.Reading.Applied[stream]), partitions[known.Number], new("stream", Label(stream)));

    private IEnumerable<Measurement<double>> ReadStates() =>
        from number in Enumerable.Range(0, node.PartitionCount)
        let now = node.StateOf(number)
        from state in States
        select new Measurement<double>(state == now ? 1 : 0, partitions[number], new("state", Label(state)));

    private IEnumerable<Measurement<double>> ReadOutbox(OutboxPublisher outbox) =>
        from number in Enumerable.Range(0, node.PartitionCount)
        from kind in OutboxRow.Kinds
        let waiting = outbox.WaitingOf(number, kind)
        where waiting is not null
        select new Measurement<double>(waiting.Value, partitions[number], LabelOf(kind));

    private List<Measurement<long>> Sums(string label, Func<PartitionReading, long[]> read, (string Value, int Index)[] values)
    {
        List<(int Number, PartitionReading Reading)> known = Known();
        return [.. values.Select(value => new Measurement<long>(known.Sum(partition => read(partition.Reading)[value.Index]), new KeyValuePair<string, object?>(label, value.Value)))];
    }

    /// <summary>One figure a queue over all partitions; who looks at a queue does not care where its debtors are kept.</summary>
    /// <param name="read">Of a partition's delay and of the queue in it; a partition in which nobody waits has no delay.</param>
    private IEnumerable<Measurement<double>> Sum(Func<double, QueueDepth, double> read, Func<double, double, double> add)
    {
        var sums = new Dictionary<KeyValuePair<string, object?>[], double>(ReferenceEqualityComparer.Instance);
        foreach ((int _, PartitionReading reading) in Known())
        {
            double delay = DelaySeconds(reading);
            foreach (QueueDepth depth in reading.Queues)
            {
                KeyValuePair<string, object?>[] labels = queueLabels.Of(depth.Tenant, depth.Queue);
                sums[labels] = add(sums.GetValueOrDefault(labels), read(depth.Waiting == 0 ? 0 : delay, depth));
            }
        }
        return sums.Select(sum => new Measurement<double>(sum.Value, sum.Key));
    }

    private IEnumerable<Measurement<double>> ReadModels()
    {
        ModelSet models = node.Models.Current;
        (string Role, ScoringModel? Model)[] roles =
        [
            (ModelTargets.NameOf(ModelTarget.Propensity), models.Propensity),
            (ModelTargets.NameOf(ModelTarget.PreDueRisk), models.PreDueRisk),
            ("shadow", models.Shadow),
        ];
        return
            from role in roles
            where role.Model is not null
            select new Measurement<double>(1, new("role", role.Role), new("model", role.Model.Name), new("version", role.Model.Version));
    }

    /// <summary>What the last look at each active model found; a look at a model that is active no more counts as none.</summary>
    private IEnumerable<Measurement<double>> Watched(Func<WatchedModel, double> read, double never)
    {
        ModelSet models = node.Models.Current;
        foreach (ModelTarget target in Targets)
        {
            if ((target == ModelTarget.PreDueRisk ? models.PreDueRisk : models.Propensity) is not { } active)
                continue;
            WatchedModel? seen = node.Models.LastWatched(target);
            yield return new Measurement<double>(seen is not null && seen.Model.Number == active.Number ? read(seen) : never, new KeyValuePair<string, object?>("target", ModelTargets.NameOf(target)));
        }
    }

    private static double LargestDrift(WatchedModel seen) => seen.Health.Drift.Features.Select(feature => feature.StabilityIndex).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Max();

    private static string Label<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
