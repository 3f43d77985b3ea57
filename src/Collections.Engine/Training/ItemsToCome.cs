using Collections.Domain;
using Collections.Domain.Debtors;

namespace Collections.Engine.Training;

/// <summary>The open items of a debtor that may still become past due within a horizon, and what became of them. Used again and again.</summary>
internal sealed class ItemsToCome
{
    private readonly List<byte[]> names = [];

    public bool Any => names.Count > 0;

    /// <summary>Notes the open items that are not past due and can be so many days past due by the horizon's end.</summary>
    public void Note(Debtor debtor, AsOf asOf, AsOf end, int days, Currency currency)
    {
        names.Clear();
        foreach (ItemView item in debtor.Items(asOf))
        {
            if (item.OpenMinor > 0 && item.Dpd <= 0 && item.Currency == currency && end.Day - item.Due >= days)
                names.Add(item.Name.ToArray());
        }
    }

    /// <summary>Whether any of them became so many days past due.</summary>
    /// <param name="then">The debtor as it stood at the horizon's end.</param>
    /// <returns>Null when none did and one was closed otherwise than by payment, or is not to be found any more.</returns>
    public bool? BecamePastDue(Debtor then, AsOf end, int days)
    {
        int closed = 0;
        int found = 0;
        foreach (ItemView item in then.Items(end))
        {
            if (!Has(item.Name))
                continue;
            found++;
            bool settled = !item.SettledOn.IsNone;
            if (item.OpenMinor > 0 ? item.Dpd >= days : settled && item.SettledOn - item.Due >= days)
                return true;
            closed += item.OpenMinor == 0 && !settled ? 1 : 0;
        }
        return closed > 0 || found < names.Count ? null : false;
    }

    private bool Has(ReadOnlySpan<byte> name)
    {
        foreach (byte[] one in names)
        {
            if (name.SequenceEqual(one))
                return true;
        }
        return false;
    }
}
