using System.Diagnostics;
using System.Globalization;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Tests;

/// <summary>A process that ended anywhere, at any byte of a write: what it acknowledged is there, and nothing that was not appended.</summary>
public sealed class SqliteLogRecoveryTests : IDisposable
{
    private const int WalHeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private readonly Scratch scratch = new();
    private readonly StandingClock clock = new();

    // How long the WAL was when an append had been acknowledged, and where the streams ended then.
    private readonly List<(long WalBytes, StreamPositions End)> acknowledged = [];

    [Fact]
    public async Task A_log_that_was_killed_opens_at_its_last_acknowledged_append()
    {
        using SqliteEventLog log = await AppendSomeAsync();
        string copy = Path.Combine(scratch.Directory, "copy");
        Scratch.CopyAsKilled(Path.Combine(scratch.Directory, "live"), copy);
        using var recovered = new SqliteEventLog(copy, new SqliteLogOptions(1), clock);
        Assert.Equal(acknowledged[^1].End, recovered.End(0));
        Assert.Equal(log.ReadAll(0), recovered.ReadAll(0));
        for (ulong debtor = 0; debtor < 4; debtor++)
            Assert.Equal(log.ReadHistory(0, debtor), recovered.ReadHistory(0, debtor));
    }

    [Fact]
    public async Task A_WAL_cut_anywhere_keeps_what_was_acknowledged_before_the_cut()
    {
        using SqliteEventLog log = await AppendSomeAsync();
        List<SampleRecord> appended = log.ReadAll(0);
        byte[] wal = Scratch.ReadShared(WalPath());
        int frame = FrameHeaderBytes + Limits.SegmentPageBytes;
        Assert.Equal(WalHeaderBytes, wal.Length % frame);
        var cuts = new SortedSet<int> { 0, 1, WalHeaderBytes - 1 };
        var random = new Random(3);
        for (int at = WalHeaderBytes; at <= wal.Length; at += frame)
        {
            cuts.Add(at);
            cuts.Add(Math.Max(0, at - 1));
            cuts.Add(Math.Min(wal.Length, at + random.Next(frame)));
        }
        foreach (int cut in cuts)
            await CheckAsync(wal[..cut], appended, leastEnd: EndAt(cut));
    }

    [Fact]
    public async Task A_WAL_with_damaged_bytes_ends_before_them()
    {
        using SqliteEventLog log = await AppendSomeAsync();
        List<SampleRecord> appended = log.ReadAll(0);
        byte[] wal = Scratch.ReadShared(WalPath());
        var random = new Random(4);
        for (int round = 0; round < 40; round++)
        {
            byte[] bad = [.. wal];
            int at = random.Next(bad.Length);
            bad[at] ^= (byte)(1 << random.Next(8));
            await CheckAsync(bad, appended, leastEnd: EndAt(at));
        }
    }

    [Fact]
    public async Task A_segment_that_was_never_given_its_name_is_made_again()
    {
        string directory = Path.Combine(scratch.Directory, "live", "log", "p0000");
        using (SqliteEventLog log = await AppendSomeAsync())
        {
            clock.Now = clock.Now.AddDays(1);
        }
        File.WriteAllText(Path.Combine(directory, "2026-03-03.segment.new"), "half a segment");
        using SqliteEventLog again = OpenLive();
        await again.AppendAsync(LogSamples.One(0, EventStream.Invoices, "next day"));
        Assert.Equal(2, SegmentFiles.Of(Path.Combine(scratch.Directory, "live"), 0).Length);
        Assert.Equal("next day", again.ReadAll(0)[^1].Content);
    }

    [Fact]
    public void A_process_killed_while_it_appends_loses_nothing_that_it_acknowledged()
    {
        var random = new Random(Environment.TickCount);
        var acknowledgedNumbers = new Dictionary<(int Partition, EventStream Stream, long Offset), long>();
        for (int round = 0; round < 4; round++)
        {
            using Process process = StartAppending(round * 1_000_000_000L);
            int lines = 20 + random.Next(1500);
            while (lines-- > 0 && process.StandardOutput.ReadLine() is { } line)
                Acknowledge(line, acknowledgedNumbers);
            process.Kill();
            // What it printed before it died, up to the last whole line.
            string[] rest = process.StandardOutput.ReadToEnd().Split('\n');
            foreach (string line in rest[..^1])
                Acknowledge(line, acknowledgedNumbers);
            process.WaitForExit();
            CheckKilled(acknowledgedNumbers);
        }
        Assert.NotEmpty(acknowledgedNumbers);
    }

    public void Dispose() => scratch.Dispose();

    private SqliteEventLog OpenLive() => new(Path.Combine(scratch.Directory, "live"), new SqliteLogOptions(1), clock);

    private string WalPath() => SegmentFiles.Of(Path.Combine(scratch.Directory, "live"), 0)[0] + "-wal";

    private async Task<SqliteEventLog> AppendSomeAsync()
    {
        SqliteEventLog log = OpenLive();
        var batch = new AppendBatch();
        int number = 0;
        for (int i = 0; i < 16; i++)
        {
            batch.Clear();
            for (int j = 0; j < 1 + i * 7 % 40; j++, number++)
                batch.Add(0, (EventStream)(number % (1 + i % 3)), (ulong)(number % 4), number, history: false, LogSamples.ContentOf(number));
            await log.AppendAsync(batch);
            acknowledged.Add((new FileInfo(WalPath()).Length, log.End(0)));
        }
        return log;
    }

    private StreamPositions EndAt(long walBytes)
    {
        StreamPositions end = StreamPositions.Start;
        foreach ((long bytes, StreamPositions at) in acknowledged)
        {
            if (bytes <= walBytes)
                end = at;
        }
        return end;
    }

    private async Task CheckAsync(byte[] wal, List<SampleRecord> appended, StreamPositions leastEnd)
    {
        string copy = Path.Combine(scratch.Directory, "cut");
        Scratch.CopyAsKilled(Path.Combine(scratch.Directory, "live"), copy);
        await File.WriteAllBytesAsync(SegmentFiles.Of(copy, 0)[0] + "-wal", wal);
        using (var log = new SqliteEventLog(copy, new SqliteLogOptions(1), clock))
        {
            StreamPositions end = log.End(0);
            Assert.Contains(end, acknowledged.Select(a => a.End).Prepend(StreamPositions.Start));
            Assert.True(end.Covers(leastEnd), $"cut at {wal.Length}: {leastEnd} had been acknowledged, and the log ends at {end}");
            Assert.Equal(appended.Where(record => record.Offset < end[record.Stream]), log.ReadAll(0));
            AppendBatch next = LogSamples.One(0, EventStream.Payments, "goes on");
            await log.AppendAsync(next);
            Assert.Equal(end.Payments, next.OffsetOf(0));
        }
        Directory.Delete(copy, recursive: true);
    }

    private Process StartAppending(long firstNumber)
    {
        string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var start = new ProcessStartInfo(host) { RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add(typeof(AppendingProcess).Assembly.Location);
        start.ArgumentList.Add(scratch.Directory);
        start.ArgumentList.Add(firstNumber.ToString(CultureInfo.InvariantCulture));
        return Process.Start(start) ?? throw new InvalidOperationException($"{host} did not start");
    }

    private static void Acknowledge(string line, Dictionary<(int Partition, EventStream Stream, long Offset), long> into)
    {
        long[] parts = [.. line.Split(' ').Select(part => long.Parse(part, CultureInfo.InvariantCulture))];
        Assert.True(into.TryAdd(((int)parts[0], (EventStream)parts[1], parts[2]), parts[3]), $"an offset was given twice: {line}");
    }

    private void CheckKilled(Dictionary<(int Partition, EventStream Stream, long Offset), long> expected)
    {
        using var log = new SqliteEventLog(scratch.Directory, new SqliteLogOptions(AppendingProcess.Partitions), TimeProvider.System);
        var batch = new RecordBatch();
        int found = 0;
        for (int partition = 0; partition < AppendingProcess.Partitions; partition++)
        {
            StreamPositions at = StreamPositions.Start;
            var next = new long[EventKinds.StreamCount];
            while (log.Read(partition, ref at, 1000, batch) > 0)
            {
                for (int i = 0; i < batch.Count; i++)
                {
                    LogRecord record = batch[i];
                    Assert.Equal(next[(int)record.Stream]++, record.Offset);
                    Assert.True(LogSamples.IsWhole(record.Content));
                    if (!expected.TryGetValue((partition, record.Stream, record.Offset), out long number))
                        continue;
                    Assert.Equal(number, LogSamples.NumberOf(record.Content));
                    found++;
                }
                batch.Clear();
            }
            Assert.Equal(log.End(partition), at);
        }
        Assert.Equal(expected.Count, found);
    }
}
