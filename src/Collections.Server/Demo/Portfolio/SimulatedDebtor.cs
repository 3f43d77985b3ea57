using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Demo.Portfolio;

[Flags]
internal enum BadContactPoints : byte
{
    None = 0,
    Phone = 1,
    Mobile = 2,
    Email = 4,
    Address = 8,
}

/// <summary>
/// All that is remembered of one simulated debtor: its character, drawn once; what it owes; and the next day on which each of its
/// habits acts. Amounts of bills are not kept, they are drawn again when needed.
/// </summary>
internal struct SimulatedDebtor
{
    /// <summary>The hidden willingness and ability to pay, 0 to 1, that all its decisions depend on.</summary>
    public float Propensity;

    /// <summary>The usual bill.</summary>
    public int MedianMinor;

    /// <summary>Issued − credited − received + reversed; negative: it has paid too much.</summary>
    public int NetMinor;

    /// <summary>The number of the latest of its events' ids.</summary>
    public int Sequence;

    /// <summary>The number of the open dispute's id; 0: none is open.</summary>
    public int Dispute;

    /// <summary>Money not to be paid while the dispute is open.</summary>
    public int DisputedMinor;

    /// <summary>Items before this one are disputed no more; the one before it is what the latest dispute is about.</summary>
    public ushort DisputableFrom;

    /// <summary>Items issued; the next one has this number, counted from 0.</summary>
    public ushort Issued;

    /// <summary>The calendar month (year × 12 + month − 1) of item 0; one item a month follows.</summary>
    public ushort FirstMonth;

    public Day NextIssue;

    /// <summary>When it next thinks of paying by itself; none: not before the next bill.</summary>
    public Day NextPayment;

    /// <summary>When the creditor of the history next reminds it; live, reminding is the engine's work.</summary>
    public Day NextAttempt;

    /// <summary>When it next does something unasked that moves no money.</summary>
    public Day NextChatter;

    /// <summary>The last day on which the creditor of the history waits for a promise.</summary>
    public Day QuietUntil;

    public Day LastAttempt;

    /// <summary>One bit for each kind of follow-up that waits in the queue.</summary>
    public byte Waiting;

    /// <summary>Attempts of late, wearing off by one in three days.</summary>
    public byte Fatigue;

    /// <summary>The day of the month on which money comes in: 15, 25, 31 (month-end), or 0 (by direct debit on the due date).</summary>
    public byte PayDay;

    public byte BillingDay;
    public byte GoodHour;
    public byte CustomerType;
    public byte Product;
    public byte Region;
    public DebtorType Type;
    public Channel Preferred;
    public BadContactPoints BadPoints;

    public readonly bool PaysByDebit => PayDay == 0;

    /// <summary>What it would pay now: all that it owes, but for what it disputes.</summary>
    public readonly int PayableMinor => Dispute == 0 ? NetMinor : NetMinor - DisputedMinor;

    /// <summary>The first day on which any of its habits acts.</summary>
    public readonly Day NextHabit => Earlier(Earlier(NextIssue, NextPayment), Earlier(NextAttempt, NextChatter));

    // No day comes after every day: 0 − 1 wraps round to the largest number.
    private static Day Earlier(Day a, Day b) => (ushort)(a.Number - 1) <= (ushort)(b.Number - 1) ? a : b;
}
