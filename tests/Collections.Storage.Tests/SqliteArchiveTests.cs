using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Tests;

public sealed class SqliteArchiveTests : IDisposable
{
    private readonly Scratch scratch = new();
    private readonly StandingClock clock = new();

    [Fact]
    public async Task Records_keep_the_offsets_of_their_source_and_gaps_are_no_damage()
    {
        long[] offsets = [5, 6, 7, 20, 21, 1_000_000];
        using (SqliteArchive archive = Open())
        {
            await archive.AppendAsync(At(offsets));
            Assert.Equal(new StreamPositions(0, 1_000_001, 0), archive.End(0));
        }
        using SqliteArchive again = Open();
        foreach (long from in (long[])[0, 5, 6, 8, 13, 20, 22, 999_999, 1_000_000])
            Assert.Equal(offsets.Where(o => o >= from), Read(again, from, slice: 2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Any_gaps_over_many_appends_days_and_restarts_read_the_same(int seed)
    {
        var random = new Random(seed);
        var all = new List<long>();
        long next = random.Next(3) * 1000;
        for (int round = 0; round < 12; round++)
        {
            using SqliteArchive archive = Open();
            for (int append = 0; append < 4; append++)
            {
                var offsets = new List<long>();
                for (int i = random.Next(200); i >= 0; i--)
                    offsets.Add(next += 1 + (random.Next(8) == 0 ? random.Next(50) : 0));
                await archive.AppendAsync(At([.. offsets]));
                all.AddRange(offsets);
            }
            if (random.Next(2) == 0)
                clock.Now = clock.Now.AddDays(1);
            Assert.Equal(all, Read(archive, 0, slice: 1 + random.Next(300)));
            long from = all[random.Next(all.Count)] + random.Next(3);
            Assert.Equal(all.Where(o => o >= from), Read(archive, from, slice: 50));
            var history = new RecordBatch();
            archive.ReadHistory(0, 1, archive.End(0), history);
            Assert.Equal(all, LogSamples.Copy(history).Select(record => record.Offset).Order());
        }
    }

    [Fact]
    public async Task What_is_lost_is_said_with_what_is_left()
    {
        using SqliteArchive archive = Open();
        archive.Begin(0, StreamPositions.Start);
        await archive.AppendAsync(At([3, 4]));
        archive.Note(0, archive.NoteOf(0)!.Without([new LostPiece(EventStream.Payments, 0, 3), new LostPiece(EventStream.Activity, 8, 9)]));
        var history = new RecordBatch();
        string said = Assert.Throws<HistoryLostException>(() => archive.ReadHistory(0, 1, new StreamPositions(0, 5, 8), history)).Message;
        Assert.Contains("the archive of partition 0 is without payments 0 to 2, which", said, StringComparison.Ordinal);
        Assert.Equal(2, history.Count);
    }

    [Fact]
    public async Task The_directories_of_a_partition_that_is_whole_take_the_place_of_one_that_is_not()
    {
        string other = Path.Combine(scratch.Directory, "other");
        using (var whole = new SqliteArchive(other, new SqliteLogOptions(2), clock))
        {
            whole.Begin(0, StreamPositions.Start);
            await whole.AppendAsync(At([0, 1, 2]));
            // Others ran it for a while.
            whole.Begin(0, Payments(5));
            await whole.AppendAsync(At([5]));
            whole.Fill(0, whole.GapOf(0)!.Value, At([3, 4]), Payments(5));
        }
        using (SqliteArchive archive = Open())
        {
            archive.Begin(0, Payments(6));
            await archive.AppendAsync(At([6]));
            archive.Note(0, archive.NoteOf(0)!.Without([new LostPiece(EventStream.Payments, 0, 6)]));
        }
        string[] places = Directory.GetDirectories(Path.Combine(other, "log"), "p0000*");
        Assert.Equal(2, places.Length);
        foreach (string place in Directory.EnumerateDirectories(Path.Combine(scratch.Directory, "log"), "p0000*"))
            Directory.Delete(place, recursive: true);
        foreach (string place in places)
            Directory.Move(place, Path.Combine(scratch.Directory, "log", Path.GetFileName(place)));
        using SqliteArchive again = Open();
        again.Begin(0, Payments(7));
        Assert.Equal(new StreamPositions(0, 6, 0), again.GapOf(0)!.Value.From);
        again.Fill(0, again.GapOf(0)!.Value, At([6]), Payments(7));
        var history = new RecordBatch();
        again.ReadHistory(0, 1, Payments(7), history);
        Assert.Equal(7, history.Count);
    }

    [Fact]
    public async Task Offsets_that_were_read_through_begin_no_chapter()
    {
        using (SqliteArchive archive = Open())
        {
            archive.Begin(0, StreamPositions.Start);
            await archive.AppendAsync(At([3, 4]));
            archive.Note(0, archive.NoteOf(0)! with { Through = new StreamPositions(0, 7, 0) });
        }
        using SqliteArchive again = Open();
        again.Begin(0, new StreamPositions(0, 7, 0));
        Assert.Null(again.GapOf(0));
        Assert.Equal(new StreamPositions(0, 5, 0), again.End(0));
        // Where nobody has read, there is a gap.
        again.Begin(0, new StreamPositions(0, 8, 0));
        Assert.NotNull(again.GapOf(0));
    }

    [Fact]
    public async Task What_is_archived_already_is_not_archived_twice()
    {
        using SqliteArchive archive = Open();
        await archive.AppendAsync(At([3, 4, 9]));
        await archive.AppendAsync(At([3, 4, 9]));
        await archive.AppendAsync(At([4, 9, 10]));
        Assert.Equal([3, 4, 9, 10], Read(archive, 0, slice: 100));
        var history = new RecordBatch();
        archive.ReadHistory(0, 1, archive.End(0), history);
        Assert.Equal(4, history.Count);
    }

    [Fact]
    public async Task A_stream_with_records_to_come_holds_the_others_back()
    {
        using SqliteArchive archive = Open();
        var batch = new AppendBatch();
        batch.Add(0, EventStream.Invoices, 1, knownMs: 10, history: false, "a"u8);
        batch.Add(0, EventStream.Payments, 1, knownMs: 5, history: false, "b"u8);
        batch.Add(0, EventStream.Payments, 1, knownMs: 20, history: false, "c"u8);
        batch.SetOffset(0, 0);
        batch.SetOffset(1, 0);
        batch.SetOffset(2, 1);
        await archive.AppendAsync(batch);
        StreamPositions at = StreamPositions.Start;
        var into = new RecordBatch();
        Assert.Equal(2, archive.Read(0, ref at, 10, new StreamPositions(2, 2, 0), into));
        Assert.Equal(0, archive.Read(0, ref at, 10, new StreamPositions(2, 2, 0), into));
        Assert.Equal(1, archive.Read(0, ref at, 10, new StreamPositions(1, 2, 0), into));
        Assert.Equal(["b", "a", "c"], LogSamples.Copy(into).Select(record => record.Content));
    }

    [Fact]
    public async Task A_store_that_is_ahead_waits_for_the_archive()
    {
        using SqliteArchive archive = Open();
        await archive.AppendAsync(At([0, 1]));
        var at = new StreamPositions(0, 5, 0);
        Assert.Equal(0, archive.Read(0, ref at, 10, new StreamPositions(0, 9, 0), new RecordBatch()));
        await archive.AppendAsync(At([2, 3, 4, 5]));
        Assert.Equal(1, archive.Read(0, ref at, 10, new StreamPositions(0, 6, 0), new RecordBatch()));
    }

    [Fact]
    public async Task An_archive_and_a_log_are_not_taken_for_each_other_but_the_past_is_read_from_both()
    {
        using (SqliteArchive archive = Open())
            await archive.AppendAsync(At([7]));
        StorageRefusedException refused = Assert.Throws<StorageRefusedException>(() => new SqliteEventLog(scratch.Directory, new SqliteLogOptions(2), clock));
        Assert.Contains("--kafka", refused.Message, StringComparison.Ordinal);
        using (SqliteEventLog toRead = SqliteEventLog.OpenToRead(scratch.Directory, clock))
        {
            Assert.Equal([7], toRead.ReadAll(0).Select(record => record.Offset));
            await Assert.ThrowsAsync<StorageRefusedException>(() => toRead.AppendAsync(LogSamples.One(0, EventStream.Invoices, "a")));
        }
        string other = Path.Combine(scratch.Directory, "other");
        using (new SqliteEventLog(other, new SqliteLogOptions(2), clock)) { }
        Assert.Contains("without --kafka", Assert.Throws<StorageRefusedException>(() => new SqliteArchive(other, new SqliteLogOptions(2), clock)).Message, StringComparison.Ordinal);
        Assert.Throws<StorageRefusedException>(() => SqliteEventLog.OpenToRead(Path.Combine(scratch.Directory, "none"), clock));
    }

    [Fact]
    public async Task A_block_that_went_missing_between_gaps_is_seen()
    {
        using (SqliteArchive archive = Open())
        {
            await archive.AppendAsync(At([0, 1]));
            await archive.AppendAsync(At([5, 6]));
            await archive.AppendAsync(At([9]));
        }
        SegmentFiles.Execute(SegmentFiles.Of(scratch.Directory, partition: 0).Single(), "DELETE FROM payments WHERE first = 5");
        // Opening reads what no index reaches yet.
        LogCorruptException corrupt = Assert.Throws<LogCorruptException>(Open);
        Assert.Contains("the block of stream Payments at offset 2", corrupt.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_missed_while_others_ran_the_partition_is_filled_in_behind_and_read_in_order()
    {
        using (SqliteArchive archive = Open())
        {
            archive.Begin(0, StreamPositions.Start);
            Assert.Null(archive.GapOf(0));
            await archive.AppendAsync(At([0, 1, 2]));
            archive.Begin(0, Payments(8));
            Assert.Equal(new ArchiveGap(0, Payments(3), Payments(8)), archive.GapOf(0));
            await archive.AppendAsync(At([8, 9]));
            // From its own positions on the partition reads at once; its past is not whole yet.
            Assert.Equal([8, 9], Read(archive, 8, slice: 1));
            Assert.Throws<LogUnavailableException>(() => archive.ReadHistory(0, 1, Payments(10), new RecordBatch()));
            archive.Fill(0, archive.GapOf(0)!.Value, At([3, 5]), Payments(6));
            Assert.Equal(Payments(6), archive.GapOf(0)!.Value.From);
            // As far as it is known, whoever begins anew reads on, and then waits.
            var at = StreamPositions.Start;
            Assert.Equal(5, archive.Read(0, ref at, 100, archive.End(0), new RecordBatch()));
            Assert.Equal(0, archive.Read(0, ref at, 100, archive.End(0), new RecordBatch()));
        }
        using (SqliteArchive again = Open())
        {
            ArchiveGap gap = again.GapOf(0)!.Value;
            // The records of the gap are asked for again from behind the last one: whether any lay between, only their source knows.
            Assert.Equal(new ArchiveGap(0, Payments(6), Payments(8)), gap);
            again.Fill(0, gap, At([7]), Payments(8));
            Assert.Null(again.GapOf(0));
            again.Begin(0, Payments(10));
            await again.AppendAsync(At([10]));
            again.Begin(0, Payments(20));
            again.Begin(0, Payments(25));
            await again.AppendAsync(At([25, 26]));
            // Retention took the rest: what its source does not have any more is nowhere.
            again.Fill(0, again.GapOf(0)!.Value, new AppendBatch(), Payments(25));
            Assert.Null(again.GapOf(0));
        }
        using SqliteArchive whole = Open();
        // What has once been read through is not asked for again.
        Assert.Null(whole.GapOf(0));
        for (int slice = 1; slice < 14; slice++)
            Assert.Equal([0, 1, 2, 3, 5, 7, 8, 9, 10, 25, 26], Read(whole, 0, slice));
        var history = new RecordBatch();
        whole.ReadHistory(0, 1, Payments(26), history);
        Assert.Equal([0, 1, 2, 3, 5, 7, 8, 9, 10, 25], LogSamples.Copy(history).Select(record => record.Offset).Order());
    }

    [Fact]
    public async Task What_an_archive_is_known_to_miss_is_told_until_it_is_there()
    {
        using (SqliteArchive archive = Open())
        {
            // One that nobody has begun with misses nothing.
            Assert.Empty(archive.Faults);
            archive.Begin(0, StreamPositions.Start);
            await archive.AppendAsync(At([0, 1, 2]));
        }
        Assert.Equal("partition 1: never fetched", Missing());
        using (SqliteArchive archive = Open())
        {
            archive.Begin(1, StreamPositions.Start);
            Assert.Empty(archive.Faults);
            archive.Note(0, archive.NoteOf(0)! with { IsBehind = true });
        }
        Assert.Equal("partition 0: others have run it since, or it was not fetched to its end", Missing());
        using (SqliteArchive archive = Open())
        {
            archive.Begin(0, Payments(2));
            Assert.Empty(archive.Faults);
            archive.Begin(0, Payments(8));
        }
        // The process ended before anything was written behind the gap.
        Assert.Equal("partition 0: others have run it since, or it was not fetched to its end", Missing());
        using (SqliteArchive archive = Open())
        {
            archive.Begin(0, Payments(8));
            await archive.AppendAsync(At([8]));
        }
        Assert.Equal("partition 0: without payments 3 to 7", Missing());
        using (SqliteEventLog past = SqliteEventLog.OpenToRead(scratch.Directory, clock))
        {
            past.PassOver();
            Assert.Equal([0, 1, 2, 8], past.ReadAll(0).Select(static record => record.Offset));
        }
        using (SqliteArchive archive = Open())
            archive.Fill(0, archive.GapOf(0)!.Value, At([5]), Payments(8));
        Assert.Equal("", Missing());
        using (SqliteArchive archive = Open())
        {
            var lost = new LostPiece(EventStream.Payments, 6, 7);
            archive.Note(0, archive.NoteOf(0)!.Without([lost]).Without([lost]));
            archive.Note(1, archive.NoteOf(1)!.Without([lost]));
        }
        Assert.Equal("partitions 0, 1: without payments 6 to 6, which retention had deleted before they were fetched", Missing());
        using (SqliteArchive archive = Open())
            Assert.All(archive.Faults, static fault => Assert.False(fault.CanBeFetched));
        string note = Directory.EnumerateFiles(scratch.Directory, "note.json", SearchOption.AllDirectories).First();
        File.WriteAllText(note, "{\"version\": 1, \"through\": [1]}");
        Assert.Contains(note, Assert.Throws<StorageRefusedException>(Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_note_has_the_form_that_it_has_on_the_disk()
    {
        using (SqliteArchive archive = Open())
            archive.Note(1, new ArchiveNote(new StreamPositions(1, 20, 300), IsBehind: true, [new LostPiece(EventStream.Activity, 5, 9)]));
        string path = Path.Combine(scratch.Directory, "log", "p0001", "note.json");
        Assert.Equal("""{"version":1,"through":[1,20,300],"behind":true,"lost":[{"stream":"activity","from":5,"to":9}]}""", File.ReadAllText(path));
        using SqliteArchive again = Open();
        ArchiveNote found = again.NoteOf(1)!;
        Assert.Equal((new StreamPositions(1, 20, 300), true, new LostPiece(EventStream.Activity, 5, 9)), (found.Through, found.IsBehind, Assert.Single(found.Lost)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Two_archives_that_take_turns_both_end_with_everything(int seed)
    {
        var random = new Random(seed);
        string[] directories = [Path.Combine(scratch.Directory, "a"), Path.Combine(scratch.Directory, "b")];
        int next = 0;
        for (int turn = 0; turn < 10; turn++)
        {
            using var archive = new SqliteArchive(directories[random.Next(2)], new SqliteLogOptions(2), clock);
            // It may have written more than its successor found in the store.
            archive.Begin(0, Payments(Math.Max(0, next - random.Next(3))));
            long from = archive.End(0).Payments;
            int count = random.Next(1, 40);
            await archive.AppendAsync(At([.. Enumerable.Range((int)from, (next + count) - (int)from).Select(static i => (long)i)]));
            next += count;
        }
        foreach (string directory in directories)
        {
            using var archive = new SqliteArchive(directory, new SqliteLogOptions(2), clock);
            archive.Begin(0, Payments(next));
            while (archive.GapOf(0) is { } gap)
            {
                long to = Math.Min(gap.From.Payments + random.Next(1, 10), gap.To.Payments);
                archive.Fill(0, gap, At([.. Enumerable.Range((int)gap.From.Payments, (int)(to - gap.From.Payments)).Select(static i => (long)i)]), Payments(to));
            }
            await archive.AppendAsync(At([next]));
            Assert.Equal(Enumerable.Range(0, next + 1).Select(static i => (long)i), Read(archive, 0, slice: 7));
            var history = new RecordBatch();
            archive.ReadHistory(0, 1, Payments(next + 1), history);
            Assert.Equal(Enumerable.Range(0, next + 1).Select(static i => (long)i), LogSamples.Copy(history).Select(static record => record.Offset).Order());
        }
    }

    public void Dispose() => scratch.Dispose();

    private string Missing()
    {
        using SqliteEventLog past = SqliteEventLog.OpenToRead(scratch.Directory, clock);
        return ArchiveFault.Describe(past.Faults);
    }

    private static StreamPositions Payments(long offset) => new(0, offset, 0);

    private SqliteArchive Open() => new(scratch.Directory, new SqliteLogOptions(2), clock);

    private static AppendBatch At(long[] offsets)
    {
        var batch = new AppendBatch();
        foreach (long offset in offsets)
        {
            batch.Add(0, EventStream.Payments, 1, offset, history: false, LogSamples.ContentOf(offset));
            batch.SetOffset(batch.Count - 1, offset);
        }
        return batch;
    }

    private static List<long> Read(SqliteArchive archive, long from, int slice)
    {
        var found = new List<long>();
        var at = new StreamPositions(0, from, 0);
        var into = new RecordBatch();
        while (archive.Read(0, ref at, slice, archive.End(0), into) > 0)
        {
            for (int i = 0; i < into.Count; i++)
            {
                Assert.Equal(LogSamples.ContentOf(into[i].Offset), into[i].Content.ToArray());
                found.Add(into[i].Offset);
            }
            into.Clear();
        }
        Assert.Equal(archive.End(0).Payments, Math.Max(at.Payments, from));
        return found;
    }
}
