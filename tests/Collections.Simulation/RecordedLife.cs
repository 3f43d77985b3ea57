using System.Globalization;
using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Simulation.Fakes;

namespace Collections.Simulation;

/// <summary>Whose features, at the end of which day.</summary>
internal readonly record struct Moment(Day Day, string Tenant, string Debtor);

/// <summary>Weeks of a live engine under every kind of event and trouble; what it knew of each debtor is noted at the end of each day.</summary>
internal sealed class RecordedLife : IDisposable
{
    public const int Days = 50;
    private const int Partitions = 2;
    public static readonly Day First = Day.Of(new DateOnly(2024, 6, 3));

    private readonly SimulatedHost host;

    public RecordedLife(int seed)
    {
        var source = new EventSource(seed, Partitions, debtors: 9) { Trouble = 0.3, Imports = seed % 2 == 0 };
        var random = new Random(seed);
        host = new SimulatedHost(Log, new MemoryStore(), new Plan(seed).Options, seed, sliceMax: 9, First.StartMs) { CountsImports = true };
        host.Restart();
        for (Day day = First; day < First.Plus(Days); day = day.Plus(1))
        {
            var events = new AppendBatch();
            int count = random.Next(14);
            for (int i = 0; i < count; i++)
                source.Tell(day.StartMs + Day.MsPerDay * (i + 1) / (count + 2), events);
            host.NowMs = day.EndMs - 1;
            host.Append(events);
            host.Settle();
            foreach ((string tenant, string debtor) in source.Debtors)
                Note(new Moment(day, tenant, debtor));
        }
    }

    public MemoryLog Log { get; } = new(Partitions);

    public Dictionary<Moment, double[]> Features { get; } = [];

    public void Dispose() => host.Dispose();

    /// <summary>The log with those records only, and with planted ones behind them.</summary>
    public MemoryLog Copy(Func<long, bool> takesKnown, params (long KnownMs, byte[] Content)[] planted)
    {
        var copy = new MemoryLog(Partitions);
        var events = new AppendBatch();
        for (int partition = 0; partition < Partitions; partition++)
        {
            StreamPositions next = StreamPositions.Start;
            var records = new RecordBatch();
            Log.Read(partition, ref next, int.MaxValue, records);
            for (int i = 0; i < records.Count; i++)
            {
                LogRecord record = records[i];
                if (takesKnown(record.KnownMs))
                    events.Add(partition, record.Stream, 0, record.KnownMs, record.History, record.Content);
            }
        }
        foreach ((long knownMs, byte[] content) in planted)
        {
            Assert.True(EventReader.TryRead(content, knownMs, history: false, out Event e, out _));
            events.Add(DebtorKey.PartitionOf(e.Head.Tenant, e.Head.Debtor, Partitions), e.Head.Stream, 0, knownMs, history: false, content);
        }
        copy.AppendAsync(events, CancellationToken.None).GetAwaiter().GetResult();
        return copy;
    }

    /// <summary>The engine's clock stands a millisecond before the end of the day from which a row measures ages.</summary>
    private void Note(Moment moment)
    {
        DebtorSnapshot? debtor = host.Partitions.Select(p => p.View.Debtor(Encoding.UTF8.GetBytes(moment.Tenant), Encoding.UTF8.GetBytes(moment.Debtor))).SingleOrDefault(found => found is not null);
        if (debtor is null)
            return;
        Assert.Equal(moment.Day.EndMs - 1, debtor.AsOfMs);
        Assert.False(debtor.IsParked, string.Create(CultureInfo.InvariantCulture, $"{moment} is parked"));
        foreach (string age in new[] { "days_since_attempt", "days_since_rpc" })
        {
            ref double days = ref debtor.Features[FeatureCatalogue.IndexOf(age)];
            days = double.IsNaN(days) ? days : (Math.Round(days * Day.MsPerDay) + 1) / Day.MsPerDay;
        }
        Features.Add(moment, debtor.Features);
    }
}
