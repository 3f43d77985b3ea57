using System.Collections.ObjectModel;

namespace Collections.Engine.Scoring;

/// <summary>What the debtors of one partition add to a comparison.</summary>
/// <param name="Debtors">Whom both models have scored.</param>
/// <param name="Unscored">Whom the shadow has not scored yet.</param>
/// <param name="SameTenth">Whose two probabilities lie in the same tenth of 0 to 1.</param>
/// <param name="Active">The sum of the active model's probabilities; the other sums follow.</param>
/// <param name="Differences">The sum of the absolute differences.</param>
public readonly record struct ComparisonSums(
    long Debtors, long Unscored, long SameTenth, double Active, double Shadow, double ActiveSquares, double ShadowSquares, double Products, double Differences, double DifferenceMax)
{
    public static ComparisonSums operator +(in ComparisonSums a, in ComparisonSums b) => new(
        a.Debtors + b.Debtors, a.Unscored + b.Unscored, a.SameTenth + b.SameTenth, a.Active + b.Active, a.Shadow + b.Shadow, a.ActiveSquares + b.ActiveSquares,
        a.ShadowSquares + b.ShadowSquares, a.Products + b.Products, a.Differences + b.Differences, Math.Max(a.DifferenceMax, b.DifferenceMax));

    /// <param name="active">The active model's probability.</param>
    /// <param name="shadow">The shadow's; NaN: it has not scored the debtor yet.</param>
    public static ComparisonSums Of(double active, double shadow)
    {
        if (double.IsNaN(active) || double.IsNaN(shadow))
            return new ComparisonSums { Unscored = 1 };
        double difference = Math.Abs(active - shadow);
        return new ComparisonSums(1, 0, Tenth(active) == Tenth(shadow) ? 1 : 0, active, shadow, active * active, shadow * shadow, active * shadow, difference, difference);
    }

    private static int Tenth(double probability) => Math.Min(9, (int)(probability * 10));
}

/// <summary>A waiting debtor as two models value it.</summary>
/// <param name="ActiveValue">What the queue is ranked by: expected recovery in major units.</param>
/// <param name="ShadowValue">What it would be ranked by.</param>
public readonly record struct ComparedEntry(string Debtor, double ActiveValue, double ShadowValue, long EligibleSinceMs);

/// <summary>
/// Adds up a comparison, debtor by debtor, and takes in what others have added up of other partitions. Sums are kept for each partition and added in
/// the order of the partitions, and heads have a total order: the result does not depend on who has looked at which partition. One thread at a time.
/// </summary>
/// <param name="head">Places of each queue's head to compare, 1 to <see cref="Limits.ComparedHeadMax"/>.</param>
public sealed class ComparisonTally(int head)
{
    private readonly SortedDictionary<int, ComparisonSums> sums = [];
    private readonly SortedDictionary<string, QueueTally> queues = new(StringComparer.Ordinal);

    public int Head => head;

    /// <summary>By partition; one without debtors may be missing.</summary>
    public IReadOnlyDictionary<int, ComparisonSums> Sums => new ReadOnlyDictionary<int, ComparisonSums>(sums);

    /// <summary>How many wait in each queue, and who is in one of its two heads, each once.</summary>
    public IEnumerable<(string Queue, int Waiting, IReadOnlyCollection<ComparedEntry> Best)> Queues => queues.Select(static queue => (queue.Key, queue.Value.Waiting, queue.Value.Best));

    /// <summary>Takes in what was added up of debtors that are not in it yet.</summary>
    public void Merge(ComparisonTally other)
    {
        foreach ((int partition, ComparisonSums part) in other.sums)
            Add(partition, part);
        foreach ((string queue, int waiting, IReadOnlyCollection<ComparedEntry> best) in other.Queues)
            AddQueue(queue, waiting, best);
    }

    /// <summary>Adds to the sums of a partition.</summary>
    public void Add(int partition, in ComparisonSums part) => sums[partition] = sums.GetValueOrDefault(partition) + part;

    /// <summary>Adds debtors who wait in a queue.</summary>
    /// <param name="waiting">How many there are.</param>
    /// <param name="best">Those of them who are in a head of this size, or more.</param>
    public void AddQueue(string queue, int waiting, IEnumerable<ComparedEntry> best)
    {
        if (!queues.TryGetValue(queue, out QueueTally? tally))
            queues.Add(queue, tally = new QueueTally(head));
        tally.Add(waiting, best);
    }

    public ModelComparison Result()
    {
        ComparisonSums all = sums.Values.Aggregate(default(ComparisonSums), static (sum, part) => sum + part);
        double n = Math.Max(1, all.Debtors), meanA = all.Active / n, meanB = all.Shadow / n;
        double varianceA = all.ActiveSquares / n - meanA * meanA, varianceB = all.ShadowSquares / n - meanB * meanB;
        double correlation = varianceA <= 0 || varianceB <= 0 ? double.NaN : (all.Products / n - meanA * meanB) / Math.Sqrt(varianceA * varianceB);
        return new ModelComparison(
            all.Debtors, all.Unscored, meanA, meanB, all.Differences / n, all.DifferenceMax, correlation, all.SameTenth / n, [.. queues.Select(static queue => queue.Value.Result(queue.Key))]);
    }
}

/// <summary>The heads of one queue in the two orders.</summary>
internal sealed class QueueTally(int head)
{
    /// <summary>Names of those who enter and leave that are told.</summary>
    private const int NamesTold = 10;

    private readonly SortedSet<ComparedEntry> byActive = new(Comparer<ComparedEntry>.Create((a, b) => Compare(a, b, a.ActiveValue, b.ActiveValue)));
    private readonly SortedSet<ComparedEntry> byShadow = new(Comparer<ComparedEntry>.Create((a, b) => Compare(a, b, a.ShadowValue, b.ShadowValue)));

    public int Waiting { get; private set; }

    /// <summary>Who is in one of the heads, each once.</summary>
    public IReadOnlyCollection<ComparedEntry> Best => [.. byActive.Union(byShadow)];

    public void Add(int waiting, IEnumerable<ComparedEntry> best)
    {
        Waiting += waiting;
        foreach (ComparedEntry entry in best)
        {
            Keep(byActive, entry);
            Keep(byShadow, entry);
        }
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
            queue, Waiting, active.Count, overlap, overlap == 0 ? double.NaN : (double)moved / overlap, RecoveryOf(active), RecoveryOf(shadow),
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
