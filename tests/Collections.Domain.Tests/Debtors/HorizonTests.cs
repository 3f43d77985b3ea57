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

    [Fact]
    public void A_reversal_that_came_long_before_its_payment_still_reverses_it()
    {
        using Story brief = Told(Short), whole = Told(DebtorOptions.Default);
        Assert.Equal("a=100 b=50", whole.Ledger("02-10"));
        Assert.Equal("a=100 b=50", brief.Ledger("02-10"));
        Assert.Equal(whole.Feature("reversed_payments", "02-10"), brief.Feature("reversed_payments", "02-10"));
        // And still once the payment has gone behind the horizon too.
        brief.Owed("03-10", "c", 20, "03-30");
        whole.Owed("03-10", "c", 20, "03-30");
        Assert.Equal(whole.Ledger("03-10"), brief.Ledger("03-10"));
        Assert.Equal(whole.Feature("reversed_payments", "03-10"), brief.Feature("reversed_payments", "03-10"));

        static Story Told(DebtorOptions options)
        {
            Story story = new Story(options).Owed("01-01", "a", 100, "01-05").Reversed("01-03", "p");
            story.AsOf("01-04");
            story.Owed("01-25", "b", 50, "02-20").AsOf("01-25");
            story.AsOf("02-01");
            return story.Paid("02-05", "p", 100);
        }
    }

    [Fact]
    public void In_a_history_taken_in_by_parts_an_adjustment_in_another_currency_takes_no_settlement_back()
    {
        Story story = new Story(Short)
            .Owed("01-01", "late", 100, "01-02").Owed("01-01", "later", 100, "01-03").Owed("01-01", "latest", 100, "01-04").Paid("01-10", "p", 300)
            .Owed("01-20", "next", 10, "02-10").Adjusted("01-28", "late", 5, "JPY").Owed("01-29", "new", 10, "02-10");
        Assert.Equal(Rebuilt(Short), Rebuilt(Short with { HistoryPartEntries = 3 }));

        double Rebuilt(DebtorOptions options)
        {
            var end = AsOf.EndOf(Story.On("01-30"));
            using var driver = new DebtorDriver(options);
            driver.Rebuild("debtor", story.Deliveries, end);
            return driver.Features("debtor", end)[FeatureCatalogue.IndexOf("ewma_days_late")];
        }
    }

    [Fact]
    public void In_a_history_taken_in_by_parts_a_reversal_that_is_dated_before_its_payment_still_reverses_it()
    {
        Story story = new Story(Short)
            .Owed("01-01", "a", 100, "01-02").Owed("01-02", "b", 100, "01-03").Reversed("01-03", "p").Owed("01-05", "c", 100, "01-04")
            .Owed("01-08", "d", 10, "02-10").Paid("01-15", "p", 300).Owed("01-16", "e", 10, "02-10").Owed("01-29", "new", 10, "02-10");
        Assert.Equal(Rebuilt(Short), Rebuilt(Short with { HistoryPartEntries = 3 }));

        (double, double) Rebuilt(DebtorOptions options)
        {
            var end = AsOf.EndOf(Story.On("01-30"));
            using var driver = new DebtorDriver(options);
            driver.Rebuild("debtor", story.Deliveries, end);
            double[] features = driver.Features("debtor", end);
            return (features[FeatureCatalogue.IndexOf("open_balance")], features[FeatureCatalogue.IndexOf("reversed_payments")]);
        }
    }
}
