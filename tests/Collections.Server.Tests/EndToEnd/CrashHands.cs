using Collections.V1;
using Google.Protobuf.WellKnownTypes;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>
/// The hands that pull actions during a crash run. They share one book of who holds whom, by what was answered to them; a debtor who is answered
/// to a second hand while the first lease is in force is a violation.
/// </summary>
/// <param name="isFedBehind">Whether events come in by ways that nobody waits for: then any lease may be over, and the node alone knows.</param>
internal sealed class CrashHands(ICallLink link, bool isFedBehind = false)
{
    private const int LeaseSeconds = 3_600;

    private readonly Lock gate = new();
    private readonly Dictionary<string, string> debtorOfLease = [];
    private readonly Dictionary<string, V1.Action> held = [];
    private readonly HashSet<string> paying = [];
    private readonly List<string> suspects = [];

    public List<string> Violations { get; } = [];

    public int Granted { get; private set; }

    public int Reported { get; private set; }

    public int Released { get; private set; }

    public int Voided { get; private set; }

    public bool HaveDoneEverything => Granted > 0 && Reported > 0 && Released > 0;

    /// <summary>An event that may void the debtor's lease is about to be sent; whether it did, the node is asked.</summary>
    public void Paying(string debtor)
    {
        lock (gate)
            paying.Add(debtor);
    }

    /// <summary>Pulls and works until told to end.</summary>
    public async Task WorkAsync(int number, Random random, CancellationToken end)
    {
        var mine = new List<V1.Action>();
        for (int pull = 0; !end.IsCancellationRequested; pull++)
        {
            var request = new PullRequest
            {
                Queue = $"{CrashFeed.Portfolio}/{CrashFeed.Channels[random.Next(2)]}",
                Count = 1 + random.Next(4),
                Caller = $"hand-{number}",
                RequestId = $"pull-{pull}",
                LeaseSeconds = LeaseSeconds,
            };
            PullResponse response = await link.CallAsync(async channel => await new V1.Queues.QueuesClient(channel).PullAsync(request));
            foreach (V1.Action action in response.Actions)
                await TakeAsync(action, mine);
            // Mostly kept for a while, so that payments and crashes meet open leases.
            if (mine.Count > 0 && (mine.Count > 12 || random.Next(3) == 0))
                await PutDownAsync(mine, random);
        }
    }

    /// <summary>What is still in hand is asked of the node: none of it may be in force for two.</summary>
    public async Task CheckHeldAsync()
    {
        foreach (V1.Action action in held.Values.ToArray())
        {
            LeaseAnswer answer = await ExtendAsync(action.Lease);
            if (answer.Status is LeaseStatus.LeaseVoided)
                Voided++;
            else if (answer.Status != LeaseStatus.LeaseOpen)
                Violations.Add($"lease {action.Lease} of {action.Debtor} was never reported, released or voided, but is {answer.Status}: {answer.Reason}");
            DebtorView view = await link.CallAsync(async channel => await new V1.Debtors.DebtorsClient(channel).GetAsync(new GetDebtorRequest { Debtor = action.Debtor }));
            if (answer.Status == LeaseStatus.LeaseOpen && view.QueueEntry?.Lease != action.Lease)
                Violations.Add($"lease {action.Lease} is open, but its debtor {action.Debtor} stands under '{view.QueueEntry?.Lease}'");
        }
        foreach (string lease in suspects)
        {
            LeaseAnswer answer = await ExtendAsync(lease);
            if (answer.Status == LeaseStatus.LeaseOpen && held.GetValueOrDefault(debtorOfLease[lease])?.Lease != lease)
                Violations.Add($"lease {lease} of {debtorOfLease[lease]} is open, and another was given after it");
        }
    }

    private async Task TakeAsync(V1.Action action, List<V1.Action> mine)
    {
        V1.Action? before;
        bool mayBeVoided;
        lock (gate)
        {
            if (!debtorOfLease.TryAdd(action.Lease, action.Debtor))
                Violations.Add($"lease id {action.Lease} was given for {debtorOfLease[action.Lease]} and again for {action.Debtor}");
            before = held.GetValueOrDefault(action.Debtor);
            mayBeVoided = paying.Remove(action.Debtor) || isFedBehind;
            held[action.Debtor] = action;
            Granted++;
        }
        mine.Add(action);
        if (before is null)
            return;
        if (!mayBeVoided)
        {
            lock (gate)
                Violations.Add($"{action.Debtor} was given under {action.Lease} while {before.Lease} was in force: nothing had been sent that could end it");
            return;
        }
        LeaseAnswer answer = await ExtendAsync(before.Lease);
        lock (gate)
        {
            Voided++;
            suspects.Add(before.Lease);
            if (answer.Status == LeaseStatus.LeaseOpen)
                Violations.Add($"{action.Debtor} was given under {action.Lease} while {before.Lease} is open");
        }
    }

    private async Task PutDownAsync(List<V1.Action> mine, Random random)
    {
        int at = random.Next(mine.Count);
        V1.Action action = mine[at];
        mine.RemoveAt(at);
        bool report = random.Next(3) == 0;
        lock (gate)
        {
            // From the first try on it may have ended, whatever is answered.
            if (held.GetValueOrDefault(action.Debtor)?.Lease == action.Lease)
                held.Remove(action.Debtor);
        }
        var at0 = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow);
        LeaseAnswer answer = await link.CallAsync(async channel => report
            ? await new V1.Queues.QueuesClient(channel).ReportAsync(new ReportRequest { Lease = action.Lease, Outcome = AttemptOutcome.NoAnswer, At = at0 })
            : await new V1.Queues.QueuesClient(channel).ReleaseAsync(new ReleaseRequest { Lease = action.Lease }));
        lock (gate)
        {
            if (answer.Status == LeaseStatus.LeaseVoided)
                Voided++;
            else if (answer.Status != LeaseStatus.LeaseClosed)
                Violations.Add($"{(report ? "report" : "release")} of {action.Lease} was answered {answer.Status}: {answer.Reason}");
            else if (report)
                Reported++;
            else
                Released++;
        }
    }

    private Task<LeaseAnswer> ExtendAsync(string lease) => link.CallAsync(async channel =>
        await new V1.Queues.QueuesClient(channel).ExtendAsync(new ExtendRequest { Lease = lease, LeaseSeconds = LeaseSeconds }));
}
