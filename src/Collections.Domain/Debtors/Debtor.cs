using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>
/// The actor: one debtor's hot state, a record and one block of lists. What it derives from the events (ledger, promises, disputes,
/// features) depends on which events it has, never on the order in which they came.
/// </summary>
public ref struct Debtor
{
    private readonly ref DebtorRecord record;
    private readonly SlabPool pool;
    private readonly NameTable names;

    public Debtor(ref DebtorRecord record, SlabPool pool, NameTable names)
    {
        this.record = ref record;
        this.pool = pool;
        this.names = names;
    }

    public static void Create(ref DebtorRecord record, SlabPool pool, NameTable names, ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor) => throw new NotSupportedException();

    public void Free() => throw new NotSupportedException();

    public readonly ReadOnlySpan<byte> Tenant => names[record.TenantId];

    public readonly ReadOnlySpan<byte> Name => throw new NotSupportedException();

    public readonly ushort PortfolioId => record.PortfolioId;

    public bool IsQuiet { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public readonly long NextTimerMs => record.NextTimerMs;

    public readonly int ImageLength => pool.Capacity(record.Block);

    public ApplyOutcome Apply(in Event e, AsOf now, out EventError error) => throw new NotSupportedException();

    public bool Advance(AsOf now) => throw new NotSupportedException();

    public ApplyOutcome Rebuild(HistoryBatch history, AsOf now, out RebuildReport report) => throw new NotSupportedException();

    public void Features(AsOf asOf, Span<double> values) => throw new NotSupportedException();

    public DebtorFacts Facts(AsOf asOf) => throw new NotSupportedException();

    public int ItemCount => throw new NotSupportedException();

    public ItemView Item(int index, AsOf asOf) => throw new NotSupportedException();

    public int PromiseCount => throw new NotSupportedException();

    public PromiseView Promise(int index, AsOf asOf) => throw new NotSupportedException();

    public int CurrencyCount => throw new NotSupportedException();

    public Currency CurrencyAt(int index) => throw new NotSupportedException();

    public long UnappliedMinor(int currencyIndex) => throw new NotSupportedException();

    public void WriteImage(Span<byte> image) => throw new NotSupportedException();

    public static ImageStatus ReadImage(ref DebtorRecord record, SlabPool pool, ReadOnlySpan<byte> image) => throw new NotSupportedException();

    public ulong LedgerDigest() => throw new NotSupportedException();

    public bool LedgerBalances() => throw new NotSupportedException();
}
