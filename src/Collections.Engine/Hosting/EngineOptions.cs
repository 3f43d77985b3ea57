using Collections.Domain.Debtors;
using Collections.Engine.Scoring;

namespace Collections.Engine.Hosting;

/// <summary>How a node runs. Immutable; checked when the node starts.</summary>
public sealed record EngineOptions
{
    /// <summary>Names the node in the store; one that joins a group is named by its address.</summary>
    public string Owner { get; init; } = "node";

    /// <summary>Worker threads; 0: one a core.</summary>
    public int Workers { get; init; }

    /// <summary>Records a slice takes at most, 1 to <see cref="Limits.SliceRecordsMax"/>.</summary>
    public int SliceRecords { get; init; } = Limits.SliceRecordsMax;

    /// <summary>
    /// The model that a registry without an active one begins with; null: none, and queues are ranked by overdue balance until one is activated.
    /// </summary>
    public ScoringModel? Model { get; init; }

    /// <summary>Whether <see cref="Model"/> is activated although another one is active.</summary>
    public bool ActivateModel { get; init; }

    /// <summary>Debtors scored anew in a second after a change of models, over all partitions; 1 to <see cref="Limits.RescoresPerSecondMax"/>.</summary>
    public int RescoresPerSecond { get; init; } = Limits.RescoresPerSecondDefault;

    /// <summary>What debtors keep in memory, and for how long.</summary>
    public DebtorOptions Debtors { get; init; } = new();

    /// <summary>Seconds between two checkpoints of a partition at least, 0 to <see cref="Limits.CheckpointSecondsMax"/>.</summary>
    public double CheckpointSeconds { get; init; } = Limits.CheckpointSecondsMin;

    /// <exception cref="ArgumentException">A value is out of range: the message names the key.</exception>
    public void Validate()
    {
        Require(Owner.Length is > 0 and <= 256, nameof(Owner), "1 to 256 characters");
        Require(Workers is >= 0 and <= 1024, nameof(Workers), "0 (one a core) to 1024");
        Require(SliceRecords is >= 1 and <= Limits.SliceRecordsMax, nameof(SliceRecords), $"1 to {Limits.SliceRecordsMax}");
        Require(CheckpointSeconds is >= 0 and <= Limits.CheckpointSecondsMax, nameof(CheckpointSeconds), $"0 to {Limits.CheckpointSecondsMax}");
        Require(RescoresPerSecond is >= 1 and <= Limits.RescoresPerSecondMax, nameof(RescoresPerSecond), $"1 to {Limits.RescoresPerSecondMax}");
        Debtors.Validate();
    }

    private static void Require(bool holds, string key, string range)
    {
        if (!holds)
            throw new ArgumentException($"{key} must be {range}", key);
    }
}
