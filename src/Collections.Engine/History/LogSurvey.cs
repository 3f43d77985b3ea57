using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Engine.History;

/// <summary>What a log holds, from one pass over it: how far it reaches, how much there is, and of which tenants it knows attempts.</summary>
public sealed class LogSurvey
{
    private readonly StreamPositions[] ends;
    private readonly long[] bytes;
    private readonly HashSet<string> contacted = new(StringComparer.Ordinal);

    private LogSurvey(int partitions)
    {
        ends = new StreamPositions[partitions];
        bytes = new long[partitions];
    }

    /// <summary>Where each partition's streams ended when it was read.</summary>
    public IReadOnlyList<StreamPositions> Ends => ends;

    public long Records => ends.Sum(static end => end.Total);

    /// <summary>When the first and the last event became known, by the rule of the selection, in Unix milliseconds; 0 without events.</summary>
    public long FirstKnownMs { get; private set; }

    public long LastKnownMs { get; private set; }

    /// <summary>Reads a whole log once.</summary>
    /// <exception cref="LogUnavailableException">The log can't be read now.</exception>
    /// <exception cref="LogCorruptException">What is stored can't be trusted.</exception>
    public static LogSurvey Of(IEventLog log, HistorySelection selection, Action<int> partitionRead)
    {
        var survey = new LogSurvey(log.PartitionCount);
        var slice = new RecordBatch();
        for (int partition = 0; partition < log.PartitionCount; partition++)
        {
            StreamPositions next = StreamPositions.Start;
            while (log.Read(partition, ref next, Limits.SliceRecordsMax, slice) > 0)
            {
                for (int i = 0; i < slice.Count; i++)
                    survey.Take(partition, slice[i], selection);
                slice.Clear();
            }
            survey.ends[partition] = next;
            partitionRead(partition);
        }
        return survey;
    }

    /// <summary>Whether the log has any attempt at a tenant's debtors; without one nobody can say who was contacted.</summary>
    public bool KnowsAttempts(string tenant) => contacted.Contains(tenant);

    /// <summary>In how many parts a partition has to be read so that one fits into memory.</summary>
    public int PartsOf(int partition, double share) => (int)Math.Max(1, Math.Ceiling(bytes[partition] * share / Limits.HistoryBytesMax));

    private void Take(int partition, in LogRecord record, HistorySelection selection)
    {
        bytes[partition] += record.Content.Length + Limits.HistoryRecordBytes;
        if (!EventReader.TryRead(record.Content, record.KnownMs, record.History, out Event e, out _) || e.Head.Kind == EventKind.ImportEnded)
            return;
        long knownMs = selection.KnownMs(e.Head);
        FirstKnownMs = FirstKnownMs == 0 ? knownMs : Math.Min(FirstKnownMs, knownMs);
        LastKnownMs = Math.Max(LastKnownMs, knownMs);
        if (e.Head.Kind == EventKind.AttemptReported)
            contacted.Add(Encoding.UTF8.GetString(e.Head.Tenant));
    }
}
