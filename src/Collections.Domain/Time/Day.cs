using System.Buffers.Text;
using System.Globalization;

namespace Collections.Domain;

/// <summary>
/// A calendar date as days since 1970-01-01 in two bytes: 1970-01-02 to 2149-06-05. Zero means "no date", so that a zeroed record
/// holds none. Two bytes, not four, because every item and payment carries several of them.
/// </summary>
public readonly record struct Day(ushort Number) : IComparable<Day>
{
    public const long MsPerDay = 86_400_000;

    public static readonly Day None;
    public static readonly Day Min = new(1);
    public static readonly Day Max = new(ushort.MaxValue - 1);

    public bool IsNone => Number == 0;

    /// <summary>Days in a month, 1 to 31.</summary>
    public int DayOfMonth => ToDateOnly().Day;

    /// <summary>Monday = 1 … Sunday = 7. Day 0, 1970-01-01, was a Thursday.</summary>
    public int DayOfWeek => (Number + 3) % 7 + 1;

    /// <summary>The first instant of the day in UTC, in Unix milliseconds.</summary>
    public long StartMs => Number * MsPerDay;

    /// <summary>The first instant after the day in UTC, in Unix milliseconds.</summary>
    public long EndMs => (Number + 1) * MsPerDay;

    public static bool operator <(Day a, Day b) => a.Number < b.Number;
    public static bool operator >(Day a, Day b) => a.Number > b.Number;
    public static bool operator <=(Day a, Day b) => a.Number <= b.Number;
    public static bool operator >=(Day a, Day b) => a.Number >= b.Number;

    /// <summary>Days from <paramref name="b"/> to <paramref name="a"/>; negative when <paramref name="a"/> is earlier.</summary>
    public static int operator -(Day a, Day b) => a.Number - b.Number;

    /// <summary>The day so many days later, held inside the range that two bytes can say.</summary>
    public Day Plus(int days) => new((ushort)Math.Clamp(Number + days, Min.Number, Max.Number));

    public int CompareTo(Day other) => Number.CompareTo(other.Number);

    /// <summary>The UTC day that an instant lies in, clamped to the range of this type.</summary>
    public static Day OfMs(long unixMs) => new((ushort)Math.Clamp(Math.DivRem(unixMs, MsPerDay).Quotient, Min.Number, Max.Number));

    public static Day Of(DateOnly date) =>
        TryOf(date, out Day day) ? day : throw new ArgumentOutOfRangeException(nameof(date), date, "dates run from 1970-01-02 to 2149-06-05");

    public static bool TryOf(DateOnly date, out Day day)
    {
        long number = date.DayNumber - DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;
        day = number >= Min.Number && number <= Max.Number ? new Day((ushort)number) : None;
        return !day.IsNone;
    }

    public DateOnly ToDateOnly() => DateOnly.FromDateTime(DateTime.UnixEpoch).AddDays(Number);

    /// <summary>Reads <c>YYYY-MM-DD</c>; anything else, or a date out of range, gives false.</summary>
    public static bool TryParse(ReadOnlySpan<byte> iso, out Day day)
    {
        day = None;
        if (iso.Length != 10 || iso[4] != (byte)'-' || iso[7] != (byte)'-')
            return false;
        if (!TryDigits(iso[..4], out int y) || !TryDigits(iso[5..7], out int m) || !TryDigits(iso[8..], out int d))
            return false;
        if (y is < 1970 or > 2149 || m is < 1 or > 12 || d < 1 || d > DaysInMonth(y, m))
            return false;
        int number = NumberOf(y, m, d);
        if (number < Min.Number || number > Max.Number)
            return false;
        day = new Day((ushort)number);
        return true;
    }

    public static bool TryParse(string iso, out Day day)
    {
        Span<byte> bytes = stackalloc byte[10];
        day = None;
        return iso.Length == 10 && System.Text.Encoding.ASCII.TryGetBytes(iso, bytes, out _) && TryParse(bytes, out day);
    }

    /// <summary>Writes <c>YYYY-MM-DD</c>, ten bytes.</summary>
    public void Format(Span<byte> utf8)
    {
        DateOnly date = ToDateOnly();
        Utf8Formatter.TryFormat(date.Year, utf8, out _, new System.Buffers.StandardFormat('D', 4));
        utf8[4] = (byte)'-';
        Utf8Formatter.TryFormat(date.Month, utf8[5..], out _, new System.Buffers.StandardFormat('D', 2));
        utf8[7] = (byte)'-';
        Utf8Formatter.TryFormat(date.Day, utf8[8..], out _, new System.Buffers.StandardFormat('D', 2));
    }

    public override string ToString() => IsNone ? "none" : ToDateOnly().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static int DaysInMonth(int y, int m) =>
        m == 2 ? (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : 28) : 30 + (m + (m >> 3) & 1);

    /// <summary>Days since 1970-01-01 of a Gregorian date. Years are counted from March, so that the leap day comes last; 719,468 days lie between 0000-03-01 and 1970-01-01.</summary>
    private static int NumberOf(int y, int m, int d)
    {
        int year = m > 2 ? y : y - 1;
        int century = year / 100;
        int month = m > 2 ? m - 3 : m + 9;
        return year * 365 + year / 4 - century + century / 4 + (153 * month + 2) / 5 + d - 1 - 719_468;
    }

    private static bool TryDigits(ReadOnlySpan<byte> digits, out int value)
    {
        value = 0;
        foreach (byte b in digits)
        {
            if (b is < (byte)'0' or > (byte)'9')
                return false;
            value = value * 10 + (b - '0');
        }
        return true;
    }
}
