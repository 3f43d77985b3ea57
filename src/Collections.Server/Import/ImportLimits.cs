namespace Collections.Server.Import;

/// <summary>Every maximum of the import, with its arithmetic: what the import needs does not grow with the file.</summary>
internal static class ImportLimits
{
    /// <summary>A batch of 4,096 events of some 120 bytes is half a megabyte: large enough that its commit is shared by many, small enough to be paced.</summary>
    public const int BatchEventCount = 4_096;

    /// <summary>Ends a batch of unusually long events early: 4,096 events of the longest kind would be several times this.</summary>
    public const int BatchByteCount = 2 * 1_024 * 1_024;

    public const int ReadBytes = 64 * 1_024;

    /// <summary>No event takes more than a few kilobytes, so a row of a mebibyte is a mistake (a lost quote, a binary file); it is refused, not held.</summary>
    public const int RowBytesMax = 1_024 * 1_024;

    /// <summary>Values are shown in the report, not repeated: enough to find one in the file.</summary>
    public const int ShownCharsMax = 60;

    /// <summary>Findings listed when the caller does not say otherwise; all are counted.</summary>
    public const int ListedFindingsMax = 1_000;

    /// <summary>Ids and items remembered to find duplicates: 4 Mi × 32 bytes = 128 MiB, twice that while the table grows. Beyond, the report says so.</summary>
    public const int RememberedIdsMax = 4 * 1_024 * 1_024;

    /// <summary>Largest amounts kept for each kind and currency until the median is known; a hundred absurd ones are enough to see what is wrong.</summary>
    public const int LargestAmountsMax = 100;

    /// <summary>A mapping of a hundred files with twenty events each is some 200 KiB.</summary>
    public const int MappingBytesMax = 1_024 * 1_024;

    /// <summary>A mapping nests six deep; the YAML reader recurses, so that more is refused before it does.</summary>
    public const int MappingDepthMax = 32;

    /// <summary>A mapping's own mistakes beyond this many are more of the same.</summary>
    public const int MappingErrorsMax = 50;
}
