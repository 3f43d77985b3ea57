using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Server.Demo.Portfolio;
using static Collections.Server.Tests.Demo.PortfolioReading;

namespace Collections.Server.Tests.Demo;

/// <summary>One portfolio's history, read by many tests.</summary>
public sealed class PortfolioHistory
{
    public const int Debtors = 4_000;

    public PortfolioHistory()
    {
        Portfolio = new SimulatedPortfolio(Debtors, 6, seed: 42, FirstDay);
        Told = History(Portfolio);
    }

    internal SimulatedPortfolio Portfolio { get; }

    internal List<Told> Told { get; }
}

public sealed class PortfolioPlausibilityTests(PortfolioHistory history) : IClassFixture<PortfolioHistory>
{
    [Fact]
    public void Every_event_passes_the_engines_door_and_says_what_the_sink_was_told()
    {
        foreach (Told told in history.Told)
        {
            Event e = Read(told);
            Assert.Equal(told.Kind, e.Head.Kind);
            Assert.Equal(told.Stream, e.Head.Stream);
            Assert.Equal(told.Name, Encoding.ASCII.GetString(e.Head.Debtor));
            Assert.True(e.Head.Tenant.SequenceEqual(EventReader.DefaultTenant));
            Assert.True(DebtorNames.TryParse(e.Head.Debtor, out int debtor) && debtor == told.Debtor);
            Assert.InRange(Day.OfMs(told.KnownMs) - e.Head.Effective, 0, 1);
        }
    }

    [Fact]
    public void Ids_are_unique_in_their_stream() =>
        Assert.Equal(history.Told.Count, history.Told.Select(t => (t.Stream, IdOf(t))).Distinct().Count());

    [Fact]
    public void Each_debtor_registers_once_before_anything_else()
    {
        foreach (IGrouping<int, Told> life in history.Told.GroupBy(t => t.Debtor))
        {
            Assert.Equal(EventKind.DebtorRegistered, life.First().Kind);
            Assert.Single(life, t => t.Kind == EventKind.DebtorRegistered);
        }
        Assert.Equal(PortfolioHistory.Debtors, history.Told.Select(t => t.Debtor).Distinct().Count());
    }

    [Fact]
    public void Registered_codes_are_those_the_reference_model_knows()
    {
        foreach (Told told in history.Told.Where(t => t.Kind == EventKind.DebtorRegistered))
        {
            EventError error = default;
            Assert.True(BodyReader.TryRead(Read(told).Body, out DebtorRegistered e, ref error));
            Assert.InRange(int.Parse(e.CustomerType), 1, 5);
            Assert.InRange(int.Parse(e.Product), 0, 7);
            Assert.InRange(int.Parse(e.Region), 1, 16);
            Assert.NotEqual(Channel.None, e.PreferredChannel);
        }
    }

    [Theory]
    [InlineData(DebtorType.Payer, 0.48)]
    [InlineData(DebtorType.Forgetter, 0.24)]
    [InlineData(DebtorType.Struggler, 0.16)]
    [InlineData(DebtorType.Refuser, 0.09)]
    [InlineData(DebtorType.Disputer, 0.03)]
    public void Types_have_their_shares(DebtorType type, double share) =>
        Assert.InRange(Truths().Count(t => t.Type == type) / (double)PortfolioHistory.Debtors, share - 0.03, share + 0.03);

    [Fact]
    public void Bills_come_monthly_and_are_due_four_weeks_later()
    {
        foreach (IGrouping<int, Told> life in history.Told.Where(t => t.Kind == EventKind.ItemIssued).GroupBy(t => t.Debtor))
        {
            Day before = Day.None;
            foreach (Told told in life)
            {
                Day issued = Read(told).Head.Effective;
                ItemIssued item = ItemOf(told);
                Assert.Equal(28, item.Due - issued);
                Assert.Equal("EUR", item.Currency.ToString());
                Assert.InRange(item.AmountMinor, 500, 2_000_000);
                if (!before.IsNone)
                    Assert.InRange(issued - before, 28, 31);
                before = issued;
            }
            Assert.InRange(life.Count(), 1, 6);
        }
    }

    [Fact]
    public void Bills_are_log_normal_about_a_usual_card_bill()
    {
        List<long> amounts = [.. history.Told.Where(t => t.Kind == EventKind.ItemIssued).Select(t => ItemOf(t).AmountMinor).Order()];
        long median = amounts[amounts.Count / 2];
        Assert.InRange(median, 50_000, 200_000);
        Assert.InRange(amounts.Average() / median, 1.3, 2.5);
    }

    [Fact]
    public void Payments_cluster_on_pay_days()
    {
        List<Day> days = [.. history.Told.Where(t => t.Kind == EventKind.PaymentReceived).Select(t => Day.OfMs(t.KnownMs))];
        int onPayDay = days.Count(d => d.DayOfMonth is 15 or 25 || d.Plus(1).DayOfMonth == 1);
        // Three days of thirty would have a tenth of them.
        Assert.InRange(onPayDay / (double)days.Count, 0.35, 0.75);
    }

    [Fact]
    public void Reversals_refer_to_an_earlier_payment_of_the_debtor_and_never_twice()
    {
        var payments = new HashSet<string>();
        var reversed = new HashSet<string>();
        foreach (Told told in history.Told)
        {
            if (told.Kind == EventKind.PaymentReceived)
                payments.Add(IdOf(told));
            if (told.Kind != EventKind.PaymentReversed)
                continue;
            EventError error = default;
            Assert.True(BodyReader.TryRead(Read(told).Body, out PaymentReversed e, ref error));
            string payment = Encoding.ASCII.GetString(e.Payment);
            Assert.StartsWith(told.Name, payment, StringComparison.Ordinal);
            Assert.Contains(payment, payments);
            Assert.True(reversed.Add(payment), $"{payment} was reversed twice");
        }
        Assert.InRange(reversed.Count / (double)payments.Count, 0.004, 0.03);
    }

    [Fact]
    public void Allocations_disputes_and_credit_notes_name_bills_that_exist()
    {
        var items = new Dictionary<(int, string), long>();
        foreach (Told told in history.Told)
        {
            EventError error = default;
            switch (told.Kind)
            {
                case EventKind.ItemIssued:
                    items.Add((told.Debtor, Encoding.ASCII.GetString(ItemOf(told).Item)), ItemOf(told).AmountMinor);
                    break;
                case EventKind.PaymentReceived:
                    foreach (ExplicitAllocation allocation in PaymentOf(told).Allocations)
                        Assert.Equal(items[(told.Debtor, Encoding.ASCII.GetString(allocation.Item))], allocation.AmountMinor);
                    break;
                case EventKind.DisputeOpened:
                    Assert.True(BodyReader.TryRead(Read(told).Body, out DisputeOpened dispute, ref error));
                    Assert.InRange(dispute.AmountMinor, 0, items[(told.Debtor, Encoding.ASCII.GetString(dispute.Item))]);
                    break;
                case EventKind.ItemAdjusted:
                    Assert.True(BodyReader.TryRead(Read(told).Body, out ItemAdjusted note, ref error));
                    long left = items[(told.Debtor, Encoding.ASCII.GetString(note.Item))] += note.AmountMinor;
                    Assert.True(note.AmountMinor < 0 && left >= 0, $"{told.Name}: a credit note of {note.AmountMinor} leaves {left}");
                    break;
            }
        }
    }

    [Fact]
    public void Disputes_are_resolved_once_and_only_after_they_were_opened()
    {
        var open = new HashSet<string>();
        int opened = 0;
        foreach (Told told in history.Told)
        {
            if (told.Kind == EventKind.DisputeOpened && open.Add(IdOf(told)))
                opened++;
            if (told.Kind != EventKind.DisputeResolved)
                continue;
            EventError error = default;
            Assert.True(BodyReader.TryRead(Read(told).Body, out DisputeResolved e, ref error));
            Assert.True(open.Remove(Encoding.ASCII.GetString(e.Dispute)));
        }
        Assert.True(opened > 20, $"{opened} disputes");
        Assert.True(open.Count < opened / 2, $"{open.Count} of {opened} still open");
    }

    [Fact]
    public void What_the_events_sum_up_to_is_what_the_simulator_says_is_owed()
    {
        long[] net = NetByDebtor();
        for (int i = 0; i < net.Length; i++)
            Assert.Equal(net[i], history.Portfolio.TruthOf(i).NetMinor);
        Assert.Equal(net.Sum(), history.Portfolio.Totals.NetMinor);
    }

    [Fact]
    public void A_good_part_of_what_is_owed_is_overdue_but_most_that_was_issued_got_paid()
    {
        PortfolioTotals totals = history.Portfolio.Totals;
        long[] notDue = new long[PortfolioHistory.Debtors];
        foreach (Told told in history.Told.Where(t => t.Kind == EventKind.ItemIssued))
        {
            if (ItemOf(told).Due >= history.Portfolio.FirstLiveDay)
                notDue[told.Debtor] += ItemOf(told).AmountMinor;
        }
        long owed = 0, overdue = 0;
        foreach ((long net, long current) in NetByDebtor().Zip(notDue))
        {
            owed += Math.Max(0, net);
            overdue += Math.Max(0, net - current);
        }
        Assert.InRange(overdue / (double)owed, 0.25, 0.75);
        Assert.InRange((totals.ReceivedMinor - totals.ReversedMinor) / (double)totals.IssuedMinor, 0.7, 0.95);
    }

    [Fact]
    public void The_hidden_propensity_shows_in_what_was_paid()
    {
        long[] issued = new long[PortfolioHistory.Debtors];
        foreach (Told told in history.Told.Where(t => t.Kind == EventKind.ItemIssued))
            issued[told.Debtor] += ItemOf(told).AmountMinor;
        double[] open = [.. Enumerable.Range(0, PortfolioHistory.Debtors)
            .OrderBy(i => history.Portfolio.TruthOf(i).Propensity)
            .Chunk(PortfolioHistory.Debtors / 4)
            .Select(quarter => quarter.Sum(i => history.Portfolio.TruthOf(i).NetMinor) / (double)quarter.Sum(i => issued[i]))];
        Assert.Equal(open.OrderDescending(), open);
        Assert.True(open[0] > 3 * open[^1], $"open shares by propensity: {string.Join(", ", open.Select(x => x.ToString("P0")))}");
    }

    [Fact]
    public void Every_kind_of_behaviour_occurs()
    {
        Dictionary<EventKind, int> counts = history.Told.CountBy(t => t.Kind).ToDictionary();
        EventKind[] expected =
        [
            EventKind.ItemIssued, EventKind.ItemAdjusted, EventKind.PaymentReceived, EventKind.PaymentReversed, EventKind.PaymentFailed,
            EventKind.DebtorRegistered, EventKind.AttemptReported, EventKind.ContactReceived, EventKind.PromiseMade, EventKind.DisputeOpened, EventKind.DisputeResolved,
            EventKind.PreferencesChanged, EventKind.HoldPlaced,
        ];
        Assert.All(expected, kind => Assert.True(counts.GetValueOrDefault(kind) >= 10, $"{kind}: {counts.GetValueOrDefault(kind)}"));
        // For 100,000 debtors: 1.5 to 2.5 million.
        Assert.InRange(history.Told.Count / (double)PortfolioHistory.Debtors, 15, 25);
    }

    [Fact]
    public void Promises_are_kept_and_broken()
    {
        int kept = 0, broken = 0;
        var paid = history.Told.Where(t => t.Kind == EventKind.PaymentReceived).ToLookup(t => t.Debtor);
        foreach (Told told in history.Told.Where(t => t.Kind == EventKind.PromiseMade))
        {
            EventError error = default;
            Assert.True(BodyReader.TryRead(Read(told).Body, out PromiseMade promise, ref error));
            Day made = Read(told).Head.Effective;
            Day until = promise.Due.Plus(2);
            Assert.InRange(promise.Due - made, 1, 14);
            long sum = paid[told.Debtor].Where(t => Read(t).Head.Effective is Day d && d >= made && d <= until).Sum(t => PaymentOf(t).AmountMinor);
            if (sum >= promise.AmountMinor)
                kept++;
            else
                broken++;
        }
        Assert.InRange(kept / (double)(kept + broken), 0.4, 0.85);
    }

    private IEnumerable<DebtorTruth> Truths() => Enumerable.Range(0, PortfolioHistory.Debtors).Select(history.Portfolio.TruthOf);

    private long[] NetByDebtor()
    {
        long[] net = new long[PortfolioHistory.Debtors];
        var amounts = new Dictionary<string, long>();
        foreach (Told told in history.Told)
        {
            EventError error = default;
            switch (told.Kind)
            {
                case EventKind.ItemIssued: net[told.Debtor] += ItemOf(told).AmountMinor; break;
                case EventKind.ItemAdjusted:
                    Assert.True(BodyReader.TryRead(Read(told).Body, out ItemAdjusted adjusted, ref error));
                    net[told.Debtor] += adjusted.AmountMinor;
                    break;
                case EventKind.PaymentReceived:
                    net[told.Debtor] -= amounts[IdOf(told)] = PaymentOf(told).AmountMinor;
                    break;
                case EventKind.PaymentReversed:
                    Assert.True(BodyReader.TryRead(Read(told).Body, out PaymentReversed reversed, ref error));
                    net[told.Debtor] += amounts[Encoding.ASCII.GetString(reversed.Payment)];
                    break;
            }
        }
        return net;
    }
}
