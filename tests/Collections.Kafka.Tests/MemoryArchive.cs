using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Kafka.Tests;

/// <summary>An archive in memory that keeps the contract, and fails when it is told to.</summary>
internal sealed class MemoryArchive(int partitions) : IRecordArchive
{
    private readonly Lock gate = new();
    private readonly List<Stored>[] streams = [.. Enumerable.Range(0, partitions * EventKinds.StreamCount).Select(static _ => new List<Stored>())];
    private readonly ArchiveNote?[] notes = new ArchiveNote?[partitions];
    private int failures;
    private TaskCompletionSource? held;

    public int PartitionCount => partitions;

    /// <summary>The next appends fail although they may have been kept, as when an answer is lost.</summary>
    public void FailAppends(int count) => failures = count;

    /// <summary>Appends wait, unkept, until <see cref="LetGo"/>.</summary>
    public void Hold() => held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void LetGo() => held?.TrySetResult();

    public StreamPositions End(int partition)
    {
        lock (gate)
            return new StreamPositions(EndOf(partition, EventStream.Invoices), EndOf(partition, EventStream.Payments), EndOf(partition, EventStream.Activity));
    }

    /// <summary>It is always as far as its node has ever been.</summary>
    public void Begin(int partition, StreamPositions at)
    {
    }

    public ArchiveNote? NoteOf(int partition) => notes[partition];

    public void Note(int partition, ArchiveNote note) => notes[partition] = note;

    public ArchiveGap? GapOf(int partition) => null;

    public void Fill(int partition, ArchiveGap gap, AppendBatch records, StreamPositions reached) => Assert.Fail("it has no gaps");

    public async Task AppendAsync(AppendBatch batch)
    {
        if (held is { } waiting)
            await waiting.Task;
        lock (gate)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                if (batch.OffsetOf(i) >= EndOf(batch.PartitionOf(i), batch.StreamOf(i)))
                    Of(batch.PartitionOf(i), batch.StreamOf(i)).Add(new Stored(batch.OffsetOf(i), batch.DebtorHashOf(i), batch.KnownMsOf(i), batch.IsHistory(i), batch.ContentOf(i).ToArray()));
            }
            if (failures-- > 0)
                throw new LogUnavailableException("the archive in memory was told to fail");
        }
    }

    public int Read(int partition, ref StreamPositions from, int maxCount, StreamPositions sourceEnd, RecordBatch into)
    {
        lock (gate)
        {
            int count = 0;
            for (; count < maxCount; count++)
            {
                EventStream? first = null;
                Stored? next = null;
                foreach (EventStream stream in Enum.GetValues<EventStream>())
                {
                    long position = from[stream];
                    Stored? record = Of(partition, stream).Find(r => r.Offset >= position);
                    if (record is null && EndOf(partition, stream) < sourceEnd[stream])
                        return count;
                    if (record is not null && (next is null || record.KnownMs < next.KnownMs))
                        (first, next) = (stream, record);
                }
                if (next is null)
                    break;
                into.Add(first!.Value, next.Offset, next.KnownMs, next.History, next.Content);
                from = from.With(first.Value, next.Offset + 1);
            }
            return count;
        }
    }

    public ArchivePart ReadPiece(int partition, LostPiece piece, int bytesMax, AppendBatch into) => new(piece.To, piece.To);

    public void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into)
    {
        lock (gate)
        {
            foreach (EventStream stream in Enum.GetValues<EventStream>())
            {
                foreach (Stored record in Of(partition, stream).Where(r => r.DebtorHash == debtorHash && r.Offset < until[stream]))
                    into.Add(stream, record.Offset, record.KnownMs, record.History, record.Content);
            }
        }
    }

    public void Dispose()
    {
    }

    private List<Stored> Of(int partition, EventStream stream) => streams[partition * EventKinds.StreamCount + (int)stream];

    private long EndOf(int partition, EventStream stream) => Of(partition, stream) is [.., var last] ? last.Offset + 1 : 0;

    private sealed record Stored(long Offset, ulong DebtorHash, long KnownMs, bool History, byte[] Content);
}
