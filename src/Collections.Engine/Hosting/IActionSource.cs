using Collections.Engine.Leases;
using Collections.Engine.Partitions;

namespace Collections.Engine.Hosting;

/// <summary>Partitions from which actions are handed out: those of this node, or those of another one.</summary>
public interface IActionSource
{
    /// <summary>The best waiting actions, without taking them.</summary>
    /// <exception cref="InvalidOperationException">It can't be asked now: the message says why.</exception>
    Task<SourceHeads> LookAsync(PullOrder order);

    /// <summary>Takes chosen ones: reserves them, commits their leases, and answers with what is now in the caller's hand.</summary>
    /// <param name="chosen">Of <see cref="LookAsync"/>; one that is not at the head any more is left out.</param>
    /// <exception cref="Stores.StoreUnavailableException">The leases could not be committed: nothing was handed out.</exception>
    /// <exception cref="Stores.StoreFencedException">The partitions are another node's by now: nothing was handed out.</exception>
    /// <exception cref="InvalidOperationException">It can't be asked now: the message says why.</exception>
    Task<IReadOnlyList<LeasedAction>> GrantAsync(PullOrder order, IReadOnlyList<Head> chosen);
}

/// <summary>What a source has to give.</summary>
/// <param name="Partitions">Those that it runs, silent ones included.</param>
/// <param name="Reason">Why some of them give nothing; empty: all do.</param>
/// <param name="Before">What the order's request got here before, if anything; null: it has not been here, as far as is remembered.</param>
public sealed record SourceHeads(QueueHeads Heads, IReadOnlyList<int> Partitions, string Reason, IReadOnlyList<LeasedAction>? Before);
