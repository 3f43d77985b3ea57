using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>
/// The actor: one debtor's hot hot, a record and one block of lists. What it derives from the events (ledger, promises, disputes,
/// features) depends on which events it has, never on the order in which they came. It is a view: make one, use it, let it go. While it
/// is used, the record stays where it is and nothing else uses the pool.
/// </summary>
public ref struct Debtor
{
    private readonly NameTable names;
    private HotState hot;

    /// <summary>Opens a debtor that <see cref="Create"/> or <see cref="ReadImage"/> has made.</summary>
    public Debtor(ref DebtorRecord record, SlabPool pool, NameTable names)
    {
        Invariant.Require(!record.IsFree, "a debtor is created before it is opened");
        this.names = names;
        hot = new HotState(ref record, pool);
    }

    public readonly ReadOnlySpan<byte> Tenant => names[hot.R.TenantId];

    /// <summary>The debtor's name, unique in its tenant.</summary>
    public ReadOnlySpan<byte> Name => Open().Text(default);

    /// <summary>As registered; 0: not registered, or without a portfolio.</summary>
    public readonly ushort PortfolioId => hot.R.PortfolioId;

    /// <summary>
    /// Imported history that has not ended: the partition sets it. Meanwhile nothing is folded away or forgotten, so that old events in
    /// any order cost no look at the history.
    /// </summary>
    public readonly bool IsQuiet
    {
        get => (hot.R.Flags & RecordFlags.Quiet) != 0;
        set => hot.R.Flags = value ? hot.R.Flags | RecordFlags.Quiet : hot.R.Flags & ~RecordFlags.Quiet;
    }

    /// <summary>The next instant, in Unix milliseconds, at which <see cref="Advance"/> must run; <see cref="long.MaxValue"/>: none.</summary>
    public readonly long NextTimerMs => hot.R.NextTimerMs;

    /// <summary>Whether nothing has been dropped, so that no event needs the history.</summary>
    public readonly bool IsComplete => (hot.R.Flags & RecordFlags.Dropped) == 0 && hot.R.SeenSince.IsNone;

    /// <summary>Bytes of the debtor's lists in the pool.</summary>
    public readonly int ListBytes => hot.Pool.Capacity(hot.R.Block);

    /// <summary>Makes a free record a debtor without events.</summary>
    public static void Create(ref DebtorRecord record, SlabPool pool, NameTable names, ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor)
    {
        Invariant.Require(record.IsFree, "a debtor is created in a free slot");
        record = default;
        record.TenantId = names.Intern(tenant);
        HotState.Create(ref record, pool, debtor);
    }

    /// <summary>Gives the memory back and frees the slot.</summary>
    public void Free()
    {
        hot.Pool.Release(hot.R.Block);
        hot.R = default;
    }

    /// <summary>Takes one event. The state is first brought to now, as by <see cref="Advance"/>.</summary>
    /// <param name="e">An event of this debtor.</param>
    /// <param name="now">The partition's clock; it never goes back.</param>
    /// <param name="error">Why, when the event is invalid.</param>
    public ApplyOutcome Apply(in Event e, AsOf now, out EventError error)
    {
        error = default;
        if (e.Head.Kind == EventKind.ImportEnded)
        {
            IsQuiet = false;
            return ApplyOutcome.Applied;
        }
        Timers.Advance(ref Open(), now);
        ApplyOutcome seen = Fingerprints.Check(hot, e.Head);
        if (seen != ApplyOutcome.Applied)
            return seen;
        ApplyOutcome outcome = new Intake(names, now, rebuilding: false).Take(ref hot, e, ref error);
        if (outcome != ApplyOutcome.Applied)
            return outcome;
        if (hot.R.FirstDay.IsNone || e.Head.Effective < hot.R.FirstDay)
            hot.R.FirstDay = e.Head.Effective;
        Fingerprints.Add(ref hot, e.Head);
        Fingerprints.Prune(ref hot);
        HorizonMove.IfDue(ref hot);
        HorizonMove.IfCrowded(ref hot);
        return ApplyOutcome.Applied;
    }

    /// <summary>
    /// Brings in the events whose time has come, ends holds and breaks promises. True when anything changed that features or facts depend
    /// on, other than the mere passing of days.
    /// </summary>
    public bool Advance(AsOf now) => Timers.Advance(ref Open(), now);

    /// <summary>Builds the debtor anew from its whole history, given in any order; only <see cref="DebtorRecord.Acted"/> and <see cref="IsQuiet"/> stay.</summary>
    /// <returns>Applied, or Conflict when some delivery was refused because its id came first with other content; the report names them.</returns>
    public ApplyOutcome Rebuild(HistoryBatch history, AsOf now, out RebuildReport report)
    {
        report = HistoryFold.Run(ref Open(), names, history, now);
        return report.Conflicts is null ? ApplyOutcome.Applied : ApplyOutcome.Conflict;
    }

    /// <summary>Evaluates the catalogue. The debtor has been advanced to the instant asked for.</summary>
    /// <param name="asOf">The instant; not before the last one at which it was applied to or advanced.</param>
    /// <param name="values">One place for each name of <see cref="FeatureCatalogue"/>.</param>
    public void Features(AsOf asOf, Span<double> values) => FeatureEvaluation.Evaluate(ref Open(), asOf, values);

    /// <summary>
    /// What is registered under a categorical feature, as it was said: the text behind the code, or a text that has no code of its own
    /// (its feature is then NaN; a model's manifest may know a code). Empty when nothing is registered. The debtor has been advanced to the
    /// instant asked for; valid until it next changes.
    /// </summary>
    /// <param name="featureIndex">A place of <see cref="FeatureCatalogue"/> for which <see cref="FeatureCatalogue.IsCategorical"/> holds.</param>
    public ReadOnlySpan<byte> Category(int featureIndex)
    {
        Invariant.Require(FeatureCatalogue.IsCategorical(featureIndex), "a category is asked of a categorical feature");
        return ProfileBook.Category(Open(), featureIndex - FeatureIndex.CustomerType + 1);
    }

    /// <summary>
    /// What was received and stands, in the base currency, with a value date after one day and not after another, in minor units. Complete for days
    /// within the horizon of the hot state (<see cref="DebtorOptions.HorizonDays"/>); of older ones the last eight payments are known.
    /// </summary>
    public long Received(Day after, Day through)
    {
        LedgerFold.Ensure(ref Open());
        return FeatureEvaluation.Received(hot, after, through);
    }

    /// <summary>
    /// Whether anything was received and stands, in any currency, with a value date after one day and not after another. Complete for days that
    /// <see cref="IsTold"/>.
    /// </summary>
    public bool HasReceived(Day after, Day through)
    {
        LedgerFold.Ensure(ref Open());
        return FeatureEvaluation.HasReceived(hot, after, through);
    }

    /// <summary>Whether a day and all that follow lie within the horizon of the hot state, so that every payment of theirs is still told.</summary>
    public bool IsTold(Day day) => day > Open().R.Horizon;

    /// <summary>A frozen value of what a strategy asks. The debtor has been advanced to the instant asked for.</summary>
    public DebtorFacts Facts(AsOf asOf)
    {
        LedgerFold.Ensure(ref Open());
        ref readonly DebtorRecord r = ref hot.R;
        OpenAmounts open = FeatureEvaluation.Open(hot, asOf.Day);
        int disputes = 0;
        bool onHold = false;
        foreach (ref readonly MarkEntry mark in hot.Marks)
        {
            bool active = mark.IsActiveOn(asOf.Day);
            onHold |= active && mark.Kind == EventKind.HoldPlaced;
            disputes += active && mark.Kind == EventKind.DisputeOpened ? 1 : 0;
        }
        return new DebtorFacts
        {
            OpenMinor = open.Minor,
            OverdueMinor = open.OverdueMinor,
            UnappliedMinor = r.BaseCurrency == 0 ? 0 : FeatureEvaluation.Unapplied(hot, r.BaseCurrency - 1),
            Currency = r.BaseCurrency == 0 ? Currency.None : hot.Currencies[r.BaseCurrency - 1],
            OpenItems = open.Items,
            OverdueItems = open.OverdueItems,
            OldestDpd = open.OldestDpd,
            DisputesOpen = disputes,
            OnHold = onHold,
            OpenPromises = PromiseBook.Tally(hot, asOf.Day).Open,
            PreferredChannel = r.PreferredChannel,
            LastAttemptMs = r.LastAttemptMs,
            LastRightPartyMs = r.LastRightPartyMs,
            LastPaymentOn = r.Totals.LastPaymentOn,
            Registered = (r.Flags & RecordFlags.Registered) != 0,
            PortfolioId = r.PortfolioId,
            TimeZoneId = r.TimeZoneId,
            LanguageId = r.LanguageId,
        };
    }

    /// <summary>The items that the hot state has: all open ones, and those that were closed inside the window.</summary>
    public ItemViews Items(AsOf asOf)
    {
        LedgerFold.Ensure(ref Open());
        return new ItemViews(hot, asOf);
    }

    /// <summary>The promises that the hot state has: all open ones, and those that ended inside the window.</summary>
    public PromiseViews Promises(AsOf asOf)
    {
        LedgerFold.Ensure(ref Open());
        return new PromiseViews(hot, asOf);
    }

    /// <summary>Currencies that the debtor has items or payments in.</summary>
    public int CurrencyCount => Open().Count(ListId.Currencies);

    public Currency CurrencyAt(int index) => Open().Currencies[index];

    /// <summary>Unapplied credit of a currency, held money included, in minor units.</summary>
    public long UnappliedMinor(int currencyIndex)
    {
        LedgerFold.Ensure(ref Open());
        return FeatureEvaluation.Unapplied(hot, currencyIndex);
    }

    /// <summary>Bytes that <see cref="WriteImage"/> fills.</summary>
    public int ImageLength => DebtorImage.LengthOf(Open());

    /// <param name="image">Exactly <see cref="ImageLength"/> bytes.</param>
    public void WriteImage(Span<byte> image) => DebtorImage.Write(Open(), image);

    /// <summary>Reads an image into a free slot; unless the status is Read the slot stays free.</summary>
    public static ImageStatus ReadImage(ref DebtorRecord record, SlabPool pool, ReadOnlySpan<byte> image) => DebtorImage.Read(ref record, pool, image);

    /// <summary>Over open items and credit, for comparing runs; equal for equal ledgers, however they came about.</summary>
    public ulong LedgerDigest() => LedgerAudit.Digest(ref Open());

    /// <summary>Whether charges less allocations less write-offs are what is open, item by item, and payments are allocated, held or credit.</summary>
    public bool LedgerBalances() => LedgerAudit.Balances(ref Open());

    /// <summary>Another view of this debtor may have moved its lists, so every call looks where they are.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    private ref HotState Open()
    {
        hot.Reopen();
        return ref hot;
    }
}
