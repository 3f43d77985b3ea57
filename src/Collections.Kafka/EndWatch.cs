using Collections.Domain.Events;
using Collections.Engine.Logs;
using Confluent.Kafka;

namespace Collections.Kafka;

/// <summary>
/// One thread that asks where the streams end, and shows lag tools what the store has. The ends are asked for instead of taken from fetches, because
/// only an answer tells an idle topic from a broker that can't be reached. All are asked for at once, and apart when that brings no answer.
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

    private long countedAt = long.MinValue;

    /// <summary>A topic has another number of partitions than the log: debtors are elsewhere than where they are looked for.</summary>
    private volatile bool hasOtherCount;

    // Brokers are asked one by one, because a question to all of them was not answered. The watch's thread's.
    private bool isApart;

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
        !hasOtherCount && feed.KnowsEnd(time.GetTimestamp() - (long)(Limits.EndsKnownForMs / 1_000.0 * time.TimestampFrequency));

    /// <summary>Asks once. An answer is as old as its question.</summary>
    public void Ask()
    {
        int[] open = [.. feeds.OfType<PartitionFeed>().Select(static feed => feed.Partition)];
        if (open.Length == 0)
            return;
        if (!isApart)
            isApart = !Ask(KafkaClient.StreamsOf(open), Limits.RequestMs, isLast: false);
        if (isApart)
            isApart = !AskApart(open);
    }

    private void Run()
    {
        do
        {
            Ask();
            Count();
            client.Drain();
            Mirror();
        }
        while (!stopping.Wait(Limits.EndsEveryMs));
    }

    /// <summary>Somebody may have given a topic more partitions: producers then send debtors elsewhere, and nothing may be decided on what is left.</summary>
    private void Count()
    {
        if (countedAt != long.MinValue && time.GetElapsedTime(countedAt).TotalMilliseconds < Limits.CountEveryMs)
            return;
        countedAt = time.GetTimestamp();
        try
        {
            var other = client.Describe(Limits.ApartRequestMs).Where(topic => topic.Partitions.Count > 0 && topic.Partitions.Count != feeds.Length).ToList();
            hasOtherCount = other.Count > 0;
            foreach ((EventStream stream, List<PartitionMetadata> partitions) in other)
                warnings.Say($"count {stream}", $"the topic of {stream} has {partitions.Count} partitions now, and this log has {feeds.Length}: a debtor's partition follows from the count, so what comes is missed, and nothing is handed out any more. Topics can't lose partitions: begin anew with others (docs/operations.md, sizing)");
        }
        catch (KafkaException)
        {
            // The ends have told of it.
        }
    }

    /// <param name="isLast">Whether what is not answered is not asked for in another way.</param>
    /// <returns>Whether everything that was asked for is known.</returns>
    private bool Ask(IEnumerable<(int Partition, EventStream Stream)> streams, int timeoutMs, bool isLast)
    {
        long at = time.GetTimestamp();
        bool isWhole = true;
        foreach (StreamEnd end in client.Ask(streams, beginning: false, timeoutMs))
        {
            isWhole &= end.Problem.Length == 0;
            if (isLast || end.Problem.Length == 0)
                Take(end, at);
        }
        return isWhole;
    }

    /// <summary>
    /// Each broker is asked for itself, side by side: one that is away, or a stream that nobody leads, stops the clocks of its own partitions and of no
    /// others.
    /// </summary>
    /// <returns>Whether everything is known again.</returns>
    private bool AskApart(int[] open)
    {
        Dictionary<(int Partition, EventStream Stream), int> leaders;
        try
        {
            leaders = client.Leaders(Limits.ApartRequestMs);
        }
        catch (KafkaException failure)
        {
            warnings.Say("leaders", $"Kafka does not say who leads the partitions: {failure.Error.Reason}; until it does, timers wait");
            return false;
        }
        ILookup<int, (int Partition, EventStream Stream)> byLeader = KafkaClient.StreamsOf(open).ToLookup(stream => leaders.GetValueOrDefault(stream, -1));
        foreach ((int partition, EventStream stream) in byLeader[-1])
            Take(new StreamEnd(partition, stream, 0, "it has no leader"), 0);
        Task<bool>[] asked =
        [
            .. byLeader.Where(static group => group.Key >= 0)
                .Select(group => Task.Factory.StartNew(() => Ask(group, Limits.ApartRequestMs, isLast: true), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)),
        ];
        return Task.WhenAll(asked).GetAwaiter().GetResult().All(static isWhole => isWhole) && !byLeader[-1].Any();
    }

    private void Take(in StreamEnd end, long at)
    {
        if (end.Problem.Length > 0)
        {
            warnings.Say("ends", $"Kafka does not say where {end.Stream} of partition {end.Partition} ends: {end.Problem}; until it does, timers of the partition wait");
            return;
        }
        if (feeds[end.Partition] is not { } feed)
            return;
        bool wasKnown = KnowsEnd(feed);
        feed.SetEnd(end.Stream, end.Offset, at);
        if (!wasKnown && KnowsEnd(feed))
            news(end.Partition);
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
