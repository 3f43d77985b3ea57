using System.Runtime.CompilerServices;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Logs;

/// <summary>One segment by name. Where it begins is read when it is first asked for: a long log opens without touching its old files.</summary>
internal sealed class Segment(string path, DateOnly day)
{
    // Written at most once by each thread that needs it, always with the same value; a reference, so that no reader sees half of it.
    private StrongBox<StreamPositions>? start;

    public string Path => path;

    public DateOnly Day => day;

    public StreamPositions StartIn(SegmentReaders readers) =>
        (start ??= new StrongBox<StreamPositions>(readers.Of(this).Start)).Value;
}

/// <summary>The open connections of one thread at a time to the segments of one partition; the least recently used one is closed first.</summary>
internal sealed class SegmentReaders(int partition, int capacity) : IDisposable
{
    private readonly List<(Segment Segment, SegmentReader Reader)> open = [];

    public SegmentReader Of(Segment segment)
    {
        for (int i = open.Count - 1; i >= 0; i--)
        {
            if (!ReferenceEquals(open[i].Segment, segment))
                continue;
            (Segment, SegmentReader Reader) found = open[i];
            if (i < open.Count - 1)
            {
                open.RemoveAt(i);
                open.Add(found);
            }
            return found.Reader;
        }
        if (open.Count == capacity)
        {
            open[0].Reader.Dispose();
            open.RemoveAt(0);
        }
        var reader = new SegmentReader(segment.Path, partition, segment.Day);
        open.Add((segment, reader));
        return reader;
    }

    /// <summary>The segment that holds an offset: the last one that begins at or before it.</summary>
    public Segment Locate(Segment[] segments, EventStream stream, long offset)
    {
        int low = 0, high = segments.Length - 1;
        while (low < high)
        {
            int middle = low + high + 1 >>> 1;
            if (segments[middle].StartIn(this)[stream] <= offset)
                low = middle;
            else
                high = middle - 1;
        }
        return segments[low];
    }

    /// <summary>Closes all connections; the next question opens them anew.</summary>
    public void Close()
    {
        foreach ((_, SegmentReader reader) in open)
            reader.Dispose();
        open.Clear();
    }

    public void Dispose() => Close();
}
