using Collections.Domain;
using Collections.Domain.Debtors;

namespace Collections.Engine.Partitions;

/// <summary>
/// Looks at every debtor of the partition once, some each slice: at the day roll, because days past due move; after an import, because
/// its debtors were quiet; after a change of model.
/// </summary>
internal sealed class BookSweep(DebtorTable table)
{
    private int next;
    private int end;

    /// <summary>Debtors looked at, and how many there are to look at, since the walk began.</summary>
    public (int Done, int Of) Progress => (next, end);

    /// <summary>Whether the walk follows a change of models: its rate is the host's to bound.</summary>
    public bool IsRescoring { get; private set; }

    /// <summary>The day up to which every debtor has been looked at.</summary>
    public Day SweptDay { get; set; }

    public bool IsRunning => next < end;

    /// <summary>Starts from the first debtor again, for the day that the next run is given.</summary>
    public void Restart()
    {
        next = 0;
        end = table.Count;
    }

    /// <summary>Starts again because the models have changed.</summary>
    public void Rescore()
    {
        Restart();
        IsRescoring = IsRunning;
    }

    /// <summary>Whether <see cref="Run"/> has anything to look at now.</summary>
    public bool IsDue(long nowMs) => IsRunning || Day.OfMs(nowMs) > SweptDay;

    /// <param name="nowMs">The partition's clock: as of then they are evaluated, in Unix milliseconds.</param>
    /// <param name="most">Debtors to look at, at most.</param>
    public void Run(long nowMs, int most, Evaluator evaluator, bool quiet)
    {
        Day today = Day.OfMs(nowMs);
        if (today > SweptDay)
        {
            SweptDay = today;
            Restart();
        }
        int stop = Math.Min(end, next + most);
        for (; next < stop; next++)
        {
            if (table.Record(next).IsFree)
                continue;
            Debtor debtor = table.Debtor(next);
            if (!quiet)
                debtor.IsQuiet = false;
            evaluator.Add(next, nowMs);
        }
        IsRescoring &= IsRunning;
    }
}
