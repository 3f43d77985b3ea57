using Grpc.Core;

namespace Collections.Load.Tests;

/// <summary>The open loop, on a clock that stands still unless the sender sleeps.</summary>
public sealed class SenderTests
{
    private const int Seconds = 10;
    private const long AnswerMicros = 1_000, StallsAt = 2_000_000, GoesOnAt = 5_000_000;

    private static readonly double[] Shares = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1];

    private readonly SteppedWorld world = new();

    /// <summary>
    /// The target stands still for three of ten seconds. Every request of that time has waited until its end, and the figures say so, value by value; what the
    /// target itself took for each, as a generator would see it that waits for an answer before it sends, looks good.
    /// </summary>
    [Fact]
    public async Task A_target_that_stalls_is_charged_with_the_waiting_of_everything_that_was_planned_meanwhile()
    {
        Plan plan = Appends(1_000);
        Sender sender = await world.RunAsync(plan, (_, _) => () => world.AnswerAt(Stalling(world.NowMicros)));
        long[] waits = [.. plan.Requests.Select(static r => Stalling(r.AtMicros) - r.AtMicros).Order()];
        Tally tally = sender.Of(RequestClass.Append);
        Assert.Equal((1_000, 1_000, 1_000, 0), (tally.Planned, tally.Sent, tally.Ok, tally.Failed));
        AssertQuantiles(waits, tally.Latency, more: 0);
        Assert.InRange(tally.Latency.At(0.9), 1_500_000, 3_100_000);
        Assert.Equal(0, tally.Lateness.Max);
    }

    /// <summary>The same through one place in flight: what can't be sent is counted with its waiting, and the sender does not take it for its own delay.</summary>
    [Fact]
    public async Task What_finds_no_place_in_flight_is_counted_from_when_it_was_planned()
    {
        Plan plan = Appends(1_000);
        var seen = new Histogram();
        Sender sender = await world.RunAsync(plan, (_, _) => () =>
        {
            seen.Record(Stalling(world.NowMicros) - world.NowMicros);
            return world.AnswerAt(Stalling(world.NowMicros));
        }, inFlight: 1);
        Tally tally = sender.Of(RequestClass.Append);
        var waits = new List<long>();
        long free = 0;
        foreach (Planned request in plan.Requests)
        {
            free = Stalling(Math.Max(request.AtMicros, free));
            waits.Add(free - request.AtMicros);
        }
        waits.Sort();
        Assert.Equal(1_000, tally.Ok);
        // The sender looks for a free place every half millisecond: each of the thousand may add that to all behind it.
        AssertQuantiles([.. waits], tally.Latency, more: 1_000 * (long)Limits.Nap.TotalMicroseconds);
        Assert.InRange(tally.Latency.At(0.5), 1_000, 1_000_000);
        Assert.InRange(tally.Latency.At(0.75), 500_000, 3_100_000);
        Assert.Equal(AnswerMicros, seen.At(0.99));
        Assert.InRange(tally.Lateness.Max, 0, AnswerMicros * 2);
    }

    [Fact]
    public async Task What_was_never_sent_is_a_failure_with_its_waiting()
    {
        Plan plan = Appends(100);
        Sender sender = await world.RunAsync(plan, (_, _) => () => world.AnswerAt(60_000_000), inFlight: 10, graceMicros: 5_000_000);
        Tally tally = sender.Of(RequestClass.Append);
        Assert.Equal((100, 10, 10, 90), (tally.Planned, tally.Sent, tally.Ok, tally.Failed));
        Assert.Equal(90, tally.Failures[Tally.NotSent].Count);
        Assert.Equal(100, tally.Latency.Count);
        Assert.InRange(tally.Latency.At(0.01), 5_000_000, 15_100_000);
        ClassResult result = ClassResult.Of(RequestClass.Append, tally, Seconds);
        Assert.Equal((10.0, 0.2), (result.PlannedPerSecond, result.AchievedPerSecond));
    }

    [Fact]
    public async Task A_generator_that_oversleeps_says_so()
    {
        var slow = new SteppedWorld { OversleepMicros = 30_000 };
        Sender sender = await slow.RunAsync(Appends(1_000), (_, _) => () => slow.AnswerAt(slow.NowMicros + AnswerMicros));
        Tally tally = sender.Of(RequestClass.Append);
        Assert.InRange(tally.Lateness.Max, 25_000, 30_500);
        Assert.True(ResultOf(ClassResult.Of(RequestClass.Append, tally, Seconds)).GeneratorFellBehind);
        Sender punctual = await world.RunAsync(Appends(1_000), (_, _) => () => world.AnswerAt(world.NowMicros + AnswerMicros));
        Assert.False(ResultOf(ClassResult.Of(RequestClass.Append, punctual.Of(RequestClass.Append), Seconds)).GeneratorFellBehind);
    }

    [Fact]
    public async Task What_follows_from_an_answer_is_sent_in_its_moment_whatever_comes_first()
    {
        Plan plan = Plan.Of([new Flow(RequestClass.Pull, 50, 0, null, Curve.Flat)], Seconds, seed: 3);
        var sent = new List<(Planned Request, long At)>();
        int next = 0;
        Sender sender = await world.RunAsync(plan, (sender, request) => () =>
        {
            sent.Add((request, world.NowMicros));
            for (int i = 0; i < 3 && plan.ClassOf(request) == RequestClass.Pull; i++)
                sender.Add(new Planned(world.NowMicros + (7 - 2 * i) * 100_000, Planned.FollowUp, next++));
            return world.AnswerAt(world.NowMicros + AnswerMicros);
        });
        Assert.Equal((50, 50), (sender.Of(RequestClass.Pull).Planned, sender.Of(RequestClass.Pull).Ok));
        Assert.Equal((150, 150), (sender.Of(RequestClass.Report).Planned, sender.Of(RequestClass.Report).Ok));
        Assert.All(sent, static s => Assert.Equal(s.Request.AtMicros, s.At));
        Assert.Equal(200, sent.Select(static s => s.Request).Distinct().Count());
    }

    [Fact]
    public async Task Failures_are_counted_by_status_however_they_come()
    {
        int calls = 0;
        Sender sender = await world.RunAsync(Appends(100), (_, _) => () => (++calls % 10) switch
        {
            1 => throw new RpcException(new Status(StatusCode.Unavailable, "thrown at once")),
            2 => Task.FromException<Outcome>(new RpcException(new Status(StatusCode.DeadlineExceeded, "too late"))),
            3 => Task.FromResult(new Outcome("AppendRefused", "debtor: missing")),
            4 => Task.FromException<Outcome>(new IOException("cut off")),
            _ => world.AnswerAt(world.NowMicros + AnswerMicros),
        });
        Tally tally = sender.Of(RequestClass.Append);
        Assert.Equal((60, 40), (tally.Ok, tally.Failed));
        Assert.Equal(["AppendRefused", "DeadlineExceeded", "IOException", "Unavailable"], tally.Failures.Keys.Order());
        Assert.All(tally.Failures.Values, static f => Assert.Equal(10, f.Count));
        Assert.Equal("thrown at once", tally.Failures["Unavailable"].Example);
        Assert.False(ResultOf(ClassResult.Of(RequestClass.Append, tally, Seconds)).Passed);
    }

    /// <summary>When a call that arrives now is answered.</summary>
    private static long Stalling(long at) => at is >= StallsAt and < GoesOnAt ? GoesOnAt + AnswerMicros : at + AnswerMicros;

    private static Plan Appends(int count) => Plan.Of([new Flow(RequestClass.Append, count, count, new EventMix(0, 1, 0), Curve.Flat)], Seconds, seed: 1);

    private static void AssertQuantiles(long[] sorted, Histogram histogram, long more)
    {
        foreach (double share in Shares)
        {
            long exact = sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
            Assert.InRange(histogram.At(share), exact, (exact + more) * 1025 / 1024);
        }
    }

    private static LoadResult ResultOf(ClassResult requests) => new("storm", "embedded", "", Seconds, 1, 1, "", [requests], 0, 0, 0, 0, 0, 0, 0, 0, []);
}
