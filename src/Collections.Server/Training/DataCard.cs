using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Engine.History;
using Collections.Engine.Logs;
using Collections.Engine.Training;

namespace Collections.Server.Training;

/// <summary>
/// What a training set is: how it was made, of what, what its columns mean and who was left out. It names no time of its making, so that the same log
/// and options give the same card.
/// </summary>
/// <param name="Format">1.</param>
internal sealed record DataCard(
    int Format, string File, string Command, string Target, int HorizonDays, LabelText Label, string From, string To, int EveryDays, string CompleteThrough,
    KnownAsText KnownAs, long Rows, long Debtors, long Positives, IReadOnlyList<DateTally> Dates, IReadOnlyList<ExclusionCount> Excluded, string Transfers,
    SampleText Sample, IReadOnlyDictionary<string, string> Columns, CatalogueText Catalogue, LogText Log)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static DataCard Of(string file, string command, TrainingPlan plan, int everyDays, LogSurvey survey, string? missing, TrainingSetTally tally) => new(
        1, file, command, plan.Label.Target, plan.HorizonDays, new LabelText(plan.Label.ToString(), plan.Label.Describe(plan.HorizonDays)),
        $"{plan.Dates[0]}", $"{plan.Dates[^1]}", everyDays, $"{plan.CompleteThrough}", KnownAsText.Of(plan.Selection.ImportedKnownWhenEffective),
        tally.Rows, tally.Debtors, tally.Positives, [.. tally.Dates], [.. Reasons(plan.Label).Select(reason => new ExclusionCount(NameOf(reason), tally.Excluded(reason), MeaningOf(reason)))],
        "placements with agencies and other transfers are not recorded by this version of the engine, so nobody is left out for one",
        new SampleText(plan.Selection.Share, plan.Selection.Seed, "the share of debtors taken, each with all of its dates, chosen by name and seed"),
        ColumnTexts(plan.Label), CatalogueText.Current(), LogText.Of(survey, missing));

    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";

    /// <summary>The reasons that can leave a debtor out under a label.</summary>
    public static IEnumerable<Exclusion> Reasons(TrainingLabel label)
    {
        bool preDue = label.Kind == LabelKind.PastDue;
        return Enum.GetValues<Exclusion>().Where(reason => reason switch
        {
            Exclusion.None => false,
            Exclusion.NothingOverdue => !preDue,
            Exclusion.NothingFallsDue or Exclusion.ClosedOtherwise => preDue,
            _ => true,
        });
    }

    public static string NameOf(Exclusion reason) => JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString());

    private static string MeaningOf(Exclusion reason) => reason switch
    {
        Exclusion.NothingOverdue => "nothing was overdue on the date",
        Exclusion.NothingFallsDue => "no open item that was not past due could become so within the horizon",
        Exclusion.DisputeOpen => "a dispute was open on the date, of an item or of the whole debt",
        Exclusion.OnHold => "a hold was in force on the date",
        Exclusion.HorizonNotOver => "censored: the horizon reaches beyond the last day of which the log tells everything",
        Exclusion.DisputeInHorizon => "a dispute came up within the horizon",
        Exclusion.HoldInHorizon => "a hold was placed within the horizon",
        _ => "what could have become past due was cancelled or credited before, or is not to be found any more",
    };

    private static SortedDictionary<string, string> ColumnTexts(TrainingLabel label) => new(StringComparer.Ordinal)
    {
        ["as_of"] = "the row is as of the end of this day in UTC",
        ["tenant, debtor, portfolio"] = "whose row it is; no features",
        ["dpd_bucket"] = "days past due of the oldest open item: current, 1-30, 31-60, 61-90, 91-120, >120",
        ["open_balance … region"] = "the feature catalogue; NaN: missing; customer_type, product and region are integers, or the text that was registered",
        ["label"] = $"the outcome: {label}",
        ["weight"] = "debtors of the book that the row stands for: 1 / share of the sample",
        ["contacted"] = "outcome, no feature: 1 when an attempt was made within the horizon, on any channel and with any outcome; empty where the log has no attempt of the tenant",
    };
}

/// <param name="Name">As the option gives it.</param>
internal sealed record LabelText(string Name, string Meaning);

internal sealed record KnownAsText(string Rule, string Meaning)
{
    public static KnownAsText Of(bool importedKnownWhenEffective) => importedKnownWhenEffective
        ? new KnownAsText("effective", "NOT AS KNOWN: events imported as history count as known since they were effective. What was known late or corrected later looks as if it had been known at once, so the rows may know more than the engine would have known")
        : new KnownAsText("log", "as known: a row rests on what the log knew by the end of its as-of date, and on nothing else");
}

internal sealed record ExclusionCount(string Reason, long Rows, string Meaning);

internal sealed record SampleText(double Share, ulong Seed, string Meaning);

/// <param name="Hash">Of the names in their order, hexadecimal.</param>
internal sealed record CatalogueText(int Features, string Hash)
{
    public static CatalogueText Current() => new(FeatureCatalogue.Count, Hash64.Of(Encoding.UTF8.GetBytes(string.Join('\n', FeatureCatalogue.Names.ToArray()))).ToString("x16", System.Globalization.CultureInfo.InvariantCulture));
}

/// <param name="Ends">Where each partition's streams ended when it was read.</param>
/// <param name="Incomplete">What the archive missed, if anything.</param>
internal sealed record LogText(
    long Records, string FirstKnown, string LastKnown, IReadOnlyList<StreamPositions> Ends, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Incomplete)
{
    public static LogText Of(LogSurvey survey, string? missing) => new(
        survey.Records, $"{Day.OfMs(survey.FirstKnownMs)}", $"{Day.OfMs(survey.LastKnownMs)}", survey.Ends,
        missing is null ? null : $"NOT COMPLETE: the archive of the Kafka log missed something when it was read, so that rows may rest on less than was known, and debtors be missing. {missing}");
}
