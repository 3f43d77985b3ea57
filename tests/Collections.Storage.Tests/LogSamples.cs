using System.Buffers.Binary;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Tests;

/// <summary>A record as a test expects it back.</summary>
public readonly record struct SampleRecord(EventStream Stream, long Offset, long KnownMs, bool History, string Content);

/// <summary>Events whose content tells what they are, so that a mix-up shows.</summary>
public static class LogSamples
{
    /// <summary>Content that follows from its number alone: the number, and up to 300 bytes made from it.</summary>
    public static byte[] ContentOf(long number)
    {
        byte[] seed = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(seed, number);
        ulong hash = Hash64.Of(seed);
        byte[] content = new byte[8 + (int)(hash % 300)];
        seed.CopyTo(content, 0);
        for (int i = 8; i < content.Length; i++)
            content[i] = (byte)(hash >> i % 8 * 8);
        return content;
    }

    public static long NumberOf(ReadOnlySpan<byte> content) => BinaryPrimitives.ReadInt64LittleEndian(content);

    public static bool IsWhole(ReadOnlySpan<byte> content) => content.Length >= 8 && content.SequenceEqual(ContentOf(NumberOf(content)));

    public static AppendBatch One(int partition, EventStream stream, string content, ulong debtor = 1, long knownMs = 0, bool history = false)
    {
        var batch = new AppendBatch();
        batch.Add(partition, stream, debtor, knownMs, history, System.Text.Encoding.UTF8.GetBytes(content));
        return batch;
    }

    public static Task AppendAsync(this IEventLog log, AppendBatch batch) => log.AppendAsync(batch, CancellationToken.None);

    public static List<SampleRecord> ReadAll(this IEventLog log, int partition, StreamPositions from = default, int slice = 100)
    {
        var all = new List<SampleRecord>();
        var batch = new RecordBatch();
        while (log.Read(partition, ref from, slice, batch) > 0)
        {
            all.AddRange(Copy(batch));
            batch.Clear();
        }
        Assert.Equal(log.End(partition), from);
        return all;
    }

    public static List<SampleRecord> ReadHistory(this IEventLog log, int partition, ulong debtor, StreamPositions? until = null)
    {
        var batch = new RecordBatch();
        log.ReadHistory(partition, debtor, until ?? log.End(partition), batch);
        List<SampleRecord> found = Copy(batch);
        found.Sort((a, b) => (a.Stream, a.Offset).CompareTo((b.Stream, b.Offset)));
        return found;
    }

    public static List<SampleRecord> Copy(RecordBatch batch)
    {
        var copies = new List<SampleRecord>();
        for (int i = 0; i < batch.Count; i++)
        {
            LogRecord record = batch[i];
            copies.Add(new SampleRecord(record.Stream, record.Offset, record.KnownMs, record.History, System.Text.Encoding.UTF8.GetString(record.Content)));
        }
        return copies;
    }
}
