namespace Collections.Load.Tests;

/// <summary>What is planned before anything is sent.</summary>
public sealed class PlanTests
{
    private static readonly Curve Uneven = Curve.Of((0.25, 0), (0.05, 10), (0.7, 1));

    public static TheoryData<string> Scenarios => new(Scenario.All.Select(static s => s.Name));

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void What_arrives_is_exactly_what_was_planned_in_order_and_within_the_time(string scenario)
    {
        LoadOptions options = LoadOptions.Of(Scenario.Find(scenario)!, TargetKind.Embedded) with { Seconds = 7 };
        Plan plan = options.ToPlan();
        Assert.Equal(plan.Requests.Order(), plan.Requests);
        Assert.All(plan.Requests, request => Assert.InRange(request.AtMicros, 0, 7_000_000));
        Assert.Equal(plan.Flows.Sum(static f => f.Requests), plan.Requests.Length);
        Assert.Equal(options.EventRate * 7L, plan.Flows.Sum(static f => f.Events));
        Assert.Equal(options.PullRate * 7, plan.Requests.Count(r => plan.ClassOf(r) == RequestClass.Pull));
        Assert.Equal(options.GetRate * 7, plan.Requests.Count(r => plan.ClassOf(r) == RequestClass.Get));
        foreach (IGrouping<int, Planned> flow in plan.Requests.GroupBy(static r => r.Flow))
        {
            Assert.Equal(Enumerable.Range(0, plan.Flows[flow.Key].Requests), flow.Select(static r => r.Number));
            if (plan.Flows[flow.Key].Class == RequestClass.Append)
                Assert.Equal(plan.Flows[flow.Key].Events, flow.Sum(r => (long)plan.EventsOf(r)));
        }
        Assert.All(plan.Requests.Where(r => plan.ClassOf(r) == RequestClass.Append), r => Assert.InRange(plan.EventsOf(r), 1, options.Batch));
    }

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void The_seed_decides(string scenario)
    {
        LoadOptions options = LoadOptions.Of(Scenario.Find(scenario)!, TargetKind.Embedded);
        Assert.Equal(options.ToPlan().Requests, options.ToPlan().Requests);
        Assert.Equal(options.ToPlan().Hash, options.ToPlan().Hash);
        ulong[] hashes = [.. new[] { 1, 2, 0, -7, int.MaxValue, int.MinValue }.Select(seed => (options with { Seed = seed }).ToPlan().Hash)];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
    }

    [Fact]
    public void The_book_tells_the_same_for_the_same_seed()
    {
        LoadOptions options = LoadOptions.Of(Scenario.Find("mixed")!, TargetKind.Embedded) with { Debtors = 50 };
        Assert.Equal(Requests(options), Requests(options));
        Assert.NotEqual(Requests(options), Requests(options with { Seed = 2 }));

        static byte[][] Requests(LoadOptions options)
        {
            var book = new Book(options, "load", Domain.Day.Of(new DateOnly(2026, 3, 31)));
            EventBatch[] past = [.. book.History()];
            return [.. past.Append(book.Live(100, new EventMix(1, 2, 1))).Select(static batch => batch.ToRequest(durable: false))];
        }
    }

    [Fact]
    public void The_past_comes_in_batches_that_a_node_takes_and_tells_of_nearly_everybody()
    {
        var book = new Book(LoadOptions.Of(Scenario.Find("storm")!, TargetKind.Embedded) with { Debtors = 40_000 }, "load", Domain.Day.Of(new DateOnly(2026, 3, 31)));
        int[] sizes = [.. book.History().Select(static batch => batch.Count)];
        Assert.All(sizes[..^1], static size => Assert.Equal(Limits.FillBatch, size));
        Assert.InRange(sizes[^1], 1, Limits.FillBatch);
        Assert.InRange(book.DebtorCount, 39_000, 40_000);
    }

    /// <summary>Chance scatters arrivals around the curve: six standard deviations bound it for seeds that never change.</summary>
    [Fact]
    public void Arrivals_follow_the_curve()
    {
        const int count = 20_000;
        foreach (Curve curve in (Curve[])[Curve.Flat, Uneven, Curve.Even(0, 1, 2, 3, 0, 5)])
        {
            long[] moments = curve.Arrivals(count, 1_000_000, new Random(5));
            for (double until = 0.05; until < 1; until += 0.05)
            {
                double expected = count * curve.ShareBy(until), scatter = 6 * Math.Sqrt(expected * (1 - curve.ShareBy(until))) + 1;
                Assert.InRange(moments.Count(m => m < until * 1_000_000), expected - scatter, expected + scatter);
            }
        }
    }

    [Fact]
    public void Time_and_share_of_a_curve_are_each_others_inverse_and_nothing_comes_where_nothing_lies()
    {
        for (double share = 0.001; share <= 1; share += 0.001)
            Assert.Equal(share, Uneven.ShareBy(Uneven.TimeOf(share)), 9);
        Assert.Equal(0.25, Uneven.TimeOf(1e-12), 6);
        Assert.Equal(1, Uneven.TimeOf(1));
        Assert.Equal(0, Uneven.ShareBy(0.25));
        Assert.Equal(10 / 1.2, Uneven.Peak, 9);
    }

    [Fact]
    public void At_eight_all_queues_are_pulled_from_one_second_on()
    {
        Plan plan = (LoadOptions.Of(Scenario.Find("eight")!, TargetKind.Embedded) with { Seconds = 40, PullRate = 100 }).ToPlan();
        long[] pulls = [.. plan.Requests.Where(r => plan.ClassOf(r) == RequestClass.Pull).Select(static r => r.AtMicros)];
        Assert.InRange(pulls[0], 10_000_000, 10_100_000);
        // Ten of 39 parts of the load come in the first of thirty seconds.
        Assert.InRange(pulls.Count(static at => at < 11_000_000), 4_000 * 10 / 39 - 200, 4_000 * 10 / 39 + 200);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(-1, 1)]
    [InlineData(1, -1)]
    public void A_curve_with_nothing_under_it_is_refused(double length, double weight) => Assert.Throws<ArgumentException>(() => Curve.Of((length, weight)));
}
