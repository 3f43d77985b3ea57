namespace Collections.Server.Operations;

/// <summary>The limits of what operators are shown, with their arithmetic.</summary>
public static class OperationsLimits
{
    /// <summary>
    /// Series of one instrument on the metrics page: 1,024 partitions × 3 streams, or × 4 states, fit. What is beyond is left out and counted, so that
    /// an instrument of a library with unbounded labels can't fill memory: 10,000 × some 300 bytes are 3 MB.
    /// </summary>
    public const int SeriesMax = 10_000;

    /// <summary>Reasons that one answer about readiness gives; more partitions than this are counted.</summary>
    public const int ReasonsMax = 20;
}
