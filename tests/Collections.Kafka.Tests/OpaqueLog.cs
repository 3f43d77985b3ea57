using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Storage.Tests;

namespace Collections.Kafka.Tests;

/// <summary>
/// The contract's samples are any bytes of any debtor known at any time; Kafka carries events. This wraps each sample in an event whose debtor is named by
/// the sample's hash, with the sample in a field that nobody knows, and takes it out again. Reading waits until what Kafka has is here.
/// </summary>
internal sealed class OpaqueLog(KafkaEventLog log) : IEventLog
{
    private static readonly long BaseMs = StandingClock.Morning.ToUnixTimeMilliseconds() - 1_000_000;

    public int PartitionCount => log.PartitionCount;

    public Action<int>? Appended
    {
        get => log.Appended;
        set => log.Appended = value;
    }

    public StreamPositions End(int partition) => log.End(partition);

    public int Read(int partition, ref StreamPositions from, int maxCount, RecordBatch into)
    {
        var read = new RecordBatch();
        int count = 0;
        // A record that was acknowledged takes a moment to come back.
        SpinWait.SpinUntil(() => log.KnowsEnd(partition), Patience.Limit);
        while (count < maxCount && !from.Covers(log.End(partition)))
        {
            int more = log.Read(partition, ref from, maxCount - count, read);
            count += more;
            if (more == 0)
                Thread.Yield();
        }
        for (int i = 0; i < read.Count; i++)
            Unwrap(read[i], into);
        return count;
    }

    public void ReadHistory(int partition, ulong debtorHash, StreamPositions until, RecordBatch into)
    {
        var read = new RecordBatch();
        Patience.Until(() =>
        {
            try
            {
                log.ReadHistory(partition, DebtorKey.HashOf(EventReader.DefaultTenant, NameOf(debtorHash)), until, read);
                return true;
            }
            catch (LogUnavailableException)
            {
                return false;
            }
        });
        for (int i = 0; i < read.Count; i++)
            Unwrap(read[i], into);
    }

    public async Task AppendAsync(AppendBatch batch, CancellationToken cancellation)
    {
        var wrapped = new AppendBatch();
        for (int i = 0; i < batch.Count; i++)
            Wrap(batch, i, wrapped);
        await log.AppendAsync(wrapped, cancellation);
        for (int i = 0; i < batch.Count; i++)
            batch.SetOffset(i, wrapped.OffsetOf(i));
    }

    public void Dispose() => log.Dispose();

    private static byte[] NameOf(ulong hash) => Encoding.UTF8.GetBytes(hash.ToString(CultureInfo.InvariantCulture));

    private static void Wrap(AppendBatch batch, int index, AppendBatch into)
    {
        using var content = new MemoryStream();
        Field(content, 2, NameOf(batch.DebtorHashOf(index)));
        Field(content, 3, "x"u8);
        Field(content, 61, []);
        byte[] known = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(known, batch.KnownMsOf(index));
        Field(content, 201, known);
        Field(content, 200, batch.ContentOf(index));
        long knownMs = BaseMs + Math.Clamp(batch.KnownMsOf(index), -10, 900_000);
        into.Add(batch.PartitionOf(index), batch.StreamOf(index), batch.DebtorHashOf(index), knownMs, batch.IsHistory(index), content.ToArray());
    }

    private static void Unwrap(in LogRecord record, RecordBatch into)
    {
        ReadOnlySpan<byte> sample = default;
        long knownMs = 0;
        var wire = new WireReader(record.Content);
        while (wire.Next(out int field, out int type))
        {
            if (field == 200)
                sample = wire.ReadBytes();
            else if (field == 201)
                knownMs = BinaryPrimitives.ReadInt64LittleEndian(wire.ReadBytes());
            else
                wire.Skip(type);
        }
        Assert.False(wire.Failed);
        into.Add(record.Stream, record.Offset, knownMs, record.History, sample);
    }

    private static void Field(MemoryStream into, int number, ReadOnlySpan<byte> value)
    {
        Varint(into, (uint)number << 3 | WireReader.Bytes);
        Varint(into, (uint)value.Length);
        into.Write(value);
    }

    private static void Varint(MemoryStream into, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            into.WriteByte((byte)(value | 0x80));
        into.WriteByte((byte)value);
    }
}

/// <summary>Waits for what must happen, and calls it a failure when it does not.</summary>
internal static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static void Until(Func<bool> done) => Assert.True(SpinWait.SpinUntil(done, Limit), "what was waited for did not happen");
}
