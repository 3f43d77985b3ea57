using Collections.V1;

namespace Collections.Load.Tests;

/// <summary>What the callers' own list catches, and what it must not take for a fault.</summary>
public sealed class LeaseBookTests
{
    private readonly LeaseBook book = new();

    [Fact]
    public void A_lease_that_is_handed_out_again_is_caught_even_after_its_report()
    {
        int number = Take("1-1", "D1");
        Report(number, LeaseStatus.LeaseClosed);
        Take("1-1", "D2");
        Assert.Equal(1, book.LeasesTwice);
    }

    [Theory]
    [InlineData(LeaseStatus.LeaseClosed, LeaseStatus.LeaseClosed, 1)]
    [InlineData(LeaseStatus.LeaseVoided, LeaseStatus.LeaseClosed, 0)]
    [InlineData(LeaseStatus.LeaseClosed, LeaseStatus.LeaseVoided, 0)]
    public void A_debtor_in_two_hands_is_caught_if_both_leases_were_open(LeaseStatus first, LeaseStatus second, int twice)
    {
        (int a, int b) = (Take("1-1", "D1"), Take("1-2", "D1"));
        Report(b, second);
        Report(a, first);
        Assert.Equal(twice, book.DebtorsTwice);
        Assert.Equal(0, book.LeasesTwice);
    }

    [Fact]
    public void A_debtor_may_come_again_once_the_report_is_on_its_way()
    {
        int first = Take("1-1", "D1");
        book.Report(first);
        int second = Take("1-2", "D1");
        book.Answered(first, LeaseStatus.LeaseClosed, "");
        Report(second, LeaseStatus.LeaseClosed);
        Assert.Equal(0, book.DebtorsTwice);
    }

    [Fact]
    public void Three_leases_of_one_debtor_at_a_time_are_two_too_many()
    {
        foreach (int number in (int[])[Take("1-1", "D1"), Take("1-2", "D1"), Take("1-3", "D1")])
            Report(number, LeaseStatus.LeaseClosed);
        Assert.Equal(2, book.DebtorsTwice);
    }

    [Theory]
    [InlineData(LeaseStatus.LeaseClosed, true)]
    [InlineData(LeaseStatus.LeaseVoided, true)]
    [InlineData(LeaseStatus.LeaseExpired, false)]
    [InlineData(LeaseStatus.LeaseUnknown, false)]
    [InlineData(LeaseStatus.LeaseOpen, false)]
    public void A_report_is_good_if_the_lease_was_open_or_voided(LeaseStatus status, bool isGood) =>
        Assert.Equal(isGood, Report(Take("1-1", "D1"), status).Failure.Length == 0);

    private int Take(string lease, string debtor) => book.Take(new V1.Action { Lease = lease, Debtor = debtor, Channel = Channel.Voice });

    private Outcome Report(int number, LeaseStatus status)
    {
        book.Report(number);
        return book.Answered(number, status, "");
    }
}
