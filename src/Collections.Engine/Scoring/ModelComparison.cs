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

/// <summary>Adds up a comparison, debtor by debtor. One thread at a time.</summary>
/// <param name="head">Places of each queue's head to compare, 1 to <see cref="Limits.ComparedHeadMax"/>.</param>
public sealed class ComparisonTally(int head)
{
    private readonly SortedDictionary<string, QueueTally> queues = new(StringComparer.Ordinal);
    private long unscored;
    private long count;
    private long sameTenth;
    private double sumA, sumB, sumAA, sumBB, sumAB, sumAbs, maxAbs;

    /// <param name="active">The active model's probability.</param>
    /// <param name="shadow">The shadow's; NaN: it has not scored the debtor yet.</param>
    internal void Add(double active, double shadow)
    {
        if (double.IsNaN(active) || double.IsNaN(shadow))
        {
            unscored++;
            return;
        }
        count++;
        sumA += active;
        sumB += shadow;
        sumAA += active * active;
        sumBB += shadow * shadow;
        sumAB += active * shadow;
        double difference = Math.Abs(active - shadow);
        sumAbs += difference;
        maxAbs = Math.Max(maxAbs, difference);
        if (Tenth(active) == Tenth(shadow))
            sameTenth++;
    }

    /// <summary>A debtor who waits in a queue.</summary>
    internal void AddWaiting(string queue, in ComparedEntry entry)
    {
        if (!queues.TryGetValue(queue, out QueueTally? tally))
            queues.Add(queue, tally = new QueueTally(head));
        tally.Add(entry);
    }

    public ModelComparison Result()
    {
        double n = Math.Max(1, count);
        double varianceA = sumAA / n - sumA / n * (sumA / n), varianceB = sumBB / n - sumB / n * (sumB / n);
        double correlation = varianceA <= 0 || varianceB <= 0 ? double.NaN : (sumAB / n - sumA / n * (sumB / n)) / Math.Sqrt(varianceA * varianceB);
        return new ModelComparison(
            count, unscored, sumA / n, sumB / n, sumAbs / n, maxAbs, correlation, sameTenth / n, [.. queues.Select(queue => queue.Value.Result(queue.Key))]);
    }

    private static int Tenth(double probability) => Math.Min(9, (int)(probability * 10));
}

/// <summary>A waiting debtor as two models value it.</summary>
/// <param name="ActiveValue">What the queue is ranked by: expected recovery in major units.</param>
/// <param name="ShadowValue">What it would be ranked by.</param>
internal readonly record struct ComparedEntry(string Debtor, double ActiveValue, double ShadowValue, long EligibleSinceMs);

/// <summary>The heads of one queue in the two orders.</summary>
internal sealed class QueueTally(int head)
{
    /// <summary>Names of those who enter and leave that are told.</summary>
    private const int NamesTold = 10;

    private readonly SortedSet<ComparedEntry> byActive = new(Comparer<ComparedEntry>.Create((a, b) => Compare(a, b, a.ActiveValue, b.ActiveValue)));
    private readonly SortedSet<ComparedEntry> byShadow = new(Comparer<ComparedEntry>.Create((a, b) => Compare(a, b, a.ShadowValue, b.ShadowValue)));
    private int waiting;

    public void Add(in ComparedEntry entry)
    {
        waiting++;
        Keep(byActive, entry);
        Keep(byShadow, entry);
    }

    public QueueComparison Result(string queue)
    {
        List<ComparedEntry> active = [.. byActive], shadow = [.. byShadow];
        Dictionary<string, int> shadowRank = shadow.Index().ToDictionary(place => place.Item.Debtor, place => place.Index);
        var activeNames = active.Select(entry => entry.Debtor).ToHashSet();
        int overlap = 0, moved = 0;
        for (int rank = 0; rank < active.Count; rank++)
        {
            if (!shadowRank.TryGetValue(active[rank].Debtor, out int other))
                continue;
            overlap++;
            moved += Math.Abs(other - rank);
        }
        return new QueueComparison(
            queue, waiting, active.Count, overlap, overlap == 0 ? double.NaN : (double)moved / overlap, RecoveryOf(active), RecoveryOf(shadow),
            [.. shadow.Where(entry => !activeNames.Contains(entry.Debtor)).Take(NamesTold).Select(entry => entry.Debtor)],
            [.. active.Where(entry => !shadowRank.ContainsKey(entry.Debtor)).Take(NamesTold).Select(entry => entry.Debtor)]);
    }

    private static ExpectedRecovery RecoveryOf(List<ComparedEntry> entries) => new(entries.Sum(entry => entry.ActiveValue), entries.Sum(entry => entry.ShadowValue));

    private void Keep(SortedSet<ComparedEntry> best, in ComparedEntry entry)
    {
        best.Add(entry);
        if (best.Count > head)
            best.Remove(best.Max);
    }

    /// <summary>The order of the queues: value, then who has waited longest, then the name.</summary>
    private static int Compare(in ComparedEntry a, in ComparedEntry b, double valueA, double valueB)
    {
        int order = valueB.CompareTo(valueA);
        if (order == 0)
            order = a.EligibleSinceMs.CompareTo(b.EligibleSinceMs);
        return order != 0 ? order : string.CompareOrdinal(a.Debtor, b.Debtor);
    }
}
