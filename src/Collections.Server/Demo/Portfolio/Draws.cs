using System.Runtime.InteropServices;
using Collections.Domain;

namespace Collections.Server.Demo.Portfolio;

/// <summary>What a random number is drawn for; two purposes of one debtor at one time are independent.</summary>
internal enum Purpose : byte
{
    Type,
    Propensity,
    Product,
    CustomerType,
    Region,
    PayDay,
    BillingDay,
    PreferredChannel,
    ContactPoints,
    GoodHour,
    JoinMonth,
    MedianAmount,
    ItemAmount,
    RegisterTime,
    IssueTime,
    PayTime,
    AttemptTime,
    ChatterTime,
    ChatterGap,
    ChatterKind,
    Punctual,
    DaysLate,
    PaysNow,
    PayShare,
    PayFails,
    RoundsUp,
    ValueDate,
    NamesItem,
    Reversal,
    ReversalDelay,
    PaysAgain,
    Outcome,
    Response,
    ResponseDelay,
    AttemptChannel,
    AttemptGap,
    PromiseDue,
    PromiseShare,
    PromiseKept,
    Dispute,
    DisputeDelay,
    DisputePart,
    Resolution,
    ResolutionDelay,
}

/// <summary>
/// Randomness by counter: a draw is a hash of (seed, debtor, time, purpose), so it depends on nothing that was drawn before, and one
/// debtor's life does not depend on when the others are asked. Only additions, multiplications and divisions are used on
/// doubles, never the C library, so that a seed gives the same events on every platform.
/// </summary>
internal readonly struct Draws
{
    // The counter is mixed into the seed by exclusive or; without hashing it first, seed 256 would be seed 0 with debtors swapped.
    private readonly ulong key;

    public Draws(ulong seed) => key = Hash64.Of(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in seed)));

    public ulong Bits(int debtor, long when, Purpose purpose)
    {
        ReadOnlySpan<ulong> counter = [(ulong)(uint)debtor << 8 | (byte)purpose, (ulong)when];
        return Hash64.Of(MemoryMarshal.AsBytes(counter), key);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double Share(int debtor, long when, Purpose purpose) => (Bits(debtor, when, purpose) >> 11) * (1.0 / (1UL << 53));

    /// <summary>True with this probability.</summary>
    public bool Chance(int debtor, long when, Purpose purpose, double probability) => Share(debtor, when, purpose) < probability;

    /// <summary>A whole number in [from, to], each alike.</summary>
    public int Between(int debtor, long when, Purpose purpose, int from, int to) =>
        from + (int)Within(Bits(debtor, when, purpose), to - from + 1);

    /// <summary>
    /// A log-normal factor with median 1. The normal number is the sum of four uniform ones (variance 4/12, hence the root of 3): close
    /// enough for amounts, and bounded at 3.46 standard deviations.
    /// </summary>
    public double LogNormal(int debtor, long when, Purpose purpose, double sigma)
    {
        const double rootOf3 = 1.7320508075688772;
        const double log2OfE = 1.4426950408889634;
        ulong bits = Bits(debtor, when, purpose);
        double sum = (double)((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48)) / 65536;
        return PowerOf2((sum - 2) * rootOf3 * sigma * log2OfE);
    }

    /// <summary>Maps 64 random bits to [0, count).</summary>
    public static long Within(ulong bits, long count) => (long)Math.BigMul(bits, (ulong)count, out _);

    // A cubic that is exact at both ends of [0, 1] and off by at most 0.02 % between them.
    private static double PowerOf2(double x)
    {
        double whole = Math.Floor(x);
        double f = x - whole;
        return Math.ScaleB(1 + f * (0.6951786 + f * (0.2276410 + f * 0.0771804)), (int)whole);
    }
}
