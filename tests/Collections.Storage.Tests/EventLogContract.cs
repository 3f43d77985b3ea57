using System.Collections.Concurrent;
using System.Globalization;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Tests;

/// <summary>What every implementation of <see cref="IEventLog"/> must do; a class for each implementation says how one is opened.</summary>
public abstract class EventLogContract : IDisposable
{
    protected const int Partitions = 3;

    protected StandingClock Clock { get; } = new();

    /// <summary>Opens the log of this test; again after a close, the same one.</summary>
    protected abstract IEventLog Open();

    [LogFact]
    public void A_new_log_is_empty()
    {
        using IEventLog log = Open();
        Assert.Equal(Partitions, log.PartitionCount);
        for (int partition = 0; partition < Partitions; partition++)
        {
            Assert.Equal(StreamPositions.Start, log.End(partition));
            Assert.Empty(log.ReadAll(partition));
            Assert.Empty(log.ReadHistory(partition, debtor: 1));
        }
    }

    [LogFact]
    public async Task An_appended_event_is_read_back_as_it_was_given()
    {
        using IEventLog log = Open();
        AppendBatch batch = LogSamples.One(1, EventStream.Payments, "paid", debtor: ulong.MaxValue, knownMs: long.MaxValue, history: true);
        Assert.Equal(-1, batch.OffsetOf(0));
        await log.AppendAsync(batch);
        Assert.Equal(0, batch.OffsetOf(0));
        Assert.Equal(new StreamPositions(0, 1, 0), log.End(1));
        SampleRecord expected = new(EventStream.Payments, 0, long.MaxValue, History: true, "paid");
        Assert.Equal([expected], log.ReadAll(1));
        Assert.Equal([expected], log.ReadHistory(1, ulong.MaxValue));
        Assert.Empty(log.ReadAll(0));
    }

    [LogFact]
    public async Task An_empty_batch_is_done_at_once_and_an_empty_content_is_kept()
    {
        using IEventLog log = Open();
        await log.AppendAsync(new AppendBatch());
        await log.AppendAsync(LogSamples.One(0, EventStream.Activity, "", knownMs: -5));
        Assert.Equal([new SampleRecord(EventStream.Activity, 0, -5, History: false, "")], log.ReadAll(0));
    }

    [LogFact]
    public async Task A_batch_keeps_its_order_within_each_stream()
    {
        using IEventLog log = Open();
        var batch = new AppendBatch();
        for (int i = 0; i < 3000; i++)
            batch.Add(i % Partitions, (EventStream)(i / Partitions % 3), (ulong)i, knownMs: 7, history: false, LogSamples.ContentOf(i));
        await log.AppendAsync(batch);
        var next = new long[Partitions, 3];
        for (int i = 0; i < batch.Count; i++)
            Assert.Equal(next[batch.PartitionOf(i), (int)batch.StreamOf(i)]++, batch.OffsetOf(i));
    }

    [LogFact]
    public async Task What_was_appended_is_there_after_reopening_and_offsets_go_on()
    {
        var expected = new List<SampleRecord>();
        for (int round = 0; round < 4; round++)
        {
            using IEventLog log = Open();
            Assert.Equal(expected, log.ReadAll(0));
            for (int i = 0; i < 5; i++)
            {
                AppendBatch batch = LogSamples.One(0, EventStream.Invoices, $"round {round}, event {i}");
                await log.AppendAsync(batch);
                expected.Add(new SampleRecord(EventStream.Invoices, batch.OffsetOf(0), 0, History: false, $"round {round}, event {i}"));
                Assert.Equal(expected.Count - 1, batch.OffsetOf(0));
            }
            Assert.Equal(expected, log.ReadHistory(0, debtor: 1));
        }
    }

    [LogFact]
    public async Task Many_callers_get_offsets_without_gaps_and_their_own_events_at_them()
    {
        using IEventLog log = Open();
        var offsets = new ConcurrentDictionary<(int Partition, EventStream Stream, long Offset), string>();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(caller => Task.Run(async () =>
        {
            var batch = new AppendBatch();
            for (int i = 0; i < 30; i++)
            {
                batch.Clear();
                for (int j = 0; j < 1 + i % 5; j++)
                    batch.Add((caller + j) % Partitions, (EventStream)(i % 3), (ulong)caller, 0, history: false, System.Text.Encoding.UTF8.GetBytes($"{caller}/{i}/{j}"));
                await log.AppendAsync(batch);
                for (int j = 0; j < batch.Count; j++)
                    Assert.True(offsets.TryAdd((batch.PartitionOf(j), batch.StreamOf(j), batch.OffsetOf(j)), $"{caller}/{i}/{j}"));
            }
        })));
        long read = 0;
        for (int partition = 0; partition < Partitions; partition++)
        {
            foreach (SampleRecord record in log.ReadAll(partition))
                Assert.Equal(offsets[(partition, record.Stream, record.Offset)], record.Content);
            read += log.End(partition).Total;
        }
        Assert.Equal(offsets.Count, read);
        Assert.Equal(90 * 20, read);
    }

    [LogFact]
    public async Task Streams_are_merged_by_known_then_stream_then_offset()
    {
        using IEventLog log = Open();
        var batch = new AppendBatch();
        var random = new Random(11);
        var expected = new List<SampleRecord>();
        var known = new long[3];
        for (int i = 0; i < 500; i++)
        {
            var stream = (EventStream)random.Next(3);
            long at = known[(int)stream] += random.Next(3);
            batch.Add(0, stream, 1, at, history: false, System.Text.Encoding.UTF8.GetBytes($"{i}"));
        }
        await log.AppendAsync(batch);
        for (int i = 0; i < batch.Count; i++)
            expected.Add(new SampleRecord(batch.StreamOf(i), batch.OffsetOf(i), batch.KnownMsOf(i), History: false, $"{i}"));
        expected.Sort((a, b) => (a.KnownMs, a.Stream, a.Offset).CompareTo((b.KnownMs, b.Stream, b.Offset)));
        Assert.Equal(expected, log.ReadAll(0, slice: 1000));
        Assert.Equal(expected, log.ReadAll(0, slice: 1));
        Assert.Equal(expected, log.ReadAll(0, slice: 7));
    }

    [LogFact]
    public async Task A_stream_keeps_its_order_even_where_known_goes_back()
    {
        using IEventLog log = Open();
        foreach (long known in (long[])[5, 3, 9, 1])
            await log.AppendAsync(LogSamples.One(0, EventStream.Invoices, $"{known}", knownMs: known));
        await log.AppendAsync(LogSamples.One(0, EventStream.Activity, "4", knownMs: 4));
        Assert.Equal(["4", "5", "3", "9", "1"], log.ReadAll(0).Select(record => record.Content));
    }

    [LogFact]
    public async Task Reading_goes_on_where_it_stopped_and_sees_what_came_meanwhile()
    {
        using IEventLog log = Open();
        StreamPositions at = StreamPositions.Start;
        var batch = new RecordBatch();
        Assert.Equal(0, log.Read(0, ref at, 10, batch));
        for (int i = 0; i < 50; i++)
        {
            await log.AppendAsync(LogSamples.One(0, (EventStream)(i % 3), i.ToString(CultureInfo.InvariantCulture), knownMs: i));
            Assert.Equal(1, log.Read(0, ref at, 10, batch));
            Assert.Equal(0, log.Read(0, ref at, 10, batch));
        }
        Assert.Equal(Enumerable.Range(0, 50).Select(i => i.ToString(CultureInfo.InvariantCulture)), LogSamples.Copy(batch).Select(record => record.Content));
        Assert.Equal(log.End(0), at);
    }

    [LogFact]
    public async Task Reading_may_begin_anywhere()
    {
        using IEventLog log = Open();
        var batch = new AppendBatch();
        for (int i = 0; i < 900; i++)
            batch.Add(0, (EventStream)(i % 3), 1, i, history: false, LogSamples.ContentOf(i));
        await log.AppendAsync(batch);
        List<SampleRecord> all = log.ReadAll(0);
        foreach (StreamPositions from in (StreamPositions[])[new(150, 0, 0), new(299, 300, 1), new(0, 7, 300), new(300, 300, 300)])
            Assert.Equal(all.Where(record => record.Offset >= from[record.Stream]), log.ReadAll(0, from));
    }

    [LogFact]
    public async Task A_slice_never_holds_more_than_asked_for()
    {
        using IEventLog log = Open();
        var batch = new AppendBatch();
        for (int i = 0; i < 100; i++)
            batch.Add(0, EventStream.Invoices, 1, i, history: false, LogSamples.ContentOf(i));
        await log.AppendAsync(batch);
        StreamPositions at = StreamPositions.Start;
        var into = new RecordBatch();
        Assert.Equal(60, log.Read(0, ref at, 60, into));
        Assert.Equal(40, log.Read(0, ref at, 60, into));
        Assert.Equal(100, into.Count);
    }

    [LogFact]
    public async Task History_holds_one_debtor_up_to_the_positions_asked_for()
    {
        using IEventLog log = Open();
        var batch = new AppendBatch();
        for (int i = 0; i < 3000; i++)
            batch.Add(0, (EventStream)(i % 3), (ulong)(i % 7), i, history: i % 2 == 0, LogSamples.ContentOf(i));
        await log.AppendAsync(batch);
        batch.Clear();
        for (int i = 3000; i < 3300; i++)
            batch.Add(0, (EventStream)(i % 3), (ulong)(i % 7), i, history: false, LogSamples.ContentOf(i));
        await log.AppendAsync(batch);
        List<SampleRecord> all = log.ReadAll(0);
        foreach (StreamPositions until in (StreamPositions[])[log.End(0), new(10, 1000, 0), new(1050, 0, 1), StreamPositions.Start])
        {
            for (ulong debtor = 0; debtor < 8; debtor++)
            {
                IEnumerable<SampleRecord> expected = all
                    .Where(record => (ulong)(record.KnownMs % 7) == debtor && record.Offset < until[record.Stream])
                    .OrderBy(record => record.Stream).ThenBy(record => record.Offset);
                Assert.Equal(expected, log.ReadHistory(0, debtor, until));
            }
        }
        Assert.Empty(log.ReadHistory(1, debtor: 1));
    }

    [LogFact]
    public async Task Events_bigger_than_anything_usual_are_kept()
    {
        using IEventLog log = Open();
        var batch = new AppendBatch();
        foreach (int length in (int[])[0, 1, 100_000, 16_000, 17_000, 3, 1_000_000, 16_236])
            batch.Add(0, EventStream.Activity, 1, 0, history: false, new byte[length]);
        await log.AppendAsync(batch);
        Assert.Equal([0, 1, 100_000, 16_000, 17_000, 3, 1_000_000, 16_236], log.ReadAll(0).Select(record => record.Content.Length));
        Assert.Equal(8, log.ReadHistory(0, debtor: 1).Count);
    }

    [LogFact]
    public async Task Appended_names_the_partition_after_its_records_can_be_read()
    {
        using IEventLog log = Open();
        var seen = new BlockingCollection<(int Partition, StreamPositions End)>();
        log.Appended = partition => seen.Add((partition, log.End(partition)));
        await log.AppendAsync(LogSamples.One(2, EventStream.Invoices, "a"));
        Assert.Equal((2, new StreamPositions(1, 0, 0)), seen.Take());
    }

    [LogFact]
    public async Task A_partition_that_is_not_there_is_refused_before_anything_is_written()
    {
        using IEventLog log = Open();
        AppendBatch batch = LogSamples.One(0, EventStream.Invoices, "good");
        batch.Add(Partitions, EventStream.Invoices, 1, 0, history: false, "bad"u8);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => log.AppendAsync(batch));
        Assert.Equal(StreamPositions.Start, log.End(0));
    }

    [LogFact]
    public async Task An_append_cancelled_beforehand_writes_nothing()
    {
        using IEventLog log = Open();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "a"), new CancellationToken(canceled: true)));
        Assert.Equal(StreamPositions.Start, log.End(0));
    }

    [LogFact]
    public async Task A_closed_log_takes_no_more_and_what_it_took_is_there()
    {
        IEventLog log = Open();
        Task[] taken = [.. Enumerable.Range(0, 100).Select(i => log.AppendAsync(LogSamples.One(i % Partitions, EventStream.Invoices, "a")))];
        log.Dispose();
        await Task.WhenAll(taken);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => log.AppendAsync(LogSamples.One(0, EventStream.Invoices, "late")));
        using IEventLog again = Open();
        Assert.Equal(100, Enumerable.Range(0, Partitions).Sum(partition => again.End(partition).Total));
    }

    public virtual void Dispose() => GC.SuppressFinalize(this);
}
