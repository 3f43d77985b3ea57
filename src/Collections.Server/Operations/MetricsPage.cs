using System.Diagnostics.Metrics;
using System.Text;
using Collections.Engine.Hosting;
using Collections.Kafka;

namespace Collections.Server.Operations;

/// <summary>Listens to the meters that an operator wants to see, and writes what they say as one page of Prometheus' text format.</summary>
internal sealed class MetricsPage : IDisposable
{
    /// <summary>Of the runtime: garbage collection, memory, threads, processor time. One a process.</summary>
    public const string RuntimeMeter = "System.Runtime";

    /// <summary>Of the web server: calls by route and status, with their durations.</summary>
    public const string CallsMeter = "Microsoft.AspNetCore.Hosting";

    /// <summary>Of the connections to PostgreSQL: how many are used, how long commands take. One a process.</summary>
    public const string PostgresMeter = "Npgsql";

    private readonly SortedDictionary<string, MeterFamily> families = new(StringComparer.Ordinal);
    private readonly MeterListener listener = new();
    private readonly Lock gate = new();

    /// <summary>The node whose page this is, its log, and the factory of its web server's meters; empty while the node is still loading.</summary>
    private readonly HashSet<object> scopes = new(ReferenceEqualityComparer.Instance);

    public MetricsPage()
    {
        listener.InstrumentPublished = (instrument, _) => Take(instrument);
        listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MeterFamily)family!).Record(value, tags));
        listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MeterFamily)family!).Record(value, tags));
        listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MeterFamily)family!).Record(value, tags));
        listener.Start();
    }

    /// <summary>Takes the instruments in that belong to a scope: a node, a log, or the factory of a server's meters. There may be others in the process.</summary>
    public void Add(object scope)
    {
        lock (gate)
            scopes.Add(scope);
        // A listener is told of instruments when they are made or when it starts; a short-lived one finds those that are there already.
        using var finder = new MeterListener();
        finder.InstrumentPublished = (instrument, _) => Take(instrument);
        finder.Start();
    }

    /// <summary>Looks at everything and writes it down.</summary>
    public string Write()
    {
        lock (gate)
        {
            foreach (MeterFamily family in families.Values)
                family.BeginLook();
            listener.RecordObservableInstruments();
            var page = new StringBuilder();
            foreach (MeterFamily family in families.Values)
                family.Write(page);
            const string leftOut = "collections_metrics_left_out_total";
            PrometheusText.Head(page, leftOut, "Measurements that are not on this page because their instrument has too many series", FamilyType.Counter);
            PrometheusText.Sample(page, leftOut, "", families.Values.Sum(family => family.LeftOut));
            return page.ToString();
        }
    }

    public void Dispose() => listener.Dispose();

    private void Take(Instrument instrument)
    {
        lock (gate)
        {
            bool isWanted = instrument.Meter.Name switch
            {
                RuntimeMeter or PostgresMeter => true,
                NodeMeters.Name or CallsMeter or KafkaEventLog.MeterName => instrument.Meter.Scope is { } scope && scopes.Contains(scope),
                _ => false,
            };
            if (!isWanted)
                return;
            var family = new MeterFamily(instrument);
            // Whoever comes second under a name is left out: one page may not tell two things by one name.
            if (families.TryAdd(family.Name, family))
                listener.EnableMeasurementEvents(instrument, family);
        }
    }
}
