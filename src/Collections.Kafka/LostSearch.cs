using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>
/// Looks on other nodes for what Kafka deleted before this node's archive had it. A gap means that another node ran the partition: while nobody who can
/// be asked has a piece of it, its node may be away, and the gap stays open for a time. One thread.
/// </summary>
internal sealed class LostSearch(TimeProvider time, TimeSpan patience, Warnings warnings)
{
    // Pieces that are waited for, since when, by partition and stream.
    private readonly Dictionary<(int Partition, EventStream Stream), long> since = [];
    private readonly Dictionary<int, long> askedAt = [];
    private volatile Func<IReadOnlyList<IOtherArchive>>? others;

    /// <inheritdoc cref="IArchivedLog.Others"/>
    public Func<IReadOnlyList<IOtherArchive>>? Others
    {
        get => others;
        set => others = value;
    }

    /// <summary>Whether the others were asked for pieces of a partition a moment ago, in vain.</summary>
    public bool IsResting(int partition) => askedAt.TryGetValue(partition, out long at) && time.GetElapsedTime(at) < patience / Limits.LostAsksMax;

    /// <summary>The partition is not open any more: when it is opened again, everything begins anew.</summary>
    public void Forget(int partition)
    {
        askedAt.Remove(partition);
        foreach (EventStream stream in Enum.GetValues<EventStream>())
            since.Remove((partition, stream));
    }

    /// <summary>Asks one node after another, as long as one of them goes on where the others had no more.</summary>
    /// <param name="isNoted">It was given up before, so that it is not waited for.</param>
    /// <param name="take">As in <see cref="IOtherArchive.Copy"/>; false: the partition was closed.</param>
    /// <exception cref="LogUnavailableException">This node's archive does not take it now.</exception>
    public Search Look(int partition, LostPiece piece, bool isNoted, Func<AppendBatch, long, bool> take, CancellationToken stopping)
    {
        if (others is not { } known)
            return new Search(piece.From, piece.To, Waits: false);
        long reached = piece.From, resumes = piece.To;
        bool isWanted = true, moved = true;
        while (moved && isWanted && reached < piece.To)
        {
            (moved, resumes) = (false, piece.To);
            foreach (IOtherArchive other in known())
            {
                long before = reached, has = Ask(other, partition, piece with { From = reached }, Take, stopping);
                isWanted &= !stopping.IsCancellationRequested;
                if (has > before)
                    resumes = Math.Min(resumes, has);
                if (reached > before)
                {
                    moved = true;
                    warnings.Say($"found {piece.Stream} {partition} {before}", $"{piece.Stream} {before} to {reached - 1} of partition {partition}, which retention had deleted, came from the archive of node {other.Name}");
                }
                if (!isWanted || reached == piece.To)
                    break;
            }
        }
        return new Search(reached, resumes, Waits: reached < piece.To && (!isWanted || IsWaitedFor(partition, piece with { From = reached }, reached > piece.From, isNoted)));

        bool Take(AppendBatch records, long to)
        {
            isWanted = take(records, to);
            if (isWanted)
                reached = to;
            return isWanted;
        }
    }

    /// <returns>From where on it has something; the piece's end also if it can't be asked.</returns>
    private long Ask(IOtherArchive other, int partition, LostPiece piece, Func<AppendBatch, long, bool> take, CancellationToken stopping)
    {
        bool isTaking = false;
        try
        {
            return other.Copy(partition, piece, Take, stopping);
        }
        catch (LogUnavailableException away) when (!isTaking)
        {
            warnings.Say($"ask {other.Name}", $"the archive of node {other.Name} can't be asked now for {piece.Stream} {piece.From} to {piece.To - 1} of partition {partition}: {away.Message}");
            return piece.To;
        }

        bool Take(AppendBatch records, long to)
        {
            isTaking = true;
            bool goesOn = take(records, to);
            isTaking = false;
            return goesOn;
        }
    }

    private bool IsWaitedFor(int partition, LostPiece piece, bool isNew, bool isNoted)
    {
        (int, EventStream) key = (partition, piece.Stream);
        long now = time.GetTimestamp();
        askedAt[partition] = now;
        if (isNew || !since.TryGetValue(key, out long first))
        {
            since[key] = first = now;
            if (!isNoted)
                warnings.Say($"wait {piece.Stream} {partition}", $"{piece.Stream} {piece.From} to {piece.To - 1} of partition {partition} were deleted by retention, and no node that can be asked now has them: histories of the partition wait for one, {patience.TotalMinutes:0.#} minutes at most");
        }
        if (!isNoted && time.GetElapsedTime(first, now) < patience)
            return true;
        since.Remove(key);
        askedAt.Remove(partition);
        return false;
    }
}

/// <summary>What came of looking for a piece.</summary>
/// <param name="Reached">Up to where it is here.</param>
/// <param name="Resumes">Behind that, from where on another node has it; the piece's end if none has.</param>
/// <param name="Waits">The rest may come yet; otherwise nobody has what lies between the two.</param>
internal readonly record struct Search(long Reached, long Resumes, bool Waits);
