namespace Collections.Domain.Debtors;

/// <summary>The form in which a debtor is kept in a checkpoint.</summary>
public static class DebtorImage
{
    /// <summary>Raised whenever the layout of record or lists changes.</summary>
    public const ushort LayoutVersion = 1;
}
