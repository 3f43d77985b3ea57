using Collections.V1;

namespace Collections.Load;

/// <summary>
/// Who is in whose hand, as the callers see it: catches an engine that hands out a lease twice, or a debtor who is in a hand already. Any thread.
/// <para>
/// That a debtor comes again before the first lease was reported may be right: a payment voided that lease, and the debtor fell due again. The
/// reports settle it: an engine that takes both as open had the debtor in two leases, in whatever order its answers came.
/// </para>
/// </summary>
internal sealed class LeaseBook
{
    private readonly Lock gate = new();
    private readonly List<Held> held = [];
    private readonly HashSet<string> ids = [];
    private readonly Dictionary<string, int> inHand = [];

    /// <summary>Leases whose id had been handed out before; must be 0.</summary>
    public int LeasesTwice { get; private set; }

    /// <summary>Debtors who were handed out while another lease on them was open; must be 0.</summary>
    public int DebtorsTwice { get; private set; }

    /// <summary>Reports that met a lease which a payment or the like had voided.</summary>
    public int Voided { get; private set; }

    public int Count
    {
        get
        {
            lock (gate)
                return held.Count;
        }
    }

    /// <summary>Takes what was handed out.</summary>
    /// <returns>Its number.</returns>
    public int Take(V1.Action action)
    {
        lock (gate)
        {
            int number = held.Count;
            held.Add(new Held(action.Lease, action.Debtor, action.Channel));
            if (!ids.Add(action.Lease))
                LeasesTwice++;
            if (inHand.TryGetValue(action.Debtor, out int earlier))
                (held[earlier].Next, held[number].Previous) = (held[number], held[earlier]);
            inHand[action.Debtor] = number;
            return number;
        }
    }

    /// <summary>Its report is about to go out: from now on the engine may hand out the debtor again.</summary>
    public (string Lease, Channel Channel) Report(int number)
    {
        lock (gate)
        {
            Held lease = held[number];
            if (inHand.TryGetValue(lease.Debtor, out int last) && last == number)
                inHand.Remove(lease.Debtor);
            return (lease.Id, lease.Channel);
        }
    }

    /// <summary>What the engine said to the report.</summary>
    public Outcome Answered(int number, LeaseStatus status, string reason)
    {
        lock (gate)
        {
            if (status == LeaseStatus.LeaseVoided)
                Voided++;
            if (status == LeaseStatus.LeaseClosed)
                Close(held[number]);
        }
        return status is LeaseStatus.LeaseClosed or LeaseStatus.LeaseVoided ? Outcome.Ok : new Outcome(status.ToString(), reason);
    }

    private void Close(Held lease)
    {
        lease.WasOpen = true;
        DebtorsTwice += (lease.Previous is { WasOpen: true } ? 1 : 0) + (lease.Next is { WasOpen: true } ? 1 : 0);
    }

    private sealed class Held(string id, string debtor, Channel channel)
    {
        public string Id => id;

        public string Debtor => debtor;

        public Channel Channel => channel;

        /// <summary>The same debtor's, taken when this was in a hand still.</summary>
        public Held? Next { get; set; }

        /// <summary>The same debtor's, in a hand still when this was taken.</summary>
        public Held? Previous { get; set; }

        /// <summary>Until its report.</summary>
        public bool WasOpen { get; set; }
    }
}
