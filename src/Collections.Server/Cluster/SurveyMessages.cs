using Collections.Engine.Hosting;
using Collections.Engine.Partitions;
using Collections.Engine.Scoring;
using Collections.V1;
using SilentPartition = Collections.Engine.Hosting.SilentPartition;

namespace Collections.Server.Cluster;

/// <summary>Tallies of surveys in the form in which nodes send them to each other, and back. What is read is what was written, bit for bit.</summary>
internal static class SurveyMessages
{
    /// <param name="partitions">What was asked for; those that are not silent are covered.</param>
    public static IEnumerable<PeerComparisonPart> Write(ComparisonTally tally, IEnumerable<int> partitions, IReadOnlyList<SilentPartition> silent)
    {
        foreach (SilentPartition partition in silent)
            yield return new PeerComparisonPart { Silent = Write(partition) };
        foreach (int partition in Covered(partitions, silent))
            yield return new PeerComparisonPart { Sums = Write(partition, tally.Sums.GetValueOrDefault(partition)) };
        foreach ((string queue, int waiting, IReadOnlyCollection<ComparedEntry> best) in tally.Queues)
        {
            int told = waiting;
            foreach (ComparedEntry[] entries in best.Chunk(ClusterLimits.EntriesInMessage))
            {
                var part = new PeerComparedQueue { Queue = queue, Waiting = told };
                part.Best.Add(entries.Select(static e => new PeerComparedEntry { Debtor = e.Debtor, ActiveValue = e.ActiveValue, ShadowValue = e.ShadowValue, EligibleSinceMs = e.EligibleSinceMs }));
                yield return new PeerComparisonPart { Queue = part };
                told = 0;
            }
        }
    }

    /// <summary>Adds a part of an answer to the tally, or to the silent partitions.</summary>
    public static void Read(PeerComparisonPart part, ComparisonTally into, List<SilentPartition> silent)
    {
        switch (part.PartCase)
        {
            case PeerComparisonPart.PartOneofCase.Sums:
                PeerComparisonSums s = part.Sums;
                into.Add(s.Partition, new ComparisonSums(
                    s.Debtors, s.Unscored, s.SameTenth, s.Active, s.Shadow, s.ActiveSquares, s.ShadowSquares, s.Products, s.Differences, s.DifferenceMax));
                break;
            case PeerComparisonPart.PartOneofCase.Queue:
                into.AddQueue(part.Queue.Queue, part.Queue.Waiting, part.Queue.Best.Select(static e => new ComparedEntry(e.Debtor, e.ActiveValue, e.ShadowValue, e.EligibleSinceMs)));
                break;
            case PeerComparisonPart.PartOneofCase.Silent:
                silent.Add(Read(part.Silent));
                break;
        }
    }

    /// <inheritdoc cref="Write(ComparisonTally, IEnumerable{int}, IReadOnlyList{SilentPartition})"/>
    public static IEnumerable<PeerHealthPart> Write(HealthTally tally, IReadOnlyList<SilentPartition> silent)
    {
        foreach (SilentPartition partition in silent)
            yield return new PeerHealthPart { Silent = Write(partition) };
        DriftCounts counts = tally.Drift.Counts;
        var drift = new PeerDrift { Debtors = counts.Debtors };
        drift.Scores.Add(counts.Scores);
        foreach (FeatureCounts feature in counts.Features)
        {
            var written = new PeerFeatureCounts { Feature = feature.Feature };
            written.Counts.Add(feature.Counts);
            drift.Features.Add(written);
        }
        yield return new PeerHealthPart { Drift = drift };
        foreach ((int partition, IReadOnlyList<KeyValuePair<OutcomeKey, OutcomeSums>> outcomes) in tally.Outcomes)
        {
            var part = new PeerOutcomes { Partition = partition };
            part.Outcomes.Add(outcomes.Select(static o => new PeerOutcome
            {
                Dimension = o.Key.Dimension,
                Group = o.Key.Group,
                Predictions = o.Value.Predictions,
                Predicted = o.Value.Predicted,
                CameTrue = o.Value.CameTrue,
            }));
            yield return new PeerHealthPart { Outcomes = part };
        }
    }

    /// <summary>Adds a part of an answer to the tally, or to the silent partitions.</summary>
    /// <exception cref="FormatException">It is of another model.</exception>
    public static void Read(PeerHealthPart part, HealthTally into, List<SilentPartition> silent)
    {
        switch (part.PartCase)
        {
            case PeerHealthPart.PartOneofCase.Drift:
                into.Drift.Add(new DriftCounts(part.Drift.Debtors, part.Drift.Scores, [.. part.Drift.Features.Select(static f => new FeatureCounts(f.Feature, f.Counts))]));
                break;
            case PeerHealthPart.PartOneofCase.Outcomes:
                into.Add(part.Outcomes.Partition, part.Outcomes.Outcomes.Select(o => KeyValuePair.Create(
                    new OutcomeKey(into.Model.Number, o.Dimension, o.Group), new OutcomeSums(o.Predictions, o.Predicted, o.CameTrue))));
                break;
            case PeerHealthPart.PartOneofCase.Silent:
                silent.Add(Read(part.Silent));
                break;
        }
    }

    public static PeerSilent Write(SilentPartition silent) => new() { Partition = silent.Partition, Reason = silent.Reason, Passing = silent.IsPassing };

    private static IEnumerable<int> Covered(IEnumerable<int> partitions, IReadOnlyList<SilentPartition> silent) => partitions.Except(silent.Select(static partition => partition.Partition));

    private static PeerComparisonSums Write(int partition, in ComparisonSums s) => new()
    {
        Partition = partition,
        Debtors = s.Debtors,
        Unscored = s.Unscored,
        SameTenth = s.SameTenth,
        Active = s.Active,
        Shadow = s.Shadow,
        ActiveSquares = s.ActiveSquares,
        ShadowSquares = s.ShadowSquares,
        Products = s.Products,
        Differences = s.Differences,
        DifferenceMax = s.DifferenceMax,
    };

    private static SilentPartition Read(PeerSilent silent) => new(silent.Partition, silent.Reason, silent.Passing);
}
