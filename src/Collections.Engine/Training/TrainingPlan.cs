using Collections.Domain;
using Collections.Engine.History;

namespace Collections.Engine.Training;

/// <summary>Of which days a training set is made, what it foresees, and what it may look at.</summary>
/// <param name="Dates">The as-of dates, rising; each stands for the end of its day.</param>
/// <param name="HorizonDays">Days after the as-of date in which the outcome is looked for, 1 to 366.</param>
/// <param name="CompleteThrough">The last day of which the log tells everything; a horizon that reaches beyond it has no outcome yet.</param>
public sealed record TrainingPlan(IReadOnlyList<Day> Dates, int HorizonDays, TrainingLabel Label, Day CompleteThrough, HistorySelection Selection);

/// <summary>Why a debtor gives no row on a date. The order is the order of the rules: the first that matches wins.</summary>
public enum Exclusion
{
    /// <summary>It gives a row.</summary>
    None,

    /// <summary>Nothing was overdue, so that nobody would have asked for money.</summary>
    NothingOverdue,

    /// <summary>No open item could become past due within the horizon.</summary>
    NothingFallsDue,

    /// <summary>A dispute was open, of an item or of the whole debt.</summary>
    DisputeOpen,

    /// <summary>A hold was in force.</summary>
    OnHold,

    /// <summary>The horizon reaches beyond the last day of which the log tells everything.</summary>
    HorizonNotOver,

    /// <summary>A dispute came up within the horizon, which ends the asking.</summary>
    DisputeInHorizon,

    /// <summary>A hold was placed within the horizon.</summary>
    HoldInHorizon,

    /// <summary>What could have become past due was cancelled or credited, so that nobody knows whether it would have been paid.</summary>
    ClosedOtherwise,
}
