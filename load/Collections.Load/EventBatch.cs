using System.Buffers;
using System.Text;
using Collections.Domain.Events;
using Collections.Server.Demo.Portfolio;

namespace Collections.Load;

/// <summary>
/// Events in wire form, laid out as the body of a <c>collections.v1.AppendRequest</c>, so that sending them costs a copy and no objects: the
/// generator shares its machine with what it measures.
/// </summary>
/// <param name="tenant">Whose debtors they are about: the load has a tenant of its own.</param>
internal sealed class EventBatch(string tenant)
{
    private const byte EventsTag = 1 << 3 | 2;
    private const byte WaitTag = 2 << 3;
    private const byte TenantTag = 1 << 3 | 2;

    private readonly byte[] prefix = [TenantTag, (byte)Encoding.UTF8.GetByteCount(tenant), .. Encoding.UTF8.GetBytes(tenant)];
    private readonly ArrayBufferWriter<byte> body = new(1024);
    private readonly List<(EventStream Stream, int Debtor, int Start, int Length)> events = [];

    public int Count => events.Count;

    public string Tenant => tenant;

    /// <param name="debtor">The debtor's index in the book.</param>
    /// <param name="content">The event without a tenant.</param>
    public void Add(EventStream stream, int debtor, ReadOnlySpan<byte> content)
    {
        int length = prefix.Length + content.Length;
        Span<byte> head = body.GetSpan(1 + 5 + length);
        head[0] = EventsTag;
        int at = 1;
        for (uint rest = (uint)length; ; rest >>= 7)
        {
            head[at++] = (byte)(rest < 0x80 ? rest : rest & 0x7f | 0x80);
            if (rest < 0x80)
                break;
        }
        prefix.CopyTo(head[at..]);
        content.CopyTo(head[(at + prefix.Length)..]);
        body.Advance(at + length);
        events.Add((stream, debtor, body.WrittenCount - length, length));
    }

    /// <summary>The whole request.</summary>
    public byte[] ToRequest(bool durable) => durable ? [.. body.WrittenSpan, WaitTag, (byte)V1.Wait.Durable] : body.WrittenSpan.ToArray();

    public EventStream StreamOf(int index) => events[index].Stream;

    /// <summary>One event in wire form, as a record of its own.</summary>
    public byte[] EventOf(int index) => body.WrittenSpan.Slice(events[index].Start, events[index].Length).ToArray();

    /// <summary>The key of its record: <c>tenant/debtor</c>.</summary>
    public byte[] KeyOf(int index)
    {
        byte[] key = new byte[prefix.Length - 2 + 1 + DebtorNames.ByteCount];
        prefix.AsSpan(2).CopyTo(key);
        key[prefix.Length - 2] = (byte)'/';
        DebtorNames.Format(events[index].Debtor, key.AsSpan(prefix.Length - 1));
        return key;
    }
}
