using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Import;

/// <summary>What was wrong with a value, a row or a file, or what is odd about it. The names are part of the JSON report.</summary>
public enum ImportReason
{
    FileUnreadable,
    FileNotMapped,
    FileMappedTwice,
    FileEmpty,
    FileWithoutRows,
    FileEncoding,
    HeaderMalformed,
    ColumnMissing,
    ColumnAmbiguous,
    StrayQuote,
    RowTooLong,
    LoneCarriageReturn,
    FieldCount,
    NulByte,
    InvalidEncoding,
    NoEvent,
    Missing,
    NotANumber,
    TooManyDecimals,
    AmountOutOfRange,
    NotPositive,
    ZeroAmount,
    UnknownCurrency,
    UnknownWord,
    NotADate,
    DateOutOfRange,
    TimeSkippedByClock,
    KnownInFuture,
    BadName,
    BadAllocations,
    RefusedByEvents,
    DuplicateItem,
    DuplicateId,
    AbsurdAmount,
    AbsurdDate,
}

/// <summary>One thing found in the files: where, what was there, what is wrong, and what to do. Line 0 means the file as a whole.</summary>
public sealed record ImportFinding(string File, long Line, string Column, string Value, ImportReason Reason, string Problem, string Remedy);

/// <summary>How many findings there are of one reason.</summary>
public readonly record struct ReasonCount(ImportReason Reason, long Count);

/// <summary>How many events of one kind went in, and their amounts added up exactly, in minor units. No currency: the kind carries no amount.</summary>
public sealed record KindTotal(EventKind Kind, Currency Currency, long EventCount, decimal SumMinor);

/// <summary>What became of one file.</summary>
public sealed record FileReport
{
    public required string File { get; init; }

    /// <summary>Why nothing of it was read; null when it was.</summary>
    public ImportFinding? Refusal { get; init; }

    public long RowCount { get; init; }
    public long ImportedRowCount { get; init; }
    public long RefusedRowCount { get; init; }
    public long IgnoredRowCount { get; init; }
    public long EmptyLineCount { get; init; }
    public long EventCount { get; init; }
    public IReadOnlyList<KindTotal> Totals { get; init; } = [];
}

/// <summary>
/// What an import did. Every row of every file is in exactly one of imported, refused and ignored. Findings are listed up to a limit and
/// counted in full.
/// </summary>
public sealed record ImportReport
{
    public required string Mapping { get; init; }
    public required IReadOnlyList<FileReport> Files { get; init; }
    public required IReadOnlyList<KindTotal> Totals { get; init; }

    /// <summary>Events whose id had come before with the same content; they change nothing.</summary>
    public required long RepeatedEventCount { get; init; }
    public required IReadOnlyList<ImportFinding> Refusals { get; init; }
    public required IReadOnlyList<ReasonCount> RefusalCounts { get; init; }

    /// <summary>What went in, but is more likely a mistake than the truth.</summary>
    public required IReadOnlyList<ImportFinding> Suspicions { get; init; }
    public required IReadOnlyList<ReasonCount> SuspicionCounts { get; init; }

    /// <summary>What the reader of the report has to know about the report itself.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    public long RowCount => Files.Sum(f => f.RowCount);

    public long ImportedRowCount => Files.Sum(f => f.ImportedRowCount);

    public long RefusedRowCount => Files.Sum(f => f.RefusedRowCount);

    public long IgnoredRowCount => Files.Sum(f => f.IgnoredRowCount);

    public long EventCount => Files.Sum(f => f.EventCount);

    /// <summary>0: all went in; 1: some rows or files were refused; 2: nothing could be done.</summary>
    public int ExitCode
    {
        get
        {
            if (EventCount == 0)
                return 2;
            return RefusedRowCount > 0 || Files.Any(f => f.Refusal != null) ? 1 : 0;
        }
    }
}
