using System.Collections.Concurrent;
using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;

namespace Collections.Kafka.Tests;

/// <summary>Brokers that go away, are slow, lose their partitions and answer with errors: nothing is lost, nothing doubled, and it goes on by itself.</summary>
public sealed class TroubleTests : IDisposable
{
    private const int Partitions = 3;
    private readonly MockCluster cluster = new(brokers: 3);
    private readonly MemoryArchive archive = new(Partitions);
    private readonly ConcurrentBag<string> warnings = [];

    public TroubleTests() => cluster.CreateTopics("trouble", Partitions);

    [KafkaFact]
    public async Task Brokers_that_go_down_one_after_the_other_lose_and_double_nothing()
    {
        using KafkaEventLog log = Open();
        await AppendAsync(log, 0, 60);
        for (int broker = 1; broker <= 3; broker++)
        {
            cluster.SetDown(broker);
            Task under = AppendAsync(log, broker * 60, 60);
            Patience.Until(() => Enumerable.Range(0, Partitions).Any(p => !log.KnowsEnd(p)));
            cluster.SetUp(broker);
            await under.WaitAsync(Patience.Limit);
            Patience.Until(() => Enumerable.Range(0, Partitions).All(log.KnowsEnd));
        }
        Assert.Equal(Enumerable.Range(0, 240), ReadNumbers(log));
    }

    [KafkaFact]
    public async Task While_a_broker_does_not_answer_the_end_is_not_known_and_what_is_here_can_be_read()
    {
        using KafkaEventLog log = Open();
        await AppendAsync(log, 0, 90);
        Assert.Equal(90, ReadNumbers(log).Count);
        for (int broker = 1; broker <= 3; broker++)
            cluster.SetDown(broker);
        Patience.Until(() => Enumerable.Range(0, Partitions).All(p => !log.KnowsEnd(p)));
        Assert.Equal(90, ReadNumbers(log).Count);
        Assert.NotEmpty(warnings);
        for (int broker = 1; broker <= 3; broker++)
            cluster.SetUp(broker);
        Patience.Until(() => Enumerable.Range(0, Partitions).All(log.KnowsEnd));
    }

    [KafkaFact]
    public async Task A_broker_that_is_away_stops_the_clocks_of_its_own_partitions_alone()
    {
        using KafkaEventLog log = Open();
        await AppendAsync(log, 0, 60);
        Assert.Equal(60, ReadNumbers(log).Count);
        cluster.SetDown(2);
        // An answer that comes for all of them or for none leaves no such moment.
        Patience.Until(() => log.KnowsEnd(0) && !log.KnowsEnd(1) && log.KnowsEnd(2));
        Assert.Contains(warnings, static warning => warning.Contains("of partition 1 ends", StringComparison.Ordinal));
        cluster.SetUp(2);
        Patience.Until(() => Enumerable.Range(0, Partitions).All(log.KnowsEnd));
    }

    [KafkaFact]
    public async Task Topics_that_have_grown_stop_all_clocks()
    {
        cluster.CreateTopics("grown", Partitions + 1);
        using KafkaEventLog log = Samples.OpenAll(new(Samples.Options(cluster, "grown"), archive, Samples.NoJson, TimeProvider.System, warnings.Add));
        Patience.Until(() => Enumerable.Range(0, Partitions).All(p => !log.KnowsEnd(p)));
        Patience.Until(() => warnings.Any(static warning => warning.Contains("has 4 partitions now, and this log has 3", StringComparison.Ordinal)));
        await AppendAsync(log, 0, 30);
        Assert.Equal(30, ReadNumbers(log).Count);
    }

    [KafkaFact]
    public async Task A_stream_that_was_paused_when_its_partition_left_is_fetched_when_it_comes_back()
    {
        using KafkaEventLog log = Open();
        archive.Hold();
        // More than may wait for the archive, 4 MiB, and less than the mock keeps, 5 MiB.
        int partition = DebtorKey.PartitionOf(EventReader.DefaultTenant, "D-1"u8, Partitions);
        for (int i = 0; i < 43; i++)
            await log.AppendAsync(Large(partition, i * 100, 100), CancellationToken.None);
        // A write is on its way, and what waits behind it is full.
        Patience.Until(() => log.IsPaused(partition));
        Task closing = Task.Run(() => log.Close(partition));
        archive.LetGo();
        await closing.WaitAsync(Patience.Limit);
        log.Open(partition, archive.End(partition));
        Patience.Until(() => archive.End(partition).Payments == 4_300);
    }

    [KafkaFact]
    public async Task Partitions_whose_leader_moves_go_on()
    {
        using KafkaEventLog log = Open();
        for (int round = 0; round < 6; round++)
        {
            Task appending = AppendAsync(log, round * 60, 60);
            foreach (string stream in (string[])["invoices", "payments", "activity"])
                cluster.SetLeader($"trouble.{stream}", round % Partitions, 1 + ((round + stream.Length) % 3));
            await appending.WaitAsync(Patience.Limit);
        }
        Assert.Equal(Enumerable.Range(0, 360), ReadNumbers(log));
    }

    [KafkaFact]
    public async Task Answers_with_errors_are_asked_for_again()
    {
        const int notLeader = 6, timedOut = 7, notEnoughReplicas = 19;
        using KafkaEventLog log = Open();
        cluster.PushErrors(MockCluster.Api.Produce, notLeader, timedOut, notEnoughReplicas);
        cluster.PushErrors(MockCluster.Api.Fetch, notLeader, timedOut, notLeader);
        cluster.PushErrors(MockCluster.Api.ListOffsets, notLeader, notLeader);
        await AppendAsync(log, 0, 120).WaitAsync(Patience.Limit);
        Assert.Equal(Enumerable.Range(0, 120), ReadNumbers(log));
    }

    [KafkaFact]
    public async Task A_producer_that_lost_its_place_is_replaced()
    {
        const int outOfOrder = 45;
        using KafkaEventLog log = Open();
        await AppendAsync(log, 0, 30);
        cluster.PushErrors(MockCluster.Api.Produce, outOfOrder);
        await Assert.ThrowsAsync<LogUnavailableException>(() => AppendAsync(log, 30, 30).WaitAsync(Patience.Limit));
        for (bool isDone = false; !isDone;)
        {
            try
            {
                await AppendAsync(log, 30, 30).WaitAsync(Patience.Limit);
                isDone = true;
            }
            catch (LogUnavailableException)
            {
                await Task.Yield();
            }
        }
        Assert.Equal(Enumerable.Range(0, 60), ReadNumbers(log).Distinct());
    }

    [KafkaFact]
    public async Task Slow_brokers_are_waited_for()
    {
        using KafkaEventLog log = Open();
        for (int broker = 1; broker <= 3; broker++)
            cluster.SetRtt(broker, 300);
        await AppendAsync(log, 0, 60).WaitAsync(Patience.Limit);
        Assert.Equal(Enumerable.Range(0, 60), ReadNumbers(log));
    }

    [KafkaFact]
    public async Task An_append_that_finds_no_broker_is_not_acknowledged_and_may_be_tried_again()
    {
        using KafkaEventLog log = Samples.OpenAll(new(Samples.Options(cluster, "trouble") with { AppendTimeoutMs = 500 }, archive, Samples.NoJson, TimeProvider.System, warnings.Add));
        for (int broker = 1; broker <= 3; broker++)
            cluster.SetDown(broker);
        AppendBatch batch = Batch(0, 3);
        LogUnavailableException failed = await Assert.ThrowsAsync<LogUnavailableException>(() => log.AppendAsync(batch, CancellationToken.None));
        Assert.Contains("trouble.", failed.Message, StringComparison.Ordinal);
        for (int broker = 1; broker <= 3; broker++)
            cluster.SetUp(broker);
        while (true)
        {
            try
            {
                await log.AppendAsync(batch, CancellationToken.None).WaitAsync(Patience.Limit);
                break;
            }
            catch (LogUnavailableException)
            {
                // Half a second may be too little to find the brokers again.
            }
        }
        Assert.Equal([0, 1, 2], ReadNumbers(log).Distinct());
    }

    [KafkaFact]
    public async Task An_archive_that_fails_for_a_time_loses_and_doubles_nothing()
    {
        archive.FailAppends(5);
        using KafkaEventLog log = Open();
        await AppendAsync(log, 0, 90);
        Assert.Equal(Enumerable.Range(0, 90), ReadNumbers(log));
        Assert.Contains(warnings, static w => w.Contains("tried again", StringComparison.Ordinal));
    }

    [KafkaFact]
    public async Task A_restart_goes_on_fetching_where_the_archive_ends()
    {
        for (int round = 0; round < 3; round++)
        {
            using KafkaEventLog log = Open();
            await AppendAsync(log, round * 30, 30);
            Assert.Equal(Enumerable.Range(0, (round + 1) * 30), ReadNumbers(log));
        }
    }

    [KafkaFact]
    public async Task Another_cluster_or_topics_created_anew_are_refused()
    {
        using (KafkaEventLog log = Open())
        {
            await AppendAsync(log, 0, 30);
            Assert.Equal(30, ReadNumbers(log).Count);
        }
        using var other = new MockCluster(brokers: 1);
        other.CreateTopics("trouble", Partitions);
        using var elsewhere = new KafkaEventLog(Samples.Options(other, "trouble"), archive, Samples.NoJson, TimeProvider.System, warnings.Add);
        LogCorruptException refused = Assert.Throws<LogCorruptException>(() => Samples.OpenAll(elsewhere));
        Assert.Contains("created anew", refused.Message, StringComparison.Ordinal);
    }

    [KafkaFact]
    public async Task The_statistics_tell_lag_brokers_and_queues()
    {
        using KafkaEventLog log = Open();
        await AppendAsync(log, 0, 30);
        Patience.Until(() => log.Statistics.Lags.Sum(static lag => lag.Unapplied) == 30);
        Assert.Equal(30, ReadNumbers(log).Count);
        Assert.Equal(0, log.Statistics.Lags.Sum(static lag => lag.Total));
        Assert.Equal(9, log.Statistics.Lags.Count);
        Patience.Until(() => log.Statistics.Brokers.Count(static broker => broker.State == "UP") == 3);
    }

    public void Dispose() => cluster.Dispose();

    private KafkaEventLog Open() => Samples.OpenAll(new(Samples.Options(cluster, "trouble"), archive, Samples.NoJson, TimeProvider.System, warnings.Add));

    private static async Task AppendAsync(KafkaEventLog log, int first, int count)
    {
        for (int i = first; i < first + count; i += 5)
            await log.AppendAsync(Batch(i, 5), CancellationToken.None);
    }

    /// <summary>Promises whose ids are their numbers.</summary>
    private static AppendBatch Batch(int first, int count)
    {
        var batch = new AppendBatch();
        var writer = new EventWriter();
        for (int i = first; i < first + count; i++)
        {
            byte[] debtor = Encoding.UTF8.GetBytes($"D-{i % 17}");
            var address = new EventAddress { Debtor = debtor, Id = Encoding.UTF8.GetBytes($"{i}"), Effective = new Day(20_000) };
            batch.Add(
                DebtorKey.PartitionOf(EventReader.DefaultTenant, debtor, Partitions), (EventStream)(i % 3), DebtorKey.HashOf(EventReader.DefaultTenant, debtor),
                1_700_000_000_000 + i, history: false, writer.ItemCancelled(address, "item"u8));
        }
        return batch;
    }

    /// <summary>Payments with long names, to one partition.</summary>
    private static AppendBatch Large(int partition, int first, int count)
    {
        var batch = new AppendBatch();
        var writer = new EventWriter();
        for (int i = first; i < first + count; i++)
        {
            var address = new EventAddress { Debtor = "D-1"u8, Id = Encoding.UTF8.GetBytes($"{i}"), Effective = new Day(20_000) };
            batch.Add(
                partition, EventStream.Payments, DebtorKey.HashOf(EventReader.DefaultTenant, "D-1"u8), 1_700_000_000_000 + i, history: false,
                writer.ItemCancelled(address, Encoding.UTF8.GetBytes(new string('x', 1_000))));
        }
        return batch;
    }

    /// <summary>Everything in the log, by number; each partition's stream must be in order.</summary>
    private static List<int> ReadNumbers(KafkaEventLog log)
    {
        var numbers = new List<int>();
        for (int partition = 0; partition < Partitions; partition++)
        {
            var batch = new RecordBatch();
            StreamPositions at = StreamPositions.Start;
            Patience.Until(() =>
            {
                log.Read(partition, ref at, 100, batch);
                return at.Covers(log.End(partition));
            });
            for (int i = 0; i < batch.Count; i++)
            {
                Assert.True(EventReader.TryRead(batch[i].Content, batch[i].KnownMs, batch[i].History, out Event e, out _));
                Assert.Equal(partition, DebtorKey.PartitionOf(e.Head.Tenant, e.Head.Debtor, Partitions));
                numbers.Add(int.Parse(Encoding.UTF8.GetString(e.Head.Id), System.Globalization.CultureInfo.InvariantCulture));
            }
        }
        numbers.Sort();
        return numbers;
    }
}
