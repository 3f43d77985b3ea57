namespace Collections.Engine.Logs;

/// <summary>
/// The group of nodes that share the partitions of a log. It alone says which of them a node is to run. That of two nodes which believe it for a
/// moment only one can write, is the store's to hold, by the epoch.
/// </summary>
public interface IPartitionGroup
{
    /// <summary>Joins; from then on the member is called, one call at a time, from a thread of the group's.</summary>
    void Join(IGroupMember member);

    /// <summary>Has every partition taken back, then leaves, so that others get them at once. Without having joined it does nothing.</summary>
    void Leave();
}

/// <summary>A node, as its group sees it.</summary>
public interface IGroupMember
{
    /// <summary>The member is to run these, too. Called at least once when it has joined, if only with none. Quick: loading goes on behind it.</summary>
    void OnAssigned(IReadOnlyCollection<int> partitions);

    /// <summary>Others are to run these. Returns when they have been given up: drained, kept and released, as far as time allows.</summary>
    void OnRevoked(IReadOnlyCollection<int> partitions);

    /// <summary>Others may run these already: nothing of them can be kept any more.</summary>
    void OnLost(IReadOnlyCollection<int> partitions);
}
