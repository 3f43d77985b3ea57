using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>
/// One thread that asks where the streams end, and shows lag tools what the store has. The ends are asked for instead of taken from fetches, because
/// only an answer tells an idle topic from a broker that can't be reached.
/// </summary>
internal sealed class EndWatch : IDisposable
{
    private readonly KafkaClient client;
    private readonly PartitionFeed?[] feeds;
    private readonly KafkaGroup group;
    private readonly TimeProvider time;
    private readonly Warnings warnings;
    private readonly Action<int> news;
    private readonly ManualResetEventSlim stopping = new();
    private readonly Thread thread;
    private readonly Lock gate = new();
    private readonly Dictionary<int, StreamPositions> kept = [];

    /// <param name="news">Called with a partition whose end has become known again.</param>
    public EndWatch(KafkaClient client, KafkaGroup group, PartitionFeed?[] feeds, TimeProvider time, Warnings warnings, Action<int> news)
    {
        this.client = client;
        this.group = group;
        this.feeds = feeds;
        this.time = time;
        this.warnings = warnings;
        this.news = news;
        thread = new Thread(Run) { IsBackground = true, Name = "kafka ends" };
    }

    public void Start() => thread.Start();

    /// <summary>Stops, and shows what is kept for the last time.</summary>
    public void Dispose()
    {
        stopping.Set();
        thread.Join();
        Mirror();
        stopping.Dispose();
    }

    /// <summary>Everything before the positions is in the store.</summary>
    public void OnKept(int partition, StreamPositions next)
    {
        lock (gate)
            kept[partition] = next;
    }

    /// <summary>The moment, as ends are dated.</summary>
    public long Now => time.GetTimestamp();

    public bool KnowsEnd(PartitionFeed feed) =>
        feed.KnowsEnd(time.GetTimestamp() - (long)(Limits.EndsKnownForMs / 1_000.0 * time.TimestampFrequency));

    /// <summary>Asks once. An answer is as old as its question.</summary>
    public void Ask()
    {
        long at = time.GetTimestamp();
        int[] open = [.. feeds.OfType<PartitionFeed>().Select(static feed => feed.Partition)];
        if (open.Length == 0)
            return;
        foreach (StreamEnd end in client.Ask(open, beginning: false, Limits.RequestMs))
        {
            if (end.Problem.Length == 0)
                feeds[end.Partition]?.SetEnd(end.Stream, end.Offset, at);
            else
                warnings.Say("ends", $"Kafka does not say where {end.Stream} of partition {end.Partition} ends: {end.Problem}; until it does, timers wait");
        }
    }

    private void Run()
    {
        do
        {
            PartitionFeed[] unsure = [.. feeds.OfType<PartitionFeed>().Where(feed => !KnowsEnd(feed))];
            Ask();
            foreach (PartitionFeed feed in unsure.Where(KnowsEnd))
                news(feed.Partition);
            client.Drain();
            Mirror();
        }
        while (!stopping.Wait(Limits.EndsEveryMs));
    }

    private void Mirror()
    {
        List<(int, StreamPositions)> news;
        lock (gate)
        {
            if (kept.Count == 0)
                return;
            news = [.. kept.Select(static k => (k.Key, k.Value))];
            kept.Clear();
        }
        group.Mirror(news);
    }
}
