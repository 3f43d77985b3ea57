using Collections.Domain.Debtors;
using Collections.V1;
using Grpc.Core;

namespace Collections.Server.Tests.Services;

/// <summary>What becomes of queues and leases as events come in, over gRPC and on a virtual clock.</summary>
public sealed class QueueServiceTests
{
    [Fact]
    public async Task A_payment_takes_the_debtor_out_of_the_queue_and_voids_the_lease()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        await scene.OverdueAsync("bob", 20_000);
        Assert.Equal(2, (await scene.QueueAsync())!.Waiting);
        V1.Action action = Assert.Single((await scene.PullAsync(1)).Actions);
        Assert.Equal(1, (await scene.QueueAsync())!.Leased);

        await scene.AppendAsync(scene.Events.Paid("ann", "p1", 50_000, scene.Today), scene.Events.Paid("bob", "p2", 20_000, scene.Today));

        Assert.Equal(0, (await scene.QueueAsync())?.Waiting ?? 0);
        Assert.Equal(0, (await scene.QueueAsync())?.Leased ?? 0);
        Assert.Empty((await scene.PullAsync(10)).Actions);
        DebtorView paid = await scene.GetAsync(action.Debtor);
        Assert.Equal("nothing is overdue", paid.NotQueuedBecause);
        Assert.Null(paid.QueueEntry);
        LeaseAnswer extended = await scene.Queues.ExtendAsync(new ExtendRequest { Lease = action.Lease });
        Assert.Equal((LeaseStatus.LeaseVoided, "nothing is overdue any more"), (extended.Status, extended.Reason));
        LeaseAnswer reported = await scene.Queues.ReportAsync(new ReportRequest { Lease = action.Lease, Outcome = AttemptOutcome.NoAnswer });
        Assert.Equal(LeaseStatus.LeaseVoided, reported.Status);
        Assert.Equal(LeaseStatus.LeaseClosed, (await scene.Queues.ReportAsync(new ReportRequest { Lease = action.Lease, Outcome = AttemptOutcome.NoAnswer })).Status);
        Assert.Equal(0, (await scene.Debtors.StatusAsync(new StatusRequest())).DeadLetters);
    }

    public static TheoryData<string, string> Voiding => new()
    {
        { "payment", "nothing is overdue any more" },
        { "two part payments", "nothing is overdue any more" },
        { "promise", "the debtor has promised to pay" },
        { "dispute", "the debt is disputed" },
        { "hold", "the debtor is on hold" },
        { "attempt by others", "the debtor has been contacted meanwhile" },
    };

    [Theory]
    [MemberData(nameof(Voiding))]
    public async Task Whatever_forbids_the_contact_voids_the_lease_and_tells_why(string what, string reason)
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        V1.Action action = Assert.Single((await scene.PullAsync(1)).Actions);
        EventsOf events = scene.Events;
        await scene.AppendAsync(what switch
        {
            "payment" => [events.Paid("ann", "p", 50_000, scene.Today)],
            "two part payments" => [events.Paid("ann", "p1", 25_000, scene.Today), events.Paid("ann", "p2", 25_000, scene.Today)],
            "promise" => [events.Promised("ann", "promise", 50_000, scene.Today, scene.Today.AddDays(5))],
            "dispute" => [events.Disputed("ann", "dispute", "ann-item", scene.Today)],
            "hold" => [events.Held("ann", "hold", scene.Today)],
            _ => [events.Attempted("ann", "attempt", scene.Clock.GetUtcNow(), Channel.Voice, AttemptOutcome.NoAnswer)],
        });
        LeaseAnswer answer = await scene.Queues.ExtendAsync(new ExtendRequest { Lease = action.Lease });
        Assert.Equal((LeaseStatus.LeaseVoided, reason), (answer.Status, answer.Reason));
        Assert.Empty((await scene.PullAsync(1)).Actions);
    }

    [Fact]
    public async Task A_part_payment_leaves_the_lease_open_and_the_debtor_in_one_hand()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        V1.Action action = Assert.Single((await scene.PullAsync(1)).Actions);
        await scene.AppendAsync(scene.Events.Paid("ann", "p", 10_000, scene.Today));
        Assert.Empty((await scene.PullAsync(1)).Actions);
        Assert.Equal(LeaseStatus.LeaseOpen, (await scene.Queues.ExtendAsync(new ExtendRequest { Lease = action.Lease })).Status);
    }

    [Fact]
    public async Task Pull_gives_the_best_over_all_partitions_in_the_exact_order_of_the_queue()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 7);
        string[] names = [.. Enumerable.Range(0, 60).Select(i => $"debtor-{i:00}")];
        foreach (string[] chunk in names.Chunk(20).Reverse())
        {
            // Six owe the same each, so that ties occur: the model makes equal values of equal histories. Later names are eligible earlier.
            await scene.AppendAsync([.. chunk.SelectMany(n => new[]
            {
                scene.Events.Registered(n, "", Channel.Voice),
                scene.Events.Issued(n, $"{n}-item", 10_000 + int.Parse(n[^2..]) % 20 / 2 * 700, scene.Today.AddDays(-40), scene.Today.AddDays(-10)),
            })]);
            await scene.MoveToAsync(scene.Clock.GetUtcNow().AddMinutes(1));
        }
        var waiting = new List<(double Value, long Since, string Debtor)>();
        foreach (string name in names)
        {
            QueueEntryView entry = (await scene.GetAsync(name)).QueueEntry;
            waiting.Add((entry.Value, entry.EligibleSince.ToDateTimeOffset().ToUnixTimeMilliseconds(), name));
        }
        string[] expected = [.. waiting.OrderByDescending(w => w.Value).ThenBy(w => w.Since).ThenBy(w => w.Debtor, StringComparer.Ordinal).Select(w => w.Debtor)];
        Assert.True(waiting.Select(w => w.Value).Distinct().Count() < 60, "no two debtors tie, so that ties are not tested");

        var pulled = new List<string>();
        foreach (int count in new[] { 1, 7, 32, 100 })
            pulled.AddRange((await scene.PullAsync(count)).Actions.Select(a => a.Debtor));
        Assert.Equal(expected, pulled);
    }

    [Fact]
    public async Task ListQueues_counts_what_waits_and_what_is_leased_for_one_tenant_alone()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        var other = new EventsOf("other");
        await scene.AppendAsync(
            other.Registered("zed", "cards", Channel.Sms), other.Issued("zed", "i", 5_000, scene.Today.AddDays(-40), scene.Today.AddDays(-10)));
        for (int i = 0; i < 5; i++)
            await scene.OverdueAsync($"debtor-{i}", 10_000 + i);
        await scene.AppendAsync(scene.Events.Registered("eve", "cards", Channel.Email), scene.Events.Issued("eve", "eve-item", 70_000, scene.Today.AddDays(-40), scene.Today.AddDays(-10)));
        PullResponse pulled = await scene.PullAsync(2);

        QueueSummary[] queues = await InUseAsync(scene, NodeScene.Tenant);
        Assert.Equal([("cards/email", 1L, 0L), ("default/voice", 3L, 2L)], queues.Select(q => (q.Queue, q.Waiting, q.Leased)));
        Assert.True(queues[1].BestValue <= pulled.Actions[^1].Value);
        Assert.Equal([("cards/sms", 1L, 0L)], (await InUseAsync(scene, "other")).Select(q => (q.Queue, q.Waiting, q.Leased)));
        Assert.Empty((await scene.Queues.ListQueuesAsync(new ListQueuesRequest { Tenant = "nobody" })).Queues);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_id_gives_the_same_leases_again_also_after_a_restart(bool? crash)
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        for (int i = 0; i < 6; i++)
            await scene.OverdueAsync($"debtor-{i}", 10_000 + i);
        PullResponse first = await scene.PullAsync(3, "request-1");
        if (crash is { } hard)
            await scene.RestartAsync(hard);
        PullResponse again = await scene.PullAsync(3, "request-1");
        PullResponse next = await scene.PullAsync(10, "request-2");
        PullResponse other = await scene.PullAsync(10, "request-1", caller: "another dialer");

        Assert.Equal(3, first.Actions.Count);
        Assert.Equal(first.Actions.Select(a => (a.Lease, a.Debtor)), again.Actions.Select(a => (a.Lease, a.Debtor)));
        Assert.Equal(3, next.Actions.Count);
        Assert.Empty(other.Actions);
        Assert.Equal(6, first.Actions.Concat(next.Actions).Select(a => a.Debtor).Distinct().Count());
        Assert.Equal(6, first.Actions.Concat(next.Actions).Select(a => a.Lease).Distinct().Count());
    }

    [Fact]
    public async Task A_voided_lease_stays_voided_and_the_partition_serves_after_a_crash()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 1);
        await scene.OverdueAsync("ann", 50_000);
        await scene.OverdueAsync("bob", 20_000);
        PullResponse pulled = await scene.PullAsync(2);
        await scene.Node.CheckpointAsync();
        await scene.AppendAsync(scene.Events.Paid("ann", "p", 50_000, scene.Today));
        // The answer tells that the void is in the store: the writer of leases commits in order.
        await scene.Queues.ExtendAsync(new ExtendRequest { Lease = pulled.Actions.Single(a => a.Debtor == "bob").Lease });
        await scene.RestartAsync(crash: true);

        StatusResponse status = await scene.Debtors.StatusAsync(new StatusRequest());
        Assert.All(status.Partitions, p => Assert.Equal(("serving", ""), (p.State, p.Reason)));
        Assert.Equal(0, (await scene.GetAsync("ann")).OpenMinor);
        Assert.Equal(LeaseStatus.LeaseVoided, (await scene.Queues.ExtendAsync(new ExtendRequest { Lease = pulled.Actions.Single(a => a.Debtor == "ann").Lease })).Status);
        Assert.Equal(LeaseStatus.LeaseOpen, (await scene.Queues.ExtendAsync(new ExtendRequest { Lease = pulled.Actions.Single(a => a.Debtor == "bob").Lease })).Status);
        Assert.Empty((await scene.PullAsync(5)).Actions);
    }

    [Fact]
    public async Task A_lease_id_is_never_given_twice_even_if_the_first_was_closed_just_before_a_crash()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 1);
        await scene.OverdueAsync("ann", 50_000);
        await scene.OverdueAsync("bob", 20_000);
        await scene.OverdueAsync("cyd", 10_000);
        await scene.Node.CheckpointAsync();
        PullResponse first = await scene.PullAsync(2);
        await scene.Queues.ReportAsync(new ReportRequest { Lease = first.Actions[0].Lease, Outcome = AttemptOutcome.NoAnswer });
        Assert.Equal(LeaseStatus.LeaseClosed, (await scene.Queues.ReleaseAsync(new ReleaseRequest { Lease = first.Actions[1].Lease })).Status);
        await scene.RestartAsync(crash: true);

        PullResponse second = await scene.PullAsync(5);
        Assert.Equal(["bob", "cyd"], second.Actions.Select(a => a.Debtor));
        Assert.Empty(first.Actions.Select(a => a.Lease).Intersect(second.Actions.Select(a => a.Lease)));
        foreach (V1.Action old in first.Actions)
            Assert.NotEqual(LeaseStatus.LeaseOpen, (await scene.Queues.ExtendAsync(new ExtendRequest { Lease = old.Lease })).Status);
        await scene.Node.CheckpointAsync();
        await scene.RestartAsync();
        Assert.Equal(2, (await scene.QueueAsync())!.Leased);
    }

    [Fact]
    public async Task An_expired_lease_counts_as_an_attempt_and_the_debtor_rests_a_day()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        V1.Action action = Assert.Single((await scene.PullAsync(1, leaseSeconds: 60)).Actions);
        await scene.MoveToAsync(NodeScene.Start.AddSeconds(59));
        Assert.Equal(LeaseStatus.LeaseOpen, (await scene.Queues.ExtendAsync(new ExtendRequest { Lease = action.Lease, LeaseSeconds = 60 })).Status);
        await scene.MoveToAsync(NodeScene.Start.AddSeconds(118));
        Assert.Equal(LeaseStatus.LeaseOpen, (await scene.Queues.ExtendAsync(new ExtendRequest { Lease = action.Lease, LeaseSeconds = 1 })).Status);
        await scene.MoveToAsync(NodeScene.Start.AddSeconds(119));
        await scene.MoveToAsync(NodeScene.Start.AddSeconds(120));

        DebtorView rests = await scene.GetAsync("ann", 5);
        Assert.Equal("contacted within the last 24 hours", rests.NotQueuedBecause);
        Assert.Equal(AttemptOutcome.Unconfirmed, rests.LastEvents[0].Event.AttemptReported.Outcome);
        Assert.Equal(action.Lease, rests.LastEvents[0].Event.AttemptReported.Lease);
        Assert.Equal(LeaseStatus.LeaseClosed, (await scene.Queues.ReportAsync(new ReportRequest { Lease = action.Lease, Outcome = AttemptOutcome.RightParty })).Status);
        Assert.Empty((await scene.PullAsync(1)).Actions);
        await scene.MoveToAsync(NodeScene.Start.AddHours(24).AddSeconds(-1));
        Assert.Empty((await scene.PullAsync(1)).Actions);
        await scene.MoveToAsync(NodeScene.Start.AddHours(24));
        Assert.Single((await scene.PullAsync(1)).Actions);
    }

    [Fact]
    public async Task A_subscriber_is_told_of_a_void_and_gets_the_next_best_in_its_place()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 90_000);
        await scene.OverdueAsync("bob", 50_000);
        using AsyncServerStreamingCall<SubscribeMessage> call = scene.Queues.Subscribe(new SubscribeRequest { Tenant = NodeScene.Tenant, Queue = "default/voice", Caller = "s", MaxOpen = 1 });
        Assert.Equal("ann", (await NextAsync(call)).Action.Debtor);
        await scene.AppendAsync(scene.Events.Paid("ann", "p", 90_000, scene.Today));
        SubscribeMessage told = await NextAsync(call);
        Assert.Equal(("ann", "nothing is overdue any more"), (told.Voided.Debtor, told.Voided.Reason));
        V1.Action second = (await NextAsync(call)).Action;
        Assert.Equal("bob", second.Debtor);
        // What is reported makes room for what comes later.
        await scene.Queues.ReportAsync(new ReportRequest { Lease = second.Lease, Outcome = AttemptOutcome.RightParty });
        await scene.OverdueAsync("cyd", 30_000);
        Assert.Equal("cyd", (await NextAsync(call)).Action.Debtor);
    }

    [Fact]
    public async Task A_subscription_ends_when_the_node_stops()
    {
        NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 90_000);
        using AsyncServerStreamingCall<SubscribeMessage> call = scene.Queues.Subscribe(new SubscribeRequest { Tenant = NodeScene.Tenant, Queue = "default/voice", Caller = "s", MaxOpen = 5 });
        Assert.Equal("ann", (await NextAsync(call)).Action.Debtor);
        Task<SubscribeMessage> next = NextAsync(call);
        Task stopped = scene.StopAsync();
        RpcException end = await Assert.ThrowsAsync<RpcException>(() => next);
        Assert.Equal(StatusCode.Unavailable, end.StatusCode);
        Assert.Contains("stopping", end.Status.Detail, StringComparison.Ordinal);
        await stopped.WaitAsync(EndToEnd.CollectionsProcess.Patience);
        await scene.DisposeAsync();
        Assert.Empty(scene.Warnings);
    }

    [Fact]
    public async Task A_debtors_features_are_the_whole_catalogue_in_its_order()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 90_000);
        DebtorView view = await scene.GetAsync("ann");
        Assert.Equal(FeatureCatalogue.Names.ToArray(), view.Features.Select(f => f.Name));
        Assert.Equal(900.0, view.Features.Single(f => f.Name == "open_balance").Value);
        Assert.Equal(10.0, view.Features.Single(f => f.Name == "oldest_dpd").Value);
        Assert.Equal("propensity", view.Model);
        Assert.InRange(view.Propensity, 0, 1);
    }

    /// <summary>The queues in which anybody stands; one that everybody has left may still be listed.</summary>
    private static async Task<QueueSummary[]> InUseAsync(NodeScene scene, string tenant) =>
        [.. (await scene.Queues.ListQueuesAsync(new ListQueuesRequest { Tenant = tenant })).Queues.Where(q => q.Waiting + q.Leased > 0)];

    private static async Task<SubscribeMessage> NextAsync(AsyncServerStreamingCall<SubscribeMessage> call)
    {
        using var patience = new CancellationTokenSource(EndToEnd.CollectionsProcess.Patience);
        Assert.True(await call.ResponseStream.MoveNext(patience.Token), "the subscription ended");
        return call.ResponseStream.Current;
    }
}
