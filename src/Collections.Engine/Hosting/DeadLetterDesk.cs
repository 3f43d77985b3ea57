using Collections.Domain.Events;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>A dead letter and where it lies.</summary>
public sealed record PlacedDeadLetter(int Partition, StoredDeadLetter Stored)
{
    public bool IsOpen => Stored.SettledMs == 0;
}

/// <summary>
/// Where records that could not be applied are looked at and settled. A letter is put back by appending its event like any other; only when that is
/// durable is the letter settled, so a crash in between leaves it open, and putting it back again is a redelivery.
/// </summary>
public sealed class DeadLetterDesk
{
    private readonly Node node;
    private readonly IStore store;

    internal DeadLetterDesk(Node node, IStore store)
    {
        this.node = node;
        this.store = store;
    }

    /// <summary>Letters by partition and number.</summary>
    /// <param name="after">Only what comes after this place; (0, 0) for all.</param>
    /// <param name="settled">Those that have been settled too.</param>
    /// <param name="maxCount">At most so many, 1 or more.</param>
    /// <exception cref="StoreUnavailableException">The store can't be read now.</exception>
    public List<PlacedDeadLetter> List((int Partition, long Number) after, bool settled, int maxCount)
    {
        var found = new List<PlacedDeadLetter>();
        for (int partition = after.Partition; partition < node.PartitionCount && found.Count < maxCount; partition++)
        {
            long from = partition == after.Partition ? after.Number : 0;
            IReadOnlyList<StoredDeadLetter> page;
            do
            {
                page = store.LoadDeadLetters(partition, from, Limits.DeadLetterPage);
                found.AddRange(page.Where(letter => settled || letter.SettledMs == 0).Take(maxCount - found.Count).Select(letter => new PlacedDeadLetter(partition, letter)));
                from = page.Count > 0 ? page[^1].Number : from;
            }
            while (page.Count == Limits.DeadLetterPage && found.Count < maxCount);
        }
        return found;
    }

    /// <summary>One letter; null if there is none of that number.</summary>
    /// <exception cref="StoreUnavailableException">The store can't be read now.</exception>
    public PlacedDeadLetter? Find(int partition, long number) =>
        partition >= 0 && partition < node.PartitionCount && number > 0 && store.LoadDeadLetters(partition, number - 1, 1) is [{ } letter, ..] && letter.Number == number
            ? new PlacedDeadLetter(partition, letter)
            : null;

    /// <summary>Appends an event in the letter's place and settles the letter.</summary>
    /// <param name="content">The event in wire form, mended or as it came.</param>
    /// <param name="by">Who does it.</param>
    /// <returns>Why the event is refused, or null: it is durable, and the letter is settled.</returns>
    /// <exception cref="Logs.LogUnavailableException">Nothing was put back; try again.</exception>
    /// <exception cref="StoreUnavailableException">The event is in the log, and the letter still open; try again.</exception>
    public async Task<EventError?> ReplayAsync(PlacedDeadLetter letter, ReadOnlyMemory<byte> content, string by, CancellationToken cancellation)
    {
        IntakeResult result = (await node.Intake.AppendAsync([content], waitApplied: false, cancellation))[0];
        if (result.Status == IntakeStatus.Refused)
            return result.Error;
        bool isMended = !content.Span.SequenceEqual(letter.Stored.Letter.Content);
        Settle(letter, $"put back{(isMended ? ", mended," : "")} by {by}");
        return null;
    }

    /// <summary>Settles a letter without putting anything back.</summary>
    /// <returns>False if somebody else has settled it meanwhile.</returns>
    /// <exception cref="StoreUnavailableException">Nothing was written; try again.</exception>
    public bool Discard(PlacedDeadLetter letter, string reason, string by) => Settle(letter, $"given up by {by}: {reason}");

    private bool Settle(PlacedDeadLetter letter, string how) => store.SettleDeadLetter(letter.Partition, letter.Stored.Number, node.NowMs, how);
}
