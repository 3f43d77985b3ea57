using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;
using Collections.Simulation.Fakes;

namespace Collections.Engine.Tests.Partitions;

/// <summary>Leases and their partitions across a restart, one case at a time; the simulation goes through all of them.</summary>
public sealed class TakeOverTests : IDisposable
{
    private readonly MemoryStore store = new();
    private readonly Scene before = new Scene().Owes("a").Owes("b", 5_000).Run();
    private readonly List<Partition> recovered = [];

    public TakeOverTests() => store.TakeOwnership(0, "before");

    public void Dispose()
    {
        before.Dispose();
        foreach (Partition partition in recovered)
            partition.Dispose();
    }

    [Fact]
    public void A_lease_granted_after_the_checkpoint_is_still_its_holders()
    {
        Keep();
        LeaseRow row = Grant();
        Partition after = Recover();
        Assert.Equal(LeaseStatus.Open, after.Desk.CheckHeld(row.Sequence).Status);
        Assert.Equal(row.Sequence + 1, NextSequence(after));
    }

    [Fact]
    public void A_grant_that_a_checkpoint_came_into_is_told_of_once()
    {
        LeaseRow row = before.Reserve();
        store.CommitLeases([new LeaseChange(LeaseChangeKind.Grant, 0, 1, row.Sequence, row.ExpiresMs, row)]);
        Keep();
        Assert.True(before.Desk.Confirm(row.Sequence));
        // The process dies: the lease is in its holder's hand, and the trail does not know it.
        Assert.Empty(store.LoadAudit(0));
        for (int restart = 0; restart < 2; restart++)
        {
            Partition after = Recover();
            Assert.Equal(LeaseStatus.Open, after.Desk.CheckHeld(row.Sequence).Status);
            Keep(after);
            Assert.Equal(AuditKind.LeaseGranted, Assert.Single(store.LoadAudit(0)).Kind);
        }
    }

    [Fact]
    public void A_lease_that_was_voided_before_it_was_in_anybodys_hand_is_told_to_nobody()
    {
        LeaseRow row = before.Reserve();
        Keep();
        before.Pays(row.Debtor).Run();
        Assert.False(before.Desk.Confirm(row.Sequence));
        Keep();
        Assert.Empty(store.LoadAudit(0));
    }

    [Fact]
    public void A_lease_voided_after_the_checkpoint_frees_its_debtor()
    {
        LeaseRow row = Grant();
        Keep();
        before.Pays("a").Run();
        store.CommitLeases(before.Partition.Effects.LeaseChanges);
        Partition after = Recover();
        Assert.Equal(LeaseStatus.Voided, after.Desk.CheckHeld(row.Sequence).Status);
        // The payment comes again, and must find nothing to void.
        Replay(after, before);
        Assert.Empty(after.Effects.Voided);
        Assert.Equal(default, after.View.Check());
    }

    [Fact]
    public void What_was_known_before_a_grant_does_not_void_it_when_it_is_read_again()
    {
        Keep();
        before.Reports("a", "9-9").Run().After(2 * Day.MsPerDay);
        LeaseRow row = Grant();
        Assert.Equal("a", row.Debtor);
        Partition after = Recover();
        Replay(after, before);
        Assert.Equal(LeaseStatus.Open, after.Desk.CheckHeld(row.Sequence).Status);
        Assert.Empty(after.Effects.Voided);
    }

    [Fact]
    public void The_number_of_a_lease_that_came_and_went_between_two_checkpoints_is_not_given_again()
    {
        Keep();
        LeaseRow row = Grant();
        store.CommitLeases([new LeaseChange(LeaseChangeKind.Void, 0, 1, row.Sequence, row.ExpiresMs, null)]);
        before.Desk.Release(row.Sequence);
        before.Run();
        store.CommitLeases(before.Partition.Effects.LeaseChanges);
        Partition after = Recover();
        Assert.Equal(row.Sequence + 1, NextSequence(after));
        Assert.NotEqual(LeaseStatus.Open, after.Desk.CheckHeld(row.Sequence).Status);
    }

    [Fact]
    public void A_partition_that_is_folded_anew_gives_no_number_twice()
    {
        LeaseRow row = Grant();
        before.Desk.Release(row.Sequence);
        Keep();
        store.CommitLeases([new LeaseChange(LeaseChangeKind.Close, 0, 1, row.Sequence, 0, null)]);
        store.ChangeLayout(0);
        Assert.Equal(row.Sequence + 1, NextSequence(Recover()));
    }

    private LeaseRow Grant()
    {
        LeaseRow row = before.Reserve();
        store.CommitLeases([new LeaseChange(LeaseChangeKind.Grant, 0, 1, row.Sequence, row.ExpiresMs, row)]);
        Assert.True(before.Desk.Confirm(row.Sequence));
        return row;
    }

    private void Keep() => Keep(before.Partition);

    private void Keep(Partition partition)
    {
        var checkpoint = new Checkpoint();
        partition.Checkpoints.Fill(checkpoint);
        store.Commit(checkpoint);
        partition.Checkpoints.OnCommitted(checkpoint.Header);
    }

    private Partition Recover()
    {
        long epoch = store.TakeOwnership(0, "after");
        var partition = new Partition(0, 1, null, DebtorOptions.Default);
        bool found = store.Load(0, partition.Checkpoints);
        uint next = partition.Checkpoints.StoredLeaseSequence;
        bool refold = partition.Checkpoints.RefoldReason.Length > 0;
        if (refold)
        {
            partition.Dispose();
            partition = new Partition(0, 1, null, DebtorOptions.Default);
        }
        recovered.Add(partition);
        partition.Checkpoints.Own(epoch, startAnew: refold || !found, next);
        partition.Checkpoints.Finish(store.LoadLeases(0));
        return partition;
    }

    private static void Replay(Partition partition, Scene log)
    {
        RecordBatch rest = log.From(partition.Positions);
        partition.RunOnce(new Slice { Records = rest, CaughtUp = true, NowMs = log.NowMs, SweepMax = Limits.SweepPerSlice });
    }

    private static uint NextSequence(Partition partition)
    {
        var checkpoint = new Checkpoint();
        partition.Checkpoints.Fill(checkpoint);
        return checkpoint.Header.NextLeaseSequence;
    }
}
