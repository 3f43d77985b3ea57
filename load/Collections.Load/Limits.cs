namespace Collections.Load;

/// <summary>Every bound of the load generator, with its arithmetic.</summary>
internal static class Limits
{
    /// <summary>A day of load.</summary>
    public const int SecondsMax = 86_400;

    /// <summary>Requests planned in advance: 16 bytes each are 64 MB.</summary>
    public const int RequestsMax = 4_000_000;

    /// <summary>Events a second: three times what an engine of this size is to take on one machine.</summary>
    public const int EventRateMax = 1_500_000;

    /// <summary>Calls a second; at 30 µs each, one sending thread makes 30,000.</summary>
    public const int CallRateMax = 30_000;

    /// <summary>Debtors of the book; each costs some 6 events of filling and 100 bytes here.</summary>
    public const int DebtorsMax = 4_000_000;

    /// <summary>Months of the book's past: long enough for items to fall due and go unpaid, short enough to lie within the engine's window of 90 days.</summary>
    public const int HistoryMonths = 2;

    /// <summary>Events of one append while the book is filled: 5,000 × 150 bytes are 750 KB of the 4 MiB that a gRPC server takes.</summary>
    public const int FillBatch = 5_000;

    /// <summary>Calls that may be unanswered, unless configured: two seconds of 500 calls a second.</summary>
    public const int InFlightDefault = 1_000;
    public const int InFlightMax = 100_000;

    public const int TimeoutSecondsDefault = 30;
    public const int TimeoutSecondsMax = 600;

    /// <summary>How long the sender sleeps at most before it looks again for what has become due meanwhile, or for a place in flight.</summary>
    public static readonly TimeSpan Nap = TimeSpan.FromMicroseconds(500);

    /// <summary>A sender that is later than this for one request in a hundred measures itself: a hundredth of a second is what a pull may take.</summary>
    public const double LatenessMsMax = 10;

    /// <summary>A dialer reports an action between these after it was handed out: virtual agents and short calls, so that a run of seconds sees reports.</summary>
    public const int HandlingMsMin = 50;
    public const int HandlingMsMax = 2_000;

    /// <summary>Leases outlast every run, so that none ends by itself while it is watched: what the engine allows at most.</summary>
    public const int LeaseSeconds = 86_400;

    /// <summary>A line of progress in this time.</summary>
    public static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(5);
}
