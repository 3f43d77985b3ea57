using System.Globalization;
using Collections.Domain;

namespace Collections.Server.Import;

internal enum DateFault
{
    None,
    NotADate,
    OutOfRange,
    SkippedByClock,
}

/// <summary>How a file writes dates: one or more patterns of .NET's custom date format, such as M/d/yyyy; the invariant culture names months.</summary>
internal sealed record DateFormat(string[] Patterns)
{
    private const string Letters = "yMdHhmsftzK";

    public static readonly DateFormat Iso = new(["yyyy-MM-dd"]);

    public string Shown => string.Join(" or ", Patterns);

    /// <summary>What is wrong with a pattern; null: nothing.</summary>
    public static string? Refuse(string pattern, bool instant)
    {
        bool quoted = false;
        foreach (char c in pattern)
        {
            quoted ^= c == '\'';
            if (quoted || !char.IsLetter(c) || c == 'T')
                continue;
            if (c == 'Z')
                return "holds 'Z'; write K where the file has Z or an offset such as +02:00";
            if (!Letters.Contains(c, StringComparison.Ordinal))
                return $"holds '{c}', which is no part of a date pattern; the parts are yyyy, MM or M, dd or d, HH, mm, ss, and 'text' in quotes";
        }
        if (quoted)
            return "holds a quote that is not closed";
        if (!pattern.Contains('y', StringComparison.Ordinal) || !pattern.Contains('M', StringComparison.Ordinal) || !pattern.Contains('d', StringComparison.Ordinal))
            return "must name year, month and day (capital M: small m is minutes), as yyyy-MM-dd or M/d/yyyy do";
        return instant && !pattern.Contains('H', StringComparison.Ordinal) && !pattern.Contains('h', StringComparison.Ordinal)
            ? "must name the hour, as yyyy-MM-dd HH:mm:ss does"
            : null;
    }

    public DateFault TryRead(string text, out Day day)
    {
        day = Day.None;
        if (!DateTime.TryParseExact(text, Patterns, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime date))
            return DateFault.NotADate;
        return Day.TryOf(DateOnly.FromDateTime(date), out day) ? DateFault.None : DateFault.OutOfRange;
    }
}

/// <summary>How a file writes instants: ISO 8601 or patterns. An instant without an offset is in the mapping's time zone.</summary>
internal sealed record InstantFormat(string[] Patterns, TimeZoneInfo Zone)
{
    private static readonly string[] IsoPatterns =
    [
        "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd'T'HH:mm",
        "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm",
    ];

    private static readonly string[] IsoOffsetPatterns = [.. IsoPatterns.Select(p => p + "zzz")];

    public string Shown => Patterns.Length == 0 ? "ISO 8601 (2026-11-22T09:30:00Z)" : string.Join(" or ", Patterns);

    public DateFault TryRead(string text, out long unixMs)
    {
        unixMs = 0;
        DateFault fault = Patterns.Length == 0 ? ReadIso(text, out DateTimeOffset instant) : ReadPattern(text, out instant);
        if (fault != DateFault.None)
            return fault;
        unixMs = instant.ToUnixTimeMilliseconds();
        return unixMs >= Day.Min.StartMs && unixMs < Day.Max.EndMs ? DateFault.None : DateFault.OutOfRange;
    }

    /// <summary>The last millisecond of a day in the time zone: a date says that something was known by then.</summary>
    public long EndOf(Day day)
    {
        DateTime midnight = day.ToDateOnly().AddDays(1).ToDateTime(TimeOnly.MinValue);
        // Where clocks skip midnight, the day ends with the hour that is left out.
        while (Zone.IsInvalidTime(midnight))
            midnight = midnight.AddMinutes(15);
        return new DateTimeOffset(midnight, OffsetAt(midnight)).ToUnixTimeMilliseconds() - 1;
    }

    private DateFault ReadIso(string text, out DateTimeOffset instant)
    {
        bool utc = text.EndsWith('Z');
        bool offset = text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':';
        if (utc || !offset)
            return ReadLocal(utc ? text[..^1] : text, IsoPatterns, utc ? TimeZoneInfo.Utc : Zone, out instant);
        return DateTimeOffset.TryParseExact(text, IsoOffsetPatterns, CultureInfo.InvariantCulture, DateTimeStyles.None, out instant) ? DateFault.None : DateFault.NotADate;
    }

    private DateFault ReadPattern(string text, out DateTimeOffset instant)
    {
        string[] zoned = [.. Patterns.Where(p => p.AsSpan().IndexOfAny('z', 'K') >= 0)];
        return zoned.Length > 0 && DateTimeOffset.TryParseExact(text, zoned, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out instant)
            ? DateFault.None
            : ReadLocal(text, [.. Patterns.Except(zoned)], Zone, out instant);
    }

    private DateFault ReadLocal(string text, string[] patterns, TimeZoneInfo zone, out DateTimeOffset instant)
    {
        instant = default;
        if (!DateTime.TryParseExact(text, patterns, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime local))
            return DateFault.NotADate;
        if (zone.IsInvalidTime(local))
            return DateFault.SkippedByClock;
        instant = new DateTimeOffset(local, ReferenceEquals(zone, Zone) ? OffsetAt(local) : TimeSpan.Zero);
        return DateFault.None;
    }

    /// <summary>An hour that the clock shows twice is taken as the first of the two.</summary>
    private TimeSpan OffsetAt(DateTime local) =>
        Zone.IsAmbiguousTime(local) ? Zone.GetAmbiguousTimeOffsets(local).Max() : Zone.GetUtcOffset(local);
}
