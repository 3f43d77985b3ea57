using Collections.Domain.Debtors;

namespace Collections.Domain.Tests.Debtors;

/// <summary>What moves behind the horizon changes nothing of what is seen, however oddly it is dated.</summary>
public class HorizonTests
{
    private static readonly DebtorOptions Short = new() { HorizonDays = 12, HorizonSlackDays = 0, FingerprintDays = 6 };

    [Fact]
    public void A_reversal_that_is_dated_before_its_payment_stays_as_long_as_the_payment_can_be_folded_anew()
    {
        using Story story = new Story(Short).Owed("01-01", "a", 100, "01-05").Paid("01-20", "p", 100).Reversed("01-03", "p").Owed("01-21", "b", 50, "01-30");
        Assert.Equal("a=100 b=50", story.Ledger("01-25"));
        Assert.Equal(1, story.Feature("reversed_payments", "01-25"));
        story.Owed("01-24", "c", 20, "01-30");
        Assert.Equal("a=100 b=50 c=20", story.Ledger("01-26"));
        Assert.Equal(1, story.Feature("reversed_payments", "01-26"));
    }

    [Fact]
    public void An_adjustment_in_another_currency_takes_no_settlement_back()
    {
        Story Told(DebtorOptions options) => new Story(options)
            .Owed("01-01", "late", 100, "01-02").Owed("01-01", "later", 100, "01-03").Owed("01-01", "latest", 100, "01-04").Paid("01-10", "p", 300)
            .Adjusted("01-28", "late", 5, "JPY").Owed("01-29", "new", 10, "02-10");
        using Story brief = Told(Short), whole = Told(DebtorOptions.Default);
        Assert.Equal(whole.Feature("ewma_days_late", "01-30"), brief.Feature("ewma_days_late", "01-30"));
    }
}
