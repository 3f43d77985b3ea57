using System.Globalization;

namespace Collections.Engine.Training;

public enum LabelKind
{
    /// <summary>At least a share of the overdue balance at the as-of date was received within the horizon.</summary>
    PaidShare,

    /// <summary>Anything was received within the horizon.</summary>
    AnyPayment,

    /// <summary>An item that was not yet due became past due within the horizon.</summary>
    PastDue,
}

/// <summary>What a training set teaches to foresee.</summary>
/// <param name="Share">Of <see cref="LabelKind.PaidShare"/>: of the overdue balance, above 0 to 1.</param>
/// <param name="Days">Of <see cref="LabelKind.PastDue"/>: days past due that count, 1 to 366.</param>
public sealed record TrainingLabel(LabelKind Kind, decimal Share = 0, int Days = 0)
{
    /// <summary>How labels are written.</summary>
    public const string Forms = "paid:SHARE (such as paid:0.5), any-payment, past-due, past-due:DAYS";

    /// <summary>The registry's name for what a model of this label foresees.</summary>
    public string Target => Kind == LabelKind.PastDue ? "pre-due-risk" : "propensity";

    public override string ToString() => Kind switch
    {
        LabelKind.PaidShare => string.Create(CultureInfo.InvariantCulture, $"paid:{Share}"),
        LabelKind.AnyPayment => "any-payment",
        _ => string.Create(CultureInfo.InvariantCulture, $"past-due:{Days}"),
    };

    /// <summary>Reads a label as a user writes it.</summary>
    public static bool TryParse(string text, out TrainingLabel label)
    {
        string[] parts = text.Split(':');
        label = new TrainingLabel(LabelKind.AnyPayment);
        switch (parts)
        {
            case ["any-payment"]:
                return true;
            case ["past-due"]:
                label = new TrainingLabel(LabelKind.PastDue, Days: 1);
                return true;
            case ["past-due", string days] when int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= Limits.TrainingDaysMax:
                label = new TrainingLabel(LabelKind.PastDue, Days: count);
                return true;
            case ["paid", string share] when decimal.TryParse(share, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal part) && part is > 0 and <= 1:
                label = new TrainingLabel(LabelKind.PaidShare, Share: part);
                return true;
            default:
                return false;
        }
    }

    /// <summary>In plain words: what 1 means, who is asked, what counts.</summary>
    public string Describe(int horizonDays)
    {
        const string received = "Money received counts when its value date lies in the horizon, or before it while it became known in it; money that is reversed by the horizon's end does not count";
        return Kind switch
        {
            LabelKind.PaidShare => string.Create(
                CultureInfo.InvariantCulture,
                $"1: within {horizonDays} days after the as-of date at least {Share * 100:0.####} % of the overdue balance of that date was received, in the debtor's base currency, whatever it was meant for. {received}. Asked of debtors with an overdue balance"),
            LabelKind.AnyPayment => string.Create(
                CultureInfo.InvariantCulture, $"1: within {horizonDays} days after the as-of date anything was received, in any currency. {received}. Asked of debtors with an overdue balance"),
            _ => string.Create(
                CultureInfo.InvariantCulture,
                $"1: an item that was open and not past due on the as-of date was {Days} or more days past due on some day of the {horizonDays} after it, by the due date that it has at the horizon's end: it was paid that late, or is still open. Asked of debtors with such an item whose due date leaves {Days} days of the horizon; items in the base currency"),
        };
    }
}
