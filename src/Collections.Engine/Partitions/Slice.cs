using Collections.Engine.Logs;

namespace Collections.Engine.Partitions;

/// <summary>What a partition is given to run once: records, and the time.</summary>
public readonly ref struct Slice
{
    public required RecordBatch Records { get; init; }

    /// <summary>
    /// Where the next slice begins, if that is behind the last record: where the log has offsets without records, which are passed over and must not be
    /// asked for again when they are long gone.
    /// </summary>
    public StreamPositions ReadTo { get; init; }

    /// <summary>Whether the records reach the end of every stream: only then does the partition's clock follow the wall clock.</summary>
    public required bool CaughtUp { get; init; }

    /// <summary>Wall clock in Unix milliseconds.</summary>
    public required long NowMs { get; init; }

    /// <summary>Debtors that a walk through the whole book may look at in this slice, 0 to <see cref="Limits.SweepPerSlice"/>.</summary>
    public required int SweepMax { get; init; }
}
