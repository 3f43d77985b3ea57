using System.Globalization;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;
using Collections.Simulation.Fakes;

namespace Collections.Engine.Tests.Hosting;

/// <summary>The node as its callers see it: several partitions, several workers, and things that fail.</summary>
public sealed class NodeTests
{
    [Fact]
    public async Task A_pull_over_several_partitions_gives_the_exact_global_order()
    {
        await using var scene = new NodeScene(partitions: 8);
        var random = new Random(5);
        (string Debtor, long AmountMinor)[] debts = [.. Enumerable.Range(0, 200).Select(i => ($"d{i}", 100L * random.Next(1, 40)))];
        await scene.OweAsync(debts);
        // All became eligible at the same moment, so among equals the key decides.
        List<string> expected = [.. debts.OrderByDescending(debt => debt.AmountMinor).ThenBy(debt => debt.Debtor, StringComparer.Ordinal).Select(debt => debt.Debtor)];
        for (int taken = 0; taken < 200; taken += 50)
        {
            PullResult result = await scene.PullAsync(50);
            Assert.Equal(expected.Skip(taken).Take(50), NodeScene.Names(result));
            Assert.Equal("", result.Reason);
        }
        Assert.Empty((await scene.PullAsync(1)).Leases);
    }

    [Fact]
    public async Task Among_equal_values_the_one_that_was_eligible_first_comes_first()
    {
        await using var scene = new NodeScene();
        foreach (string name in (string[])["z", "m", "a", "k"])
        {
            await scene.OweAsync((name, 1_000));
            scene.Time.Add(5);
        }
        Assert.Equal(["z", "m", "a", "k"], NodeScene.Names(await scene.PullAsync(4)));
    }

    [Fact]
    public async Task A_retry_gets_the_same_leases_also_after_a_restart()
    {
        await using var scene = new NodeScene();
        await scene.OweAsync(("a", 300), ("b", 200), ("c", 100));
        List<string> first = NodeScene.Ids(await scene.PullAsync(2, "request"));
        Assert.Equal(first, NodeScene.Ids(await scene.PullAsync(2, "request")));
        scene.Restart();
        await scene.SettleAsync();
        Assert.Equal(first, NodeScene.Ids(await scene.PullAsync(2, "request")));
        Assert.Equal(first, NodeScene.Ids(await scene.PullAsync(2, "request")));
        Assert.Equal(["c"], NodeScene.Names(await scene.PullAsync(2, "request", caller: "another")));
    }

    [Fact]
    public async Task A_retry_does_not_give_what_has_ended_meanwhile()
    {
        await using var scene = new NodeScene();
        await scene.OweAsync(("a", 300), ("b", 200), ("c", 100));
        List<string> first = NodeScene.Ids(await scene.PullAsync(3, "request"));
        await scene.Node.Actions.ReleaseAsync(first[0]).WaitAsync(NodeScene.Patience);
        await scene.PayAsync("b", 200);
        await scene.SettleAsync();
        Assert.Equal([first[2]], NodeScene.Ids(await scene.PullAsync(3, "request")));
        Assert.Equal(["a"], NodeScene.Names(await scene.PullAsync(3, "other request")));
    }

    [Fact]
    public async Task Concurrent_pulls_never_share_a_debtor()
    {
        await using var scene = new NodeScene(partitions: 6);
        await scene.OweAsync([.. Enumerable.Range(0, 300).Select(i => ($"d{i}", 100L + i))]);
        PullResult[] results = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => scene.PullAsync(1 + i % 7, caller: i.ToString(CultureInfo.InvariantCulture)))));
        List<string> names = [.. results.SelectMany(NodeScene.Names)];
        Assert.Equal(names.Count, names.Distinct().Count());
        BookCheck[] checks = await scene.Node.AskAll(partition => partition.View.Check());
        Assert.All(checks, check => Assert.Equal(default, check));
        Assert.Equal(names.Count, (await scene.Node.AskAll(partition => partition.View.OpenLeaseCount)).Sum());
    }

    [Fact]
    public async Task A_commit_of_leases_that_fails_hands_out_nothing_and_gives_the_debtors_back()
    {
        await using var scene = new NodeScene();
        await scene.OweAsync(("a", 300), ("b", 200), ("c", 100));
        scene.Store.At = moment =>
        {
            if (moment == StoreMoment.BeforeLeases)
                throw new StoreUnavailableException("the simulated store is away", new IOException());
        };
        await Assert.ThrowsAsync<StoreUnavailableException>(() => scene.PullAsync(2, "request"));
        scene.Store.At = null;
        await scene.SettleAsync();
        Assert.Empty(Enumerable.Range(0, 4).SelectMany(scene.Store.LoadLeases));
        Assert.Equal(["a", "b", "c"], NodeScene.Names(await scene.PullAsync(3, "request")));
    }

    [Fact]
    public async Task A_debtor_who_pays_while_the_lease_is_being_committed_is_not_handed_out()
    {
        await using var scene = new NodeScene();
        await scene.OweAsync(("a", 300), ("b", 200));
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Store.Wait = moment =>
        {
            if (moment != StoreMoment.BeforeLeases)
                return Task.CompletedTask;
            reached.TrySetResult();
            return gate.Task;
        };
        Task<PullResult> pull = scene.PullAsync(2);
        await reached.Task.WaitAsync(NodeScene.Patience);
        await scene.PayAsync("a", 300);
        gate.SetResult();
        Assert.Equal(["b"], NodeScene.Names(await pull));
        await scene.SettleAsync();
        Assert.All(await scene.Node.AskAll(partition => partition.View.Check()), check => Assert.Equal(default, check));
    }

    [Fact]
    public async Task A_fenced_partition_stops_and_says_so_and_a_pull_names_it()
    {
        await using var scene = new NodeScene(partitions: 2, workers: 1);
        await scene.OweAsync([.. Enumerable.Range(0, 20).Select(i => ($"d{i}", 100L + i))]);
        scene.Store.TakeOwnership(1, "another node");
        await Assert.ThrowsAnyAsync<Exception>(() => scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience));
        Assert.Equal(PartitionState.Stopped, scene.Node.StateOf(1));
        Assert.Contains("epoch", scene.Node.ReasonOf(1), StringComparison.Ordinal);
        Assert.Contains(scene.Warnings, warning => warning.StartsWith("partition 1 has stopped", StringComparison.Ordinal));
        PullResult result = await scene.PullAsync(20);
        Assert.Contains("partition 1 is stopped (", result.Reason, StringComparison.Ordinal);
        Assert.NotEmpty(result.Leases);
        Assert.All(result.Leases, action => Assert.Equal(0, action.Lease.Partition));
        await scene.SettleAsync();
    }

    [Fact]
    public async Task A_report_is_an_event_and_closes_the_lease()
    {
        await using var scene = new NodeScene();
        await scene.OweAsync(("a", 300));
        string lease = NodeScene.Ids(await scene.PullAsync(1))[0];
        LeaseAnswer answer = await scene.Node.Actions.ReportAsync(lease, AttemptOutcome.NoAnswer, scene.Time.NowMs, CancellationToken.None).WaitAsync(NodeScene.Patience);
        Assert.Equal(LeaseStatus.Closed, answer.Status);
        Assert.Equal(LeaseStatus.Closed, (await scene.Node.Actions.ReportAsync(lease, AttemptOutcome.NoAnswer, scene.Time.NowMs, CancellationToken.None)).Status);
        Assert.Equal(LeaseStatus.Unknown, (await scene.Node.Actions.ReleaseAsync("99-1")).Status);
        Assert.Equal(LeaseStatus.Unknown, (await scene.Node.Actions.ExtendAsync("no lease", 5)).Status);
        await scene.SettleAsync();
        Assert.Empty((await scene.PullAsync(1)).Leases);
        scene.Time.Add(Day.MsPerDay);
        await scene.SettleAsync();
        Assert.Equal(["a"], NodeScene.Names(await scene.PullAsync(1)));
    }

    [Fact]
    public async Task A_report_that_the_log_does_not_take_can_be_made_again()
    {
        await using var scene = new NodeScene();
        await scene.OweAsync(("a", 300));
        string lease = NodeScene.Ids(await scene.PullAsync(1))[0];
        scene.Log.FailAppends(1);
        await Assert.ThrowsAsync<Logs.LogUnavailableException>(() => scene.Node.Actions.ReportAsync(lease, AttemptOutcome.Busy, scene.Time.NowMs, CancellationToken.None));
        Assert.Equal(LeaseStatus.Closed, (await scene.Node.Actions.ReportAsync(lease, AttemptOutcome.Busy, scene.Time.NowMs, CancellationToken.None)).Status);
    }

    [Fact]
    public async Task Nothing_that_was_acknowledged_is_lost_by_a_crash()
    {
        await using var scene = new NodeScene();
        await scene.OweAsync([.. Enumerable.Range(0, 30).Select(i => ($"d{i}", 100L + i))]);
        List<string> pulled = NodeScene.Ids(await scene.PullAsync(10));
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        await scene.PayAsync("d0", 100);
        await scene.Node.Actions.ReleaseAsync(pulled[0]).WaitAsync(NodeScene.Patience);
        ulong[] digests = await scene.Node.AskAll(partition => partition.View.LedgerDigest());
        scene.Restart();
        await scene.SettleAsync();
        Assert.Equal(digests, await scene.Node.AskAll(partition => partition.View.LedgerDigest()));
        Assert.Equal(9, (await scene.Node.AskAll(partition => partition.View.OpenLeaseCount)).Sum());
        PullResult rest = await scene.PullAsync(100);
        Assert.Equal(20, rest.Leases.Count);
        Assert.Empty(NodeScene.Ids(rest).Intersect(pulled));
        Assert.DoesNotContain("d0", NodeScene.Names(rest));
    }

    [Fact]
    public async Task Settled_means_applied_evaluated_and_waiting_for_nothing()
    {
        await using var scene = new NodeScene(partitions: 2);
        var batch = new Logs.AppendBatch();
        var writer = new EventWriter();
        for (int i = 0; i < 5_000; i++)
        {
            byte[] name = NodeScene.Utf8($"d{i % 50}");
            batch.Add(
                DebtorKey.PartitionOf("bank"u8, name, 2), EventStream.Invoices, DebtorKey.HashOf("bank"u8, name), scene.Time.NowMs, history: false,
                writer.ItemIssued(scene.At($"d{i % 50}"), NodeScene.Utf8($"item {i}"), Component.Principal, 100, Currency.Parse("EUR"), Day.OfMs(scene.Time.NowMs).Plus(-9)));
        }
        await scene.Log.AppendAsync(batch, CancellationToken.None);
        await scene.SettleAsync();
        Assert.Equal(5_000, (await scene.Node.AskAll(partition => partition.Counters.Applied)).Sum());
        Assert.Equal(50, (await scene.Node.AskAll(partition => partition.View.Queues().Sum(queue => queue.Waiting))).Sum());
        scene.Time.Add(3 * Day.MsPerDay);
        await scene.SettleAsync();
        Assert.All(await scene.Node.AskAll(partition => partition.ClockMs), clockMs => Assert.Equal(scene.Time.NowMs, clockMs));
    }

    [Fact]
    public async Task Bad_events_are_refused_one_by_one_with_field_and_value()
    {
        await using var scene = new NodeScene();
        var writer = new EventWriter();
        byte[] good = writer.PaymentReceived(scene.At("a"), 5, Currency.Parse("EUR")).ToArray();
        byte[] noDebtor = writer.PaymentReceived(new EventAddress { Tenant = "bank"u8, Debtor = default, Id = "x"u8 }, 5, Currency.Parse("EUR")).ToArray();
        byte[] slash = writer.PaymentReceived(new EventAddress { Tenant = "b/k"u8, Debtor = "a"u8, Id = "x"u8 }, 5, Currency.Parse("EUR")).ToArray();
        byte[] end = writer.ImportEnded(new EventAddress { Tenant = "bank"u8, Debtor = "a"u8, Id = "x"u8 }).ToArray();
        IntakeResult[] results = await scene.Node.Intake.AppendAsync([good, noDebtor, slash, end, new byte[] { 1, 2, 3 }], waitApplied: true, CancellationToken.None).WaitAsync(NodeScene.Patience);
        Assert.Equal(IntakeStatus.Applied, results[0].Status);
        Assert.All(results.Skip(1), result => Assert.Equal(IntakeStatus.Refused, result.Status));
        Assert.Equal(["debtor", "tenant", "body", "event"], results.Skip(1).Select(result => result.Error.Field));
        Assert.Equal("b/k", results[2].Error.Value);
        Assert.Equal(1, Enumerable.Range(0, 4).Sum(partition => scene.Log.End(partition).Total));
    }

    [Fact]
    public async Task While_the_log_does_not_say_where_it_ends_the_clock_stands_and_nothing_old_is_handed_out()
    {
        await using var scene = new NodeScene(partitions: 2);
        await scene.OweAsync(("a", 500));
        long before = (await scene.Node.Ask(0, partition => partition.ClockMs));
        scene.Log.IsSilent = true;
        scene.Time.Add(Limits.BehindMsMax + 1);
        while (Enumerable.Range(0, 2).Any(partition => scene.Node.StateOf(partition) != PartitionState.Behind))
            await scene.Node.AskAll(partition => partition.Number);
        Assert.Equal(before, await scene.Node.Ask(0, partition => partition.ClockMs));
        Assert.Empty((await scene.PullAsync(1)).Leases);
        scene.Log.IsSilent = false;
        await scene.SettleAsync();
        Assert.Single((await scene.PullAsync(1)).Leases);
    }

    [Fact]
    public async Task The_log_is_told_what_the_store_has()
    {
        await using var scene = new NodeScene(partitions: 2);
        await scene.OweAsync(("a", 500), ("b", 600), ("c", 700));
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        for (int partition = 0; partition < 2; partition++)
            Assert.Equal(scene.Log.End(partition), scene.Log.Kept.GetValueOrDefault(partition));
    }

    [Fact]
    public async Task A_misplaced_record_arrives_where_it_belongs()
    {
        await using var scene = new NodeScene(partitions: 2);
        string name = Enumerable.Range(0, 50).Select(i => $"d{i}").First(candidate => DebtorKey.PartitionOf("bank"u8, NodeScene.Utf8(candidate), 2) == 1);
        var batch = new Logs.AppendBatch();
        batch.Add(0, EventStream.Payments, DebtorKey.HashOf("bank"u8, NodeScene.Utf8(name)), scene.Time.NowMs, history: false, new EventWriter().PaymentReceived(scene.At(name), 5, Currency.Parse("EUR")));
        await scene.Log.AppendAsync(batch, CancellationToken.None);
        await scene.SettleAsync();
        await scene.SettleAsync();
        PartitionCounters[] counters = await scene.Node.AskAll(partition => partition.Counters);
        Assert.Equal((1L, 0L), (counters[0].Misplaced, counters[0].Applied));
        Assert.Equal((0L, 1L), (counters[1].Misplaced, counters[1].Applied));
    }

    [Fact]
    public async Task No_checkpoint_passes_a_misplaced_record_that_is_not_yet_durable_where_it_belongs()
    {
        await using var scene = new NodeScene(partitions: 2);
        string name = Enumerable.Range(0, 50).Select(i => $"d{i}").First(candidate => DebtorKey.PartitionOf("bank"u8, NodeScene.Utf8(candidate), 2) == 1);
        var batch = new Logs.AppendBatch();
        batch.Add(0, EventStream.Payments, DebtorKey.HashOf("bank"u8, NodeScene.Utf8(name)), scene.Time.NowMs, history: false, new EventWriter().PaymentReceived(scene.At(name), 5, Currency.Parse("EUR")));
        scene.Log.IsUnreachable = true;
        await scene.Log.AppendAsync(batch, CancellationToken.None);
        scene.Log.Hold();
        scene.Log.IsUnreachable = false;
        await scene.Node.WaitAppliedAsync(0, scene.Log.End(0), CancellationToken.None).WaitAsync(NodeScene.Patience);
        Task kept = scene.Node.CheckpointAsync();
        for (int i = 0; i < 100; i++)
            await scene.Node.AskAll(partition => partition.Number);
        Assert.False(kept.IsCompleted);
        // The process dies before the log has taken the record at its right place.
        scene.Restart();
        await Assert.ThrowsAsync<InvalidOperationException>(() => kept.WaitAsync(NodeScene.Patience));
        await scene.SettleAsync();
        await scene.SettleAsync();
        Assert.Equal(1, (await scene.Node.AskAll(partition => partition.Counters.Applied))[1]);
    }

    [Fact]
    public async Task A_steady_flow_of_misplaced_records_does_not_put_off_checkpoints()
    {
        await using var scene = new NodeScene(partitions: 2);
        string name = Enumerable.Range(0, 50).Select(i => $"d{i}").First(candidate => DebtorKey.PartitionOf("bank"u8, NodeScene.Utf8(candidate), 2) == 1);
        AppendBatch Misplaced()
        {
            var batch = new AppendBatch();
            batch.Add(0, EventStream.Payments, DebtorKey.HashOf("bank"u8, NodeScene.Utf8(name)), scene.Time.NowMs, history: false, new EventWriter().PaymentReceived(scene.At(name), 5, Currency.Parse("EUR")));
            return batch;
        }
        MemoryLog foreign = scene.Log.Reopen();
        scene.Log.Hold();
        await foreign.AppendAsync(Misplaced(), CancellationToken.None);
        await UntilAsync(async () => (await scene.Node.AskAll(partition => partition.Counters.Misplaced))[0] == 1);
        Task kept = scene.Node.CheckpointAsync();
        // With the first one on its way, and a checkpoint due, the next one is left in the log.
        await foreign.AppendAsync(Misplaced(), CancellationToken.None);
        for (int i = 0; i < 100; i++)
            await scene.Node.AskAll(partition => partition.Number);
        Assert.Equal(1, (await scene.Node.AskAll(partition => partition.Counters.Misplaced))[0]);
        scene.Log.LetGo();
        await kept.WaitAsync(NodeScene.Patience);
        await scene.SettleAsync();
        await scene.SettleAsync();
        Assert.Equal(2, (await scene.Node.AskAll(partition => partition.Counters.Applied))[1]);
    }

    [Fact]
    public async Task A_history_that_is_damaged_stops_its_partition_and_no_other()
    {
        await using var scene = new NodeScene(partitions: 2);
        string one = Enumerable.Range(0, 50).Select(i => $"d{i}").First(candidate => DebtorKey.PartitionOf("bank"u8, NodeScene.Utf8(candidate), 2) == 1);
        string other = Enumerable.Range(0, 50).Select(i => $"d{i}").First(candidate => DebtorKey.PartitionOf("bank"u8, NodeScene.Utf8(candidate), 2) == 0);
        await scene.OweAsync((one, 300), (other, 200));
        // The same id with another content: only the history knows which of them counts.
        foreach (long amount in (long[])[5, 6])
        {
            var payment = new AppendBatch();
            payment.Add(1, EventStream.Payments, DebtorKey.HashOf("bank"u8, NodeScene.Utf8(one)), scene.Time.NowMs, history: false, new EventWriter().PaymentReceived(scene.At(one) with { Id = "payment"u8 }, amount, Currency.Parse("EUR")));
            await scene.Log.AppendAsync(payment, CancellationToken.None);
            await scene.SettleAsync();
            scene.Log.IsDamaged = true;
        }
        await UntilAsync(() => Task.FromResult(scene.Node.StateOf(1) == PartitionState.Stopped));
        Assert.Contains("damaged", scene.Node.ReasonOf(1), StringComparison.Ordinal);
        Assert.Equal([other], NodeScene.Names(await scene.PullAsync(5)));
    }

    [Fact]
    public async Task Where_history_is_lost_a_debtor_stays_as_it_is_and_only_what_needs_its_past_is_refused()
    {
        await using var scene = new NodeScene(partitions: 1);
        await scene.OweAsync(("a", 300), ("a", 200));
        scene.Log.HasLostHistory = true;
        // The first payment is applied; the second has its id and another amount; the third is held behind it.
        foreach ((string id, long amount) in ((string, long)[])[("one", 100), ("one", 50), ("two", 25)])
        {
            var payment = new AppendBatch();
            payment.Add(0, EventStream.Payments, DebtorKey.HashOf("bank"u8, "a"u8), scene.Time.NowMs, history: false, new EventWriter().PaymentReceived(scene.At("a") with { Id = NodeScene.Utf8(id) }, amount, Currency.Parse("EUR")));
            await scene.Log.AppendAsync(payment, CancellationToken.None);
        }
        await scene.SettleAsync();
        await scene.SettleAsync();
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        StoredDeadLetter refused = Assert.Single(scene.Store.LoadDeadLetters(0, 0, 10));
        Assert.Contains("the event needs the debtor's whole history: the simulated log has lost", refused.Letter.Reason, StringComparison.Ordinal);
        LeasedAction action = Assert.Single((await scene.PullAsync(5)).Leases);
        Assert.Equal(300 + 200 - 100 - 25, action.OverdueMinor);
    }

    [Fact]
    public async Task Of_requests_whose_leases_have_ended_nothing_but_their_names_is_kept()
    {
        await using var scene = new NodeScene(partitions: 2);
        await scene.OweAsync(("a", 300), ("b", 200), ("c", 100));
        string[] leases = [.. NodeScene.Ids(await scene.PullAsync(2, "request"))];
        var local = (LocalActions)scene.Node.Actions.Local;
        Assert.Equal(2, local.Remembered);
        Assert.Equal(leases, NodeScene.Ids(await scene.PullAsync(2, "request")));
        await scene.ReportAsync(leases[0], AttemptOutcome.NoAnswer);
        Assert.Equal(1, local.Remembered);
        Assert.Equal([leases[1]], NodeScene.Ids(await scene.PullAsync(2, "request")));
        await scene.PayAsync("b", 200);
        await scene.SettleAsync();
        // A retry that comes that late gets nothing, and nobody new either.
        Assert.Empty((await scene.PullAsync(2, "request")).Leases);
        Assert.Equal(["c"], NodeScene.Names(await scene.PullAsync(2)));
    }

    private static async Task UntilAsync(Func<Task<bool>> done)
    {
        using var patience = new CancellationTokenSource(NodeScene.Patience);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!await done())
            await look.WaitForNextTickAsync(patience.Token);
    }

    [Fact]
    public async Task A_store_that_is_away_is_waited_for_and_nothing_is_lost()
    {
        await using var scene = new NodeScene();
        await scene.OweAsync(("a", 300));
        int failures = 3;
        scene.Store.At = moment =>
        {
            if (moment == StoreMoment.BeforeCheckpoint && Interlocked.Decrement(ref failures) >= 0)
                throw new StoreUnavailableException("the simulated store is away", new IOException());
        };
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        Assert.Equal(3, scene.Warnings.Count(warning => warning.Contains("tried again", StringComparison.Ordinal)));
        scene.Restart();
        await scene.SettleAsync();
        Assert.Equal(["a"], NodeScene.Names(await scene.PullAsync(1)));
    }

    [Fact]
    public async Task A_damaged_state_is_folded_anew_and_the_lease_stays_its_holders()
    {
        await using var scene = new NodeScene(partitions: 1);
        await scene.OweAsync(("a", 300), ("b", 200));
        string lease = NodeScene.Ids(await scene.PullAsync(1, "request"))[0];
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        scene.Store.Damage(0);
        scene.Restart();
        await scene.SettleAsync();
        Assert.Contains(scene.Warnings, warning => warning.Contains("folded anew", StringComparison.Ordinal));
        Assert.Equal([lease], NodeScene.Ids(await scene.PullAsync(1, "request")));
        Assert.Equal(["b"], NodeScene.Names(await scene.PullAsync(5)));
    }

    [Fact]
    public async Task A_partition_is_not_folded_anew_from_less_than_was_applied()
    {
        await using var scene = new NodeScene(partitions: 1);
        await scene.OweAsync(("a", 300), ("b", 200), ("c", 100));
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        int kept = scene.Store.CheckpointCount;
        scene.Store.ChangeLayout(0);
        scene.Log.LoseBefore(0, new StreamPositions(1, 0, 0));
        scene.Restart();
        await scene.SettleAsync();
        Assert.Equal(PartitionState.Stopped, scene.Node.StateOf(0));
        Assert.Contains(scene.Warnings, static warning => warning.Contains("partition 0 can't be folded anew", StringComparison.Ordinal) && warning.Contains("has 2 events, and 3 had been applied", StringComparison.Ordinal));
        Assert.Empty((await scene.PullAsync(5)).Leases);
        // With the whole log the checkpoint is still the one to hold it to.
        scene.Log.LoseBefore(0, StreamPositions.Start);
        scene.Restart();
        await scene.SettleAsync();
        Assert.Equal(kept, scene.Store.CheckpointCount);
        Assert.Equal(["a", "b", "c"], NodeScene.Names(await scene.PullAsync(5)));
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        Assert.Equal(kept + 1, scene.Store.CheckpointCount);
    }

    [Fact]
    public async Task Offsets_without_records_are_passed_over_and_kept()
    {
        await using var scene = new NodeScene(partitions: 1);
        await scene.OweAsync(("a", 300));
        // As the marks at the end of a transaction.
        scene.Log.LoseBefore(0, new StreamPositions(0, 5, 0));
        await UntilAsync(async () => (await scene.Node.AskAll(static partition => partition.Positions))[0] == new StreamPositions(1, 5, 0));
        await scene.Node.CheckpointAsync().WaitAsync(NodeScene.Patience);
        scene.Restart();
        Assert.Equal(new StreamPositions(1, 5, 0), (await scene.Node.AskAll(static partition => partition.Checkpoints.Committed))[0]);
        await scene.SettleAsync();
        Assert.Equal(["a"], NodeScene.Names(await scene.PullAsync(1)));
    }

    [Fact]
    public async Task A_retry_while_a_partition_recovers_is_answered_why_and_loses_nothing()
    {
        await using var scene = new NodeScene(partitions: 1);
        await scene.OweAsync(("a", 300));
        List<string> first = NodeScene.Ids(await scene.PullAsync(1, "request"));
        scene.Restart(isUnreachable: true);
        PullResult early = await scene.PullAsync(1, "request");
        Assert.Empty(early.Leases);
        Assert.Equal("partition 0 is recovering", early.Reason);
        scene.Log.IsUnreachable = false;
        await scene.SettleAsync();
        Assert.Equal(first, NodeScene.Ids(await scene.PullAsync(1, "request")));
    }
}
