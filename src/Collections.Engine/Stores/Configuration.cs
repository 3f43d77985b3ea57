namespace Collections.Engine.Stores;

/// <summary>What is configured by versions; the numbers are persisted.</summary>
public enum ConfigurationKind : byte
{
    Model = 1,
}

/// <summary>What was done with a version; the numbers are persisted.</summary>
public enum ConfigurationActKind : byte
{
    Added = 1,
    Activated = 2,

    /// <summary>The version that was active before is active again.</summary>
    RolledBack = 3,

    /// <summary>It scores besides, without acting.</summary>
    Shadowed = 4,
    ShadowEnded = 5,
}

/// <summary>A version of something configured. Once added it never changes.</summary>
/// <param name="Number">Given by the store, from 1 to 65,535; what scores and decisions name.</param>
public sealed record ConfigurationVersion(int Number, ConfigurationKind Kind, string Name, string Version);

/// <summary>A part of a version: a model's trees, its manifest.</summary>
public sealed record ConfigurationDocument(string Name, byte[] Content);

/// <summary>A change of the configuration. Acts are only ever appended: together they say what was in use at any time, and by whose word.</summary>
/// <param name="Sequence">Counts without gaps, from 1.</param>
/// <param name="By">Who did it.</param>
/// <param name="Subject">What it is for: a model's target.</param>
/// <param name="Number">The version; 0 where none is meant.</param>
public sealed record ConfigurationAct(long Sequence, long AtMs, string By, ConfigurationKind Kind, ConfigurationActKind Act, string Subject, int Number);
