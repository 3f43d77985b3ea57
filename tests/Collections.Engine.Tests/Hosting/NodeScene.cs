using System.Collections.Concurrent;
using System.Globalization;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Queues;
using Collections.Engine.Scoring;
using Collections.Simulation.Fakes;

namespace Collections.Engine.Tests.Hosting;

/// <summary>A whole node over a log and a store in memory, with a clock that stands where the test puts it.</summary>
internal sealed class NodeScene : IAsyncDisposable
{
    public static readonly QueueName Queue = new("default", Channel.Sms);
    private static readonly Currency Eur = Currency.Parse("EUR");
    private readonly int workers;
    private readonly ScoringModel? model;
    private int ids;

    public NodeScene(int partitions = 4, int workers = 2, ScoringModel? model = null, MemoryPublisher? topics = null)
    {
        this.model = model;
        this.workers = workers;
        Log = new MemoryLog(partitions) { Publisher = topics };
        Node = Start();
    }

    public MemoryLog Log { get; private set; }

    public MemoryStore Store { get; } = new();

    public Clock Time { get; } = new();

    public Node Node { get; private set; }

    public ConcurrentQueue<string> Warnings { get; } = [];

    /// <summary>What a test waits for at most; a test that needs it has failed.</summary>
    public static TimeSpan Patience => TimeSpan.FromSeconds(60);

    public async ValueTask DisposeAsync()
    {
        Store.At = null;
        Store.Wait = null;
        await Node.DisposeAsync();
    }

    /// <summary>The process dies, and starts again.</summary>
    public void Restart(bool isUnreachable = false)
    {
        Node.Abandon();
        Log = Log.Reopen();
        Log.IsUnreachable = isUnreachable;
        Node = Start();
    }

    public async Task OweAsync(params (string Debtor, long AmountMinor)[] debts)
    {
        var writer = new EventWriter();
        ReadOnlyMemory<byte>[] events = [.. debts.Select(debt => (ReadOnlyMemory<byte>)writer.ItemIssued(
            At(debt.Debtor), Utf8($"item {debt.Debtor} {ids}"), Component.Principal, debt.AmountMinor, Eur, Day.OfMs(Node.NowMs).Plus(-10)).ToArray())];
        IntakeResult[] results = await Node.Intake.AppendAsync(events, waitApplied: true, CancellationToken.None).WaitAsync(Patience);
        Assert.All(results, result => Assert.Equal(IntakeStatus.Applied, result.Status));
        await SettleAsync();
    }

    public async Task PayAsync(string debtor, long amountMinor)
    {
        byte[] paid = new EventWriter().PaymentReceived(At(debtor), amountMinor, Eur).ToArray();
        IntakeResult[] results = await Node.Intake.AppendAsync([paid], waitApplied: true, CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(IntakeStatus.Applied, results[0].Status);
    }

    public Task<PullResult> PullAsync(int count, string request = "", string caller = "dialer", long leaseMs = 3_600_000) =>
        Node.Actions.PullAsync(new PullOrder("bank", Queue, count, caller, request, leaseMs)).WaitAsync(Patience);

    /// <summary>Tells what became of a lease.</summary>
    public async Task ReportAsync(string lease, AttemptOutcome outcome)
    {
        LeaseAnswer answer = await Node.Actions.ReportAsync(lease, outcome, Time.NowMs, CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(LeaseStatus.Closed, answer.Status);
    }

    public Task SettleAsync() => Node.SettleAsync().WaitAsync(Patience);

    public EventAddress At(string debtor) => new()
    {
        Tenant = "bank"u8,
        Debtor = Utf8(debtor),
        Id = Utf8(string.Create(CultureInfo.InvariantCulture, $"event {Interlocked.Increment(ref ids)}")),
        Effective = Day.OfMs(Time.NowMs).Plus(-1),
    };

    public static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    public static List<string> Names(PullResult result) => [.. result.Leases.Select(action => action.Lease.Debtor)];

    public static List<string> Ids(PullResult result) => [.. result.Leases.Select(action => action.Lease.Id)];

    private Node Start() => Node.Start(Log, Store, new EngineOptions { Workers = workers, Model = model, CheckpointSeconds = 30 }, Time, Warnings.Enqueue);

    /// <summary>A clock that stands.</summary>
    internal sealed class Clock : TimeProvider
    {
        private long nowMs = Day.Of(new DateOnly(2024, 6, 3)).StartMs + 9 * 3_600_000;

        public long NowMs => Interlocked.Read(ref nowMs);

        public void Add(long ms) => Interlocked.Add(ref nowMs, ms);

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
    }
}
