using System.Globalization;

namespace Collections.Grpc;

/// <summary>The value of the header grpc-timeout: at most eight digits and a unit.</summary>
internal static class GrpcTimeout
{
    private const int DigitsMax = 8;
    private const long ValueMax = 99_999_999;

    // The units from the finest that is useful; a tick of .NET is 100 ns, so nanoseconds are only read, never written.
    private static readonly (char Unit, long Ticks)[] WrittenUnits =
    [
        ('u', TimeSpan.TicksPerMicrosecond),
        ('m', TimeSpan.TicksPerMillisecond),
        ('S', TimeSpan.TicksPerSecond),
        ('M', TimeSpan.TicksPerMinute),
        ('H', TimeSpan.TicksPerHour),
    ];

    /// <summary>Reads a timeout; one that a <see cref="TimeSpan"/> can't hold becomes the longest that it can.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > DigitsMax + 1)
            return false;
        if (!long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return false;
        long ticksPerUnit;
        switch (text[^1])
        {
            case 'n':
                timeout = TimeSpan.FromTicks((value + 99) / 100);
                return true;
            case 'u': ticksPerUnit = TimeSpan.TicksPerMicrosecond; break;
            case 'm': ticksPerUnit = TimeSpan.TicksPerMillisecond; break;
            case 'S': ticksPerUnit = TimeSpan.TicksPerSecond; break;
            case 'M': ticksPerUnit = TimeSpan.TicksPerMinute; break;
            case 'H': ticksPerUnit = TimeSpan.TicksPerHour; break;
            default: return false;
        }

        timeout = value > TimeSpan.MaxValue.Ticks / ticksPerUnit
            ? TimeSpan.MaxValue
            : TimeSpan.FromTicks(value * ticksPerUnit);
        return true;
    }

    /// <summary>Writes a positive timeout in the finest unit that holds it, rounded up so that it never shortens.</summary>
    public static string Format(TimeSpan timeout)
    {
        foreach (var (unit, ticks) in WrittenUnits)
        {
            var value = timeout.Ticks / ticks + (timeout.Ticks % ticks == 0 ? 0 : 1);
            if (value <= ValueMax)
                return string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{ValueMax}H");
    }
}
