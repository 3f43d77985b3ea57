using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Engine.Partitions;

/// <summary>
/// What the log has of one debtor, in the order of the log's merge (known, stream, offset), whatever the order in which it was read: which
/// of two deliveries came first must not depend on the reader.
/// </summary>
internal sealed class OwnHistory
{
    private readonly Dictionary<(EventStream Stream, string Id), long> firstOffset = [];

    public OwnHistory(RecordBatch history, in Debtor debtor)
    {
        var order = new List<(long KnownMs, EventStream Stream, long Offset, int Index)>(history.Count);
        for (int i = 0; i < history.Count; i++)
        {
            LogRecord record = history[i];
            order.Add((record.KnownMs, record.Stream, record.Offset, i));
        }
        order.Sort();
        foreach ((_, _, _, int index) in order)
        {
            LogRecord record = history[index];
            if (!EventReader.TryRead(record.Content, record.KnownMs, record.History, out Event e, out _)
                || !e.Head.Debtor.SequenceEqual(debtor.Name) || !e.Head.Tenant.SequenceEqual(debtor.Tenant))
                continue;
            Batch.Add(record.Content, record.KnownMs, record.History);
            firstOffset.TryAdd(KeyOf(e.Head), record.Offset);
        }
    }

    public HistoryBatch Batch { get; } = new();

    /// <summary>Whether the record is the first delivery of its event.</summary>
    public bool IsFirst(in LogRecord record, in EventHead head) => firstOffset.TryGetValue(KeyOf(head), out long offset) && offset == record.Offset;

    /// <summary>Ids are bytes; as Latin-1 no two of them become one.</summary>
    private static (EventStream Stream, string Id) KeyOf(in EventHead head) => (head.Stream, Encoding.Latin1.GetString(head.Id));
}
