using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>Attempts and responses: counted over the whole life, and the latest sixteen attempts one by one.</summary>
internal static class ContactBook
{
    /// <summary>
    /// Takes an attempt or contact. False: it ties to the millisecond with an attempt of another outcome, and the ids that decide which
    /// of them is the later are in the history only.
    /// </summary>
    /// <param name="inOrder">Whether the caller takes events in their full order, so that ties are settled.</param>
    public static bool TryAdd(ref HotState s, RecentEntry entry, long nowMs, bool inOrder)
    {
        bool waits = entry.Ms > nowMs;
        if (!inOrder && !entry.IsContact && Ties(s, entry))
            return false;
        if (!waits)
            Count(ref s.R, entry);
        else
            Timers.AddMs(ref s, entry.Ms);
        if (waits || !entry.IsContact)
            Insert(ref s, waits ? entry.Waiting() : entry);
        return true;
    }

    /// <summary>Counts what has waited until now; true when there was any.</summary>
    public static bool Arrive(ref HotState s, long nowMs)
    {
        Span<RecentEntry> recent = s.Recent;
        int kept = 0;
        bool changed = false;
        foreach (RecentEntry entry in recent)
        {
            bool arrives = entry.Waits && entry.Ms <= nowMs;
            changed |= arrives;
            if (arrives)
                Count(ref s.R, entry);
            if (!(arrives && entry.IsContact))
                recent[kept++] = arrives ? entry.Arrived() : entry;
        }
        s.Truncate(ListId.Recent, kept);
        if (changed)
            DropOldest(ref s);
        return changed;
    }

    public static void Increment(ref ushort counter) => counter = (ushort)Math.Min(counter + 1, ushort.MaxValue);

    private static bool Ties(in HotState s, RecentEntry entry)
    {
        foreach (RecentEntry other in s.Recent)
        {
            if (other.Ms == entry.Ms && !other.IsContact && other.IsRightParty != entry.IsRightParty)
                return true;
        }
        return false;
    }

    private static void Insert(ref HotState s, RecentEntry entry)
    {
        Span<RecentEntry> recent = s.Recent;
        int at = recent.Length;
        while (at > 0 && recent[at - 1].Ms > entry.Ms)
            at--;
        bool full = recent.Length >= Limits.RecentAttempts && !recent[Limits.RecentAttempts - 1].Waits;
        if (full && at == 0)
            return;
        if (full && !entry.Waits)
        {
            // The oldest goes, those up to the new one move into its place.
            recent[1..at].CopyTo(recent);
            recent[at - 1] = entry;
            return;
        }
        s.Append(ListId.Recent, entry);
        recent = s.Recent;
        recent[at..^1].CopyTo(recent[(at + 1)..]);
        recent[at] = entry;
    }

    private static void DropOldest(ref HotState s)
    {
        Span<RecentEntry> recent = s.Recent;
        int arrived = 0;
        foreach (RecentEntry entry in recent)
            arrived += entry.Waits ? 0 : 1;
        int dropped = Math.Max(0, arrived - Limits.RecentAttempts);
        recent[dropped..].CopyTo(recent);
        s.Truncate(ListId.Recent, recent.Length - dropped);
    }

    private static void Count(ref DebtorRecord r, RecentEntry entry)
    {
        ref ResponseCounts counts = ref r.Responses;
        bool responded = entry.IsContact ? entry.What is (int)ContactKind.Reply or (int)ContactKind.Click : entry.IsRightParty;
        if (!entry.IsContact)
        {
            r.LastAttemptMs = Math.Max(r.LastAttemptMs, entry.Ms);
            if (entry.IsRightParty)
                r.LastRightPartyMs = Math.Max(r.LastRightPartyMs, entry.Ms);
        }
        Count(entry, responded, ref counts.Attempts, ref counts.Responses);
        switch (entry.Channel)
        {
            case Channel.Voice: Count(entry, responded, ref counts.VoiceAttempts, ref counts.VoiceResponses); break;
            case Channel.Sms: Count(entry, responded, ref counts.SmsAttempts, ref counts.SmsResponses); break;
            case Channel.Email: Count(entry, responded, ref counts.EmailAttempts, ref counts.EmailResponses); break;
        }
    }

    private static void Count(RecentEntry entry, bool responded, ref ushort attempts, ref ushort responses)
    {
        if (!entry.IsContact)
            Increment(ref attempts);
        if (responded)
            Increment(ref responses);
    }
}
