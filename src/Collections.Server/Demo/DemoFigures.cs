using System.Globalization;
using Collections.Domain;

namespace Collections.Server.Demo;

/// <summary>What a demo counts while it runs.</summary>
public sealed class DemoFigures
{
    private ulong hash;

    public long HistoryEvents { get; set; }

    /// <summary>From the first event generated to the last one applied.</summary>
    public double HistorySeconds { get; set; }

    /// <summary>The first evaluation of the whole book.</summary>
    public double EvaluationSeconds { get; set; }

    public long PaymentsLive { get; set; }

    public long ActionsPulled { get; private set; }

    public long Reported { get; private set; }

    public long RightParty { get; private set; }

    public long MetVoided { get; private set; }

    public int PaidStillQueued { get; set; }

    public int DoubleLeased { get; set; }

    public int UnbalancedLedgers { get; set; }

    /// <summary>Over the leases and ledgers of every tick, in order.</summary>
    public string ResultHash => hash.ToString("x16", CultureInfo.InvariantCulture);

    public void Digest(ulong value) => hash = Hash64.Of(BitConverter.GetBytes(value), hash);

    private int doubleLeasedSeen;

    internal void Take(DialerFloor floor)
    {
        ActionsPulled = floor.ActionsPulled;
        Reported = floor.Reported;
        RightParty = floor.RightParty;
        MetVoided = floor.MetVoided;
        DoubleLeased += floor.DoubleLeased - doubleLeasedSeen;
        doubleLeasedSeen = floor.DoubleLeased;
    }
}

/// <summary>The last line of <c>demo --json</c>.</summary>
/// <param name="Events">Events applied.</param>
/// <param name="EventsPerSecond">History events a second, from generation through the durable log to the debtors.</param>
/// <param name="BytesPerDebtor">Native memory: records, lists, index, queue entries.</param>
/// <param name="PaidStillQueued">Debtors found in a queue with nothing overdue, over all checks; must be 0.</param>
/// <param name="DoubleLeased">Debtors in two hands at once; must be 0.</param>
/// <param name="ResultHash">Over ledgers and leases; equal for equal seeds.</param>
public sealed record DemoResult(
    int Debtors, long Events, double EventsPerSecond, double BytesPerDebtor, string Model, long ActionsPulled, long PaymentsLive, int PaidStillQueued,
    int DoubleLeased, bool LedgerBalanced, long DeadLetters, ulong Seed, string ResultHash);
