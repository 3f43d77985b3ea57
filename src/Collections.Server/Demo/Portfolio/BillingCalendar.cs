using Collections.Domain;

namespace Collections.Server.Demo.Portfolio;

/// <summary>Months and days of bills and pay. A month is a number: year × 12 + month − 1.</summary>
internal static class BillingCalendar
{
    /// <summary>A bill is due four weeks after it was issued.</summary>
    public const int TermDays = 28;

    public const int MonthNameByteCount = 7;

    private const int FirstYear = 1970;
    private const int FirstMonth = FirstYear * 12;

    /// <summary>Days before each month's first since 1970-01-01, to the last month that a <see cref="Day"/> can say; bills ask for it all the time.</summary>
    private static readonly ushort[] MonthStarts = BuildMonthStarts();

    public static int MonthOf(Day day)
    {
        // A mean month has 30.4369 days, so that the guess is at most one off.
        int month = (int)(day.Number / 30.4369);
        while (MonthStarts[month + 1] <= day.Number)
            month++;
        while (MonthStarts[month] > day.Number)
            month--;
        return FirstMonth + month;
    }

    /// <summary>The day of a month, or the month's last where it is shorter.</summary>
    public static Day DayIn(int month, int dayOfMonth)
    {
        int index = month - FirstMonth;
        return new Day((ushort)Math.Min(MonthStarts[index] + dayOfMonth - 1, MonthStarts[index + 1] - 1));
    }

    /// <summary>The first pay-day after a day.</summary>
    public static Day PayDayAfter(Day day, int payDay)
    {
        int month = MonthOf(day);
        Day inMonth = DayIn(month, payDay);
        return inMonth > day ? inMonth : DayIn(month + 1, payDay);
    }

    /// <summary>The last pay-day that is after <paramref name="after"/> and not after <paramref name="due"/>; the due day where there is none.</summary>
    public static Day PayDayUntil(Day due, Day after, int payDay)
    {
        int month = MonthOf(due);
        Day inMonth = DayIn(month, payDay);
        if (inMonth > due)
            inMonth = DayIn(month - 1, payDay);
        return inMonth > after ? inMonth : due;
    }

    /// <summary>Writes <c>YYYY-MM</c>, which names a month's bill.</summary>
    public static void FormatMonth(int month, Span<byte> name)
    {
        (int year, int monthIndex) = Math.DivRem(month, 12);
        name[0] = (byte)('0' + year / 1000);
        name[1] = (byte)('0' + year / 100 % 10);
        name[2] = (byte)('0' + year / 10 % 10);
        name[3] = (byte)('0' + year % 10);
        name[4] = (byte)'-';
        name[5] = (byte)('0' + (monthIndex + 1) / 10);
        name[6] = (byte)('0' + (monthIndex + 1) % 10);
    }

    private static ushort[] BuildMonthStarts()
    {
        DateOnly last = Day.Max.ToDateOnly();
        int months = (last.Year - FirstYear) * 12 + last.Month;
        var starts = new ushort[months];
        // January 1970 starts at day 0, which no Day is.
        for (int i = 1; i < months; i++)
            starts[i] = Day.Of(new DateOnly(FirstYear + i / 12, i % 12 + 1, 1)).Number;
        return starts;
    }
}
