using System.Globalization;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Tests;

/// <summary>Damaged segments: what is read is what was appended, or an error that names the place; never anything else.</summary>
public sealed class SqliteLogDamageTests : IDisposable
{
    private const int Total = 600;
    private readonly Scratch scratch = new();
    private readonly StandingClock clock = new();

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(9)]
    [InlineData(17)]
    [InlineData(33)]
    [InlineData(45)]
    [InlineData(51)]
    [InlineData(4000)]
    public async Task A_flipped_byte_in_a_block_is_an_error_that_names_file_stream_and_offset(int at)
    {
        await FillAsync(days: 2);
        string path = SegmentFiles.Of(scratch.Directory, 0)[0];
        SegmentFiles.FlipByte(path, "payments", "first = 0", at);
        using SqliteEventLog log = Open();
        var from = new StreamPositions(0, 0, 0);
        LogCorruptException e = Assert.Throws<LogCorruptException>(() => log.ReadAll(0));
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Contains("stream Payments at offset 0", e.Message, StringComparison.Ordinal);
        Assert.Throws<LogCorruptException>(() => log.ReadHistory(0, debtor: 1));
        Assert.Equal(StreamPositions.Start, from);
    }

    [Fact]
    public async Task A_damaged_last_block_is_found_when_the_log_is_opened()
    {
        await FillAsync(days: 1);
        SegmentFiles.FlipByte(SegmentFiles.Of(scratch.Directory, 0)[0], "activity", "first > 0 ORDER BY first DESC", 40);
        Assert.Contains("stream Activity", Assert.Throws<LogCorruptException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_comes_before_a_bad_block_is_still_read()
    {
        await FillAsync(days: 2);
        string path = SegmentFiles.Of(scratch.Directory, 0)[0];
        long second = SegmentFiles.Numbers(path, "SELECT first FROM invoices WHERE first > 0 ORDER BY first")[0];
        SegmentFiles.FlipByte(path, "invoices", $"first = {second}", 40);
        using SqliteEventLog log = Open();
        StreamPositions at = StreamPositions.Start;
        var into = new RecordBatch();
        while (at.Invoices < second)
            Assert.NotEqual(0, log.Read(0, ref at, 1000, into));
        Assert.Contains($"offset {second} ", Assert.Throws<LogCorruptException>(() => log.Read(0, ref at, 1000, into)).Message, StringComparison.Ordinal);
        Assert.Equal(second, at.Invoices);
        Assert.All(LogSamples.Copy(into), record => Assert.True(record.Offset < at[record.Stream]));
    }

    [Theory]
    [InlineData("DELETE FROM invoices WHERE first = (SELECT max(first) FROM invoices)")]
    [InlineData("DELETE FROM invoices WHERE first = 0")]
    [InlineData("UPDATE invoices SET first = first + 1000000 WHERE first = 0")]
    [InlineData("INSERT INTO invoices SELECT 5, data FROM payments WHERE first = 0")]
    [InlineData("UPDATE head SET data = zeroblob(44) WHERE id = 1")]
    [InlineData("UPDATE head SET data = zeroblob(32) WHERE id = 2")]
    [InlineData("DELETE FROM head")]
    [InlineData("DELETE FROM posting")]
    [InlineData("UPDATE posting SET data = (SELECT data FROM posting WHERE id = 7)")]
    [InlineData("DROP TABLE invoices")]
    public async Task Rows_lost_or_moved_are_never_taken_for_the_truth(string damage)
    {
        await FillAsync(days: 2);
        SegmentFiles.Execute(SegmentFiles.Of(scratch.Directory, 0)[0], damage);
        Exception? e = Record.Exception(() =>
        {
            using SqliteEventLog log = Open();
            log.ReadAll(0);
            for (ulong debtor = 0; debtor < 10; debtor++)
                log.ReadHistory(0, debtor);
        });
        Assert.True(e is LogCorruptException or LogUnavailableException or StorageRefusedException, e?.ToString() ?? "nothing was noticed");
    }

    [Fact]
    public async Task A_missing_or_exchanged_segment_is_noticed()
    {
        await FillAsync(days: 3);
        string[] paths = SegmentFiles.Of(scratch.Directory, 0);
        string aside = paths[1] + ".aside";
        File.Move(paths[1], aside);
        using (SqliteEventLog log = Open())
            Assert.Throws<LogCorruptException>(() => log.ReadAll(0));
        File.Copy(paths[0], paths[1]);
        using (SqliteEventLog log = Open())
            Assert.Contains("moved or renamed", Assert.Throws<LogCorruptException>(() => log.ReadAll(0)).Message, StringComparison.Ordinal);
        File.Move(aside, paths[1], overwrite: true);
        using SqliteEventLog whole = Open();
        Assert.Equal(3 * Total, whole.ReadAll(0).Count);
    }

    [Fact]
    public async Task Whatever_byte_of_a_segment_is_flipped_nothing_false_is_read()
    {
        await FillAsync(days: 2);
        List<SampleRecord> all;
        using (SqliteEventLog log = Open())
            all = log.ReadAll(0);
        List<SampleRecord> ofDebtor = [.. all.Where(record => record.KnownMs % 10 == 3).OrderBy(record => record.Stream).ThenBy(record => record.Offset)];
        string path = SegmentFiles.Of(scratch.Directory, 0)[0];
        byte[] good = File.ReadAllBytes(path);
        var random = new Random(5);
        for (int round = 0; round < 150; round++)
        {
            byte[] bad = [.. good];
            // A third of the flips hit the structure of the first pages, which is denser.
            int at = round % 3 == 0 ? random.Next(200) : random.Next(bad.Length);
            bad[at] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, bad);
            try
            {
                using SqliteEventLog log = Open();
                Assert.Equal(all, log.ReadAll(0));
                Assert.Equal(ofDebtor, log.ReadHistory(0, debtor: 3));
            }
            catch (Exception e) when (e is LogCorruptException or LogUnavailableException or StorageRefusedException)
            {
                Assert.Contains(Path.GetFileName(path), e.Message, StringComparison.Ordinal);
            }
            foreach (string rest in (string[])[path + "-wal", path + "-shm"])
                File.Delete(rest);
        }
    }

    public void Dispose() => scratch.Dispose();

    private async Task FillAsync(int days)
    {
        using SqliteEventLog log = Open();
        var batch = new AppendBatch();
        for (int i = 0; i < Total * days; i++)
        {
            batch.Add(0, (EventStream)(i % 3), (ulong)(i % 10), i, history: false, System.Text.Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture).PadLeft(200)));
            if (i % Total != Total - 1)
                continue;
            await log.AppendAsync(batch);
            batch.Clear();
            clock.Now = clock.Now.AddDays(1);
        }
    }

    private SqliteEventLog Open() => new(scratch.Directory, new SqliteLogOptions(1), clock);
}
