namespace Collections.Domain.Debtors;

/// <summary>How much of a debtor's past its hot state keeps. All partitions of a tenant use the same; none of it changes a result, only what needs the history.</summary>
public sealed record DebtorOptions
{
    public static readonly DebtorOptions Default = new();

    /// <summary>Days behind now that the ledger can restate without the history. 1 to 3,650.</summary>
    public int HorizonDays { get; init; } = 90;

    /// <summary>Days that the horizon may lag, so that it moves about once a month and not with each event. 0 to 3,650.</summary>
    public int HorizonSlackDays { get; init; } = 30;

    /// <summary>Days for which an event's fingerprint is kept, from the later of known and effective. 1 to 3,650.</summary>
    public int FingerprintDays { get; init; } = 30;

    /// <summary>
    /// Entries beyond which a history is folded in parts while it is taken in: half of what the lists hold, which leaves room for a day
    /// with as many again. Tests make it small.
    /// </summary>
    internal int HistoryPartEntries { get; init; } = Limits.EntriesMax / 2;

    /// <summary>Throws with the name of the value that is out of range.</summary>
    public void Validate()
    {
        Check(HorizonDays, 1, nameof(HorizonDays));
        Check(HorizonSlackDays, 0, nameof(HorizonSlackDays));
        Check(FingerprintDays, 1, nameof(FingerprintDays));
    }

    private static void Check(int value, int min, string key)
    {
        const int max = 3_650;
        if (value < min || value > max)
            throw new ArgumentOutOfRangeException(key, value, $"{key} must be {min} to {max} days");
    }
}
