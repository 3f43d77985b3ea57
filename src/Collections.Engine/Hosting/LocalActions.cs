using Collections.Engine.Leases;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>The actions of the partitions that run here: looks at their heads, reserves, commits the leases to the store in one transaction.</summary>
internal sealed class LocalActions(Node node) : IActionSource
{
    private readonly Lock gate = new();

    // Of a request whose leases have all ended, or are another node's now, only its name is left.
    private readonly Dictionary<(string Tenant, string Caller, string Request), List<LeaseRow>> requests = [];
    private readonly Queue<(string Tenant, string Caller, string Request)> requestOrder = [];
    private readonly Dictionary<(int Partition, uint Sequence), (string Tenant, string Caller, string Request)> requestOf = [];

    /// <summary>Leases that a retry would get.</summary>
    public int Remembered
    {
        get
        {
            lock (gate)
                return requestOf.Count;
        }
    }

    public async Task<SourceHeads> LookAsync(PullOrder order)
    {
        SourceHeads[] seen = await Task.WhenAll(node.Workers.Select(worker => worker.Ask(() => Look(worker, order))));
        var all = new QueueHeads();
        foreach (SourceHeads source in seen)
            all.AddAll(source.Heads);
        all.Sort();
        IEnumerable<string> reasons = seen.Select(static s => s.Reason).Where(static r => r.Length > 0);
        return new SourceHeads(all, [.. seen.SelectMany(static s => s.Partitions)], string.Join("; ", reasons), await BeforeAsync(order));
    }

    public async Task<IReadOnlyList<LeasedAction>> GrantAsync(PullOrder order, IReadOnlyList<Head> chosen)
    {
        List<Reservation> reservations = await ReserveAsync(order, chosen);
        if (reservations.Count == 0)
            return [];
        try
        {
            reservations = await ActionReasons.AddAsync(reservations);
            await node.LeaseWrites.CommitAsync([.. reservations.Select(static r => new LeaseChange(
                LeaseChangeKind.Grant, r.Lease.Partition, r.Host.Partition.Checkpoints.Epoch, r.Lease.Sequence, r.Lease.ExpiresMs, r.Lease))]);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            await EndAsync(reservations, static (partition, row) => partition.Desk.Unreserve(row.Sequence));
            throw;
        }
        if (order.RequestId.Length > 0)
            Remember(reservations.Select(static r => r.Lease));
        // A payment may have come in between: what was voided is not handed out.
        var confirmed = new List<LeasedAction>(reservations.Count);
        var voided = new List<LeaseChange>();
        await EndAsync(reservations, (partition, row) =>
        {
            bool isHeld = partition.Desk.Confirm(row.Sequence, row.Reasons);
            LeasedAction? action = isHeld ? partition.View.Describe(row) : null;
            lock (confirmed)
            {
                if (action is not null)
                    confirmed.Add(action);
                if (!isHeld)
                    voided.Add(new LeaseChange(LeaseChangeKind.Void, row.Partition, partition.Checkpoints.Epoch, row.Sequence, row.ExpiresMs, null));
            }
        });
        // The word of it may have reached the store before the lease did, and found none.
        if (voided.Count > 0)
            node.LeaseWrites.Post([.. voided]);
        Forget(voided.Select(static change => (change.Partition, change.Sequence)));
        return confirmed;
    }

    /// <summary>For retries: of partitions that are taken, the open leases; of those here, what was granted.</summary>
    public void Remember(IEnumerable<LeaseRow> rows)
    {
        lock (gate)
        {
            foreach (LeaseRow row in rows)
            {
                if (row.RequestId.Length == 0 || row.State != LeaseState.Open)
                    continue;
                (string, string, string) key = (row.Tenant, row.Caller, row.RequestId);
                if (!requests.TryGetValue(key, out List<LeaseRow>? of))
                {
                    requests.Add(key, of = []);
                    requestOrder.Enqueue(key);
                    if (requestOrder.Count > Limits.RequestsRemembered && requests.Remove(requestOrder.Dequeue(), out List<LeaseRow>? oldest))
                        oldest.ForEach(old => requestOf.Remove((old.Partition, old.Sequence)));
                }
                of.RemoveAll(before => before.Partition == row.Partition && before.Sequence == row.Sequence);
                of.Add(row);
                requestOf[(row.Partition, row.Sequence)] = key;
            }
        }
    }

    /// <summary>Leases have ended: a retry will not get them.</summary>
    public void Forget(IEnumerable<(int Partition, uint Sequence)> leases)
    {
        lock (gate)
        {
            foreach ((int partition, uint sequence) in leases)
            {
                if (requestOf.Remove((partition, sequence), out (string, string, string) key))
                    requests[key].RemoveAll(row => row.Partition == partition && row.Sequence == sequence);
            }
        }
    }

    /// <summary>The partition runs here no more; its next owner knows its open leases.</summary>
    public void Forget(int partition)
    {
        lock (gate)
            Forget([.. requestOf.Keys.Where(lease => lease.Partition == partition)]);
    }

    /// <summary>Leases as they stand; those that have ended are left out, as are those of partitions that do not run here.</summary>
    public async Task<List<LeasedAction>> DescribeAsync(IReadOnlyList<LeaseRow> rows)
    {
        var described = new List<LeasedAction>(rows.Count);
        await Task.WhenAll(rows.Select(row => (Row: row, Host: node.Ownership.Find(row.Partition))).Where(static r => r.Host is not null)
            .GroupBy(static r => r.Host!.Worker).Select(group => group.Key.Ask(() =>
            {
                foreach ((LeaseRow row, PartitionHost? host) in group)
                {
                    if (host!.State == PartitionState.Elsewhere || host.Partition.View.Describe(row) is not { } action)
                        continue;
                    lock (described)
                        described.Add(action);
                }
                return true;
            })));
        return described;
    }

    private static SourceHeads Look(Worker worker, PullOrder order)
    {
        var heads = new QueueHeads();
        var silent = new List<string>();
        IReadOnlyList<PartitionHost> hosts = worker.Hosts;
        foreach (PartitionHost host in hosts)
        {
            if (host.State != PartitionState.Serving)
            {
                silent.Add(Describe(host));
                continue;
            }
            host.Partition.Desk.Look(order, heads);
            heads.Keep(order.Count);
        }
        return new SourceHeads(heads, [.. hosts.Select(static host => host.Number)], string.Join("; ", silent), null);
    }

    /// <summary>What the request got before of partitions that run here, as far as it has not ended; null: nothing is known of it.</summary>
    private async Task<IReadOnlyList<LeasedAction>?> BeforeAsync(PullOrder order)
    {
        if (order.RequestId.Length == 0)
            return null;
        LeaseRow[] rows;
        lock (gate)
        {
            if (!requests.TryGetValue((order.Tenant, order.Caller, order.RequestId), out List<LeaseRow>? found))
                return null;
            rows = [.. found];
        }
        return await DescribeAsync(rows);
    }

    private static string Describe(PartitionHost host) =>
        $"partition {host.Number} is {host.State.ToString().ToLowerInvariant()}{(host.Reason.Length > 0 ? $" ({host.Reason})" : "")}";

    private async Task<List<Reservation>> ReserveAsync(PullOrder order, IReadOnlyList<Head> chosen)
    {
        long nowMs = node.NowMs;
        var reserved = new List<Reservation>();
        try
        {
            await Task.WhenAll(chosen.Select(head => (Head: head, Host: node.Ownership.Find(head.Partition))).Where(static c => c.Host is not null)
                .GroupBy(static c => c.Host!.Worker).Select(async group =>
                {
                    List<Reservation> rows = await group.Key.Ask(() => Reserve(order, group, nowMs));
                    lock (reserved)
                        reserved.AddRange(rows);
                }));
        }
        catch (InvalidOperationException)
        {
            // One worker has no room for a question: what the others have reserved goes back.
            await EndAsync(reserved, static (partition, row) => partition.Desk.Unreserve(row.Sequence));
            throw;
        }
        return reserved;
    }

    private static List<Reservation> Reserve(PullOrder order, IEnumerable<(Head Head, PartitionHost? Host)> chosen, long nowMs)
    {
        var reserved = new List<Reservation>();
        foreach ((Head head, PartitionHost? host) in chosen)
        {
            if (host!.State != PartitionState.Serving || host.Partition.Desk.Reserve(order, head.Slot, nowMs) is not { } row)
                continue;
            host.OnGranting(1);
            reserved.Add(new Reservation(host, row, order.WithReasons ? host.Partition.View.Scored(head.Slot) : null));
        }
        return reserved;
    }

    /// <summary>Ends reservations on their workers, one way or the other.</summary>
    private static Task EndAsync(List<Reservation> reservations, Action<Partition, LeaseRow> end) => Task.WhenAll(
        reservations.GroupBy(static r => r.Host.Worker).Select(group => group.Key.Ask(() =>
        {
            foreach (Reservation reservation in group)
            {
                reservation.Host.OnGranting(-1);
                if (reservation.Host.State != PartitionState.Elsewhere)
                    end(reservation.Host.Partition, reservation.Lease);
            }
            return true;
        }, isOrder: true)));
}
