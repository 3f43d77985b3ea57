using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Import;

/// <summary>Looks at what goes in for what is more likely a mistake than the truth, and points it out. It refuses nothing.</summary>
internal sealed class SuspicionWatch(SuspicionRules rules, FindingList findings, Day today)
{
    private readonly RememberedContents contents = new();
    private readonly Dictionary<(EventKind Kind, Currency Currency), AmountSpread> spreads = [];
    private readonly Day latest = today.Plus(rules.DatesYearsAhead * 1461 / 4);

    /// <summary>Events whose id had come before with the same content.</summary>
    public long RepeatedEventCount { get; private set; }

    /// <summary>Whether so many ids came that later duplicates went unseen.</summary>
    public bool ForgotIds => contents.IsFull;

    /// <summary>Whether there may be more absurd amounts than were kept until the medians were known.</summary>
    public bool ForgotAmounts { get; private set; }

    /// <summary>To be called for every event that goes in, with its row.</summary>
    public void Note(EventMapping mapping, EventValues values, ReadOnlySpan<byte> content, CsvRow row, int fileIndex, IReadOnlyList<string> files)
    {
        NoteContent(mapping, values, content, row, fileIndex, files);
        NoteDates(values, row);
        if (values.AmountField != null)
            NoteAmount(values, row);
    }

    /// <summary>To be called at the end, when the medians are known.</summary>
    public void Finish()
    {
        foreach (((EventKind kind, Currency currency), AmountSpread spread) in spreads)
        {
            decimal median = spread.MedianMinor;
            List<(LargeAmount, long)> absurd = [.. spread.Largest().Where(l => l.Minor > median * rules.AmountTimesMedian)];
            ForgotAmounts |= absurd.Count == ImportLimits.LargestAmountsMax;
            foreach ((LargeAmount large, long minor) in absurd)
            {
                findings.Add(new ImportFinding(
                    large.File,
                    large.Line,
                    large.Column,
                    AmountFormat.Show(large.SignedMinor, currency),
                    ImportReason.AbsurdAmount,
                    $"is {Math.Round(minor / median):N0} times the median of {kind}, about {AmountFormat.Show(median, currency)} {currency}",
                    "check the decimal sign and the unit; 'checks: amount_times_median' moves the bound"));
            }
        }
    }

    private void NoteContent(EventMapping mapping, EventValues values, ReadOnlySpan<byte> content, CsvRow row, int fileIndex, IReadOnlyList<string> files)
    {
        uint hash = (uint)Hash64.Of(content);
        ulong tenant = Hash64.Of(values.Tenant, (ulong)EventKinds.StreamOf(values.Kind) + 1);
        Remembered now = new(hash, (ushort)fileIndex, row.Line);
        Remembered byId = contents.Note(Hash64.Of(values.Id, tenant), now);
        bool sameEvent = byId.ContentHash == hash;
        if (sameEvent && byId != now)
            RepeatedEventCount++;
        if (values.Kind == EventKind.ItemIssued)
        {
            Remembered byItem = contents.Note(Hash64.Of(values.Item, Hash64.Of(values.Debtor, tenant ^ ulong.MaxValue)), now);
            if (byItem.ContentHash != hash)
            {
                AddDuplicate(mapping, EventField.Item, ImportReason.DuplicateItem, byItem, "was issued before with other content", "one of the two is wrong; a correction is an ItemAdjusted, another invoice has another item");
                return;
            }
        }
        if (!sameEvent)
            AddDuplicate(mapping, EventField.Id, ImportReason.DuplicateId, byId, "is the id of another event", "the first stands and the second is set aside as a dead letter; make the id unique, for instance by a template of two columns");

        void AddDuplicate(EventMapping of, EventField field, ImportReason reason, Remembered first, string problem, string remedy) =>
            findings.Add(new ImportFinding(
                row.File,
                row.Line,
                of.Fields.First(f => f.Rule.Field == field).Place,
                FindingList.Shorten(System.Text.Encoding.UTF8.GetString(field == EventField.Item ? values.Item : values.Id)),
                reason,
                $"{problem}, in {Path.GetFileName(files[first.FileIndex])} line {first.Line}",
                remedy));
    }

    private void NoteDates(EventValues values, CsvRow row)
    {
        foreach ((FieldMapping field, Day day) in values.NotedDays)
        {
            if (day >= rules.DatesBefore && day <= latest)
                continue;
            findings.Add(new ImportFinding(
                row.File,
                row.Line,
                field.Place,
                day.ToString(),
                ImportReason.AbsurdDate,
                day < rules.DatesBefore ? $"is before {rules.DatesBefore}" : $"is more than {rules.DatesYearsAhead} years ahead",
                "check the row and the date format; 'checks: dates_before' and 'dates_years_ahead' move the bounds"));
        }
    }

    private void NoteAmount(EventValues values, CsvRow row)
    {
        long minor = Math.Abs(values.AmountMinor);
        if (rules.AmountAbove is { } above && (decimal)minor / values.Currency.MinorPerMajor > above)
        {
            findings.Add(new ImportFinding(
                row.File,
                row.Line,
                values.AmountField!.Place,
                AmountFormat.Show(values.AmountMinor, values.Currency),
                ImportReason.AbsurdAmount,
                $"is above {above:N2} {values.Currency}",
                "check the decimal sign and the unit; 'checks: amount_above' moves the bound"));
            return;
        }
        if (!spreads.TryGetValue((values.Kind, values.Currency), out AmountSpread? spread))
            spreads[(values.Kind, values.Currency)] = spread = new AmountSpread();
        spread.Note(minor, row, values);
    }
}

/// <summary>What an id or item stood for when it first came.</summary>
internal readonly record struct Remembered(uint ContentHash, ushort FileIndex, long Line);

/// <summary>The contents of ids and items seen so far, as hashes, up to a limit.</summary>
internal sealed class RememberedContents
{
    private readonly Dictionary<ulong, Remembered> firsts = [];

    public bool IsFull => firsts.Count >= ImportLimits.RememberedIdsMax;

    /// <summary>What came first under a key; that is the new one itself, if it is the first or the limit is reached.</summary>
    public Remembered Note(ulong key, Remembered now)
    {
        if (firsts.TryGetValue(key, out Remembered first))
            return first;
        if (!IsFull)
            firsts[key] = now;
        return now;
    }
}

internal readonly record struct LargeAmount(string File, long Line, string Column, long SignedMinor);

/// <summary>The spread of amounts of one kind: their median to within a sixteenth of an octave, and the largest ones, in constant memory.</summary>
internal sealed class AmountSpread
{
    private const int BucketsPerOctave = 8;

    // Amounts run to 10^15 < 2^50.
    private readonly long[] counts = new long[50 * BucketsPerOctave + 1];
    private readonly PriorityQueue<LargeAmount, long> largest = new();
    private long total;

    public decimal MedianMinor
    {
        get
        {
            long seen = 0;
            int bucket = 0;
            while (bucket < counts.Length - 1 && (seen += counts[bucket]) * 2 < total)
                bucket++;
            return (decimal)Math.Round(Math.Pow(2, (bucket + 0.5) / BucketsPerOctave));
        }
    }

    public void Note(long minor, CsvRow row, EventValues values)
    {
        total++;
        counts[(int)(Math.Log2(minor) * BucketsPerOctave)]++;
        if (largest.Count == ImportLimits.LargestAmountsMax && largest.TryPeek(out _, out long least) && minor <= least)
            return;
        largest.Enqueue(new LargeAmount(row.File, row.Line, values.AmountField!.Place, values.AmountMinor), minor);
        if (largest.Count > ImportLimits.LargestAmountsMax)
            largest.Dequeue();
    }

    /// <summary>The largest amounts in the order of their rows.</summary>
    public IEnumerable<(LargeAmount Large, long Minor)> Largest() =>
        largest.UnorderedItems.OrderBy(i => i.Element.File, StringComparer.Ordinal).ThenBy(i => i.Element.Line).Select(i => (i.Element, i.Priority));
}
