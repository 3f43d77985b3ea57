using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Server.Import;

internal enum RowFate
{
    Imported,
    Refused,
    Ignored,
}

/// <summary>What has been counted of a file so far.</summary>
internal sealed class FileCounts
{
    private readonly Dictionary<(EventKind Kind, Currency Currency), (long Count, decimal SumMinor)> totals = [];

    public long Rows { get; set; }

    public long Imported { get; set; }

    public long Refused { get; set; }

    public long Ignored { get; set; }

    public long EmptyLines { get; set; }

    public long Events { get; private set; }

    public void Add(EventKind kind, Currency currency, long amountMinor)
    {
        Events++;
        (long count, decimal sum) = totals.GetValueOrDefault((kind, currency));
        totals[(kind, currency)] = (count + 1, sum + amountMinor);
    }

    public FileReport Report(string path, ImportFinding? refusal) => new()
    {
        File = Path.GetFileName(path),
        Refusal = refusal,
        RowCount = Rows,
        ImportedRowCount = Imported,
        RefusedRowCount = Refused,
        IgnoredRowCount = Ignored,
        EmptyLineCount = EmptyLines,
        EventCount = Events,
        Totals = Sum(totals.Select(t => new KindTotal(t.Key.Kind, t.Key.Currency, t.Value.Count, t.Value.SumMinor))),
    };

    /// <summary>Totals of the same kind and currency as one, in the order of kinds.</summary>
    public static IReadOnlyList<KindTotal> Sum(IEnumerable<KindTotal> parts) =>
    [
        .. parts.GroupBy(p => (p.Kind, p.Currency))
            .Select(g => new KindTotal(g.Key.Kind, g.Key.Currency, g.Sum(p => p.EventCount), g.Sum(p => p.SumMinor)))
            .OrderBy(t => t.Kind).ThenBy(t => t.Currency.ToString(), StringComparer.Ordinal),
    ];
}

/// <summary>Turns one row into its events. All of them are written, read back and checked before the first goes into the batch.</summary>
internal sealed class RowImport(long nowMs, int partitionCount, AppendBatch batch, SuspicionWatch watch, IReadOnlyList<string> files)
{
    private readonly RowReader reader = new(nowMs);
    private readonly EventWriter writer = new();
    private readonly List<Staged> staged = [];
    private int stagedCount;

    /// <summary>Why the last row was refused.</summary>
    public IReadOnlyList<ImportFinding> Findings => reader.Findings;

    public RowFate Take(FileSection section, CsvRow row, int fileIndex, FileCounts counts)
    {
        stagedCount = 0;
        reader.Begin(row);
        foreach (RowCondition condition in section.Ignore)
        {
            if (Holds(condition, section, row))
                return RowFate.Ignored;
        }
        foreach (EventMapping mapping in section.Events)
        {
            if (mapping.When.All(c => Holds(c, section, row)))
                Stage(mapping);
        }
        if (stagedCount == 0 && reader.Findings.Count == 0)
            reader.Add("", "", ImportReason.NoEvent, "no event of the mapping takes this row: none of its 'when' holds", "add an event for such rows, or say 'ignore: CONDITION' if they are to be left out");
        if (reader.Findings.Count > 0)
            return RowFate.Refused;
        for (int i = 0; i < stagedCount; i++)
            Commit(staged[i], row, fileIndex, counts);
        return RowFate.Imported;
    }

    private bool Holds(RowCondition condition, FileSection section, CsvRow row)
    {
        if (condition.Holds(row, section.Amounts) is { } holds)
            return holds;
        reader.Add(condition.Column, row[condition.Column], ImportReason.NotANumber, $"is no number in the format {section.Amounts.Example}, and a condition compares it with one", "mend the row, or change the condition");
        return false;
    }

    private void Stage(EventMapping mapping)
    {
        if (stagedCount == staged.Count)
            staged.Add(new Staged());
        Staged slot = staged[stagedCount++];
        slot.Mapping = mapping;
        int before = reader.Findings.Count;
        reader.Read(mapping, slot.Values);
        if (reader.Findings.Count > before)
            return;
        EventValues values = slot.Values;
        EventAddress address = values.Address;
        ReadOnlySpan<byte> content = values.Write(writer, address);
        long knownMs = values.KnownMs == 0 ? nowMs : values.KnownMs;
        // The values were checked one by one; this checks the event as the engine will read it, so that nothing bad gets into the log
        // should the two ever differ.
        if (!EventReader.TryRead(content, knownMs, history: true, out Event e, out EventError error) || !BodyReader.Check(e, out error))
        {
            FieldMapping? field = mapping.Fields.FirstOrDefault(f => f.Name == error.Field);
            reader.Add(field?.Place ?? error.Field, error.Value, ImportReason.RefusedByEvents, $"makes no valid {mapping.Kind}: {error.Field} {error.Problem}", "mend the row, or the mapping of this field");
            return;
        }
        slot.KnownMs = knownMs;
        slot.Keep(content);
    }

    private void Commit(Staged slot, CsvRow row, int fileIndex, FileCounts counts)
    {
        EventValues values = slot.Values;
        DebtorPlace place = DebtorPlace.Of(values.Tenant, values.Debtor, partitionCount);
        watch.Note(slot.Mapping, values, slot.Content, row, fileIndex, files);
        batch.Add(place.Partition, EventKinds.StreamOf(values.Kind), place.DebtorHash, slot.KnownMs, history: true, slot.Content);
        counts.Add(values.Kind, values.AmountField == null ? Currency.None : values.Currency, values.AmountMinor);
    }

    private sealed class Staged
    {
        private byte[] bytes = new byte[256];
        private int length;

        public EventMapping Mapping { get; set; } = null!;

        public EventValues Values { get; } = new();

        public long KnownMs { get; set; }

        public ReadOnlySpan<byte> Content => bytes.AsSpan(0, length);

        public void Keep(ReadOnlySpan<byte> content)
        {
            if (content.Length > bytes.Length)
                Array.Resize(ref bytes, content.Length * 2);
            content.CopyTo(bytes);
            length = content.Length;
        }
    }
}
