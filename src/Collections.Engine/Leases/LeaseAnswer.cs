using Collections.Engine.Stores;

namespace Collections.Engine.Leases;

/// <summary>What a lease is when somebody acts on it, in the order of precedence.</summary>
public enum LeaseStatus
{
    /// <summary>Never granted here, or long gone.</summary>
    Unknown,
    Voided,
    Expired,
    Closed,
    Open,
}

/// <summary>The answer to an act on a lease.</summary>
public readonly record struct LeaseAnswer(LeaseStatus Status, LeaseRow? Row, string Reason)
{
    public static readonly LeaseAnswer Unknown = new(LeaseStatus.Unknown, null, "no such lease: it was never granted, or it was reported or released long ago");
}
