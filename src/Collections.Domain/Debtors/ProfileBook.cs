using System.Buffers.Text;
using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>What is said about a debtor field by field: for each field the latest by (effective, id) counts.</summary>
internal static class ProfileBook
{
    public const int NoCode = int.MinValue;

    public static void Add(ref HotState s, scoped in EventHead head, scoped DebtorRegistered e, ushort portfolioId, long nowMs)
    {
        TextRef text = s.AppendText(head.Id, e.CustomerType, e.Product, e.Region);
        s.Append(ListId.Profile, new ProfileEntry { EffectiveMs = head.EffectiveMs, Text = text, Value = portfolioId, Field = ProfileField.Registration });
        if (e.PreferredChannel != Channel.None)
            s.Append(ListId.Profile, new ProfileEntry { EffectiveMs = head.EffectiveMs, Text = text, Value = (ushort)e.PreferredChannel, Field = ProfileField.Channel });
        Settle(ref s, head, nowMs);
    }

    public static void Add(ref HotState s, scoped in EventHead head, ushort timeZoneId, ushort languageId, Channel channel, long nowMs)
    {
        TextRef text = s.AppendText(head.Id);
        AddUnlessNone(ref s, ProfileField.TimeZone, timeZoneId, head.EffectiveMs, text);
        AddUnlessNone(ref s, ProfileField.Language, languageId, head.EffectiveMs, text);
        AddUnlessNone(ref s, ProfileField.Channel, (ushort)channel, head.EffectiveMs, text);
        Settle(ref s, head, nowMs);
    }

    /// <summary>Takes in what has become effective; true when there was any.</summary>
    public static bool Arrive(ref HotState s, long nowMs)
    {
        (ushort, ushort, ushort, Channel, RecordFlags, int, int, int) before = Taken(s.R);
        Refresh(ref s, nowMs);
        return before != Taken(s.R);
    }

    /// <summary>
    /// The text of a category in the registration that counts now; empty when there is none. What has arrived lies before the next timer,
    /// what has not lies at or behind it.
    /// </summary>
    /// <param name="place">1: customer type, 2: product, 3: region.</param>
    public static ReadOnlySpan<byte> Category(scoped in HotState s, int place)
    {
        foreach (ref readonly ProfileEntry entry in s.Profile)
        {
            if (entry.Field == ProfileField.Registration && entry.EffectiveMs < s.R.NextTimerMs)
                return s.Text(entry.Text, place);
        }
        return default;
    }

    private static (ushort, ushort, ushort, Channel, RecordFlags, int, int, int) Taken(in DebtorRecord r) =>
        (r.PortfolioId, r.TimeZoneId, r.LanguageId, r.PreferredChannel, r.Flags & RecordFlags.Registered, r.CustomerType, r.Product, r.Region);

    private static void AddUnlessNone(ref HotState s, ProfileField field, ushort value, long effectiveMs, TextRef text)
    {
        if (value != 0)
            s.Append(ListId.Profile, new ProfileEntry { EffectiveMs = effectiveMs, Text = text, Value = value, Field = field });
    }

    private static void Settle(ref HotState s, scoped in EventHead head, long nowMs)
    {
        if (head.EffectiveMs > nowMs)
            Timers.AddMs(ref s, head.EffectiveMs);
        else
            Refresh(ref s, nowMs);
    }

    /// <summary>Keeps the latest effective entry of each field and those still to come, and copies the former into the record.</summary>
    private static void Refresh(ref HotState s, long nowMs)
    {
        Span<ProfileEntry> entries = s.Profile;
        int kept = 0;
        for (int i = 0; i < entries.Length; i++)
        {
            ProfileEntry entry = entries[i];
            if (entry.EffectiveMs <= nowMs && IsSuperseded(s, entries, i, nowMs))
                entries[i].Field = 0;
        }
        foreach (ProfileEntry entry in entries)
        {
            if (entry.Field == 0)
                continue;
            entries[kept++] = entry;
            if (entry.EffectiveMs <= nowMs)
                Copy(ref s, entry);
        }
        s.Truncate(ListId.Profile, kept);
    }

    private static bool IsSuperseded(in HotState s, Span<ProfileEntry> entries, int index, long nowMs)
    {
        ref readonly ProfileEntry entry = ref entries[index];
        foreach (ref readonly ProfileEntry other in entries)
        {
            if (other.Field != entry.Field || other.EffectiveMs > nowMs)
                continue;
            if (other.EffectiveMs > entry.EffectiveMs
                || (other.EffectiveMs == entry.EffectiveMs && s.Text(other.Text).SequenceCompareTo(s.Text(entry.Text)) > 0))
                return true;
        }
        return false;
    }

    private static void Copy(ref HotState s, in ProfileEntry entry)
    {
        ref DebtorRecord r = ref s.R;
        switch (entry.Field)
        {
            case ProfileField.Channel: r.PreferredChannel = (Channel)entry.Value; break;
            case ProfileField.TimeZone: r.TimeZoneId = entry.Value; break;
            case ProfileField.Language: r.LanguageId = entry.Value; break;
            default:
                r.Flags |= RecordFlags.Registered;
                r.PortfolioId = entry.Value;
                r.CustomerType = Code(s.Text(entry.Text, 1));
                r.Product = Code(s.Text(entry.Text, 2));
                r.Region = Code(s.Text(entry.Text, 3));
                break;
        }
    }

    /// <summary>An integer stands for itself; other text has no code here (a model's manifest may know one).</summary>
    private static int Code(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out int code, out int read) && read == value.Length ? code : NoCode;
}
