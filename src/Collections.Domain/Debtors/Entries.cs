using System.Runtime.InteropServices;
using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

// The entries of a debtor's lists. "Base" is the state at the horizon: what was folded and can't be restated without the history.
// Every entry is persisted in images, so a change of any of them raises DebtorImage.LayoutVersion.

/// <summary>One amount owed. 40 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ItemEntry
{
    public const ushort Issued = 1 << 6, Cancelled = 1 << 7, Settled = 1 << 8, InBase = 1 << 9, BaseCancelled = 1 << 10, BaseSettled = 1 << 11, Kept = 1 << 12;

    /// <summary>Its settlement is in the totals of the base: what would take it back needs the history.</summary>
    public const ushort BaseCounted = 1 << 13;

    /// <summary>While the horizon moves: an event inside the window takes its settlement back, or will do so later than now.</summary>
    public const ushort Unsettled = 1 << 14, UnsettledLater = 1 << 15;

    public long Amount;
    public long Open;

    /// <summary>Open amount in the base; for an item settled there its settle date and the due date it was settled under.</summary>
    public long BaseOpen;

    /// <summary>Its name, then the id of the event that issued it (empty when that is the same).</summary>
    public TextRef Text;
    public Day IssuedOn;
    public Day Due;

    /// <summary>Due date in the base, or as issued.</summary>
    public Day BaseDue;
    public Day SettledOn;
    public Day SettledDue;
    public ushort Bits;

    public readonly Component Component => (Component)(Bits & 3);

    public readonly int Currency => Bits >> 2 & 15;

    public readonly bool Has(ushort bit) => (Bits & bit) != 0;
}

/// <summary>Money in. 24 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PaymentEntry
{
    public const ushort InBase = 1 << 4, Taken = 1 << 5, Reversed = 1 << 6, Allocated = 1 << 7, BaseAllocated = 1 << 8, Instructed = 1 << 9, Kept = 1 << 10;

    /// <summary>The whole amount; for a payment in the base, its credit there.</summary>
    public long Amount;

    /// <summary>What is left of it and free, held money left out.</summary>
    public long Credit;
    public TextRef Text;
    public Day On;
    public ushort Bits;

    public readonly int Currency => Bits & 15;

    public readonly bool Has(ushort bit) => (Bits & bit) != 0;
}

/// <summary>The part of a payment that settles a part of an item; in the order in which they were made. 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AllocationEntry
{
    public long Amount;
    public ushort Item;
    public ushort Payment;
    private readonly uint unused;
}

/// <summary>What a payer meant for one item. 24 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InstructionEntry
{
    public const ushort InBase = 1;

    /// <summary>As instructed; for one in the base, what was held there.</summary>
    public long Amount;

    /// <summary>Held for an item not yet issued.</summary>
    public long Held;
    public TextRef Item;
    public ushort Payment;
    public ushort Bits;
}

/// <summary>An event that changes another object. 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AmendmentEntry
{
    /// <summary><see cref="Value"/> of a reversal whose payment has come; 0 before.</summary>
    public const long Met = 1;

    /// <summary>Minor units, or the number of the new due day.</summary>
    public long Value;

    /// <summary>The name of the object that it changes, then the event's id.</summary>
    public TextRef Text;
    public Day On;
    public EventKind Kind;
    public byte Currency;
}

/// <summary>A promise to pay. 40 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PromiseEntry
{
    public const int GraceDays = 2;

    public long Amount;
    public long Paid;
    public long BasePaid;
    public TextRef Text;
    public Day Made;
    public Day Due;
    public Day KeptOn;
    public Day CancelledOn;
    public byte Currency;

    /// <summary>The last day on which a payment can keep it.</summary>
    public readonly Day LastDay => Due.Plus(GraceDays);

    public readonly PromiseState StateOn(Day day) =>
        !KeptOn.IsNone ? PromiseState.Kept
        : !CancelledOn.IsNone && CancelledOn <= day && CancelledOn <= LastDay ? PromiseState.Cancelled
        : LastDay < day ? PromiseState.Broken
        : PromiseState.Open;
}

/// <summary>A dispute or a hold. 24 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MarkEntry
{
    /// <summary>The disputed part; 0: the whole.</summary>
    public long Amount;

    /// <summary>Its id, then the item (empty: the whole debt).</summary>
    public TextRef Text;
    public Day On;

    /// <summary>The last day of a hold; none: until released.</summary>
    public Day Until;

    /// <summary>When it was resolved or released; none: not.</summary>
    public Day ResolvedOn;
    public EventKind Kind;

    public readonly bool IsActiveOn(Day day) =>
        On <= day && (ResolvedOn.IsNone || ResolvedOn > day) && (Until.IsNone || Until >= day);
}

/// <summary>A payment behind the horizon that the 90-day features still count. 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OldPaymentEntry
{
    public long Amount;
    public Day On;
}

internal enum ProfileField : byte
{
    Registration = 1,
    Channel = 2,
    TimeZone = 3,
    Language = 4,
}

/// <summary>What is said about the debtor, field by field; the latest by (effective, id) counts. 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ProfileEntry
{
    public long EffectiveMs;

    /// <summary>The event's id; for a registration then customer type, product and region.</summary>
    public TextRef Text;
    public ushort Value;
    public ProfileField Field;
}

/// <summary>An attempt, or a contact that still waits to become effective: 48 bits of Unix milliseconds, then what it was. 8 bytes.</summary>
internal readonly record struct RecentEntry(ulong Bits)
{
    private const ulong WaitingBit = 1 << 15, ContactBit = 1 << 14;

    public long Ms => (long)(Bits >> 16);

    public bool Waits => (Bits & WaitingBit) != 0;

    public bool IsContact => (Bits & ContactBit) != 0;

    public Channel Channel => (Channel)(Bits >> 8 & 15);

    public int What => (int)(Bits & 15);

    public bool IsRightParty => !IsContact && What == (int)AttemptOutcome.RightParty;

    public static RecentEntry Attempt(long ms, Channel channel, AttemptOutcome outcome) => new((ulong)ms << 16 | (ulong)channel << 8 | (ulong)outcome);

    public static RecentEntry Contact(long ms, Channel channel, ContactKind kind) => new((ulong)ms << 16 | ContactBit | (ulong)channel << 8 | (ulong)kind);

    public RecentEntry Waiting() => new(Bits | WaitingBit);

    public RecentEntry Arrived() => new(Bits & ~WaitingBit);
}

/// <summary>The rest of an event's fingerprint, beside the hash of its id. 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SeenEntry
{
    public uint Content;

    /// <summary>The later of known and effective.</summary>
    public Day On;
    private readonly ushort unused;
}

/// <summary>The state at the horizon that has no entry of its own.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BaseEntry
{
    /// <summary>Its size; a test holds it to the layout.</summary>
    public const byte Bytes = 112;

    public LedgerTotals Totals;
    public ushort PromisesMade;
    public ushort PromisesKept;
    public ushort PromisesBroken;
    public ushort PromiseStreak;
    public ushort Disputes;

    /// <summary>As <see cref="DebtorRecord.BaseCurrency"/>; 0: nothing behind the horizon was money.</summary>
    public byte Currency;
}

/// <summary>Where strings lie in a debtor's text: 16 bits of place in units of 4 bytes, and 16 bits of the first string's hash, so that a search seldom reads text.</summary>
internal readonly record struct TextRef(uint Bits)
{
    public int Unit => (int)(Bits & 0xffff);

    public ushort Hash => (ushort)(Bits >> 16);

    public static ushort HashOf(ReadOnlySpan<byte> name) => (ushort)Hash64.Of(name);

    public static TextRef At(int unit, ReadOnlySpan<byte> first) => new((uint)unit | (uint)HashOf(first) << 16);
}
