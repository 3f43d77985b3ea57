using System.Diagnostics.Metrics;
using System.Globalization;
using Collections.Engine.Hosting;

namespace Collections.Engine.Tests.Hosting;

/// <summary>Listens to the meter of one node, and to no other that the process may have.</summary>
internal sealed class MeterScene : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly Node node;
    private readonly Dictionary<string, double> observed = [];
    private readonly Dictionary<string, int> recorded = [];

    public MeterScene(Node node)
    {
        this.node = node;
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (instrument.Meter.Scope == node)
                own.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.Start();
    }

    /// <summary>Everything that is observed at this moment, by "name{label=value,…}"; the labels in the order in which they come.</summary>
    public async Task<IReadOnlyDictionary<string, double>> LookAsync()
    {
        await node.Meters.RefreshAsync();
        lock (observed)
        {
            observed.Clear();
            listener.RecordObservableInstruments();
            return new Dictionary<string, double>(observed);
        }
    }

    /// <summary>How often a histogram was recorded.</summary>
    public int CountOf(string histogram)
    {
        lock (observed)
            return recorded.GetValueOrDefault(histogram);
    }

    public void Dispose() => listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new List<string>();
        foreach (KeyValuePair<string, object?> tag in tags)
            labels.Add(string.Create(CultureInfo.InvariantCulture, $"{tag.Key}={tag.Value}"));
        lock (observed)
        {
            if (instrument.IsObservable)
                observed[labels.Count == 0 ? instrument.Name : $"{instrument.Name}{{{string.Join(',', labels)}}}"] = value;
            else
                recorded[instrument.Name] = recorded.GetValueOrDefault(instrument.Name) + 1;
        }
    }
}
