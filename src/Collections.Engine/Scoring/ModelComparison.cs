namespace Collections.Engine.Scoring;

/// <summary>What two models say of the same debtors: the active one and its shadow.</summary>
/// <param name="Debtors">Whom both have scored.</param>
/// <param name="Unscored">Whom the shadow has not scored yet.</param>
/// <param name="Correlation">Pearson's, of the two probabilities; NaN when one of them does not vary.</param>
/// <param name="SameTenth">The share of debtors whose two probabilities lie in the same tenth of 0 to 1.</param>
public sealed record ModelComparison(
    long Debtors, long Unscored, double MeanActive, double MeanShadow, double MeanDifference, double DifferenceMax, double Correlation, double SameTenth,
    IReadOnlyList<QueueComparison> Queues);

/// <summary>The head of one queue as either model would have it.</summary>
/// <param name="Head">Places compared: as many as asked for, or all that wait.</param>
/// <param name="Overlap">Debtors in both heads.</param>
/// <param name="MeanRankChange">Places that a debtor in both heads moves, on average.</param>
/// <param name="ActiveHead">Expected recovery of the active model's head, as either model expects it, in major units.</param>
/// <param name="ShadowHead">The same of the shadow's head.</param>
/// <param name="Entering">Who would come into the head, best first.</param>
/// <param name="Leaving">Who would leave it, best first.</param>
public sealed record QueueComparison(
    string Queue, int Waiting, int Head, int Overlap, double MeanRankChange, ExpectedRecovery ActiveHead, ExpectedRecovery ShadowHead,
    IReadOnlyList<string> Entering, IReadOnlyList<string> Leaving);

/// <summary>What contacting some debtors is expected to bring, as two models expect it, in major units.</summary>
public readonly record struct ExpectedRecovery(double ByActive, double ByShadow);
