using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Logs;

/// <summary>Reads the records of one debtor from the segments of a partition. One thread at a time.</summary>
internal sealed class HistoryReader(int partition, int capacity) : IDisposable
{
    private readonly SegmentReaders readers = new(partition, capacity);
    private readonly List<Place> places = [];
    private readonly StreamCursor[] cursors =
    [
        new(partition, EventStream.Invoices), new(partition, EventStream.Payments), new(partition, EventStream.Activity),
    ];

    /// <param name="segments">All segments; the last is the one appended to.</param>
    /// <param name="openRuns">Runs of the last segment, whose remaining postings are <paramref name="recent"/>.</param>
    public void Read(Segment[] segments, int openRuns, List<Place> recent, ulong debtorHash, StreamPositions until, RecordBatch into)
    {
        for (int i = 0; i < segments.Length; i++)
        {
            Segment segment = segments[i];
            StreamPositions start = segment.StartIn(readers);
            if (start.Covers(until))
                return;
            SegmentReader reader = readers.Of(segment);
            places.Clear();
            if (i == segments.Length - 1)
            {
                reader.FindPlaces(debtorHash, openRuns, places);
                places.AddRange(recent);
            }
            else
            {
                StreamPositions end = segments[i + 1].StartIn(readers);
                reader = readers.Of(segment);
                if (reader.Index.Indexed != end)
                    throw SegmentFile.Corrupt(segment.Path, $"its index reaches to {reader.Index.Indexed}, but the next segment begins at {end}");
                reader.FindPlaces(debtorHash, reader.Index.Runs, places);
            }
            places.Sort();
            ReadPlaces(reader, debtorHash, until, into);
        }
    }

    /// <summary>After a failure: nothing that was read before is relied on.</summary>
    public void Close() => readers.Close();

    public void Dispose() => readers.Dispose();

    private void ReadPlaces(SegmentReader reader, ulong debtorHash, StreamPositions until, RecordBatch into)
    {
        foreach (StreamCursor cursor in cursors)
            cursor.Seek(0);
        foreach (Place place in places)
        {
            if (place.Offset >= until[place.Stream])
                continue;
            StreamCursor cursor = cursors[(int)place.Stream];
            cursor.MoveTo(place.Offset);
            if (!cursor.HasRecord)
                cursor.Fill(reader, readAheadBytes: 1);
            if (cursor.DebtorHash != debtorHash)
                throw reader.Corrupt(place.Stream, place.Offset, "holds another debtor than its index says");
            into.Add(cursor.Record);
        }
    }
}
