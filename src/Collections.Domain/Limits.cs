namespace Collections.Domain;

/// <summary>Every maximum of the domain, with its arithmetic.</summary>
public static class Limits
{
    /// <summary>Bytes of one slab of a pool. 1 MiB holds 16,384 of the smallest blocks, which is what 14 bits of a handle count.</summary>
    public const int SlabBytes = 1 << 20;

    /// <summary>Smallest block of a pool: one header of a debtor's lists.</summary>
    public const int BlockBytesMin = 64;

    /// <summary>Largest block of a pool: offsets inside a debtor's lists are 16 bits in units of 8 bytes, 65,535 × 8 bytes and a little.</summary>
    public const int BlockBytesMax = 1 << 19;

    /// <summary>Slabs of one pool: 18 bits of a handle, 256 GiB.</summary>
    public const int SlabsMax = 1 << 18;

    /// <summary>Names in one table: ids are 16 bits, 0 means none.</summary>
    public const int NamesMax = ushort.MaxValue;

    /// <summary>
    /// Items, payments, instructions, amendments, promises, disputes and holds that one debtor may have in its window. At 40 bytes each
    /// they take 160 KB of the 512 KB that its lists may take, and 4,000 × 2 × 10^15 minor units still fit 64 bits.
    /// </summary>
    public const int EntriesMax = 4_000;

    /// <summary>
    /// Reversals behind the horizon that wait for a payment which has not come, newest kept: 250 are a sixteenth of the entries, so that a feed of
    /// reversals without payments can't fill a debtor for good.
    /// </summary>
    public const int ReversalsAheadMax = EntriesMax / 16;

    /// <summary>Bytes of a debtor's lists beyond which it takes nothing new; the quarter above it is left to the allocations of what it has.</summary>
    public const int ListBytesMax = BlockBytesMax / 4 * 3;

    /// <summary>Units of 4 bytes that ids and names of one debtor may take beyond which it takes nothing new: three quarters of 16 bits.</summary>
    public const int TextUnitsMax = 49_152;

    /// <summary>Fingerprints of one debtor: 8,192 × 12 bytes are 98 KB. More events than that in the window of fingerprints are verified against the history.</summary>
    public const int FingerprintsMax = 8_192;

    /// <summary>Attempts that the recent list counts (FEATURES.md).</summary>
    public const int RecentAttempts = 16;

    /// <summary>Events that will be effective later than now and wait in the recent list; at most so many, or the next is refused.</summary>
    public const int WaitingMax = 1_000;

    /// <summary>Payments that the 90-day features look at (FEATURES.md).</summary>
    public const int RecentPayments = 8;

    /// <summary>Currencies of one debtor: 4 bits of an item's flags.</summary>
    public const int CurrenciesMax = 16;
}
