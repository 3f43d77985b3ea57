using System.Text;
using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>
/// Builds a debtor from its whole history: the deliveries in any order, each event counted from its first one. The result is what would
/// stand had all come in order; what was done about the debtor is carried over.
/// </summary>
internal static class HistoryFold
{
    // Order in which kinds of events are taken in; see Prepare.
    private const int First = 0, ByKnown = 1, ByDay = 2, Contacts = 3;

    public static RebuildReport Run(ref HotState s, NameTable names, HistoryBatch history, AsOf now)
    {
        Restart(ref s, now);
        List<Key> order = FirstDeliveries(history, out RebuildReport report);
        int part = s.Pool.Options.HistoryPartEntries;
        bool isLong = order.Count > part;
        if (isLong)
            Prepare(ref s, history, order);
        var intake = new Intake(names, now, rebuilding: true);
        int refused = report.Refused, events = 0;
        foreach (Key key in order)
        {
            if (isLong && s.EntryCount > part && key.Order == ByDay)
                HorizonMove.Behind(ref s, Day.OfMs(key.EffectiveMs).Plus(-1));
            Event e = Read(history, key.Index);
            if (e.Head.Kind == EventKind.ImportEnded)
                continue;
            EventError error = default;
            if (intake.Take(ref s, e, ref error) != ApplyOutcome.Applied)
            {
                refused++;
                continue;
            }
            events++;
            Remember(ref s, e.Head, now.Day);
        }
        s.Scratch.Futures = null;
        LedgerFold.Ensure(ref s);
        HorizonMove.IfDue(ref s);
        return report with { Refused = refused, Events = events };
    }

    /// <summary>
    /// A history that a debtor's lists can't hold at once is taken in by effective date, and what lies behind is folded away on the way.
    /// So reversals come first (a reversed payment is left out for good), and items stay as long as anything names them.
    /// </summary>
    private static void Prepare(ref HotState s, HistoryBatch history, List<Key> order)
    {
        var futures = new Dictionary<ulong, ItemFuture>();
        for (int i = 0; i < order.Count; i++)
        {
            Event e = Read(history, order[i].Index);
            Name(e, futures);
            if (!order[i].IsContact)
                order[i] = order[i] with { Order = e.Head.Kind == EventKind.PaymentReversed ? First : ByDay };
        }
        order.Sort(static (a, b) => a.Compare(b));
        s.Scratch.Futures = futures;
    }

    private static void Name(in Event e, Dictionary<ulong, ItemFuture> futures)
    {
        EventError error = default;
        switch (e.Head.Kind)
        {
            case EventKind.ItemAdjusted when BodyReader.TryRead(e.Body, out ItemAdjusted adjusted, ref error):
                // In another currency than the item's, which is not known yet, it takes nothing back.
                Name(ItemFuture.KeyOf(adjusted.Item), e.Head.Effective, unsettles: false, futures);
                Name(ItemFuture.KeyOf(adjusted.Item, adjusted.Currency), e.Head.Effective, unsettles: adjusted.AmountMinor > 0, futures);
                break;
            case EventKind.ItemCancelled when BodyReader.TryRead(e.Body, out ItemCancelled cancelled, ref error): Name(ItemFuture.KeyOf(cancelled.Item), e.Head.Effective, unsettles: true, futures); break;
            case EventKind.DueDateChanged when BodyReader.TryRead(e.Body, out DueDateChanged redated, ref error): Name(ItemFuture.KeyOf(redated.Item), e.Head.Effective, unsettles: false, futures); break;
            case EventKind.PaymentReceived when BodyReader.TryRead(e.Body, out PaymentReceived received, ref error) && !received.Allocations.IsEmpty:
                foreach (ExplicitAllocation allocation in received.Allocations)
                    Name(ItemFuture.KeyOf(allocation.Item), e.Head.Effective, unsettles: false, futures);
                break;
        }
    }

    private static void Name(ulong item, Day day, bool unsettles, Dictionary<ulong, ItemFuture> futures)
    {
        ItemFuture known = futures.GetValueOrDefault(item);
        Day until = day > known.NamedUntil ? day : known.NamedUntil;
        futures[item] = new ItemFuture(until, unsettles && day > known.UnsettledUntil ? day : known.UnsettledUntil);
    }

    private static Event Read(HistoryBatch history, int index)
    {
        bool readable = EventReader.TryRead(history.Content(index), history.KnownMs(index), history.History(index), out Event e, out _);
        Invariant.Require(readable, "what was read once is read again");
        return e;
    }

    private static void Restart(ref HotState s, AsOf now)
    {
        byte[] name = s.Text(default).ToArray();
        RecordFlags quiet = s.R.Flags & RecordFlags.Quiet;
        ushort tenant = s.R.TenantId;
        ActedState acted = s.R.Acted;
        s.Pool.Release(s.R.Block);
        s.R = default;
        s.R.Acted = acted;
        s.R.TenantId = tenant;
        s = HotState.Create(ref s.R, s.Pool, name);
        s.R.Flags |= quiet | RecordFlags.Stale;
        s.R.FoldedDay = now.Day;
    }

    private static void Remember(ref HotState s, in EventHead head, Day today)
    {
        if (s.R.FirstDay.IsNone || head.Effective < s.R.FirstDay)
            s.R.FirstDay = head.Effective;
        Day since = today.Plus(-s.Pool.Options.FingerprintDays);
        bool quiet = (s.R.Flags & RecordFlags.Quiet) != 0;
        if (!quiet && Day.OfMs(head.KnownMs) < since && head.Effective < since)
            s.R.SeenSince = s.R.SeenSince > since ? s.R.SeenSince : since;
        else
            Fingerprints.Add(ref s, head);
    }

    /// <summary>
    /// The first delivery of each event: attempts and contacts in the order (effective, id), which settles ties between them; before
    /// them everything else in the order of knowledge, so that of two events that claim one name the first known has it.
    /// </summary>
    private static List<Key> FirstDeliveries(HistoryBatch history, out RebuildReport report)
    {
        var keys = new Key[history.Count];
        int readable = 0, refused = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            if (EventReader.TryRead(history.Content(i), history.KnownMs(i), history.History(i), out Event e, out _))
                keys[readable++] = new Key(e.Head.Stream, Encoding.Latin1.GetString(e.Head.Id), e.Head.KnownMs, i, e.Head.EffectiveMs, e.Head.ContentHash, e.Head.Kind);
            else
                refused++;
        }
        Array.Sort(keys, 0, readable, Comparer<Key>.Create(static (a, b) => a.KnownMs != b.KnownMs ? a.KnownMs.CompareTo(b.KnownMs) : a.Index.CompareTo(b.Index)));
        var first = new Dictionary<(EventStream, string), Key>(readable);
        var kept = new List<Key>(readable);
        List<ConflictingDelivery>? conflicts = null;
        int duplicates = 0;
        foreach (Key key in keys.AsSpan(0, readable))
        {
            if (first.TryAdd((key.Stream, key.Id), key))
                kept.Add(key);
            else if (history.IsSameContent(first[(key.Stream, key.Id)].Index, key.Index))
                duplicates++;
            else
                (conflicts ??= []).Add(new ConflictingDelivery(key.Stream, Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(key.Id)), key.ContentHash));
        }
        kept.Sort(static (a, b) => a.Compare(b));
        report = new RebuildReport { Duplicates = duplicates, Refused = refused, Conflicts = conflicts };
        return kept;
    }

    /// <param name="Id">Its bytes as Latin-1, so that ordinal order of strings is that of bytes.</param>
    private readonly record struct Key(EventStream Stream, string Id, long KnownMs, int Index, long EffectiveMs, uint ContentHash, EventKind Kind)
    {
        public bool IsContact => Kind is EventKind.AttemptReported or EventKind.ContactReceived;

        public int Order { get; init; } = Kind is EventKind.AttemptReported or EventKind.ContactReceived ? Contacts : ByKnown;

        public int Compare(Key other)
        {
            if (Order != other.Order)
                return Order.CompareTo(other.Order);
            if (Order is ByDay or Contacts && EffectiveMs != other.EffectiveMs)
                return EffectiveMs.CompareTo(other.EffectiveMs);
            if (Order == Contacts)
                return string.CompareOrdinal(Id, other.Id);
            return KnownMs != other.KnownMs ? KnownMs.CompareTo(other.KnownMs) : Index.CompareTo(other.Index);
        }
    }
}
