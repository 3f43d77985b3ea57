using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>What became of an event, in the order of precedence.</summary>
public enum ApplyOutcome
{
    /// <summary>The debtor has it.</summary>
    Applied = 0,

    /// <summary>The debtor has had it before; nothing changed.</summary>
    Duplicate = 1,

    /// <summary>It can't be judged from the hot state; nothing changed. The debtor's whole history, this event included, goes to <see cref="Debtor.Rebuild"/>.</summary>
    NeedsHistory = 2,

    /// <summary>Its id belongs to an event with other content. Certain only after a rebuild, see <see cref="RebuildReport.IsConflict"/>.</summary>
    Conflict = 3,

    /// <summary>It can't be read, or is beyond a limit; nothing changed, and the error says why.</summary>
    Invalid = 4,
}

/// <summary>What became of an image that was read.</summary>
public enum ImageStatus
{
    Read = 0,

    /// <summary>Written by a version of another layout: rebuild the debtor from its history.</summary>
    OtherLayout = 1,

    /// <summary>Cut off or altered: rebuild the debtor from its history.</summary>
    Corrupt = 2,
}

/// <summary>A delivery that was refused because its id came first with other content.</summary>
public readonly record struct ConflictingDelivery(EventStream Stream, string Id, uint ContentHash);

/// <summary>What a rebuild found in the history.</summary>
public readonly record struct RebuildReport
{
    /// <summary>Events that count, each once.</summary>
    public int Events { get; init; }

    /// <summary>Further deliveries of the same events.</summary>
    public int Duplicates { get; init; }

    /// <summary>Records that can't be read as events, or are beyond a limit.</summary>
    public int Refused { get; init; }

    /// <summary>Deliveries whose id came first with other content; none when null.</summary>
    public IReadOnlyList<ConflictingDelivery>? Conflicts { get; init; }

    /// <summary>Whether this delivery was refused because its id came first with other content.</summary>
    public bool IsConflict(in EventHead head)
    {
        if (Conflicts is null)
            return false;
        string id = System.Text.Encoding.UTF8.GetString(head.Id);
        foreach (ConflictingDelivery conflict in Conflicts)
        {
            if (conflict.Stream == head.Stream && conflict.ContentHash == head.ContentHash && conflict.Id == id)
                return true;
        }
        return false;
    }
}
