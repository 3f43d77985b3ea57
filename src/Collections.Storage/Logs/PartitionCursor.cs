using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Logs;

/// <summary>Reads a partition's streams on and on, merged by (known, stream, offset). The partition's worker only.</summary>
internal sealed class PartitionCursor(int partition) : IDisposable
{
    private readonly SegmentReaders readers = new(partition, Limits.CursorSegmentsMax);
    private readonly StreamCursor[] cursors =
    [
        new(partition, EventStream.Invoices), new(partition, EventStream.Payments), new(partition, EventStream.Activity),
    ];

    /// <summary>Adds records that lie before <paramref name="end"/>, and moves <paramref name="from"/> behind each as it is added.</summary>
    /// <param name="sourceEnd">A stream that ends before it has records to come, and holds the others back at its end.</param>
    public int Read(Segment[] segments, ref StreamPositions from, StreamPositions end, StreamPositions sourceEnd, int maxCount, RecordBatch into)
    {
        Span<long> known = stackalloc long[EventKinds.StreamCount];
        Span<bool> live = stackalloc bool[EventKinds.StreamCount];
        foreach (StreamCursor cursor in cursors)
        {
            if (cursor.Next != from[cursor.Stream])
                cursor.Seek(from[cursor.Stream]);
            live[(int)cursor.Stream] = Prepare(segments, cursor, end[cursor.Stream], ref known[(int)cursor.Stream]);
        }
        int count = 0;
        while (count < maxCount && !IsHeldBack(live, end, sourceEnd))
        {
            int first = -1;
            for (int i = 0; i < live.Length; i++)
            {
                if (live[i] && (first < 0 || known[i] < known[first]))
                    first = i;
            }
            if (first < 0)
                break;
            StreamCursor cursor = cursors[first];
            into.Add(cursor.Record);
            cursor.Advance();
            from = from.With(cursor.Stream, cursor.Next);
            count++;
            live[first] = Prepare(segments, cursor, end[cursor.Stream], ref known[first]);
        }
        return count;
    }

    /// <summary>After a failure: nothing that was read before is relied on.</summary>
    public void Close()
    {
        readers.Close();
        foreach (StreamCursor cursor in cursors)
            cursor.Seek(cursor.Next);
    }

    public void Dispose() => readers.Dispose();

    private static bool IsHeldBack(ReadOnlySpan<bool> live, StreamPositions end, StreamPositions sourceEnd)
    {
        for (int i = 0; i < live.Length; i++)
        {
            if (!live[i] && end[(EventStream)i] < sourceEnd[(EventStream)i])
                return true;
        }
        return false;
    }

    private bool Prepare(Segment[] segments, StreamCursor cursor, long end, ref long knownMs)
    {
        if (cursor.Next >= end)
            return false;
        if (!cursor.HasRecord)
            cursor.Fill(readers.Of(readers.Locate(segments, cursor.Stream, cursor.Next)), Limits.ReadAheadBytes);
        knownMs = cursor.KnownMs;
        return true;
    }
}
