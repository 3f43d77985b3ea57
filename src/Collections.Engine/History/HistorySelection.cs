using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Engine.History;

/// <summary>Which debtors of a partition a <see cref="PartitionHistory"/> holds, and since when their events count as known.</summary>
public sealed record HistorySelection
{
    /// <summary>Every debtor, everything as the log knew it.</summary>
    public static readonly HistorySelection All = new();

    /// <summary>
    /// Whether events imported as history count as known since they were effective instead of since the import. What comes out is then
    /// what could have been known, not what was: backdating and late arrival can't be seen in imported history any more.
    /// </summary>
    public bool ImportedKnownWhenEffective { get; init; }

    /// <summary>Events known later than this are left out, in Unix milliseconds.</summary>
    public long KnownUntilMs { get; init; } = long.MaxValue;

    /// <summary>The share of debtors to take, above 0 to 1; which ones they are depends on their names and the seed alone.</summary>
    public double Share { get; init; } = 1;

    public ulong Seed { get; init; }

    /// <summary>Of a partition too large to be held at once, the part to take: 0 to <see cref="Parts"/> − 1.</summary>
    public int Part { get; init; }

    public int Parts { get; init; } = 1;

    /// <summary>Since when an event counts as known, in Unix milliseconds.</summary>
    public long KnownMs(in EventHead head) => ImportedKnownWhenEffective && head.History ? Math.Min(head.KnownMs, head.EffectiveMs) : head.KnownMs;

    /// <param name="hash">Of the debtor.</param>
    public bool Takes(ulong hash)
    {
        const double upTo = 1UL << 53;
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BitConverter.TryWriteBytes(bytes, hash);
        ulong draw = Hash64.Of(bytes, Seed);
        return (Share >= 1 || (draw >> 11) / upTo < Share) && (Parts == 1 || hash % (ulong)Parts == (ulong)Part);
    }
}
