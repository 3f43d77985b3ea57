using Collections.Domain;

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

    /// <summary>Bills look a month ahead and pay-days a month back of the first and last day, inside what a <see cref="Day"/> can say.</summary>
    public static readonly Day FirstDayMin = Day.Min.Plus(62);

    /// <inheritdoc cref="FirstDayMin"/>
    public static readonly Day FirstDayMax = Day.Max.Plus(-DaysMax - 62);

    /// <summary>A debtor has at most one follow-up of each of six kinds waiting.</summary>
    public const int FollowUpsPerDebtorMax = 6;

    /// <summary>20,000.00, the most that a card is billed in a month; ten years of it unpaid (120 × 2 M = 240 M) fit 32 bits.</summary>
    public const int ItemMaxMinor = 2_000_000;

    public const int ItemMinMinor = 500;
}
