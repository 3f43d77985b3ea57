using Collections.V1;

namespace Collections.Server.Tests.Services;

/// <summary>What the door for events answers, and what a retry does.</summary>
public sealed class IngestServiceTests
{
    [Fact]
    public async Task A_retried_event_changes_nothing_and_another_content_under_its_id_is_a_dead_letter()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        Event payment = scene.Events.Paid("ann", "p", 20_000, scene.Today);
        for (int i = 0; i < 3; i++)
            Assert.Equal(AppendStatus.AppendApplied, Assert.Single((await scene.AppendAsync(payment)).Results).Status);
        Assert.Equal(30_000, (await scene.GetAsync("ann")).OpenMinor);

        await scene.AppendAsync(scene.Events.Paid("ann", "p", 30_000, scene.Today));
        Assert.Equal(30_000, (await scene.GetAsync("ann")).OpenMinor);
        StatusResponse status = await scene.Debtors.StatusAsync(new StatusRequest());
        Assert.Equal((2, 1), (status.Duplicates, status.DeadLetters));
    }

    [Fact]
    public async Task History_is_refused_here_because_it_would_keep_its_partition_quiet_until_an_import_ends()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        Event payment = scene.Events.Paid("ann", "p", 20_000, scene.Today);
        payment.History = true;
        AppendResult result = Assert.Single((await scene.Ingest.AppendAsync(new AppendRequest { Events = { payment } })).Results);
        Assert.Equal((AppendStatus.AppendRefused, "history: is set, but a bulk import of history goes in by `collections import`, which also ends it; leave the field out"), (result.Status, result.Reason));
    }

    [Fact]
    public async Task Applied_is_answered_only_when_a_debtor_who_was_parked_for_the_event_is_back()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 1);
        var payment = new AppendRequest { Events = { scene.Events.Paid("ann", "p", 1, scene.Today) } };
        await scene.Ingest.AppendAsync(payment);
        for (int i = 1; i <= 20; i++)
        {
            // Another content under a known id is looked up in the log, and its debtor is parked meanwhile.
            payment.Events[0].PaymentReceived.Amount.MinorUnits = 1 + i;
            Assert.Equal(AppendStatus.AppendApplied, Assert.Single((await scene.Ingest.AppendAsync(payment)).Results).Status);
            StatusResponse status = await scene.Debtors.StatusAsync(new StatusRequest());
            Assert.Equal((i, 0), (status.DeadLetters, status.Parked));
        }
    }

    [Fact]
    public async Task At_the_deadline_under_a_backlog_the_answer_is_durable_and_not_yet_applied()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 2);
        await scene.OverdueAsync("ann", 50_000);
        using var backlog = new ManualResetEventSlim();
        Task blocked = scene.Node.AskAll(_ => backlog.Wait(EndToEnd.CollectionsProcess.Patience));
        try
        {
            var request = new AppendRequest { Events = { scene.Events.Paid("ann", "p", 50_000, scene.Today) } };
            AppendResponse response = await scene.Ingest.AppendAsync(request, deadline: DateTime.UtcNow.AddSeconds(3));
            AppendResult result = Assert.Single(response.Results);
            Assert.Equal((AppendStatus.AppendDurable, "payments", 0L), (result.Status, result.Stream, result.Offset));
            Assert.Equal(1, scene.Node.Log.End(result.Partition).Payments);
        }
        finally
        {
            backlog.Set();
        }
        await blocked;
        await scene.Node.SettleAsync();
        Assert.Equal(0, (await scene.GetAsync("ann")).OpenMinor);
    }

    [Fact]
    public async Task Who_asks_only_for_durable_is_not_kept_waiting_by_a_backlog()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 2);
        using var backlog = new ManualResetEventSlim();
        Task blocked = scene.Node.AskAll(_ => backlog.Wait(EndToEnd.CollectionsProcess.Patience));
        try
        {
            var request = new AppendRequest { Events = { scene.Events.Registered("ann", "") }, Wait = Wait.Durable };
            Assert.Equal(AppendStatus.AppendDurable, Assert.Single((await scene.Ingest.AppendAsync(request)).Results).Status);
        }
        finally
        {
            backlog.Set();
        }
        await blocked;
    }

    [Fact]
    public async Task What_was_answered_as_applied_is_there_after_a_crash()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        for (int i = 0; i < 20; i++)
            await scene.OverdueAsync($"debtor-{i}", 10_000 + i);
        await scene.AppendAsync([.. Enumerable.Range(0, 10).Select(i => scene.Events.Paid($"debtor-{i}", $"p{i}", 4_000, scene.Today))]);
        await scene.RestartAsync(crash: true);
        for (int i = 0; i < 20; i++)
            Assert.Equal(10_000 + i - (i < 10 ? 4_000 : 0), (await scene.GetAsync($"debtor-{i}")).OpenMinor);
        StatusResponse status = await scene.Debtors.StatusAsync(new StatusRequest());
        Assert.Equal((50, 0, 0), (status.EventsApplied, status.Duplicates, status.DeadLetters));
    }
}
