using System.Globalization;
using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.History;
using Collections.Engine.Logs;
using Collections.Engine.Training;
using Collections.Simulation.Fakes;

namespace Collections.Simulation;

/// <summary>What a training set says of the past is what the engine knew then: nothing less, nothing more.</summary>
public sealed class PointInTimeTests
{
    private static readonly int Seeds = RandomRunsTests.Seeds / 2;
    private static readonly TrainingLabel[] Labels = [new(LabelKind.PaidShare, Share: 0.5m), new(LabelKind.AnyPayment), new(LabelKind.PastDue, Days: 1)];

    [Fact]
    public void Every_row_equals_what_a_live_engine_knew_at_the_end_of_its_day()
    {
        int rows = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            using var life = new RecordedLife(seed);
            foreach ((Moment moment, double[] features) in Rows(life.Log, Plan(seed)))
            {
                RequireEqual(life.Features[moment], features, $"seed {seed}, {moment}");
                rows++;
            }
        }
        Assert.True(rows > 40 * Seeds, $"only {rows} rows were compared");
    }

    [Fact]
    public void Every_debtor_folded_at_the_end_of_any_day_equals_the_live_one()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            using var life = new RecordedLife(seed);
            foreach (IGrouping<Day, KeyValuePair<Moment, double[]>> day in life.Features.GroupBy(pair => pair.Key.Day).Where(day => day.Key.Number % 4 == seed % 4))
            {
                Dictionary<Moment, double[]> folded = Folded(life.Log, day.Key);
                foreach ((Moment moment, double[] features) in day)
                {
                    // Who has only events to come is no debtor of that day yet.
                    if (folded.Remove(moment, out double[]? values))
                        RequireEqual(features, values, $"seed {seed}, {moment}");
                    else
                        Assert.Equal(0, features[FeatureCatalogue.IndexOf("items_issued")] + features[FeatureCatalogue.IndexOf("payments")]);
                }
                Assert.Empty(folded);
            }
        }
    }

    [Fact]
    public void No_row_holds_anything_that_became_known_after_its_date()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            using var life = new RecordedLife(seed);
            Day day = RecordedLife.First.Plus(5 + seed * 7 % (RecordedLife.Days - 15));
            TrainingPlan plan = Plan(seed) with { Dates = [day] };
            Dictionary<Moment, double[]> cut = Rows(life.Copy(known => known < day.EndMs), plan).ToDictionary();
            foreach ((Moment moment, double[] features) in Rows(life.Log, plan))
                RequireEqual(cut[moment], features, $"seed {seed}, {moment}");
        }
    }

    [Fact]
    public void An_event_of_the_future_that_is_backdated_changes_no_earlier_row_and_later_ones()
    {
        int later = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            using var life = new RecordedLife(seed);
            Day known = RecordedLife.First.Plus(25);
            TrainingPlan plan = Plan(seed);
            MemoryLog planted = life.Copy(_ => true, [.. Backdated(life, known, seed)]);
            Dictionary<Moment, double[]> before = Rows(life.Log, plan).ToDictionary(), after = Rows(planted, plan).ToDictionary();
            foreach ((Moment moment, double[] features) in after)
            {
                if (moment.Day < known && before.TryGetValue(moment, out double[]? as_it_was))
                    RequireEqual(as_it_was, features, $"seed {seed}, {moment}");
                later += moment.Day >= known && !(before.TryGetValue(moment, out as_it_was) && as_it_was.AsSpan().SequenceEqual(features)) ? 1 : 0;
            }
            Dictionary<Moment, double[]> foldedBefore = Folded(life.Log, known.Plus(-1)), foldedAfter = Folded(planted, known.Plus(-1));
            Assert.Equal(foldedBefore.Keys, foldedAfter.Keys);
            Assert.All(foldedBefore, pair => RequireEqual(pair.Value, foldedAfter[pair.Key], $"seed {seed}, {pair.Key}"));
        }
        Assert.True(later > 0, "what was planted changed nothing at all");
    }

    /// <summary>An old invoice, an old payment, an old attempt and an old registration, for every debtor, all known on one day.</summary>
    private static IEnumerable<(long KnownMs, byte[] Content)> Backdated(RecordedLife life, Day known, int seed)
    {
        var writer = new EventWriter();
        Currency eur = Currency.Parse("EUR");
        int number = 0;
        foreach ((string tenant, string debtor) in life.Features.Keys.Select(m => (m.Tenant, m.Debtor)).Distinct().Order())
        {
            EventAddress At(int daysAgo) => new()
            {
                Tenant = Encoding.UTF8.GetBytes(tenant),
                Debtor = Encoding.UTF8.GetBytes(debtor),
                Id = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"planted {number++}")),
                Effective = known.Plus(-daysAgo),
            };
            yield return (known.StartMs + seed, writer.ItemIssued(At(20), Encoding.UTF8.GetBytes($"planted {debtor}"), Component.Principal, 12_345, eur, known.Plus(-15)).ToArray());
            yield return (known.StartMs + seed, writer.PaymentReceived(At(22), 6_789, eur).ToArray());
            yield return (known.StartMs + seed, writer.PaymentFailed(At(12), 6_789, eur).ToArray());
            yield return (known.StartMs + seed, writer.DebtorRegistered(At(24), "planted"u8, [("product", "99")]).ToArray());
        }
    }

    private static TrainingPlan Plan(int seed) => new(
        [.. Enumerable.Range(0, RecordedLife.Days - 1).Select(i => RecordedLife.First.Plus(i))], 5 + seed % 9, Labels[seed % Labels.Length], Day.Max, HistorySelection.All);

    private static IEnumerable<KeyValuePair<Moment, double[]>> Rows(IEventLog log, TrainingPlan plan)
    {
        for (int partition = 0; partition < log.PartitionCount; partition++)
        {
            using var rows = new TrainingRows(new PartitionHistory(log, partition, plan.Selection), plan);
            while (rows.Next())
            {
                if (rows.Exclusion == Exclusion.None)
                    yield return Evaluate(rows.Debtor, rows.AsOf);
            }
        }
    }

    private static Dictionary<Moment, double[]> Folded(IEventLog log, Day day)
    {
        var all = new List<KeyValuePair<Moment, double[]>>();
        for (int partition = 0; partition < log.PartitionCount; partition++)
        {
            using var book = new HistoricalBook(log, partition, AsOf.EndOf(day));
            while (book.Next())
                all.Add(Evaluate(book.Debtor, book.AsOf));
        }
        return all.ToDictionary();
    }

    private static KeyValuePair<Moment, double[]> Evaluate(Debtor debtor, AsOf asOf)
    {
        var values = new double[FeatureCatalogue.Count];
        debtor.Features(asOf, values);
        return new(new Moment(asOf.Day, Encoding.UTF8.GetString(debtor.Tenant), Encoding.UTF8.GetString(debtor.Name)), values);
    }

    private static void RequireEqual(double[] expected, double[] actual, string whose)
    {
        for (int i = 0; i < expected.Length; i++)
            Assert.True(expected[i].Equals(actual[i]), string.Create(CultureInfo.InvariantCulture, $"{whose}: {FeatureCatalogue.Names[i]} was {expected[i]:R}, and the export says {actual[i]:R}"));
    }
}
