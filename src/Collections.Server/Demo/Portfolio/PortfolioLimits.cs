namespace Collections.Server.Demo.Portfolio;

/// <summary>What a simulated portfolio may grow to.</summary>
internal static class PortfolioLimits
{
    /// <summary>22 bits of a <see cref="Happening"/>'s key; at 56 bytes each, 235 MB.</summary>
    public const int DebtorsMax = 1 << 22;

    /// <summary>38 bits of milliseconds in a <see cref="Happening"/>'s key are 3,181 days: history and live days together.</summary>
    public const int DaysMax = 3_181;

    /// <summary>Six years of history (2,192 days) leave over two years of live days.</summary>
    public const int HistoryMonthsMax = 72;

    /// <summary>A debtor has at most one follow-up of each of six kinds waiting.</summary>
    public const int FollowUpsPerDebtorMax = 6;

    /// <summary>Between 20 and 200 times a usual bill, and 10 years of them for one debtor (120 × 2 M = 240 M) fit 32 bits.</summary>
    public const int ItemMaxMinor = 2_000_000;

    public const int ItemMinMinor = 500;
}
