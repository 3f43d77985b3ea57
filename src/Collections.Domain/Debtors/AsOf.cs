namespace Collections.Domain.Debtors;

/// <summary>
/// The instant at which a debtor is looked at. A date counts when it is at most <see cref="Day"/>, an instant when it is at most
/// <see cref="LastMs"/>; ages are measured from <see cref="Ms"/>. The end of a day is the first instant of the next one, which itself does not count.
/// </summary>
/// <param name="Day">The last day that counts.</param>
/// <param name="Ms">From where ages are measured, in Unix milliseconds.</param>
/// <param name="LastMs">The last instant that counts, in Unix milliseconds.</param>
public readonly record struct AsOf(Day Day, long Ms, long LastMs)
{
    /// <summary>Now: what is effective at this millisecond counts.</summary>
    public static AsOf At(long nowMs) => new(Day.OfMs(nowMs), nowMs, nowMs);

    /// <summary>A bare date: the end of that day in UTC.</summary>
    public static AsOf EndOf(Day day) => new(day, day.EndMs, day.EndMs - 1);
}
