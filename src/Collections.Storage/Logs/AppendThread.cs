using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Logs;

/// <summary>
/// A thread that appends to its share of the partitions: it takes all batches that wait, writes each partition's part of them in one
/// transaction, and completes them. While it waits for the disk the next group gathers, so the group grows with the load.
/// </summary>
internal sealed class AppendThread
{
    private readonly object gate = new();
    private readonly ChapteredLog[] partitions;
    private readonly int number;
    private readonly int threadCount;
    private readonly Action<PendingAppend> release;
    private readonly Action<int> appended;
    private readonly List<AppendItem>[]?[] items;
    private readonly List<int> touched = [];
    private readonly Thread thread;
    private List<PendingAppend> incoming = [];
    private List<PendingAppend> taken = [];
    private bool stopping;

    public AppendThread(ChapteredLog[] partitions, int number, int threadCount, Action<PendingAppend> release, Action<int> appended)
    {
        this.partitions = partitions;
        this.number = number;
        this.threadCount = threadCount;
        this.release = release;
        this.appended = appended;
        items = new List<AppendItem>[]?[partitions.Length];
        thread = new Thread(Run) { Name = $"log append {number}", IsBackground = true };
    }

    public void Start() => thread.Start();

    public void Hand(PendingAppend pending)
    {
        lock (gate)
        {
            incoming.Add(pending);
            Monitor.Pulse(gate);
        }
    }

    /// <summary>Ends the thread once it has written what it was handed.</summary>
    public void Stop()
    {
        lock (gate)
        {
            stopping = true;
            Monitor.Pulse(gate);
        }
        thread.Join();
    }

    private void Run()
    {
        while (Take())
        {
            foreach (PendingAppend pending in taken)
                Spread(pending);
            foreach (int partition in touched)
                Write(partition);
            touched.Clear();
            taken.Clear();
        }
    }

    private bool Take()
    {
        lock (gate)
        {
            while (incoming.Count == 0)
            {
                if (stopping)
                    return false;
                Monitor.Wait(gate);
            }
            (incoming, taken) = (taken, incoming);
            return true;
        }
    }

    private void Spread(PendingAppend pending)
    {
        AppendBatch batch = pending.Batch;
        for (int i = 0; i < batch.Count; i++)
        {
            int partition = batch.PartitionOf(i);
            if (partition % threadCount != number)
                continue;
            List<AppendItem>[] streams = items[partition] ??= [[], [], []];
            if (streams[0].Count + streams[1].Count + streams[2].Count == 0)
                touched.Add(partition);
            streams[(int)batch.StreamOf(i)].Add(new AppendItem(pending, i));
        }
    }

    private void Write(int partition)
    {
        List<AppendItem>[] streams = items[partition]!;
        Exception? failure = null;
        try
        {
            partitions[partition].Append(streams);
        }
#pragma warning disable CA1031 // Whatever went wrong, the callers of this group must learn of it, and the other partitions go on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = e;
        }
        foreach (List<AppendItem> stream in streams)
            CountDown(stream, failure);
        if (failure == null)
            appended(partition);
    }

    private void CountDown(List<AppendItem> stream, Exception? failure)
    {
        // The events of one batch are neighbours.
        for (int i = 0; i < stream.Count;)
        {
            PendingAppend pending = stream[i].Pending;
            int end = i + 1;
            while (end < stream.Count && ReferenceEquals(stream[end].Pending, pending))
                end++;
            if (pending.CountDown(end - i, failure))
                release(pending);
            i = end;
        }
        stream.Clear();
    }
}
