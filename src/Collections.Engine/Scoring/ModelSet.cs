namespace Collections.Engine.Scoring;

/// <summary>The models that partitions score with, as one value: a partition changes from one set to another between two slices.</summary>
/// <param name="Revision">The sequence of the change of configuration that made it; 0: none.</param>
/// <param name="Propensity">What queues are ranked by; null: by overdue balance alone.</param>
/// <param name="PreDueRisk">The risk that an item not yet due becomes past due; null: not told.</param>
/// <param name="Shadow">Scores everybody whom <paramref name="Propensity"/> scores, and decides nothing; null: none.</param>
public sealed record ModelSet(long Revision, ScoringModel? Propensity, ScoringModel? PreDueRisk, ScoringModel? Shadow)
{
    public static readonly ModelSet None = new(0, null, null, null);

    /// <summary>Since when <see cref="Propensity"/> has been active, in Unix milliseconds: what it says of an earlier moment was never foretold.</summary>
    public long PropensitySinceMs { get; init; }

    /// <summary>A set of one propensity model, for who has no registry.</summary>
    public static ModelSet Of(ScoringModel? propensity) => propensity is null ? None : None with { Propensity = propensity };

    /// <summary>In one line, for the audit trail.</summary>
    public override string ToString() => $"revision {Revision}: propensity {Name(Propensity)}, pre-due-risk {Name(PreDueRisk)}, shadow {Name(Shadow)}";

    private static string Name(ScoringModel? model) => model is null ? "none" : $"{model.Name} {model.Version} (number {model.Number}, {model.Sha256[..12]})";
}
