using Collections.Domain;

namespace Collections.Server.Demo.Portfolio;

/// <summary>When in a day things happen: instants from random bits. UTC stands for the debtors' local time.</summary>
internal static class DayClock
{
    public const long MinuteMs = 60_000;
    public const long HourMs = 60 * MinuteMs;

    /// <summary>Before the first bill of the same night.</summary>
    public static long Registration(Day day, ulong bits) => Between(day, bits, 10 * MinuteMs, 50 * MinuteMs);

    /// <summary>Bills are run at night.</summary>
    public static long Issue(Day day, ulong bits) => Between(day, bits, HourMs, 5 * HourMs);

    /// <summary>A third of the money comes with the bank's morning file, the rest over the day by card and instant transfer.</summary>
    public static long Payment(Day day, ulong bits) =>
        bits % 3 == 0 ? Between(day, bits, 5 * HourMs, 13 * HourMs / 2) : Between(day, bits, 7 * HourMs, 22 * HourMs);

    /// <summary>The bank returns payments in the morning.</summary>
    public static long Reversal(Day day, ulong bits) => Between(day, bits, 6 * HourMs, 10 * HourMs);

    public static long Attempt(Day day, ulong bits) => Between(day, bits, 8 * HourMs, 20 * HourMs);

    public static long Chatter(Day day, ulong bits) => Between(day, bits, 7 * HourMs, 22 * HourMs);

    /// <summary>Case workers settle disputes in office hours.</summary>
    public static long Office(Day day, ulong bits) => Between(day, bits, 9 * HourMs, 17 * HourMs);

    private static long Between(Day day, ulong bits, long fromMs, long toMs) => day.StartMs + fromMs + Draws.Within(bits, toMs - fromMs);
}
