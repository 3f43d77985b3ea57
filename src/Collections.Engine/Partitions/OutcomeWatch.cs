using System.Globalization;
using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Engine.Scoring;
using Collections.Scoring.Registry;

namespace Collections.Engine.Partitions;

/// <summary>
/// Holds predictions against what came of them. Each debtor with an overdue balance has one prediction watched at a time: made on a day, looked at
/// again when the model's horizon is over, and then the next. So every day's predictions are in it, each debtor counts once a
/// horizon, and the record needs a few bytes. What came of them is added up by groups. Who counts is who gives a row of a training set: a dispute or a
/// hold, then or meanwhile, ends the watch without an outcome.
/// </summary>
internal sealed class OutcomeWatch(DebtorTable table)
{
    /// <summary>Aging buckets of FACTS 2, as groups of the stage that a debtor was in.</summary>
    private static readonly string[] Ages = ["current", "1-30", "31-60", "61-90", "91-120", "over 120"];

    private static readonly (string Name, int Feature)[] Categories =
        [.. ((string[])["customer_type", "product", "region"]).Select(name => (name, FeatureCatalogue.IndexOf(name)))];

    private readonly SortedDictionary<OutcomeKey, OutcomeSums> sums = new(OutcomeKey.Order);

    /// <summary>How many groups each version has whose names come with the data.</summary>
    private readonly Dictionary<ushort, int> named = [];

    /// <summary>Whether anything has come since the last <see cref="Write"/>.</summary>
    public bool HasChanged { get; private set; }

    /// <summary>What has been added up, in a total order.</summary>
    public IEnumerable<KeyValuePair<OutcomeKey, OutcomeSums>> All => sums;

    /// <summary>Looks at a debtor who has just been scored: closes a prediction whose time is over, and begins the next.</summary>
    public void Look(int slot, in DebtorFacts facts, ScoringModel? model, AsOf now)
    {
        ref ActedState acted = ref table.Record(slot).Acted;
        if (!acted.PredictedOn.IsNone)
        {
            if (model is null || acted.PredictedBy != model.Number || !IsAsked(facts))
                acted.PredictedOn = Day.None;
            else if (now.Day > acted.PredictedOn.Plus(model.Manifest.HorizonDays))
                Close(slot, facts, model);
        }
        // What came in earlier on the day is known to the prediction, and what comes later is to count: a day that has any of the former is not begun with.
        if (acted.PredictedOn.IsNone && model is not null && CanWatch(model) && facts.OverdueMinor > 0 && IsAsked(facts) && acted.Propensity is >= 0 and <= 1
            && !table.Debtor(slot).HasReceived(now.Day.Plus(-1), now.Day))
        {
            acted.PredictedOn = now.Day;
            acted.PredictedBy = model.Number;
            acted.PredictedShare = (ushort)Math.Round(acted.Propensity * ushort.MaxValue);
            acted.PredictedOverdueMinor = facts.OverdueMinor;
            acted.PredictedAge = AgeOf(facts.OldestDpd);
        }
    }

    /// <summary>For the checkpoint: text lines of model, dimension, group, predictions, their probabilities' sum, how many came true.</summary>
    public byte[] Write()
    {
        HasChanged = false;
        var text = new StringBuilder();
        foreach ((OutcomeKey key, OutcomeSums sum) in sums)
            text.Append(CultureInfo.InvariantCulture, $"{key.Model}\t{key.Dimension}\t{key.Group}\t{sum.Predictions}\t{sum.Predicted:R}\t{sum.CameTrue}\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public void Read(ReadOnlySpan<byte> outcomes)
    {
        foreach (string line in Encoding.UTF8.GetString(outcomes).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] fields = line.Split('\t');
            ushort model = ushort.Parse(fields[0], CultureInfo.InvariantCulture);
            named[model] = named.GetValueOrDefault(model) + (IsOpen(fields[1]) ? 1 : 0);
            sums[new OutcomeKey(model, fields[1], fields[2])] = new OutcomeSums(
                long.Parse(fields[3], CultureInfo.InvariantCulture), double.Parse(fields[4], CultureInfo.InvariantCulture), long.Parse(fields[5], CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Payments are told for as long as the ledger's window reaches, which must hold the model's horizon.</summary>
    private bool CanWatch(ScoringModel model) => !double.IsNaN(model.Manifest.PaidShare) && model.Manifest.HorizonDays <= table.Pool.Options.HorizonDays;

    private void Close(int slot, in DebtorFacts facts, ScoringModel model)
    {
        ref ActedState acted = ref table.Record(slot).Acted;
        Debtor debtor = table.Debtor(slot);
        if (!debtor.IsTold(acted.PredictedOn))
        {
            // Looked at too late, as after a long time without a node: some of what was paid is not told any more.
            acted.PredictedOn = Day.None;
            return;
        }
        bool cameTrue = CameTrue(debtor, acted, model.Manifest);
        double predicted = (double)acted.PredictedShare / ushort.MaxValue;
        int tenth = Math.Min(9, (int)(predicted * 10));
        Add(acted.PredictedBy, "all", "all", predicted, cameTrue);
        Add(acted.PredictedBy, "predicted", string.Create(CultureInfo.InvariantCulture, $"{tenth / 10.0:0.0}-{(tenth + 1) / 10.0:0.0}"), predicted, cameTrue);
        Add(acted.PredictedBy, "stage", Ages[Math.Min(acted.PredictedAge, Ages.Length - 1)], predicted, cameTrue);
        Add(acted.PredictedBy, "portfolio", facts.PortfolioId == 0 ? Queues.QueueName.DefaultPortfolio : Encoding.UTF8.GetString(table.Names[facts.PortfolioId]), predicted, cameTrue);
        Add(acted.PredictedBy, "channel", facts.PreferredChannel.ToString().ToLowerInvariant(), predicted, cameTrue);
        foreach ((string name, int feature) in Categories)
        {
            ReadOnlySpan<byte> value = debtor.Category(feature);
            Add(acted.PredictedBy, name, value.IsEmpty ? "none" : Encoding.UTF8.GetString(value), predicted, cameTrue);
        }
        acted.PredictedOn = Day.None;
    }

    /// <summary>The label of training sets, as of the prediction's moment: what came in from its day on, for as many days as the horizon has.</summary>
    private static bool CameTrue(Debtor debtor, in ActedState acted, ModelManifest manifest)
    {
        Day before = acted.PredictedOn.Plus(-1), last = before.Plus(manifest.HorizonDays);
        if (manifest.PaidShare == 0)
            return debtor.HasReceived(before, last);
        long received = debtor.Received(before, last);
        return received > 0 && received >= manifest.PaidShare * acted.PredictedOverdueMinor;
    }

    private static bool IsAsked(in DebtorFacts facts) => facts.DisputesOpen == 0 && !facts.OnHold;

    private void Add(ushort model, string dimension, string group, double predicted, bool cameTrue)
    {
        var key = new OutcomeKey(model, dimension, group);
        if (!sums.TryGetValue(key, out OutcomeSums sum))
        {
            int groups = named.GetValueOrDefault(model);
            if (IsOpen(dimension) && groups >= Limits.OutcomeGroupsMax)
            {
                key = key with { Group = "others" };
                sums.TryGetValue(key, out sum);
            }
            else if (IsOpen(dimension))
            {
                named[model] = groups + 1;
            }
        }
        sums[key] = new OutcomeSums(sum.Predictions + 1, sum.Predicted + predicted, sum.CameTrue + (cameTrue ? 1 : 0));
        HasChanged = true;
    }

    /// <summary>Whether the names of a dimension's groups come with the data, and may be as many as there are debtors.</summary>
    private static bool IsOpen(string dimension) => dimension is not ("all" or "predicted" or "stage" or "channel");

    private static byte AgeOf(int dpd) => dpd <= 0 ? (byte)0 : dpd > 120 ? (byte)5 : (byte)((dpd - 1) / 30 + 1);
}

/// <summary>A group of predictions: of one model version, by one way of grouping.</summary>
public readonly record struct OutcomeKey(ushort Model, string Dimension, string Group)
{
    public static readonly IComparer<OutcomeKey> Order = Comparer<OutcomeKey>.Create(static (a, b) =>
    {
        int order = a.Model.CompareTo(b.Model);
        if (order == 0)
            order = string.CompareOrdinal(a.Dimension, b.Dimension);
        return order != 0 ? order : string.CompareOrdinal(a.Group, b.Group);
    });
}

/// <param name="Predicted">The sum of their probabilities.</param>
public readonly record struct OutcomeSums(long Predictions, double Predicted, long CameTrue);
