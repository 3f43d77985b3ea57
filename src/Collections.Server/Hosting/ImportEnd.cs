using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Server.Hosting;

/// <summary>Ends a bulk import: one event a partition, that belongs to no debtor.</summary>
internal static class ImportEnd
{
    /// <param name="knownMs">When the import ends, in Unix milliseconds; part of the events' ids.</param>
    public static AppendBatch Of(int partitions, long knownMs)
    {
        var batch = new AppendBatch();
        var writer = new EventWriter();
        for (int partition = 0; partition < partitions; partition++)
        {
            byte[] id = System.Text.Encoding.UTF8.GetBytes(FormattableString.Invariant($"import-ended-{knownMs}-{partition}"));
            batch.Add(partition, EventStream.Activity, 0, knownMs, history: false, writer.ImportEnded(new EventAddress { Debtor = default, Id = id }));
        }
        return batch;
    }
}
