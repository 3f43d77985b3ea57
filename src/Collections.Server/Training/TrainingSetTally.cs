using Collections.Domain;
using Collections.Engine.Training;

namespace Collections.Server.Training;

/// <summary>Counts of a training set while it is made.</summary>
internal sealed class TrainingSetTally(IReadOnlyList<Day> dates)
{
    private readonly SortedDictionary<ushort, DateTally> byDate = new(dates.ToDictionary(static date => date.Number, static date => new DateTally(date)));
    private readonly long[] excluded = new long[Enum.GetValues<Exclusion>().Length];

    public long Rows => byDate.Values.Sum(static date => date.Rows);

    public long Positives => byDate.Values.Sum(static date => date.Positives);

    /// <summary>Debtors that give at least one row.</summary>
    public long Debtors { get; private set; }

    /// <summary>Debtors on the book, once for each date.</summary>
    public long OnBook => Rows + excluded.Sum();

    public IEnumerable<DateTally> Dates => byDate.Values;

    public long Excluded(Exclusion reason) => excluded[(int)reason];

    public void AddDebtors(int count) => Debtors += count;

    public void Add(TrainingRows row)
    {
        if (row.Exclusion != Exclusion.None)
        {
            excluded[(int)row.Exclusion]++;
            return;
        }
        DateTally date = byDate[row.Date.Number];
        date.Rows++;
        date.Positives += row.IsPositive ? 1 : 0;
    }
}

/// <summary>Counts of one as-of date.</summary>
internal sealed class DateTally(Day date)
{
    public string AsOf { get; } = date.ToString();

    public long Rows { get; set; }

    public long Positives { get; set; }
}
