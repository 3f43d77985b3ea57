using Collections.Engine.Partitions;

namespace Collections.Engine.Scoring;

/// <summary>
/// Adds up how a model does, partition by partition, and takes in what others have added up of other partitions. Sums of outcomes are added in the order
/// of the partitions: the result does not depend on who has looked at which. One thread at a time.
/// </summary>
public sealed class HealthTally(ScoringModel model)
{
    private readonly SortedDictionary<int, IReadOnlyList<KeyValuePair<OutcomeKey, OutcomeSums>>> outcomes = [];

    public ScoringModel Model => model;

    public DriftTally Drift { get; } = new(model);

    /// <summary>What came of the model's predictions, by partition.</summary>
    public IEnumerable<KeyValuePair<int, IReadOnlyList<KeyValuePair<OutcomeKey, OutcomeSums>>>> Outcomes => outcomes;

    /// <summary>Takes in what was added up of partitions that are not in it yet.</summary>
    /// <exception cref="FormatException">It is of another model.</exception>
    public void Merge(HealthTally other)
    {
        Drift.Add(other.Drift.Counts);
        foreach ((int partition, IReadOnlyList<KeyValuePair<OutcomeKey, OutcomeSums>> part) in other.outcomes)
            Add(partition, part);
    }

    /// <summary>Adds what came of a partition's predictions; those of other models are left out.</summary>
    public void Add(int partition, IEnumerable<KeyValuePair<OutcomeKey, OutcomeSums>> part) => outcomes.Add(partition, [.. part.Where(outcome => outcome.Key.Model == model.Number)]);

    public ModelHealth Result()
    {
        IEnumerable<ReliabilityBin> reliability = outcomes.Values.SelectMany(static part => part)
            .GroupBy(static outcome => outcome.Key, static outcome => outcome.Value)
            .OrderBy(static sums => sums.Key, OutcomeKey.Order)
            .Select(static sums => Bin(sums.Key, sums.Sum(static sum => sum.Predictions), sums.Sum(static sum => sum.Predicted), sums.Sum(static sum => sum.CameTrue)));
        return ModelHealth.Of($"{model}", Drift.Result(), [.. reliability]);
    }

    private static ReliabilityBin Bin(OutcomeKey key, long predictions, double predicted, long cameTrue) =>
        new(key.Dimension, key.Group, predictions, predicted / predictions, (double)cameTrue / predictions);
}
