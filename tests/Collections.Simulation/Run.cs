using System.Globalization;
using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Publishing;
using Collections.Engine.Queues;
using Collections.Engine.Stores;
using Collections.Simulation.Fakes;

namespace Collections.Simulation;

/// <summary>What a run is made of; everything follows from it.</summary>
internal sealed record Plan(int Seed)
{
    public int Rounds { get; init; } = 60;

    public int Partitions { get; init; } = 2;

    public int Debtors { get; init; } = 10;

    public int SliceMax { get; init; } = 7;

    public int SliceSeed { get; init; } = 1;

    public double Trouble { get; init; } = 0.25;

    public bool Imports { get; init; }

    /// <summary>What callers ask for at most; an hour, say, or so much that nothing expires.</summary>
    public long LeaseMsMax { get; init; } = 54_000_000;

    /// <summary>Whether every parked debtor is back before callers are served.</summary>
    public bool AnswersAtOnce { get; init; } = true;

    /// <summary>The step at which the process dies; -1: it does not.</summary>
    public int CrashAt { get; init; } = -1;

    /// <summary>What is done to the store while the process is down.</summary>
    public Action<MemoryStore>? WhileDown { get; init; }

    public DebtorOptions Options { get; init; } = new() { HorizonDays = 15, HorizonSlackDays = 3, FingerprintDays = 5 };
}

/// <summary>
/// A run of the engine by a plan: in rounds, time passes, events come, partitions work until they have caught up, callers pull and act. What
/// is chosen depends on the plan and on what the engine answers, so two runs that answer alike choose alike.
/// </summary>
internal sealed class Run : IDisposable
{
    private static readonly string[] Queues = ["cards/sms", "default/sms", "loans/voice", "default/voice", "cards/email", "default/email", "cards/voice", "loans/sms"];

    private readonly Plan plan;
    private readonly EventSource source;
    private readonly MemoryLog log;
    private readonly MemoryStore store = new();
    private readonly Random choices;

    public Run(Plan plan)
    {
        this.plan = plan;
        log = new MemoryLog(plan.Partitions);
        source = new EventSource(plan.Seed, plan.Partitions, plan.Debtors) { Trouble = plan.Trouble, Imports = plan.Imports };
        choices = new Random(plan.Seed + 1);
        Auditor = new Auditor([.. source.Debtors]);
        Host = new SimulatedHost(log, store, plan.Options, plan.SliceSeed, plan.SliceMax, Day.Of(new DateOnly(2024, 6, 3)).StartMs + 36_000_000)
        {
            CrashAt = plan.CrashAt,
            CountsImports = plan.Imports,
        };
    }

    public SimulatedHost Host { get; }

    public Auditor Auditor { get; }

    /// <summary>What callers were answered, line by line.</summary>
    public List<string> Trace { get; } = [];

    public int Crashes { get; private set; }

    public MemoryStore Store => store;

    public static Run Of(Plan plan)
    {
        var run = new Run(plan);
        run.Play();
        return run;
    }

    public void Dispose() => Host.Dispose();

    /// <summary>The end of the run, as text: what must be the same however it came about.</summary>
    /// <param name="withTimes">Also since when each is eligible and when it was looked at, which late answers and restarts may move.</param>
    public string Final(bool withTimes = false)
    {
        var text = new StringBuilder();
        foreach (Partition partition in Host.Partitions)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"partition {partition.Number}: ledger {partition.View.LedgerDigest():x}, applied {partition.Counters.Applied}, misplaced {partition.Counters.Misplaced}");
            // In no order: a parked debtor's come when its history has been read. Each content once: a misplaced record that is sent on twice, because
            // the process died in between, may be refused twice.
            foreach (string letter in store.LoadDeadLetters(partition.Number, 0, 10_000).Select(stored => stored.Letter).Select(letter => $"{letter.Reason}: {Convert.ToHexString(letter.Content)}").Distinct().Order(StringComparer.Ordinal))
                text.AppendLine($"  dead letter: {letter}");
            foreach (string act in Acts(partition.Number))
                text.AppendLine($"  {act}");
            foreach (LeaseRow row in store.LoadLeases(partition.Number).Where(row => row.State == LeaseState.Open))
                text.AppendLine($"  {row with { DecidedAt = default }}");
        }
        foreach ((string tenant, string name) in source.Debtors.Order())
        {
            DebtorSnapshot? debtor = Host.Partitions.Select(p => p.View.Debtor(Encoding.UTF8.GetBytes(tenant), Encoding.UTF8.GetBytes(name))).SingleOrDefault(found => found is not null);
            if (debtor is not null)
                text.AppendLine(CultureInfo.InvariantCulture, $"{tenant}/{name}: {debtor.Standing?.Queue} {debtor.Standing?.Lease} {debtor.Acted.Value:R} {debtor.Acted.RestUntilMs} {debtor.Eligibility} {debtor.Portfolio} {debtor.Facts with { PortfolioId = 0, TimeZoneId = 0, LanguageId = 0 }}{(withTimes ? $" {debtor.Acted.EligibleSinceMs} {debtor.Acted.ScoredAtMs}" : "")}");
        }
        return text.ToString();
    }

    private IEnumerable<string> Acts(int partition) => store.LoadAudit(partition)
        .Where(row => row.Kind is AuditKind.LeaseGranted or AuditKind.LeaseReported or AuditKind.LeaseExpired)
        .Select(row => $"{row.Kind} {row.Debtor} {row.Detail}").Distinct().Order(StringComparer.Ordinal);

    private void Play()
    {
        try
        {
            Guard(Host.Restart);
            for (int round = 0; round < plan.Rounds; round++)
                PlayRound(round);
            if (plan.Imports)
            {
                var end = new AppendBatch();
                source.EndImport(Host.NowMs, end);
                Host.Append(end);
            }
            // A new day looks at everybody, so that nothing depends on when each was looked at last.
            Host.NowMs = Day.OfMs(Host.NowMs).EndMs + 1;
            Guard(() => Host.Settle());
            for (int number = 0; number < plan.Partitions; number++)
            {
                Guard(() => Host.Keep(number));
                Guard(() => Host.Keep(number));
            }
            Auditor.Check(Host);
            for (int number = 0; number < plan.Partitions; number++)
                CheckOutbox(number);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{plan}, {Host.CrashedAt}, at {Host.NowMs}: {failure.Message}", failure);
        }
    }

    /// <summary>Whatever happened, every act of the trail is to leave as a decision, in the trail's order, under numbers without gaps; and every dead letter.</summary>
    private void CheckOutbox(int partition)
    {
        IReadOnlyList<OutboxRow> decisions = store.LoadOutbox(partition, OutboxKind.Decision, after: 0, int.MaxValue, long.MaxValue).Rows;
        Assert.Equal(Enumerable.Range(1, decisions.Count).Select(number => (long)number), decisions.Select(row => row.Sequence));
        Assert.Equal(
            store.LoadAudit(partition).Where(row => row.Kind <= AuditKind.LeaseVoided).Select(row => $"{row.Tenant}/{row.Debtor}"),
            decisions.Select(row => Encoding.UTF8.GetString(OutboxMessage.Of(partition, row).Key!)));
        Assert.Equal(store.LoadDeadLetters(partition, 0, int.MaxValue).Count, store.LoadOutbox(partition, OutboxKind.DeadLetter, after: 0, int.MaxValue, long.MaxValue).Rows.Count);
    }

    private void PlayRound(int round)
    {
        long fromMs = Host.NowMs;
        Host.NowMs += choices.Next(5) switch { 0 => 1 + choices.Next(1_000), 1 or 2 => choices.Next(3_600_000), 3 => choices.Next(36_000_000), _ => choices.Next(2) * Day.MsPerDay + choices.Next(7_200_000) } + 10;
        var events = new AppendBatch();
        int count = choices.Next(12);
        for (int i = 0; i < count; i++)
            source.Tell(fromMs + 1 + (Host.NowMs - fromMs - 2) * (i + 1) / (count + 1), events);
        // What is appended is acknowledged, so it is sent again only when the process died before that.
        if (events.Count > 0)
            Guard(() => Host.Append(events), isDone: () => events.OffsetOf(0) >= 0);
        for (int answers = choices.Next(4); answers > 0 && Host.HistoriesWaiting > 0; answers--)
            Guard(Host.AnswerHistory);
        Guard(() => Host.Settle(plan.AnswersAtOnce));
        Auditor.Check(Host);
        int acts = choices.Next(4);
        for (int act = 0; act < acts; act++)
        {
            Host.NowMs += 1 + choices.Next(50);
            Act(string.Create(CultureInfo.InvariantCulture, $"r{round}.{act}"));
            Guard(() => Host.Settle(plan.AnswersAtOnce));
            Auditor.Check(Host);
        }
    }

    private void Act(string request)
    {
        int what = choices.Next(8), which = choices.Next(1_000), much = choices.Next(1, 30);
        List<LeaseRow> open = Auditor.InHand;
        if (what < 4 || open.Count == 0)
        {
            Assert.True(QueueName.TryParse(Queues[which % Queues.Length], out QueueName queue));
            var order = new PullOrder(which % 3 == 0 ? "telco" : "bank", queue, 1 + much % 3, "caller", request, much * plan.LeaseMsMax / 30);
            List<LeaseRow> rows = Guard(() => Host.Pull(order));
            foreach (LeaseRow row in rows)
                Auditor.OnGranted(row);
            Trace.Add($"pull {request} from {order.Queue}: {string.Join(", ", rows.Select(row => $"{row.Id} {row.Debtor} {row.Value:R}"))}");
            return;
        }
        LeaseRow lease = open[which % open.Count];
        LeaseAnswer answer;
        switch (what)
        {
            case 4 or 5:
                answer = Guard(() => Host.Report(lease, (AttemptOutcome)(1 + which % 8)));
                Auditor.OnEnded(lease);
                break;
            case 6:
                answer = Guard(() => Host.Extend(lease, much * 3_600_000L));
                Assert.True(answer.Status == LeaseStatus.Open && answer.Row!.ExpiresMs >= lease.ExpiresMs, $"lease {lease.Id} is in hand, and {answer}");
                Auditor.OnExtended(answer.Row!);
                break;
            default:
                answer = Guard(() => Host.Release(lease));
                Auditor.OnEnded(lease);
                break;
        }
        Trace.Add($"{what switch { 6 => "extend", 7 => "release", _ => "report" }} {lease.Id}");
        Assert.True(Crashes > 0 || what == 7 || answer.Status == LeaseStatus.Open, $"lease {lease.Id} is in hand, and {answer}");
    }

    private void Guard(Action act, Func<bool>? isDone = null) => Guard(
        () =>
        {
            if (isDone is null || !isDone())
                act();
            return true;
        });

    /// <summary>Does something; when the process dies in it, restarts and does it again, as a caller without an answer would.</summary>
    private T Guard<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (SimulatedCrashException)
        {
            Crashes++;
            plan.WhileDown?.Invoke(store);
            Host.Restart();
            return act();
        }
    }
}
