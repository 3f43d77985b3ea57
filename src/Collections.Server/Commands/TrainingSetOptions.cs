using System.CommandLine;
using System.Globalization;
using Collections.Domain;
using Collections.Engine.History;
using Collections.Engine.Training;
using Collections.Server.Hosting;
using Limits = Collections.Engine.Limits;

namespace Collections.Server.Commands;

/// <summary>A training set as it was asked for.</summary>
/// <param name="CompleteThrough">None: the day before the last of which the log knows anything.</param>
/// <param name="CommandLine">As the data card quotes it.</param>
internal sealed record TrainingSetOrder(
    string Data, IReadOnlyList<Day> Dates, int EveryDays, int HorizonDays, TrainingLabel Label, HistorySelection Selection, Day CompleteThrough, string Out, bool Json, bool Incomplete, string CommandLine);

/// <summary>The options of <c>collections export training-set</c>.</summary>
internal sealed class TrainingSetOptions
{
    private readonly Option<string> data = new("--data") { Description = "Directory of the log", DefaultValueFactory = _ => DataDirectory.Default };
    private readonly Option<string> from = new("--from") { Description = "First as-of date (YYYY-MM-DD); a date is the end of its day", Required = true };
    private readonly Option<string> to = new("--to") { Description = "No as-of date after this", Required = true };
    private readonly Option<string> every = new("--every") { Description = "From one as-of date to the next, such as 7d or 4w", DefaultValueFactory = _ => "7d" };
    private readonly Option<string> horizon = new("--horizon") { Description = "How long after each date the outcome is looked for", DefaultValueFactory = _ => "30d" };
    private readonly Option<string> label = new("--label") { Description = $"What to foresee: {TrainingLabel.Forms}", Required = true };
    private readonly Option<string> target = new("--out") { Description = "Directory, or a file that ends with .csv", DefaultValueFactory = _ => "training-set" };
    private readonly Option<double> sample = new("--sample") { Description = "Share of the debtors to take, above 0 to 1", DefaultValueFactory = _ => 1 };
    private readonly Option<ulong> seed = new("--seed") { Description = "The same seed takes the same debtors", DefaultValueFactory = _ => 1 };
    private readonly Option<string> knownAs = new("--known-as") { Description = "log: as the log knew it; effective: imported history counts as known when it was effective", DefaultValueFactory = _ => "log" };
    private readonly Option<string?> completeThrough = new("--complete-through") { Description = "The last day of which the log tells everything (default: the day before the last that it knows)" };
    private readonly Option<bool> json = new("--json") { Description = "Print the data card" };

    private readonly Option<bool> incomplete = FeaturesCommand.Incomplete();

    private Option[] All => [data, from, to, every, horizon, label, target, sample, seed, knownAs, completeThrough, json, incomplete];

    public void AddTo(Command command)
    {
        foreach (Option option in All)
            command.Add(option);
    }

    /// <summary>Reads and checks the options.</summary>
    /// <param name="error">Which option is wrong, and how.</param>
    public bool TryRead(ParseResult arguments, out TrainingSetOrder? order, out string error)
    {
        order = null;
        string At(Option<string> option) => arguments.GetValue(option)!;
        Day through = Day.None;
        if (!TryDay(from, At(from), out Day first, out error) || !TryDay(to, At(to), out Day last, out error)
            || !TryDays(every, At(every), out int everyDays, out error) || !TryDays(horizon, At(horizon), out int horizonDays, out error)
            || (arguments.GetValue(completeThrough) is { } text && !TryDay(completeThrough, text, out through, out error)))
            return false;
        bool isLabel = TrainingLabel.TryParse(At(label), out TrainingLabel wanted);
        double share = arguments.GetValue(sample);
        int dates = (last - first) / everyDays + 1;
        error = first > last ? $"--from: {first} is later than --to {last}"
            : dates > Limits.TrainingDatesMax ? string.Create(CultureInfo.InvariantCulture, $"--every: that makes {dates:N0} as-of dates; at most {Limits.TrainingDatesMax:N0} go into one training set")
            : !isLabel ? $"--label: '{At(label)}' is none of {TrainingLabel.Forms}; a share is above 0 and at most 1, days are 1 to {Limits.TrainingDaysMax}"
            : wanted.Days > horizonDays ? $"--label: {wanted} can't come true within a horizon of {horizonDays} days"
            : share is not (> 0 and <= 1) ? string.Create(CultureInfo.InvariantCulture, $"--sample: must be above 0 and at most 1, but is {share}")
            : At(knownAs) is not ("log" or "effective") ? $"--known-as: '{At(knownAs)}' is neither log nor effective"
            : "";
        if (error.Length > 0)
            return false;
        order = new TrainingSetOrder(
            At(data), [.. Enumerable.Range(0, dates).Select(i => first.Plus(i * everyDays))], everyDays, horizonDays, wanted,
            new HistorySelection { ImportedKnownWhenEffective = At(knownAs) == "effective", Share = share, Seed = arguments.GetValue(seed) },
            through, At(target), arguments.GetValue(json), arguments.GetValue(incomplete), "collections " + string.Join(' ', arguments.Tokens.Select(static token => token.Value)));
        return true;
    }

    private static bool TryDay(Option option, string text, out Day day, out string error)
    {
        error = Day.TryParse(text, out day) ? "" : $"{option.Name}: '{text}' is no date from 1970-01-02 to 2149-06-05 as YYYY-MM-DD";
        return error.Length == 0;
    }

    private static bool TryDays(Option option, string text, out int days, out string error)
    {
        bool read = int.TryParse(text.AsSpan(0, Math.Max(0, text.Length - 1)), NumberStyles.None, CultureInfo.InvariantCulture, out days);
        int unit = text.EndsWith('d') ? 1 : text.EndsWith('w') ? 7 : 0;
        error = read && unit > 0 && days >= 1 && days <= Limits.TrainingDaysMax / unit ? "" : $"{option.Name}: '{text}' is no number of days or weeks such as 7d or 4w, 1 to {Limits.TrainingDaysMax} days";
        days *= unit;
        return error.Length == 0;
    }
}
