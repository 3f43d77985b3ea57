using System.Diagnostics;
using System.Net;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;
using Collections.Server.Demo.Portfolio;
using Collections.Server.Hosting;
using Collections.V1;
using Grpc.Net.Client;

namespace Collections.Server.Demo;

/// <summary>What a demo is asked for.</summary>
/// <param name="Debtors">Simulated debtors, 1 to 10,000,000.</param>
/// <param name="Months">Months of history, 1 to 24.</param>
/// <param name="Seed">The same seed gives the same result.</param>
public sealed record DemoOptions(int Debtors, int Months, ulong Seed, int LiveDays, int TicksPerDay, int ActionsPerTick);

/// <summary>
/// A simulated portfolio through the whole engine: its history through the log, then live days in virtual time, tick by tick. A tick is:
/// the clock moves and the node settles; what happened goes into the log and the node settles; dialers pull over gRPC and report
/// what they met. Because every step settles before the next, the same seed gives the same result.
/// </summary>
public sealed class DemoRun : IAsyncDisposable
{
    private const int AppendEvents = 8_192;

    private readonly DemoOptions options;
    private readonly SimulatedPortfolio portfolio;
    private readonly VirtualClock clock;
    private readonly IEventLog log;
    private readonly IStore store;
    private readonly NodeServer server;
    private readonly GrpcChannel channel;
    private readonly DialerFloor floor;

    private DemoRun(DemoOptions options, SimulatedPortfolio portfolio, VirtualClock clock, IEventLog log, IStore store, NodeServer server)
    {
        this.options = options;
        this.portfolio = portfolio;
        this.clock = clock;
        this.log = log;
        this.store = store;
        this.server = server;
        channel = GrpcChannel.ForAddress(server.Address);
        floor = new DialerFloor(new Queues.QueuesClient(channel), portfolio, clock);
    }

    public DemoFigures Figures { get; } = new();

    public Node Node => server.Node;

    /// <summary>Days of history, one step of <see cref="WriteHistoryAsync"/> each.</summary>
    public int HistoryDays => portfolio.FirstLiveDay - portfolio.FirstDay;

    public static async Task<DemoRun> StartAsync(DemoOptions options, DataDirectory directory, Action<string> warn)
    {
        // The live days begin on a Monday, so that a short demo sees working days.
        Day firstDay = Day.Of(new DateOnly(2026, 7, 6).AddMonths(-options.Months));
        var portfolio = new SimulatedPortfolio(options.Debtors, options.Months, options.Seed, firstDay);
        var clock = new VirtualClock(firstDay.StartMs);
        IEventLog log = directory.OpenLog(null, TimeProvider.System);
        IStore store = directory.OpenStore();
        var engine = new EngineOptions { Model = ShippedModel.Propensity(), Owner = "demo" };
        NodeServer server = await NodeServer.StartAsync(log, store, engine, clock, new IPEndPoint(IPAddress.Loopback, 0), warn);
        return new DemoRun(options, portfolio, clock, log, store, server);
    }

    /// <summary>Streams the history through the log, quietly, then ends the import: every debtor is evaluated.</summary>
    public async Task WriteHistoryAsync(Action<int> dayDone)
    {
        long started = Stopwatch.GetTimestamp();
        AppendBatch batch = new();
        Task appending = Task.CompletedTask;
        for (Day day = portfolio.FirstDay; day < portfolio.FirstLiveDay; day = day.Plus(1))
        {
            clock.MoveTo(day.EndMs - 1);
            portfolio.WriteHistoryDay(day, (in SimulatedEvent e) => Add(batch, e, history: true));
            if (batch.Count >= AppendEvents)
            {
                await appending;
                appending = log.AppendAsync(batch, CancellationToken.None);
                batch = new AppendBatch();
            }
            dayDone(day - portfolio.FirstDay + 1);
        }
        await appending;
        await log.AppendAsync(batch, CancellationToken.None);
        await server.Node.SettleAsync();
        Figures.HistorySeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        clock.MoveTo(portfolio.FirstLiveDay.StartMs);
        await server.Node.SettleAsync();
        await log.AppendAsync(ImportEnd.Of(log.PartitionCount, clock.NowMs), CancellationToken.None);
        await server.Node.SettleAsync();
        Figures.EvaluationSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds - Figures.HistorySeconds;
    }

    /// <summary>One tick of live operation.</summary>
    public async Task RunTickAsync(int number)
    {
        Day day = portfolio.FirstLiveDay.Plus(number / options.TicksPerDay);
        int tick = number % options.TicksPerDay;
        clock.MoveTo(day.StartMs + Day.MsPerDay * (tick + 1) / options.TicksPerDay - 1);
        await server.Node.SettleAsync();
        var batch = new AppendBatch();
        portfolio.WriteLiveTick(day, tick, options.TicksPerDay, (in SimulatedEvent e) =>
        {
            if (e.Kind == EventKind.PaymentReceived)
                Figures.PaymentsLive++;
            Add(batch, e, history: false);
        });
        await log.AppendAsync(batch, CancellationToken.None);
        await server.Node.SettleAsync();
        await CheckBookAsync(ledgers: false);
        await floor.WorkAsync(options.ActionsPerTick);
        await server.Node.SettleAsync();
        await CheckBookAsync(ledgers: false);
        Figures.Digest(floor.TakeDigest());
        Figures.Digest(await LedgerDigestAsync());
        Figures.Take(floor);
    }

    /// <summary>Everything in numbers, at the end.</summary>
    public async Task<DemoResult> FinishAsync()
    {
        await CheckBookAsync(ledgers: true);
        (int Debtors, long Bytes, PartitionCounters Counters)[] parts = await server.Node.AskAll(p => (p.View.DebtorCount, p.View.BytesUsed, p.Counters));
        int debtors = parts.Sum(p => p.Debtors);
        return new DemoResult(
            debtors, parts.Sum(p => p.Counters.Applied), Math.Round(Figures.HistoryEvents / Math.Max(Figures.HistorySeconds, 0.001)),
            Math.Round(parts.Sum(p => p.Bytes) / (double)Math.Max(1, debtors), 1), server.Node.Models.Current.Propensity!.Name, Figures.ActionsPulled, Figures.PaymentsLive,
            Figures.PaidStillQueued, Figures.DoubleLeased, Figures.UnbalancedLedgers == 0, parts.Sum(p => p.Counters.DeadLetters), options.Seed, Figures.ResultHash);
    }

    public async Task<ListQueuesResponse> QueuesAsync() => await new Queues.QueuesClient(channel).ListQueuesAsync(new ListQueuesRequest());

    /// <summary>The best actions handed out in the last tick.</summary>
    public IReadOnlyList<V1.Action> BestActions => floor.Best;

    public PortfolioTotals Totals => portfolio.Totals;

    public DateTimeOffset Now => clock.GetUtcNow();

    public async ValueTask DisposeAsync()
    {
        channel.Dispose();
        await server.DisposeAsync();
        store.Dispose();
        log.Dispose();
    }

    private void Add(AppendBatch batch, in SimulatedEvent e, bool history)
    {
        ReadOnlySpan<byte> tenant = EventReader.DefaultTenant;
        batch.Add(
            DebtorKey.PartitionOf(tenant, e.DebtorName, log.PartitionCount), e.Stream, DebtorKey.HashOf(tenant, e.DebtorName), e.KnownMs, history, e.Content);
        if (history)
            Figures.HistoryEvents++;
    }

    private async Task CheckBookAsync(bool ledgers)
    {
        foreach (BookCheck check in await server.Node.AskAll(p => p.View.Check(ledgers)))
        {
            Figures.PaidStillQueued += check.PaidStillQueued;
            Figures.DoubleLeased += check.DoubleLeased;
            Figures.UnbalancedLedgers += check.UnbalancedLedgers;
        }
    }

    private async Task<ulong> LedgerDigestAsync()
    {
        ulong[] digests = await server.Node.AskAll(p => p.View.LedgerDigest());
        return Hash64.Of(System.Runtime.InteropServices.MemoryMarshal.AsBytes<ulong>(digests));
    }
}
