using System.Runtime.InteropServices;

namespace Collections.Domain.Debtors;

/// <summary>
/// What was done about a debtor, in the order of knowledge. The partition owns it: the ledger never reads it and a rebuild carries it over.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct ActedState
{
    /// <summary>The model's raw score, before its output transform.</summary>
    public double Score;

    /// <summary>The modelled probability, 0 to 1.</summary>
    public double Propensity;

    /// <summary>The modelled probability that an item not yet due becomes past due, 0 to 1; NaN where nothing is due ahead, or without such a model.</summary>
    public double PreDueRisk;

    /// <summary>What the queue ranks by, in major units of the portfolio's base currency.</summary>
    public double Value;

    /// <summary>When the score was made, in Unix milliseconds; 0: never.</summary>
    public long ScoredAtMs;

    /// <summary>Since when it has been in its queue, in Unix milliseconds; ties of value go by it.</summary>
    public long EligibleSinceMs;

    /// <summary>Until when it is left alone, in Unix milliseconds; 0: no rest.</summary>
    public long RestUntilMs;

    /// <summary>What was overdue when the watched prediction was made, in minor units of the base currency.</summary>
    public long PredictedOverdueMinor;

    /// <summary>The number of its latest lease; 0: none yet.</summary>
    public uint LeaseSequence;

    /// <summary>The number of the model version that made the score; 0: none.</summary>
    public ushort ModelVersion;

    /// <summary>The number of the model version that made <see cref="PreDueRisk"/>; 0: none.</summary>
    public ushort RiskModelVersion;

    /// <summary>The day of the prediction whose outcome is being watched; none: no prediction is.</summary>
    public Day PredictedOn;

    /// <summary>The number of the model version that made it.</summary>
    public ushort PredictedBy;

    /// <summary>Its probability in 65,535ths.</summary>
    public ushort PredictedShare;

    /// <summary>How far past due the debtor was then; the partition's own numbering.</summary>
    public byte PredictedAge;

    /// <summary>Ordinal of the escalation stage.</summary>
    public byte Stage;

    /// <summary>The <see cref="Events.Channel"/> of the queue that it stands in; 0: none.</summary>
    public byte QueueChannel;

    /// <summary>The partition's own bits.</summary>
    public byte Flags;
}

/// <summary>What the ledger adds up over a debtor's life, in its base currency: at the horizon, or now.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LedgerTotals
{
    /// <summary>Original amounts of the items issued and not cancelled, in minor units.</summary>
    public long AmountSum;
    public long DaysLateSum;
    public long DaysLateSquares;
    public long DaysToPaySum;
    public double DaysLateEwma;
    public long LastPaymentMinor;

    /// <summary>Open balance just before the latest payment, in minor units.</summary>
    public long LastPaymentOpenBefore;
    public int ItemsIssued;
    public int Settled;
    public int SettledLate;
    public int DaysLateMax;
    public int DaysLateLast;
    public int Payments;

    /// <summary>Payments that made at least one allocation.</summary>
    public int Allocated;

    /// <summary>Payments whose first allocation did not close its item.</summary>
    public int Partial;
    public ushort Reversed;
    public Day LastPaymentOn;
}

/// <summary>How a debtor's record stands; the numbers are persisted.</summary>
[Flags]
internal enum RecordFlags : byte
{
    None = 0,

    /// <summary>The slot is taken.</summary>
    Used = 1,

    /// <summary>Imported history not yet ended.</summary>
    Quiet = 2,

    /// <summary>The ledger has to be folded anew before it is read.</summary>
    Stale = 4,

    /// <summary>The settlement figures of the totals have to be computed anew before they are read.</summary>
    SettlementsStale = 8,

    /// <summary>Something was folded into the base and dropped: an unknown name may belong to it.</summary>
    Dropped = 16,
    Registered = 32,
}

/// <summary>
/// The fixed part of a debtor's hot state; its lists are one block of a <see cref="SlabPool"/>. A zeroed record is a free slot. Its
/// layout is persisted in images (see <see cref="DebtorImage.LayoutVersion"/>).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct DebtorRecord
{
    /// <summary>What the partition has done about the debtor; nothing in the domain reads or writes it.</summary>
    public ActedState Acted;

    internal LedgerTotals Totals;
    internal long NextTimerMs;
    internal long LastAttemptMs;
    internal long LastRightPartyMs;

    /// <summary>Block of the lists in the pool.</summary>
    internal uint Block;

    // Category codes as registered; int.MinValue: none, or no integer.
    internal int CustomerType;
    internal int Product;
    internal int Region;

    internal ResponseCounts Responses;
    internal ushort FailedPayments;

    internal ushort TenantId;
    internal ushort PortfolioId;
    internal ushort TimeZoneId;
    internal ushort LanguageId;

    /// <summary>The last day whose events the ledger has taken in.</summary>
    internal Day FoldedDay;

    /// <summary>Earliest effective date of any event.</summary>
    internal Day FirstDay;

    /// <summary>The day at whose end the base stands; none: the base is empty.</summary>
    internal Day Horizon;

    /// <summary>Fingerprints of events effective before it may be gone; none: all are there.</summary>
    internal Day SeenSince;

    /// <summary>When it was last tried to move the horizon.</summary>
    internal Day CompactedOn;

    // Key of the last event that the ledger took: day, kind, and the entry that carries its id.
    internal Day LastDay;
    internal ushort LastIndex;
    internal ushort LastSettled;
    internal LedgerOrder LastOrder;
    internal RecordFlags Flags;

    /// <summary>Place of the base currency in the debtor's table, from 1; 0: no money yet.</summary>
    internal byte BaseCurrency;
    internal Events.Channel PreferredChannel;

    /// <summary>Whether the slot holds no debtor.</summary>
    public readonly bool IsFree => (Flags & RecordFlags.Used) == 0;
}

/// <summary>Attempts, and responses to them, over the debtor's life. They stop at 65,535.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ResponseCounts
{
    public ushort Attempts, Responses;
    public ushort VoiceAttempts, VoiceResponses;
    public ushort SmsAttempts, SmsResponses;
    public ushort EmailAttempts, EmailResponses;
}

/// <summary>Kinds of ledger events in the order in which one day takes them.</summary>
internal enum LedgerOrder : byte
{
    None = 0,
    Issue = 1,
    Adjust = 2,
    Redate = 3,
    Cancel = 4,
    Payment = 5,
}
