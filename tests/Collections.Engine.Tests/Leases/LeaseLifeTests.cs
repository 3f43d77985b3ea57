using Collections.Domain.Events;
using Collections.Engine.Leases;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;
using Collections.Strategy;

namespace Collections.Engine.Tests.Leases;

/// <summary>What a lease is at each moment of its life, and what that does to its debtor.</summary>
public sealed class LeaseLifeTests
{
    /// <summary>The answer to whoever acts on a lease, by what has become of it; in the order of precedence.</summary>
    [Theory]
    [InlineData("never granted", LeaseStatus.Unknown)]
    [InlineData("reserved", LeaseStatus.Unknown)]
    [InlineData("paid", LeaseStatus.Voided)]
    [InlineData("paid while reserved", LeaseStatus.Voided)]
    [InlineData("paid and its time over", LeaseStatus.Voided)]
    [InlineData("its time over", LeaseStatus.Expired)]
    [InlineData("its time over and paid", LeaseStatus.Expired)]
    [InlineData("being reported", LeaseStatus.Closed)]
    [InlineData("reported", LeaseStatus.Closed)]
    [InlineData("released", LeaseStatus.Closed)]
    [InlineData("reserved and given back", LeaseStatus.Closed)]
    [InlineData("void and long forgotten", LeaseStatus.Closed)]
    [InlineData("granted", LeaseStatus.Open)]
    [InlineData("being reported, and the report failed", LeaseStatus.Open)]
    public void An_act_on_a_lease_is_answered_by_what_has_become_of_it(string become, LeaseStatus expected)
    {
        using Scene scene = new Scene().Owes("a").Run();
        uint lease = become == "never granted" ? 1 : scene.Reserve().Sequence;
        if (!become.StartsWith("reserved", StringComparison.Ordinal) && become is not ("never granted" or "paid while reserved"))
            Assert.True(scene.Desk.Confirm(lease));
        switch (become)
        {
            case "paid" or "paid while reserved": scene.Pays("a").Run(); break;
            case "paid and its time over": scene.Pays("a").Run().After(Scene.Hour + Scene.Minute); break;
            case "void and long forgotten": scene.Pays("a").Run().After(3 * Scene.Hour); break;
            case "its time over": scene.After(2 * Scene.Hour); break;
            case "its time over and paid": scene.NowMs += 2 * Scene.Hour; scene.Pays("a").Run(); break;
            case "being reported": Assert.Equal(LeaseStatus.Open, scene.Desk.BeginReport(lease).Status); break;
            case "being reported, and the report failed": scene.Desk.BeginReport(lease); Assert.True(scene.Desk.AbortReport(lease)); break;
            case "reported": scene.Desk.BeginReport(lease); scene.Reports("a", "0-1").Run(); break;
            case "released": Assert.Equal(LeaseStatus.Closed, scene.Desk.Release(lease).Status); break;
            case "reserved and given back": scene.Desk.Unreserve(lease); break;
        }
        Assert.Equal(expected, scene.Desk.CheckHeld(lease).Status);
        Assert.Equal(expected, scene.Desk.Extend(lease, scene.NowMs + 9 * Scene.Hour).Status);
        // Whether a report that is on its way arrives, nobody knows: it may be told again.
        Assert.Equal(become == "being reported" ? LeaseStatus.Open : expected, scene.Desk.BeginReport(lease).Status);
    }

    [Fact]
    public void A_leased_debtor_stands_in_no_queue()
    {
        using Scene scene = new Scene().Owes("a").Owes("b", 20_000).Run();
        Assert.Equal(["b", "a"], scene.Heads());
        LeaseRow row = scene.Pull();
        Assert.Equal("b", row.Debtor);
        Assert.Equal(["a"], scene.Heads());
        scene.Owes("b", 5_000).Run().After(Scene.Minute);
        Assert.Equal(["a"], scene.Heads());
    }

    [Fact]
    public void An_expired_lease_asks_for_exactly_one_unconfirmed_attempt_and_its_debtor_rests()
    {
        using Scene scene = new Scene().Owes("a").Run();
        LeaseRow row = scene.Pull();
        scene.After(Scene.Hour - 1);
        Assert.Empty(scene.Appended);
        scene.After(1).Run().After(Scene.Hour).Run();
        Assert.Equal(["lease:0-1: Unconfirmed Sms of a under 0-1"], scene.Appended);
        Assert.Empty(scene.Heads());
        Assert.Equal(Eligibility.Resting, scene.Debtor("a").Eligibility);
        Assert.Equal(row.GrantedMs + BuiltInStrategy.RestMs, scene.Debtor("a").Acted.RestUntilMs);
        scene.NowMs = row.GrantedMs + BuiltInStrategy.RestMs - 1;
        Assert.Empty(scene.Run().Heads());
        Assert.Equal(["a"], scene.After(1).Heads());
    }

    [Fact]
    public void A_payment_voids_the_lease_and_its_holder_is_told_once()
    {
        using Scene scene = new Scene().Owes("a").Run();
        LeaseRow row = scene.Pull();
        scene.Pays("a").Run().After(Scene.Minute).Pays("a", 1).Run();
        LeaseVoidedNotice notice = Assert.Single(scene.Voided);
        Assert.Equal((row.Id, "nothing is overdue any more"), (notice.Row.Id, notice.Reason));
        Assert.Empty(scene.Heads());
    }

    [Fact]
    public void A_report_after_the_lease_was_voided_still_counts_the_attempt()
    {
        using Scene scene = new Scene().Owes("a").Run();
        LeaseRow row = scene.Pull();
        scene.Disputes("a", "dispute").Run();
        Assert.Equal(LeaseStatus.Voided, scene.Desk.BeginReport(row.Sequence).Status);
        scene.Reports("a", row.Id, AttemptOutcome.RightParty).Run();
        Assert.Equal(scene.NowMs, scene.Debtor("a").Facts.LastRightPartyMs);
        Assert.Equal(LeaseStatus.Closed, scene.Desk.CheckHeld(row.Sequence).Status);
    }

    [Fact]
    public void More_time_never_shortens_a_lease()
    {
        using Scene scene = new Scene().Owes("a").Run();
        LeaseRow row = scene.Pull();
        Assert.Equal(row.ExpiresMs, scene.Desk.Extend(row.Sequence, row.ExpiresMs - Scene.Minute).Row!.ExpiresMs);
        Assert.Equal(row.ExpiresMs + 5, scene.Desk.Extend(row.Sequence, row.ExpiresMs + 5).Row!.ExpiresMs);
        scene.NowMs = row.ExpiresMs + 4;
        Assert.Equal(LeaseStatus.Open, scene.Run().Desk.CheckHeld(row.Sequence).Status);
        Assert.Equal(LeaseStatus.Expired, scene.After(1).Desk.CheckHeld(row.Sequence).Status);
    }

    [Fact]
    public void A_released_debtor_is_back_at_once_at_the_place_that_it_had()
    {
        using Scene scene = new Scene().Owes("b").Run();
        scene.After(Scene.Minute).Owes("a").Run();
        Assert.Equal(["b", "a"], scene.Heads());
        LeaseRow row = scene.Pull();
        scene.After(Scene.Minute);
        scene.Desk.Release(row.Sequence);
        Assert.Equal(["b", "a"], scene.Heads());
    }

    [Fact]
    public void A_failed_report_lets_go_of_a_lease_that_has_become_void_meanwhile()
    {
        using Scene scene = new Scene().Owes("a").Run();
        LeaseRow row = scene.Pull();
        scene.Desk.BeginReport(row.Sequence);
        scene.Pays("a").Run();
        Assert.Empty(scene.Voided);
        scene.Desk.AbortReport(row.Sequence);
        scene.Run();
        Assert.Equal(row.Id, Assert.Single(scene.Voided).Row.Id);
    }

    [Fact]
    public void A_lease_under_report_does_not_expire()
    {
        using Scene scene = new Scene().Owes("a").Run();
        LeaseRow row = scene.Pull();
        scene.Desk.BeginReport(row.Sequence);
        scene.After(5 * Scene.Hour);
        Assert.Empty(scene.Appended);
        scene.Desk.AbortReport(row.Sequence);
        scene.After(Scene.Minute);
        Assert.Single(scene.Appended);
    }

    [Fact]
    public void A_lease_that_could_not_be_committed_gives_its_debtor_back()
    {
        using Scene scene = new Scene().Owes("a").Run();
        LeaseRow row = scene.Reserve();
        Assert.Empty(scene.Heads());
        scene.Desk.Unreserve(row.Sequence);
        Assert.Equal(["a"], scene.Heads());
        Assert.False(scene.Desk.Confirm(row.Sequence));
        Assert.Equal(row.Sequence + 1, scene.Reserve().Sequence);
    }

    [Fact]
    public void A_lease_expires_after_its_parked_debtor_is_back()
    {
        using Scene scene = new Scene().Owes("a", id: "one").Pays("a", 100, "p").Run();
        LeaseRow row = scene.Pull();
        // The same id with other content: only the history can tell.
        scene.Pays("a", 200, "p").Run();
        Assert.True(scene.Debtor("a").IsParked);
        scene.After(2 * Scene.Hour);
        Assert.Empty(scene.Appended);
        Assert.Equal(LeaseStatus.Open, scene.Desk.CheckHeld(row.Sequence).Status);
        scene.AnswerHistories().Run();
        Assert.Single(scene.Appended);
        Assert.Equal(Eligibility.Resting, scene.Debtor("a").Eligibility);
    }

    [Fact]
    public void A_payment_held_for_a_parked_debtor_voids_the_lease_when_the_debtor_is_back()
    {
        using Scene scene = new Scene().Owes("a").Pays("a", 100, "p").Run();
        LeaseRow row = scene.Pull();
        scene.Pays("a", 200, "p").Pays("a", 9_900).Run();
        Assert.Empty(scene.Voided);
        scene.AnswerHistories();
        Assert.Equal(row.Id, Assert.Single(scene.Voided).Row.Id);
    }

    [Fact]
    public void A_report_held_for_a_parked_debtor_closes_the_lease_when_the_debtor_is_back()
    {
        using Scene scene = new Scene().Owes("a").Pays("a", 100, "p").Run();
        LeaseRow row = scene.Pull();
        scene.Pays("a", 200, "p").Run();
        scene.Desk.BeginReport(row.Sequence);
        scene.Reports("a", row.Id).Run();
        Assert.Equal(LeaseStatus.Closed, scene.Desk.CheckHeld(row.Sequence).Status);
        Assert.Equal(1, scene.Partition.View.OpenLeaseCount);
        scene.AnswerHistories();
        Assert.Equal(0, scene.Partition.View.OpenLeaseCount);
        Assert.Equal(Eligibility.Resting, scene.Debtor("a").Eligibility);
    }
}
