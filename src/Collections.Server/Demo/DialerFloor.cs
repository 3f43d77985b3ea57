using Collections.Domain;
using Collections.Server.Demo.Portfolio;
using Collections.Server.Hosting;
using Collections.V1;

namespace Collections.Server.Demo;

/// <summary>
/// The dialers and senders of the demo: each tick they pull from every queue over gRPC, contact the simulated debtors, and report what
/// they met. They keep their own list of who is in whose hand, to catch the engine if it hands a debtor out twice.
/// </summary>
internal sealed class DialerFloor(Queues.QueuesClient queues, SimulatedPortfolio portfolio, VirtualClock clock)
{
    /// <summary>One contact in this many is not reported in its tick, so that leases stay open while payments come in.</summary>
    private const int HeldBack = 4;

    private readonly Dictionary<string, V1.Action> inHand = [];
    private readonly List<V1.Action> best = [];
    private ulong digest;

    public long ActionsPulled { get; private set; }

    public long Reported { get; private set; }

    /// <summary>Reports that met a lease which a payment, a promise or a dispute had voided.</summary>
    public long MetVoided { get; private set; }

    public long RightParty { get; private set; }

    /// <summary>Debtors handed out while another lease on them was open.</summary>
    public int DoubleLeased { get; private set; }

    public IReadOnlyList<V1.Action> Best => best;

    public async Task WorkAsync(int actions)
    {
        await ReportAsync(inHand.Values.OrderBy(a => a.Debtor, StringComparer.Ordinal));
        best.Clear();
        ListQueuesResponse all = await queues.ListQueuesAsync(new ListQueuesRequest());
        int share = Math.Max(1, actions / Math.Max(1, all.Queues.Count));
        foreach (QueueSummary queue in all.Queues.OrderBy(q => q.Queue, StringComparer.Ordinal))
            await WorkQueueAsync(queue.Queue, share);
        best.Sort((a, b) => b.Value.CompareTo(a.Value));
    }

    /// <summary>Over the leases since the last call, in the order in which they were given.</summary>
    public ulong TakeDigest()
    {
        ulong taken = digest;
        digest = 0;
        return taken;
    }

    private async Task WorkQueueAsync(string queue, int count)
    {
        for (int left = count; left > 0;)
        {
            PullResponse pulled = await queues.PullAsync(new PullRequest { Queue = queue, Count = Math.Min(left, 100), Caller = $"dialer {queue}", LeaseSeconds = 86_400 });
            if (pulled.Actions.Count == 0)
                return;
            left -= pulled.Actions.Count;
            ActionsPulled += pulled.Actions.Count;
            foreach (V1.Action action in pulled.Actions)
            {
                digest = Hash64.Of(System.Text.Encoding.UTF8.GetBytes(action.Lease + action.Debtor + action.Queue), digest ^ (ulong)BitConverter.DoubleToInt64Bits(action.Value));
                if (!inHand.TryAdd(action.Debtor, action))
                    DoubleLeased++;
            }
            best.AddRange(pulled.Actions.Take(5));
            await ReportAsync(pulled.Actions.Where((_, i) => i % HeldBack != HeldBack - 1));
        }
    }

    /// <summary>Contacts one debtor after another, and reports all of them at once, as a floor of many dialers does.</summary>
    private async Task ReportAsync(IEnumerable<V1.Action> actions)
    {
        var reports = new List<Task<LeaseAnswer>>();
        foreach (V1.Action action in actions.ToArray())
        {
            Invariant.Require(DebtorNames.TryParse(System.Text.Encoding.UTF8.GetBytes(action.Debtor), out int debtor), $"'{action.Debtor}' is none of the simulated debtors");
            Domain.Events.AttemptOutcome outcome = portfolio.Contact(debtor, (Domain.Events.Channel)action.Channel, clock.NowMs);
            reports.Add(queues.ReportAsync(new ReportRequest { Lease = action.Lease, Outcome = (AttemptOutcome)outcome }).ResponseAsync);
            inHand.Remove(action.Debtor);
            if (outcome == Domain.Events.AttemptOutcome.RightParty)
                RightParty++;
        }
        foreach (LeaseAnswer answer in await Task.WhenAll(reports))
        {
            Reported++;
            if (answer.Status == LeaseStatus.LeaseVoided)
                MetVoided++;
        }
    }
}
