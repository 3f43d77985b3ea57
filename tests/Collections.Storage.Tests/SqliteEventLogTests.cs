using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Storage.Logs;

namespace Collections.Storage.Tests;

/// <summary>What the embedded log does beyond the contract: days, its description, failing disks, back-pressure.</summary>
public sealed class SqliteEventLogTests : IDisposable
{
    private readonly Scratch scratch = new();
    private readonly StandingClock clock = new();

    [Fact]
    public async Task Each_day_of_appending_has_a_segment_and_reading_crosses_them()
    {
        var expected = new List<string>();
        for (int run = 0; run < 2; run++)
        {
            using SqliteEventLog log = Open();
            for (int day = 0; day < 4; day++)
            {
                // Some days have nothing for a stream, and nothing at all on one day in between.
                for (int i = 0; i < 40; i++)
                {
                    var stream = (EventStream)(i % (1 + day % 3));
                    string content = $"run {run}, day {day}, event {i}";
                    await log.AppendAsync(LogSamples.One(0, stream, content, debtor: (ulong)(i % 5), knownMs: expected.Count));
                    expected.Add(content);
                }
                clock.Now = clock.Now.AddDays(2);
            }
            Assert.Equal(expected, log.ReadAll(0).Select(record => record.Content));
        }
        using SqliteEventLog again = Open();
        Assert.Equal(expected, again.ReadAll(0, slice: 13).Select(record => record.Content));
        for (ulong debtor = 0; debtor < 5; debtor++)
        {
            IEnumerable<string> own = expected.Where(content => int.Parse(content.Split(' ')[^1]) % 5 == (int)debtor);
            Assert.Equal(own.Order(StringComparer.Ordinal), again.ReadHistory(0, debtor).Select(record => record.Content).Order(StringComparer.Ordinal));
        }
        Assert.Equal("2026-03-02.segment", Path.GetFileName(SegmentFiles.Of(scratch.Directory, 0)[0]));
        Assert.Equal(8, SegmentFiles.Of(scratch.Directory, 0).Length);
        Assert.False(Directory.Exists(Path.Combine(scratch.Directory, "log", "p0001")));
    }

    [Fact]
    public async Task A_cursor_that_stands_at_the_end_goes_on_into_the_next_days_segment()
    {
        using SqliteEventLog log = Open();
        StreamPositions at = StreamPositions.Start;
        var into = new RecordBatch();
        for (int day = 0; day < 6; day++)
        {
            await log.AppendAsync(LogSamples.One(0, EventStream.Invoices, $"{day}"));
            Assert.Equal(1, log.Read(0, ref at, 10, into));
            Assert.Equal(0, log.Read(0, ref at, 10, into));
            clock.Now = clock.Now.AddDays(1);
        }
        Assert.Equal(["0", "1", "2", "3", "4", "5"], LogSamples.Copy(into).Select(record => record.Content));
    }

    [Fact]
    public async Task A_clock_set_back_goes_on_in_the_newest_segment()
    {
        using SqliteEventLog log = Open();
        await log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "a"));
        clock.Now = clock.Now.AddDays(-3);
        await log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "b"));
        Assert.Equal(["a", "b"], log.ReadAll(0).Select(record => record.Content));
        Assert.Single(SegmentFiles.Of(scratch.Directory, 0));
    }

    [Fact]
    public async Task History_is_whole_across_runs_recent_postings_and_reopening()
    {
        // More than one run's worth, so that a debtor's places lie in runs and in memory.
        int total = Limits.RecentPostingsMax * 2 + 5000;
        var batch = new AppendBatch();
        for (int run = 0; run < 2; run++)
        {
            using SqliteEventLog log = Open();
            for (int i = 0; i < total && run == 0;)
            {
                batch.Clear();
                for (int j = 0; j < 9000 && i < total; j++, i++)
                    batch.Add(0, (EventStream)(i % 3), (ulong)(i % 1000), i, history: false, BitConverter.GetBytes(i));
                await log.AppendAsync(batch);
            }
            foreach (ulong debtor in (ulong[])[0, 1, 500, 999])
                Assert.Equal(Enumerable.Range(0, total).Count(i => (ulong)(i % 1000) == debtor), log.ReadHistory(0, debtor).Count);
            Assert.Empty(log.ReadHistory(0, 1000));
        }
    }

    [Fact]
    public async Task A_failed_write_acknowledges_nothing_uses_no_offset_and_the_log_goes_on()
    {
        foreach (LogStep step in Enum.GetValues<LogStep>().Where(step => step != LogStep.Committed))
        {
            using var own = new Scratch();
            bool failing = false;
            using var log = new SqliteEventLog(own.Directory, new SqliteLogOptions(1), clock, (at, _) =>
            {
                if (failing && at == step)
                    throw new IOException("no space left on device");
            });
            await log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "before"));
            failing = true;
            clock.Now = clock.Now.AddDays(1);
            AppendBatch refused = LogSamples.One(0, EventStream.Invoices, "refused");
            LogUnavailableException e = await Assert.ThrowsAsync<LogUnavailableException>(() => log.AppendAsync(refused));
            Assert.Contains("no space left", e.Message, StringComparison.Ordinal);
            Assert.Equal(-1, refused.OffsetOf(0));
            Assert.Equal(["before"], log.ReadAll(0).Select(record => record.Content));
            failing = false;
            AppendBatch accepted = LogSamples.One(0, EventStream.Invoices, "after");
            await log.AppendAsync(accepted);
            Assert.Equal(1, accepted.OffsetOf(0));
            Assert.Equal(["before", "after"], log.ReadAll(0).Select(record => record.Content));
            Assert.Equal(2, log.ReadHistory(0, debtor: 1).Count);
        }
    }

    [Fact]
    public async Task A_write_that_failed_after_it_reached_the_disk_keeps_its_offset()
    {
        bool failing = true;
        using var log = new SqliteEventLog(scratch.Directory, new SqliteLogOptions(1), clock, (step, _) =>
        {
            if (failing && step == LogStep.Committed)
                throw new IOException("input/output error");
        });
        await Assert.ThrowsAsync<LogUnavailableException>(() => log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "unanswered")));
        Assert.Empty(log.ReadAll(0));
        failing = false;
        AppendBatch next = LogSamples.One(0, EventStream.Invoices, "next");
        await log.AppendAsync(next);
        Assert.Equal(1, next.OffsetOf(0));
        Assert.Equal(["unanswered", "next"], log.ReadAll(0).Select(record => record.Content));
        Assert.Equal(2, log.ReadHistory(0, debtor: 1).Count);
    }

    [Fact]
    public async Task A_failed_write_fails_every_caller_of_its_group_and_none_of_other_partitions()
    {
        using var held = new ManualResetEventSlim();
        bool failing = true;
        using var log = new SqliteEventLog(scratch.Directory, new SqliteLogOptions(2), clock, (step, partition) =>
        {
            if (step != LogStep.Commit || partition != 1)
                return;
            held.Wait();
            if (Volatile.Read(ref failing))
                throw new IOException("input/output error");
        });
        Task[] bad = [.. Enumerable.Range(0, 5).Select(i => log.AppendAsync(LogSamples.One(1, EventStream.Invoices, $"{i}")))];
        await log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "other"));
        held.Set();
        foreach (Task task in bad)
            await Assert.ThrowsAsync<LogUnavailableException>(() => task);
        Assert.Equal(new StreamPositions(1, 0, 0), log.End(0));
        Assert.Equal(StreamPositions.Start, log.End(1));
        Volatile.Write(ref failing, false);
        await log.AppendAsync(LogSamples.One(1, EventStream.Invoices, "good"));
        Assert.Equal(["good"], log.ReadAll(1).Select(record => record.Content));
    }

    [Fact]
    public async Task Callers_wait_while_too_much_is_under_way_and_may_leave()
    {
        using var held = new ManualResetEventSlim();
        var options = new SqliteLogOptions(1) { PendingBatchesMax = 2 };
        using var log = new SqliteEventLog(scratch.Directory, options, clock, (step, _) =>
        {
            if (step == LogStep.Begin)
                held.Wait();
        });
        using var leaving = new CancellationTokenSource();
        Task first = log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "first"), leaving.Token);
        Task second = log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "second"));
        Task third = log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "third"), leaving.Token);
        Task fourth = log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "fourth"));
        Assert.Equal(2, log.WaitingCount);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
        Assert.Equal(1, log.WaitingCount);
        held.Set();
        // The first had been admitted, so it is written although its caller would have liked to leave.
        await Task.WhenAll(first, second, fourth);
        Assert.Equal(["first", "second", "fourth"], log.ReadAll(0).Select(record => record.Content));
    }

    [Fact]
    public async Task A_batch_bigger_than_the_bound_is_taken_alone()
    {
        using SqliteEventLog log = Open(new SqliteLogOptions(1) { PendingBytesMax = 10 });
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => log.AppendAsync(LogSamples.One(0, EventStream.Payments, new string('x', 100)))));
        Assert.Equal(20, log.End(0).Total);
    }

    [Fact]
    public void Another_partition_count_is_refused_with_what_to_do()
    {
        Open().Dispose();
        StorageRefusedException e = Assert.Throws<StorageRefusedException>(() => Open(new SqliteLogOptions(4)));
        Assert.Contains("3 partitions, and 4 were asked for", e.Message, StringComparison.Ordinal);
        Assert.Contains("ask for 3", e.Message, StringComparison.Ordinal);
        Open().Dispose();
    }

    [Fact]
    public async Task An_unknown_layout_version_is_refused()
    {
        using (SqliteEventLog log = Open())
            await log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "a"));
        string description = Path.Combine(scratch.Directory, "log", "log.json");
        File.WriteAllText(description, File.ReadAllText(description).Replace("\"layoutVersion\": 1", "\"layoutVersion\": 2", StringComparison.Ordinal));
        Assert.Contains("layout version 2", Assert.Throws<StorageRefusedException>(() => Open()).Message, StringComparison.Ordinal);
        File.WriteAllText(description, "{");
        Assert.Contains("can't be read", Assert.Throws<StorageRefusedException>(() => Open()).Message, StringComparison.Ordinal);
        File.Delete(description);
        Assert.Contains("is missing", Assert.Throws<StorageRefusedException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_in_use_is_refused_and_names_the_process()
    {
        using (SqliteEventLog log = Open())
        {
            StorageRefusedException e = Assert.Throws<StorageRefusedException>(() => Open());
            Assert.Contains($"process {Environment.ProcessId}", e.Message, StringComparison.Ordinal);
        }
        Open().Dispose();
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        Assert.Contains("Partitions", Assert.Throws<StorageRefusedException>(() => Open(new SqliteLogOptions(0))).Message, StringComparison.Ordinal);
        Assert.Contains("WriterThreads", Assert.Throws<StorageRefusedException>(() => Open(new SqliteLogOptions(1) { WriterThreads = 0 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reading_past_the_end_says_that_the_store_is_ahead()
    {
        using SqliteEventLog log = Open();
        await log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "a"));
        var from = new StreamPositions(2, 0, 0);
        Assert.Contains("ahead of the log", Assert.Throws<Domain.InvariantBrokenException>(() => log.Read(0, ref from, 1, new RecordBatch())).Message, StringComparison.Ordinal);
    }

    public void Dispose() => scratch.Dispose();

    private SqliteEventLog Open(SqliteLogOptions? options = null) => new(scratch.Directory, options ?? new SqliteLogOptions(3), clock);
}
