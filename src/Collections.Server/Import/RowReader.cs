using System.Text;
using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Import;

/// <summary>
/// Reads the fields of one event from a row into <see cref="EventValues"/>. Every value that can't be taken becomes a finding, and reading goes
/// on, so that a row's mistakes are all listed at once.
/// </summary>
internal sealed class RowReader(long nowMs)
{
    private readonly List<ImportFinding> findings = [];
    private CsvRow row = null!;

    /// <summary>What is wrong with the row so far.</summary>
    public IReadOnlyList<ImportFinding> Findings => findings;

    public void Begin(CsvRow of)
    {
        row = of;
        findings.Clear();
    }

    public void Add(string column, string value, ImportReason reason, string problem, string remedy)
    {
        // Several events of a row read the same column; its mistake is one.
        if (!findings.Any(f => f.Column == column && f.Reason == reason))
            findings.Add(new ImportFinding(row.File, row.Line, column, FindingList.Shorten(value), reason, problem, remedy));
    }

    public void Read(EventMapping mapping, EventValues values)
    {
        values.Clear(mapping.Kind);
        foreach (FieldMapping field in mapping.Fields)
        {
            if (field.Value is ExtremeDate extreme)
                ReadExtreme(field, extreme, values);
            else if (TryText(field, out string text))
                ReadText(field, text, values);
        }
        if (values.Settles.Length > 0)
            values.Allocations.Add((values.Settles, values.AmountMinor));
    }

    private bool TryText(FieldMapping field, out string text)
    {
        if (field.Value is TranslatedValue translated)
        {
            if (!translated.TryIn(row, out text))
            {
                Add(field.Place, text, ImportReason.UnknownWord, $"the mapping's 'values' of '{field.Name}' do not have it", "add it to 'values', give 'otherwise', or mend the row");
                return false;
            }
        }
        else
        {
            text = field.Value.In(row);
        }
        if (text.Length > 0)
            return true;
        if (field.Rule.Required || field.Rule.Field is EventField.EffectiveDate or EventField.EffectiveAt or EventField.KnownDate or EventField.KnownAt)
            AddMissing(field);
        return false;
    }

    private void AddMissing(FieldMapping field) =>
        Add(field.Place, "", ImportReason.Missing, $"is empty, and '{field.Name}' needs a value", $"fill it in, or map the event under 'when: {(field.Value.Columns.Count > 0 ? field.Value.Columns[0] : "COLUMN")} is not empty'");

    private void ReadText(FieldMapping field, string text, EventValues values)
    {
        switch (field.Rule.Type)
        {
            case FieldType.Name:
                if (TryName(field, text, out byte[] name))
                    values.SetName(field.Rule.Field, name);
                break;
            case FieldType.Date:
                if (TryDay(field, field.Place, text, out Day day))
                    SetDay(field, day, values);
                break;
            case FieldType.Instant:
                if (TryInstant(field, field.Place, text, out long ms))
                    SetInstant(field, ms, text, values);
                break;
            case FieldType.Currency:
                if (Currency.TryParse(Encoding.UTF8.GetBytes(text), out Currency currency))
                    values.Currency = currency;
                else
                    Add(field.Place, text, ImportReason.UnknownCurrency, "is no ISO 4217 currency", "write three capital letters, such as EUR, or translate it with 'values'");
                break;
            case FieldType.PositiveAmount or FieldType.SignedAmount:
                ReadAmount(field, text, values);
                break;
            case FieldType.Allocations:
                ReadAllocations(field, text, values);
                break;
            default:
                if (FieldWords.TryRead(field.Rule.Type, text, out int number))
                    values.SetWord(field.Rule.Field, number);
                else
                    Add(field.Place, text, ImportReason.UnknownWord, $"is none of {string.Join(", ", FieldWords.Of(field.Rule.Type))}", "translate it with 'values', or mend the row");
                break;
        }
    }

    private bool TryName(FieldMapping field, string text, out byte[] name)
    {
        name = Encoding.UTF8.GetBytes(text);
        int max = field.Rule.Field == EventField.Tenant ? EventReader.TenantMaxBytes : EventReader.NameMaxBytes;
        bool slash = field.Rule.Field == EventField.Tenant && text.Contains('/', StringComparison.Ordinal);
        if (name.Length <= max && !slash && !text.Any(char.IsControl))
            return true;
        Add(field.Place, text, ImportReason.BadName, $"can't be '{field.Name}': at most {max} bytes of UTF-8 without control characters{(slash ? " or '/'" : "")}, and it has {name.Length}", "shorten it, or map another column");
        return false;
    }

    private void ReadAmount(FieldMapping field, string text, EventValues values)
    {
        if (!TryMinor(field, text, values.Currency, out long minor))
            return;
        minor = field.Negate ? -minor : minor;
        if (minor == 0)
            Add(field.Place, text, ImportReason.ZeroAmount, "is 0, and an event has an amount", $"map the event under 'when: {field.Place} != {text}', or mend the row");
        else if (minor < 0 && field.Rule.Type == FieldType.PositiveAmount)
            Add(field.Place, text, ImportReason.NotPositive, $"is {(field.Negate ? "positive with 'negate: true'" : "negative")}, and '{field.Name}' must be more than 0", "map such rows to another event (ItemAdjusted takes both signs) with 'when', or use 'negate: true'");
        else
            (values.AmountMinor, values.AmountField) = (minor, field);
    }

    private bool TryMinor(FieldMapping field, string text, Currency currency, out long minor)
    {
        minor = 0;
        // Without its currency an amount has no decimals to be checked by; the currency's own finding refuses the row.
        if (currency.IsNone)
            return false;
        switch (field.Amounts.TryReadMinor(text, currency, out minor))
        {
            case AmountFault.None:
                return true;
            case AmountFault.TooManyDecimals when field.Amounts.InMinorUnits:
                Add(field.Place, text, ImportReason.TooManyDecimals, "has decimals, and the mapping says minor units", "set 'unit: major', or mend the row; nothing is rounded");
                return false;
            case AmountFault.TooManyDecimals:
                Add(field.Place, text, ImportReason.TooManyDecimals, $"has more decimals than {currency} has ({currency.MinorDigits})", "mend the row, or check 'decimal' and 'thousands' of the mapping; nothing is rounded");
                return false;
            case AmountFault.OutOfRange:
                Add(field.Place, text, ImportReason.AmountOutOfRange, $"is beyond {AmountFormat.Show(BodyReader.AmountMaxMinor, currency)} {currency}, the largest amount", "mend the row");
                return false;
            default:
                Add(field.Place, text, ImportReason.NotANumber, $"is no number in the format {field.Amounts.Example}", "mend the row, or set 'amounts' in the mapping's format");
                return false;
        }
    }

    private void ReadAllocations(FieldMapping field, string text, EventValues values)
    {
        long left = values.AmountMinor;
        foreach (string part in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = part.LastIndexOf(':');
            if (colon <= 0 || !TryName(field, part[..colon].Trim(), out byte[] item))
            {
                Add(field.Place, text, ImportReason.BadAllocations, "is no list of item:amount;item:amount", "mend the row, or use 'settles' for one item paid in full");
                return;
            }
            if (!TryMinor(field, part[(colon + 1)..], values.Currency, out long minor))
                return;
            if (minor <= 0)
            {
                Add(field.Place, text, ImportReason.BadAllocations, $"allocates {part[(colon + 1)..]}, and an allocation must be more than 0", "mend the row");
                return;
            }
            left -= minor;
            values.Allocations.Add((item, minor));
        }
        // An amount that was refused has its own finding; the sum can't be judged without it.
        if (left < 0 && values.AmountMinor > 0)
            Add(field.Place, text, ImportReason.BadAllocations, $"allocates more than the payment's {AmountFormat.Show(values.AmountMinor, values.Currency)} {values.Currency}", "mend the row");
    }

    private void ReadExtreme(FieldMapping field, ExtremeDate extreme, EventValues values)
    {
        bool any = false, failed = false;
        Day bestDay = Day.None;
        long bestMs = 0;
        foreach (string column in extreme.Names)
        {
            string text = row[column];
            if (text.Length == 0)
                continue;
            Day day = Day.None;
            long ms = 0;
            if (field.Rule.Type == FieldType.Date ? !TryDay(field, column, text, out day) : !TryInstant(field, column, text, out ms))
            {
                failed = true;
                continue;
            }
            bool better = field.Rule.Type == FieldType.Date ? day < bestDay == extreme.Earliest : ms < bestMs == extreme.Earliest;
            if (!any || better)
                (bestDay, bestMs) = (day, ms);
            any = true;
        }
        if (!any && !failed && (field.Rule.Required || field.Rule.Field is EventField.EffectiveDate or EventField.EffectiveAt or EventField.KnownDate or EventField.KnownAt))
            AddMissing(field);
        if (!any || failed)
            return;
        if (field.Rule.Type == FieldType.Date)
            SetDay(field, bestDay, values);
        else
            SetInstant(field, bestMs, field.Place, values);
    }

    private void SetDay(FieldMapping field, Day day, EventValues values)
    {
        values.NoteDay(field, day);
        if (field.Rule.Field != EventField.KnownDate)
        {
            values.SetDay(field.Rule.Field, day);
            return;
        }
        long end = field.Instants.EndOf(day);
        if (end - Day.MsPerDay > nowMs)
            AddKnownInFuture(field, day.ToString());
        values.KnownMs = Math.Min(end, nowMs);
    }

    private void SetInstant(FieldMapping field, long ms, string text, EventValues values)
    {
        values.NoteDay(field, Day.OfMs(ms));
        if (field.Rule.Field == EventField.EffectiveAt)
            values.EffectiveMs = ms;
        else if (ms > nowMs)
            AddKnownInFuture(field, text);
        else
            values.KnownMs = ms;
    }

    private void AddKnownInFuture(FieldMapping field, string text) =>
        Add(field.Place, text, ImportReason.KnownInFuture, "lies in the future, and nothing is known before it comes in", $"map another column to '{field.Name}', or mend the row");

    private bool TryDay(FieldMapping field, string place, string text, out Day day) =>
        Report(field.Dates.TryRead(text, out day), place, text, field.Dates.Shown, "dates");

    private bool TryInstant(FieldMapping field, string place, string text, out long ms) =>
        Report(field.Instants.TryRead(text, out ms), place, text, field.Instants.Shown, "instants");

    private bool Report(DateFault fault, string place, string text, string shown, string key)
    {
        switch (fault)
        {
            case DateFault.None:
                return true;
            case DateFault.OutOfRange:
                Add(place, text, ImportReason.DateOutOfRange, $"lies outside {Day.Min} to {Day.Max}", "mend the row");
                return false;
            case DateFault.SkippedByClock:
                Add(place, text, ImportReason.TimeSkippedByClock, "does not exist in the mapping's time zone: clocks went forward over it", "check 'time_zone', or mend the row");
                return false;
            default:
                Add(place, text, ImportReason.NotADate, $"is no date of the calendar in the form {shown}", $"mend the row, or set '{key}' in the mapping's format");
                return false;
        }
    }
}
