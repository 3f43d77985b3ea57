using System.Globalization;
using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.History;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Training;
using Collections.Simulation.Fakes;

namespace Collections.Engine.Tests.Training;

/// <summary>
/// A log told in short lines, and the rows that it gives. Days are "MM-DD" of 2024; an event is known at noon of the day it is true, or of the day
/// given. The as-of date is 03-31 and the horizon 30 days, until 04-30, unless said otherwise.
/// </summary>
internal sealed class TrainingScene
{
    public const string AsOfDate = "03-31";
    private const int HorizonDays = 30;
    private static readonly Currency Eur = Currency.Parse("EUR");

    private readonly EventWriter writer = new();
    private readonly List<(long KnownMs, bool Imported, byte[] Content)> told = [];
    private int ids;

    public static Day On(string date) => Day.TryParse("2024-" + date, out Day day) ? day : throw new FormatException(date);

    public TrainingScene Owes(string day, long amount, string due, string debtor = "d", string item = "", string known = "", bool imported = false) =>
        Tell(known.Length > 0 ? known : day, writer.ItemIssued(At(debtor, day), Utf8(item.Length > 0 ? item : $"item {ids}"), Component.Principal, amount, Eur, On(due)), imported);

    public TrainingScene Pays(string day, long amount, string id = "", string debtor = "d", string known = "", string currency = "EUR") =>
        Tell(known.Length > 0 ? known : day, writer.PaymentReceived(At(debtor, day, id), amount, Currency.Parse(currency)));

    public TrainingScene Reverses(string day, string payment) => Tell(day, writer.PaymentReversed(At("d", day), Utf8(payment)));

    public TrainingScene Disputes(string day, string id = "dispute", string known = "") => Tell(known.Length > 0 ? known : day, writer.DisputeOpened(At("d", day, id), default, 0));

    public TrainingScene Resolves(string day, string id = "dispute") => Tell(day, writer.DisputeResolved(At("d", day), Utf8(id)));

    public TrainingScene Holds(string day, string until) => Tell(day, writer.HoldPlaced(At("d", day), "asked for", On(until)));

    public TrainingScene Cancels(string day, string item) => Tell(day, writer.ItemCancelled(At("d", day), Utf8(item)));

    public TrainingScene Redates(string day, string item, string due) => Tell(day, writer.DueDateChanged(At("d", day), Utf8(item), On(due)));

    public TrainingScene Credits(string day, string item, long amount) => Tell(day, writer.ItemAdjusted(At("d", day), Utf8(item), -amount, Eur));

    public TrainingScene Calls(string day) => Tell(day, writer.AttemptReported(
        new EventAddress { Tenant = "bank"u8, Debtor = "d"u8, Id = Utf8($"call {ids++}"), EffectiveMs = On(day).StartMs + 1 }, Channel.Voice, AttemptOutcome.NoAnswer));

    /// <summary>The row of one debtor: "1", "0", or why there is none; "" when the debtor was not on the book.</summary>
    public string Row(string label, string debtor = "d", string completeThrough = "12-31") =>
        Rows(label, completeThrough: completeThrough).Where(row => row.Debtor == debtor).Select(row => row.Outcome).SingleOrDefault("");

    /// <summary>All rows in their order; an outcome followed by "+" was attempted.</summary>
    public List<(string Date, string Debtor, string Outcome)> Rows(string label, string completeThrough = "12-31", HistorySelection? selection = null, params string[] dates)
    {
        Assert.True(TrainingLabel.TryParse(label, out TrainingLabel what));
        HistorySelection chosen = selection ?? HistorySelection.All;
        var plan = new TrainingPlan([.. (dates.Length > 0 ? dates : [AsOfDate]).Select(On)], HorizonDays, what, On(completeThrough), chosen);
        using MemoryLog log = Log();
        using var rows = new TrainingRows(new PartitionHistory(log, 0, chosen), plan);
        var found = new List<(string, string, string)>();
        while (rows.Next())
        {
            string outcome = rows.Exclusion == Exclusion.None ? (rows.IsPositive ? "1" : "0") + (rows.WasAttempted ? "+" : "") : rows.Exclusion.ToString();
            found.Add((rows.Date.ToDateOnly().ToString("MM-dd", CultureInfo.InvariantCulture), Encoding.UTF8.GetString(rows.Debtor.Name), outcome));
        }
        return found;
    }

    public LogSurvey Survey(HistorySelection? selection = null)
    {
        using MemoryLog log = Log();
        return LogSurvey.Of(log, selection ?? HistorySelection.All, _ => { });
    }

    private TrainingScene Tell(string known, ReadOnlySpan<byte> content, bool imported = false)
    {
        told.Add((On(known).StartMs + Day.MsPerDay / 2, imported, content.ToArray()));
        return this;
    }

    private MemoryLog Log()
    {
        var log = new MemoryLog(partitions: 1);
        var batch = new AppendBatch();
        foreach ((long knownMs, bool imported, byte[] content) in told)
        {
            Assert.True(EventReader.TryRead(content, knownMs, imported, out Event e, out _));
            batch.Add(0, e.Head.Stream, DebtorKey.HashOf(e.Head.Tenant, e.Head.Debtor), knownMs, imported, content);
        }
        log.AppendAsync(batch, CancellationToken.None).GetAwaiter().GetResult();
        return log;
    }

    private EventAddress At(string debtor, string day, string id = "") =>
        new() { Tenant = "bank"u8, Debtor = Utf8(debtor), Id = Utf8(id.Length > 0 ? id : $"event {ids++}"), Effective = On(day) };

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
