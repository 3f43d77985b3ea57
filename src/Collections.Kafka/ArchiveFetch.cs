using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>
/// Brings what Kafka has of all partitions into an archive: from where it ends, and into its gaps, up to the ends as they are when it begins. It may be
/// stopped at any time and goes on where it was. What it was fetched through is noted of each partition, and so is what Kafka has no more.
/// </summary>
public sealed class ArchiveFetch
{
    private readonly KafkaLogOptions options;
    private readonly IRecordArchive archive;
    private readonly RangeCopy copy;

    /// <exception cref="KafkaRefusedException">A setting can't be used.</exception>
    public ArchiveFetch(KafkaLogOptions options, IRecordArchive archive, JsonReading json, TimeProvider time)
    {
        options.Check();
        this.options = options;
        this.archive = archive;
        copy = new RangeCopy(options, new RecordDecoder(json), time);
    }

    /// <summary>Called with the share that is done, 0 to 1.</summary>
    public Action<double>? Progress { get; init; }

    /// <returns>How many records were added.</returns>
    /// <exception cref="LogUnavailableException">Kafka does not answer; what was fetched stays, and it may be tried again.</exception>
    /// <exception cref="KafkaRefusedException">The archive is of another cluster.</exception>
    /// <exception cref="OperationCanceledException">What was fetched stays.</exception>
    public long Run(CancellationToken cancellation)
    {
        using var client = new KafkaClient(options, onStatistics: null, static _ => { });
        int[] partitions = [.. Enumerable.Range(0, archive.PartitionCount)];
        Dictionary<int, StreamPositions> begins = copy.PositionsOf(client, partitions, beginning: true), ends = copy.PositionsOf(client, partitions, beginning: false);
        foreach (int partition in partitions)
            RequireSameSource(partition, ends[partition]);
        long added = 0;
        foreach (int partition in partitions)
        {
            cancellation.ThrowIfCancellationRequested();
            added += Fetch(client, partition, begins[partition], ends[partition], cancellation);
            Progress?.Invoke((partition + 1.0) / partitions.Length);
        }
        return added;
    }

    private long Fetch(KafkaClient client, int partition, StreamPositions begins, StreamPositions end, CancellationToken cancellation)
    {
        long added = 0;
        ArchiveNote? before = archive.NoteOf(partition);
        // Behind the last record there may be offsets without one, which were read through.
        StreamPositions from = archive.End(partition).Max(before?.Through ?? StreamPositions.Start), to = end.Max(from);
        if (before is { IsBehind: false } && archive.GapOf(partition) is null && from.Covers(end))
            return 0;
        while (archive.GapOf(partition) is { } gap)
        {
            NoteBefore(RangeCopy.LostOf(begins, gap.From, gap.To));
            copy.Run(client, partition, gap.From.Max(begins), gap.To, (records, reached) =>
            {
                archive.Fill(partition, gap, records, reached);
                return Took(records);
            });
            cancellation.ThrowIfCancellationRequested();
        }
        NoteBefore(RangeCopy.LostOf(begins, from, to));
        copy.Run(client, partition, from.Max(begins), to, (records, _) =>
        {
            archive.AppendAsync(records).GetAwaiter().GetResult();
            return Took(records);
        });
        cancellation.ThrowIfCancellationRequested();
        archive.Note(partition, archive.NoteOf(partition)! with { Through = to, IsBehind = false });
        return added;

        // Who is stopped half-way has said so before, and knows afterwards what was lost.
        void NoteBefore(IEnumerable<LostPiece> lost) => archive.Note(partition, (archive.NoteOf(partition) ?? ArchiveNote.New).Without(lost) with { IsBehind = true });

        bool Took(AppendBatch records)
        {
            added += records.Count;
            return !cancellation.IsCancellationRequested;
        }
    }

    private void RequireSameSource(int partition, StreamPositions end)
    {
        StreamPositions archived = archive.End(partition);
        foreach (EventStream stream in Enum.GetValues<EventStream>().Where(stream => archived[stream] > end[stream]))
            throw new KafkaRefusedException($"{copy.NameOf(stream, partition)} is archived up to offset {archived[stream]}, but it ends at {end[stream]}: the topic was created anew, or this is another cluster. Use another --data, or the cluster that the archive came from");
    }
}
