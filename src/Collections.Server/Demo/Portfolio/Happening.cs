using Collections.Domain;

namespace Collections.Server.Demo.Portfolio;

/// <summary>What can happen to a simulated debtor; at one instant in this order. At most 16: four bits of a <see cref="Happening"/>'s key.</summary>
internal enum HappeningKind
{
    Register = 0,
    Issue = 1,
    PayDay = 2,
    Attempt = 3,
    Chatter = 4,

    // From here on: follow-ups, which wait in the queue.
    Payment = 5,
    Reversal = 6,
    Inbound = 7,
    Promise = 8,
    Dispute = 9,
    Resolution = 10,
}

/// <summary>
/// When, to whom and what, as one number whose order is the order of the simulation: 38 bits of milliseconds since the first day,
/// 22 bits of debtor, 4 bits of kind. Unique, because a debtor has at most one happening of a kind planned.
/// </summary>
internal readonly record struct Happening(ulong Key)
{
    private const int DebtorBits = 22;
    private const int KindBits = 4;

    public int Debtor => (int)(Key >> KindBits) & ((1 << DebtorBits) - 1);

    public HappeningKind Kind => (HappeningKind)(Key & ((1 << KindBits) - 1));

    public long MsSince(Day origin) => origin.StartMs + (long)(Key >> (DebtorBits + KindBits));

    public static Happening Of(Day origin, long atMs, int debtor, HappeningKind kind) =>
        new((ulong)(atMs - origin.StartMs) << (DebtorBits + KindBits) | (ulong)(uint)debtor << KindBits | (uint)kind);
}

/// <summary>What a follow-up needs to know beside its <see cref="Happening"/>.</summary>
/// <param name="AmountMinor">The amount promised, reversed or credited; 0: as the debtor decides then.</param>
/// <param name="Reference">The number of a payment's id, or an inbound contact's channel and kind.</param>
internal readonly record struct FollowUp(int AmountMinor, int Reference);

/// <summary>The follow-ups that wait for their instant, ordered by (instant, debtor, kind).</summary>
internal sealed class FollowUpQueue(Day origin, int debtors)
{
    private readonly PriorityQueue<FollowUp, ulong> waiting = new();

    public int Count => waiting.Count;

    /// <summary>The most that can wait: one of each kind a debtor.</summary>
    public int CountMax => debtors * PortfolioLimits.FollowUpsPerDebtorMax;

    public static bool IsWaiting(in SimulatedDebtor s, HappeningKind kind) => (s.Waiting & BitOf(kind)) != 0;

    /// <summary>Adds a follow-up unless the debtor has one of this kind waiting, or its instant lies beyond what a key can say.</summary>
    public bool TryAdd(ref SimulatedDebtor s, int debtor, HappeningKind kind, long atMs, FollowUp followUp)
    {
        if (IsWaiting(s, kind) || atMs >= origin.StartMs + PortfolioLimits.DaysMax * Day.MsPerDay)
            return false;
        s.Waiting |= BitOf(kind);
        waiting.Enqueue(followUp, Happening.Of(origin, atMs, debtor, kind).Key);
        return true;
    }

    /// <summary>The key of the next follow-up; the largest number when none waits.</summary>
    public ulong NextKey => waiting.TryPeek(out _, out ulong key) ? key : ulong.MaxValue;

    public FollowUp Take(ref SimulatedDebtor s, HappeningKind kind)
    {
        s.Waiting &= (byte)~BitOf(kind);
        return waiting.Dequeue();
    }

    private static byte BitOf(HappeningKind kind) => (byte)(1 << (kind - HappeningKind.Payment));
}
