using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Engine.Stores;

/// <summary>
/// What a store shows of one debtor to people who read its tables, beside the image, which it can't read. As of the debtor's last change: days
/// past due move on with the calendar, and the row follows when the day has rolled over the debtor. Nothing is ever loaded from it.
/// </summary>
/// <param name="OpenMinor">What is open, in minor units of the currency.</param>
/// <param name="OverdueMinor">What of it is past due, in minor units.</param>
/// <param name="OldestDpd">Days past due of the oldest open item; negative: days until the first is due; null: nothing is open.</param>
/// <param name="Stage">Ordinal of the escalation stage.</param>
/// <param name="Score">The model's raw score; NaN: none.</param>
/// <param name="Propensity">The modelled probability, 0 to 1; NaN: none.</param>
/// <param name="Value">What the queue ranks by, in major units.</param>
/// <param name="Queue">The channel of the queue that the debtor is eligible for; None: it is in no queue.</param>
/// <param name="ScoredAtMs">When the score was made, in Unix milliseconds; 0: never.</param>
public readonly record struct ReadableState(
    long OpenMinor, long OverdueMinor, Currency Currency, int? OldestDpd, byte Stage, double Score, double Propensity, double Value, Channel Queue,
    long ScoredAtMs);

/// <summary>The readable rows of a checkpoint's states, with their names; one row a state, in the order of the states.</summary>
public sealed class ReadableStates
{
    private readonly List<(ReadableState Figures, int Start, int Tenant, int Debtor, int Portfolio)> rows = [];
    private byte[] text = new byte[1 << 12];
    private int used;

    public int Count => rows.Count;

    /// <param name="portfolio">The portfolio's name as queues have it.</param>
    public void Add(in ReadableState figures, ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor, ReadOnlySpan<byte> portfolio)
    {
        rows.Add((figures, used, tenant.Length, debtor.Length, portfolio.Length));
        int length = tenant.Length + debtor.Length + portfolio.Length;
        if (used > text.Length - length)
            Array.Resize(ref text, (int)Math.Min(Array.MaxLength, Math.Max(text.Length * 2L, used + (long)length)));
        Span<byte> room = text.AsSpan(used, length);
        tenant.CopyTo(room);
        debtor.CopyTo(room[tenant.Length..]);
        portfolio.CopyTo(room[(tenant.Length + debtor.Length)..]);
        used += length;
    }

    public ReadableState FiguresOf(int index) => rows[index].Figures;

    public ReadOnlySpan<byte> TenantOf(int index) => text.AsSpan(rows[index].Start, rows[index].Tenant);

    public ReadOnlySpan<byte> DebtorOf(int index) => text.AsSpan(rows[index].Start + rows[index].Tenant, rows[index].Debtor);

    public ReadOnlySpan<byte> PortfolioOf(int index) => text.AsSpan(rows[index].Start + rows[index].Tenant + rows[index].Debtor, rows[index].Portfolio);

    public void Clear()
    {
        rows.Clear();
        used = 0;
    }
}
