using System.Globalization;
using System.Text;
using Collections.Engine.Leases;
using Collections.Engine.Partitions;
using Collections.Engine.Queues;
using Collections.Engine.Stores;
using Collections.Strategy;

namespace Collections.Simulation;

/// <summary>
/// Judges the engine from outside, knowing only what a caller can know: what was handed out and ended, and what the debtors look like.
/// Every finding is a sentence; a sound book gives none.
/// </summary>
internal sealed class Auditor(IReadOnlyList<(string Tenant, string Debtor)> debtors)
{
    private readonly Dictionary<(string Tenant, string Debtor), LeaseRow> inHand = [];
    private readonly HashSet<string> toldVoid = [];
    private readonly HashSet<string> given = [];
    private int told;

    /// <summary>Leases in callers' hands, in the order of their numbers.</summary>
    public List<LeaseRow> InHand => [.. inHand.Values.OrderBy(row => row.Partition).ThenBy(row => row.Sequence)];

    public void OnGranted(LeaseRow row)
    {
        Assert.True(given.Add(row.Id), $"lease {row.Id} was given twice");
        Assert.True(inHand.TryAdd((row.Tenant, row.Debtor), row), $"{row.Tenant}/{row.Debtor} got lease {row.Id} and is still under {inHand.GetValueOrDefault((row.Tenant, row.Debtor))?.Id}");
    }

    public void OnEnded(LeaseRow row) => inHand.Remove((row.Tenant, row.Debtor));

    public void OnExtended(LeaseRow row) => inHand[(row.Tenant, row.Debtor)] = row;

    /// <summary>Every partition has applied everything up to the host's clock.</summary>
    public void Check(SimulatedHost host)
    {
        HearVoided(host);
        EndExpired(host);
        foreach (Partition partition in host.Partitions)
        {
            CheckCounts(partition, host);
            BookCheck book = partition.View.Check();
            Assert.True(book == default, $"partition {partition.Number}: {book}");
        }
        var queued = new Dictionary<(string Tenant, string Queue), List<DebtorSnapshot>>();
        foreach ((string tenant, string name) in debtors)
        {
            DebtorSnapshot? debtor = host.Partitions.Select(p => p.View.Debtor(Encoding.UTF8.GetBytes(tenant), Encoding.UTF8.GetBytes(name))).SingleOrDefault(found => found is not null);
            if (debtor is not null)
                CheckDebtor(debtor, queued);
        }
        CheckOrder(host, queued);
    }

    private void HearVoided(SimulatedHost host)
    {
        for (; told < host.ToldVoid.Count; told++)
        {
            string id = host.ToldVoid[told];
            Assert.True(toldVoid.Add(id), $"lease {id} was told void twice");
            if (inHand.Values.SingleOrDefault(row => row.Id == id) is { } row)
                OnEnded(row);
        }
        if (host.Restarts == 0)
            return;
        // Who was to be told when the process died is told when he acts.
        foreach (LeaseRow row in inHand.Values.ToList())
        {
            if (host.Partitions.ElementAt(row.Partition).Desk.CheckHeld(row.Sequence).Status == LeaseStatus.Voided)
                OnEnded(row);
        }
    }

    private void EndExpired(SimulatedHost host)
    {
        foreach (LeaseRow row in inHand.Values.Where(row => row.ExpiresMs <= host.NowMs).ToList())
        {
            // A parked debtor's expiry waits for its history.
            Partition partition = host.Partitions.ElementAt(row.Partition);
            bool isParked = partition.View.Debtor(Encoding.UTF8.GetBytes(row.Tenant), Encoding.UTF8.GetBytes(row.Debtor))!.IsParked;
            LeaseStatus status = partition.Desk.CheckHeld(row.Sequence).Status;
            Assert.True(status is LeaseStatus.Expired or LeaseStatus.Closed || isParked, $"lease {row.Id} outlives its time");
            if (status != LeaseStatus.Open)
                OnEnded(row);
        }
    }

    private static void CheckCounts(Partition partition, SimulatedHost host)
    {
        PartitionCounters counters = partition.Counters;
        long settled = counters.Applied + counters.Duplicates + counters.DeadLetters + counters.Misplaced;
        if (partition.ParkedCount > 0)
            Assert.True(settled < partition.Positions.Total, $"partition {partition.Number}: {counters} of {partition.Positions.Total} records, and {partition.ParkedCount} debtors parked");
        else if (!host.CountsImports)
            Assert.True(settled == partition.Positions.Total, $"partition {partition.Number}: {counters} of {partition.Positions.Total} records");
    }

    private void CheckDebtor(DebtorSnapshot debtor, Dictionary<(string Tenant, string Queue), List<DebtorSnapshot>> queued)
    {
        string name = $"{debtor.Tenant}/{debtor.Name}";
        inHand.TryGetValue((debtor.Tenant, debtor.Name), out LeaseRow? hand);
        bool isLeased = debtor.Standing is { Lease.Length: > 0 };
        bool isQueued = debtor.Standing is { Lease.Length: 0 };
        if (hand is not null)
            Assert.True(debtor.Standing?.Lease == hand.Id, $"{name} is in a caller's hand under {hand.Id}, and the engine has it under '{debtor.Standing?.Lease}'");
        bool mayBeQueued = !debtor.IsParked && !debtor.IsQuiet && !isLeased && debtor.Eligibility == Eligibility.Eligible;
        Assert.True(isQueued == mayBeQueued, string.Create(CultureInfo.InvariantCulture,
            $"{name} is {(isQueued ? "" : "not ")}queued: {debtor.Eligibility}, parked {debtor.IsParked}, quiet {debtor.IsQuiet}, lease '{debtor.Standing?.Lease}', {debtor.Facts} at {debtor.AsOfMs}, scored at {debtor.Acted.ScoredAtMs}, rests until {debtor.Acted.RestUntilMs}, lease number {debtor.Acted.LeaseSequence}"));
        if (!isQueued)
            return;
        if (!queued.TryGetValue((debtor.Tenant, debtor.Standing!.Queue), out List<DebtorSnapshot>? queue))
            queued.Add((debtor.Tenant, debtor.Standing.Queue), queue = []);
        queue.Add(debtor);
    }

    private static void CheckOrder(SimulatedHost host, Dictionary<(string Tenant, string Queue), List<DebtorSnapshot>> queued)
    {
        int figures = host.Partitions.Sum(partition => partition.View.Queues().Sum(queue => queue.Waiting));
        Assert.Equal(queued.Values.Sum(queue => queue.Count), figures);
        foreach (((string tenant, string name), List<DebtorSnapshot> queue) in queued)
        {
            queue.Sort((a, b) =>
                a.Standing!.Value != b.Standing!.Value ? b.Standing.Value.CompareTo(a.Standing.Value)
                : a.Standing.EligibleSinceMs != b.Standing.EligibleSinceMs ? a.Standing.EligibleSinceMs.CompareTo(b.Standing.EligibleSinceMs)
                : Encoding.UTF8.GetBytes(a.Name).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b.Name)));
            Assert.True(QueueName.TryParse(name, out QueueName parsed));
            foreach (int count in (int[])[1, 2, 5, queue.Count])
            {
                var heads = new QueueHeads();
                foreach (Partition partition in host.Partitions)
                    partition.Desk.Look(new PullOrder(tenant, parsed, count, "auditor", "", 1), heads);
                heads.Sort();
                IEnumerable<string> seen = Enumerable.Range(0, Math.Min(count, heads.Count)).Select(i => Encoding.UTF8.GetString(heads.KeyOf(heads[i])));
                Assert.Equal(queue.Take(count).Select(debtor => debtor.Name), seen);
            }
        }
    }
}
