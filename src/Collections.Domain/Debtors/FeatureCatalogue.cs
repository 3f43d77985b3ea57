namespace Collections.Domain.Debtors;

/// <summary>The features that a model may ask for, in the order in which they are evaluated. The order is append-only: training sets carry it.</summary>
public static class FeatureCatalogue
{
    /// <summary>How many features there are.</summary>
    public const int Count = 55;

    private static readonly string[] All =
    [
        "open_balance", "overdue_balance", "overdue_ratio", "open_items", "overdue_items", "largest_open_item", "oldest_dpd",
        "weighted_dpd", "days_to_next_due", "unapplied_credit", "items_issued", "mean_item_amount", "largest_item_ratio",
        "months_on_book", "items_paid", "paid_late_ratio", "mean_days_late", "std_days_late", "max_days_late", "last_days_late",
        "ewma_days_late", "mean_days_to_pay", "payments", "days_since_payment", "last_payment_amount", "last_payment_ratio",
        "payments_90d", "paid_90d", "partial_payment_ratio", "reversed_payments", "failed_payments", "attempts_7d", "attempts_30d",
        "rpc_30d", "days_since_attempt", "days_since_rpc", "response_rate", "voice_response_rate", "sms_response_rate",
        "email_response_rate", "promises_made", "promise_kept_ratio", "broken_promise_streak", "days_to_promise", "plan_active",
        "plan_missed", "disputes_open", "disputes_total", "hardship_active", "stage", "as_of_day_of_month", "as_of_day_of_week",
        "customer_type", "product", "region",
    ];

    /// <summary>Names as models and training sets use them.</summary>
    public static ReadOnlySpan<string> Names => All;

    /// <summary>The place of a name, or -1 when there is no such feature.</summary>
    public static int IndexOf(string name) => Array.IndexOf(All, name);

    /// <summary>Whether the engine can tell it yet; one that is not fed is NaN.</summary>
    public static bool IsFed(int index) => All[index] is not ("plan_active" or "plan_missed" or "hardship_active" or "stage");

    /// <summary>Whether its value is a category code instead of a quantity; <see cref="Debtor.Category"/> tells the text behind it.</summary>
    public static bool IsCategorical(int index) => index is FeatureIndex.CustomerType or FeatureIndex.Product or FeatureIndex.Region;
}

/// <summary>Places of the features in <see cref="FeatureCatalogue.Names"/>.</summary>
internal static class FeatureIndex
{
    public const int OpenBalance = 0, OverdueBalance = 1, OverdueRatio = 2, OpenItems = 3, OverdueItems = 4, LargestOpenItem = 5, OldestDpd = 6;
    public const int WeightedDpd = 7, DaysToNextDue = 8, UnappliedCredit = 9, ItemsIssued = 10, MeanItemAmount = 11, LargestItemRatio = 12;
    public const int MonthsOnBook = 13, ItemsPaid = 14, PaidLateRatio = 15, MeanDaysLate = 16, StdDaysLate = 17, MaxDaysLate = 18, LastDaysLate = 19;
    public const int EwmaDaysLate = 20, MeanDaysToPay = 21, Payments = 22, DaysSincePayment = 23, LastPaymentAmount = 24, LastPaymentRatio = 25;
    public const int Payments90d = 26, Paid90d = 27, PartialPaymentRatio = 28, ReversedPayments = 29, FailedPayments = 30, Attempts7d = 31, Attempts30d = 32;
    public const int Rpc30d = 33, DaysSinceAttempt = 34, DaysSinceRpc = 35, ResponseRate = 36, VoiceResponseRate = 37, SmsResponseRate = 38;
    public const int EmailResponseRate = 39, PromisesMade = 40, PromiseKeptRatio = 41, BrokenPromiseStreak = 42, DaysToPromise = 43, PlanActive = 44;
    public const int PlanMissed = 45, DisputesOpen = 46, DisputesTotal = 47, HardshipActive = 48, Stage = 49, AsOfDayOfMonth = 50, AsOfDayOfWeek = 51;
    public const int CustomerType = 52, Product = 53, Region = 54;
}
