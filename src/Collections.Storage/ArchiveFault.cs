using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage;

/// <summary>Something that the archive of a log elsewhere misses of one partition.</summary>
/// <param name="CanBeFetched">Whether the log elsewhere may still have it.</param>
/// <param name="Text">What it is.</param>
public readonly record struct ArchiveFault(int Partition, bool CanBeFetched, string Text)
{
    /// <summary>The most that a message tells one by one.</summary>
    private const int ToldMax = 10;

    /// <summary>All of them in words, those of the same kind together.</summary>
    public static string Describe(IReadOnlyList<ArchiveFault> faults)
    {
        string[] told = [.. faults.GroupBy(static fault => fault.Text, static fault => fault.Partition)
            .Select(static same => $"{(same.Count() == 1 ? "partition" : "partitions")} {string.Join(", ", same)}: {same.Key}")];
        return string.Join("; ", told.Take(ToldMax)) + (told.Length > ToldMax ? $"; and {told.Length - ToldMax} more" : "");
    }

    internal static IReadOnlyList<ArchiveFault> Of(SqliteEventLog log)
    {
        // One that nobody has put anything into is as it was made.
        if (Enumerable.Range(0, log.PartitionCount).All(partition => log.NoteOf(partition) is null && log.End(partition) == StreamPositions.Start))
            return [];
        return [.. Enumerable.Range(0, log.PartitionCount).SelectMany(partition => Of(log, partition))];
    }

    private static IEnumerable<ArchiveFault> Of(SqliteEventLog log, int partition)
    {
        ArchiveNote? note = log.NoteOf(partition);
        if (note is null && log.End(partition) == StreamPositions.Start)
            yield return new ArchiveFault(partition, true, "never fetched");
        if (log.GapOf(partition) is { } gap)
            yield return new ArchiveFault(partition, true, $"without {Between(gap.From, gap.To)}");
        else if (note is { IsBehind: true })
            yield return new ArchiveFault(partition, true, "others have run it since, or it was not fetched to its end");
        foreach (LostPiece lost in note?.Lost ?? [])
            yield return new ArchiveFault(partition, false, $"without {lost}, which retention had deleted before they were fetched");
    }

    private static string Between(StreamPositions from, StreamPositions to) => string.Join(", ", Enum.GetValues<EventStream>()
        .Where(stream => from[stream] < to[stream]).Select(stream => $"{NameOf(stream)} {from[stream]} to {to[stream] - 1}"));

    private static string NameOf(EventStream stream) => stream.ToString().ToLowerInvariant();
}
