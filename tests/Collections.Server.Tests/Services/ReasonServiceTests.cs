using Collections.V1;
using Grpc.Core;

namespace Collections.Server.Tests.Services;

/// <summary>What speaks for and against an action, as callers see it over gRPC.</summary>
public sealed class ReasonServiceTests
{
    private const double SumTolerance = 1e-9;

    [Fact]
    public async Task Every_action_says_what_weighs_most_in_its_score()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await LiveAsync(scene, debtors: 60);
        PullResponse pulled = await scene.PullAsync(100);
        Assert.True(pulled.Actions.Count > 30, $"only {pulled.Actions.Count} wait");
        foreach (V1.Action action in pulled.Actions)
        {
            AssertOrdered(action.Reasons);
            DebtorView view = await scene.Debtors.GetAsync(new GetDebtorRequest { Tenant = NodeScene.Tenant, Debtor = action.Debtor, Contributions = true });
            Assert.Equal(action.Reasons, view.Reasons);
            Assert.Equal(action.Reasons, view.QueueEntry.Reasons);
            Assert.Equal("", view.NoReasonsBecause);
            ScoreExplanation explanation = view.Explanation;
            Assert.Equal(explanation.RawScore, explanation.ExpectedScore + explanation.Contributions.Sum(c => c.Contribution), SumTolerance);
            Assert.Equal(action.Propensity, 1 / (1 + Math.Exp(-explanation.RawScore)), SumTolerance);
            foreach (Reason reason in action.Reasons)
                Assert.Equal(explanation.Contributions.Where(c => c.Reason == reason.Code).Sum(c => c.Contribution), reason.Contribution, SumTolerance);
        }
        Assert.True(pulled.Actions.Select(a => a.Reasons[0].Code).Distinct().Count() > 1, "all have the same first reason");
        Assert.True(pulled.Actions.SelectMany(a => a.Reasons).Select(r => Math.Sign(r.Contribution)).Distinct().Count() == 2, "nothing speaks for anybody, or nothing against");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_retry_gets_the_same_reasons_also_after_a_restart(bool crash)
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await LiveAsync(scene, debtors: 12);
        PullResponse first = await scene.PullAsync(5, "request");
        Assert.All(first.Actions, action => Assert.Equal(4, action.Reasons.Count));
        Assert.Equal(Numbers(first), Numbers(await scene.PullAsync(5, "request")));
        await scene.RestartAsync(crash);
        Assert.Equal(Numbers(first), Numbers(await scene.PullAsync(5, "request")));
        await scene.RestartAsync(crash: true);
        Assert.Equal(Numbers(first), Numbers(await scene.PullAsync(5, "request")));
        DebtorView view = await scene.GetAsync(first.Actions[0].Debtor);
        Assert.Equal(first.Actions[0].Reasons, view.QueueEntry.Reasons);
    }

    [Fact]
    public async Task What_was_kept_with_a_lease_stays_as_it_was_when_the_debtor_changes()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        V1.Action action = Assert.Single((await scene.PullAsync(1)).Actions);
        await scene.AppendAsync(scene.Events.Paid("ann", "p1", 20_000, scene.Today));
        DebtorView changed = await scene.GetAsync("ann");
        Assert.Equal(action.Reasons, changed.QueueEntry.Reasons);
        Assert.NotEqual(action.Reasons, changed.Reasons);

        // The rest is paid: the lease is void, and what is left to say is of the debtor alone.
        await scene.AppendAsync(scene.Events.Paid("ann", "p2", 30_000, scene.Today));
        DebtorView paid = await scene.GetAsync("ann");
        Assert.Null(paid.QueueEntry);
        AssertOrdered(paid.Reasons);
        Assert.Equal(LeaseStatus.LeaseVoided, (await scene.Queues.ExtendAsync(new ExtendRequest { Lease = action.Lease })).Status);
    }

    [Fact]
    public async Task A_sender_of_many_pulls_without_reasons_and_they_are_found_when_somebody_looks()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        var request = new PullRequest { Tenant = NodeScene.Tenant, Queue = "default/voice", Count = 1, Caller = "sender", RequestId = "bare", WithoutReasons = true };
        Assert.Empty(Assert.Single((await scene.Queues.PullAsync(request)).Actions).Reasons);
        DebtorView view = await scene.GetAsync("ann");
        AssertOrdered(view.Reasons);
        Assert.Empty(view.QueueEntry.Reasons);
        request.WithoutReasons = false;
        Assert.Empty(Assert.Single((await scene.Queues.PullAsync(request)).Actions).Reasons);
    }

    [Fact]
    public async Task Reasons_are_told_in_the_language_that_is_asked_for()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        var request = new PullRequest { Tenant = NodeScene.Tenant, Queue = "default/voice", Count = 1, Caller = "dialer", RequestId = "r" };
        Reason english = Assert.Single((await scene.Queues.PullAsync(request)).Actions).Reasons[0];
        request.Language = "de-AT";
        Reason german = Assert.Single((await scene.Queues.PullAsync(request)).Actions).Reasons[0];
        Assert.Equal((english.Code, english.Id, english.Contribution), (german.Code, german.Id, german.Contribution));
        Assert.EndsWith(english.Contribution < 0 ? "makes a payment soon less likely." : "makes a payment soon more likely.", english.Text, StringComparison.Ordinal);
        Assert.EndsWith(german.Contribution < 0 ? "macht eine baldige Zahlung weniger wahrscheinlich." : "macht eine baldige Zahlung wahrscheinlicher.", german.Text, StringComparison.Ordinal);
        Assert.Equal(german, (await scene.Debtors.GetAsync(new GetDebtorRequest { Tenant = NodeScene.Tenant, Debtor = "ann", Language = "de" })).QueueEntry.Reasons[0]);

        request.Language = "tlh";
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => scene.Queues.PullAsync(request).ResponseAsync);
        Assert.Equal((StatusCode.InvalidArgument, "language: must be one of en, de, es, fr, but is 'tlh'"), (refused.StatusCode, refused.Status.Detail));
        await Assert.ThrowsAsync<RpcException>(() => scene.Debtors.GetAsync(new GetDebtorRequest { Tenant = NodeScene.Tenant, Debtor = "ann", Language = "tlh" }).ResponseAsync);
    }

    [Fact]
    public async Task A_refused_language_takes_nothing_out_of_the_queue()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        await Assert.ThrowsAsync<RpcException>(() => scene.Queues.PullAsync(
            new PullRequest { Tenant = NodeScene.Tenant, Queue = "default/voice", Count = 1, Caller = "dialer", Language = "x" }).ResponseAsync);
        using AsyncServerStreamingCall<SubscribeMessage> call = scene.Queues.Subscribe(
            new SubscribeRequest { Tenant = NodeScene.Tenant, Queue = "default/voice", Caller = "dialer", MaxOpen = 1, Language = "x" });
        await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(1, (await scene.QueueAsync())!.Waiting);
    }

    [Fact]
    public async Task A_subscription_tells_reasons_too()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        using AsyncServerStreamingCall<SubscribeMessage> call = scene.Queues.Subscribe(
            new SubscribeRequest { Tenant = NodeScene.Tenant, Queue = "default/voice", Caller = "dialer", MaxOpen = 1, Language = "es" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        AssertOrdered(call.ResponseStream.Current.Action.Reasons);
        Assert.Contains("pago próximo", call.ResponseStream.Current.Action.Reasons[0].Text, StringComparison.Ordinal);
    }

    /// <summary>Months of bills, payments early, late and in part, attempts and promises, on a clock that goes along.</summary>
    private static async Task LiveAsync(NodeScene scene, int debtors)
    {
        EventsOf events = scene.Events;
        DateOnly first = scene.Today;
        var random = new Random(11);
        await scene.AppendAsync([.. Enumerable.Range(0, debtors).Select(i => events.Registered($"debtor-{i}", "", Channel.Voice))]);
        for (int month = 0; month < 5; month++)
        {
            var batch = new List<Event>();
            DateOnly issued = first.AddDays(30 * month);
            await scene.MoveToAsync(new DateTimeOffset(issued, new TimeOnly(9, 0), TimeSpan.Zero));
            for (int i = 0; i < debtors; i++)
            {
                string name = $"debtor-{i}";
                batch.Add(events.Issued(name, $"{name}-{month}", 2_000 + random.Next(40_000), issued, issued.AddDays(14)));
                if (random.Next(3) > 0)
                    batch.Add(events.Paid(name, $"{name}-paid-{month}", 1_000 + random.Next(30_000), issued));
                if (random.Next(4) == 0)
                    batch.Add(events.Attempted(name, $"{name}-attempt-{month}", scene.Clock.GetUtcNow(), Channel.Voice, AttemptOutcome.RightParty));
                if (random.Next(6) == 0)
                    batch.Add(events.Promised(name, $"{name}-promise-{month}", 1_500, issued, issued.AddDays(6)));
            }
            await scene.AppendAsync([.. batch]);
        }
        await scene.MoveToAsync(new DateTimeOffset(first.AddDays(170), new TimeOnly(9, 30), TimeSpan.Zero));
    }

    private static void AssertOrdered(IReadOnlyList<Reason> reasons)
    {
        Assert.Equal(4, reasons.Count);
        Assert.Equal(4, reasons.Select(r => r.Code).Distinct().Count());
        Assert.Equal(reasons.OrderByDescending(r => Math.Abs(r.Contribution)).ThenBy(r => r.Code), reasons);
        Assert.All(reasons, r => Assert.True(r.Id.Length > 0 && r.Title.Length > 0 && r.Text.Length > 0 && r.Contribution != 0, r.ToString()));
    }

    private static List<string> Numbers(PullResponse response) =>
        [.. response.Actions.Select(a => $"{a.Lease} {a.Debtor}: {string.Join("; ", a.Reasons.Select(r => r.ToString()))}")];
}
