using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>Recognises events that come again, by hashes of id and content kept for thirty days from the later of known and effective.</summary>
internal static class Fingerprints
{
    /// <summary>Whether it came before: applied (new), duplicate, or its id is known with other content, which the history has to judge.</summary>
    public static ApplyOutcome Check(in HotState s, in EventHead head)
    {
        uint id = head.IdHash;
        Span<uint> ids = s.SeenIds;
        int at = ids.IndexOf(id);
        if (at < 0)
            return ApplyOutcome.Applied;
        for (; at < ids.Length; at++)
        {
            if (ids[at] == id && s.SeenRest[at].Content == head.ContentHash)
                return ApplyOutcome.Duplicate;
        }
        return ApplyOutcome.NeedsHistory;
    }

    /// <summary>Whether it may have come before its fingerprint was dropped.</summary>
    public static bool MayBeForgotten(in HotState s, in EventHead head) => head.Effective < s.R.SeenSince;

    public static void Add(ref HotState s, scoped in EventHead head)
    {
        Day known = Day.OfMs(head.KnownMs);
        Day on = known > head.Effective ? known : head.Effective;
        if (on < s.R.SeenSince)
            return;
        if (s.SeenIds.Length >= Limits.FingerprintsMax)
            Drop(ref s, s.R.FoldedDay.Plus(1));
        s.Append(ListId.SeenRest, new SeenEntry { Content = head.ContentHash, On = on });
        s.Append(ListId.SeenIds, head.IdHash);
    }

    /// <summary>Drops the fingerprints whose time is over, unless imported history is still coming in: it is old on arrival.</summary>
    public static void Prune(ref HotState s)
    {
        if ((s.R.Flags & RecordFlags.Quiet) != 0 || s.SeenIds.IsEmpty)
            return;
        int age = s.R.FoldedDay - s.SeenRest[0].On;
        int days = s.Pool.Options.FingerprintDays;
        // An eighth of the time is waited before, so that a debtor with events each day is not swept each day.
        if (age > days + days / 8)
            Drop(ref s, s.R.FoldedDay.Plus(-days));
    }

    private static void Drop(ref HotState s, Day before)
    {
        Span<uint> ids = s.SeenIds;
        Span<SeenEntry> rest = s.SeenRest;
        int kept = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            if (rest[i].On < before)
                continue;
            ids[kept] = ids[i];
            rest[kept++] = rest[i];
        }
        if (kept == ids.Length)
            return;
        s.Truncate(ListId.SeenIds, kept);
        s.Truncate(ListId.SeenRest, kept);
        if (before > s.R.SeenSince)
            s.R.SeenSince = before;
    }
}
