using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>How a promise stands.</summary>
public enum PromiseState : byte
{
    Open = 0,
    Kept = 1,
    Broken = 2,
    Cancelled = 3,
}

/// <summary>One item as it stands; the name points into the hot state and is valid until the debtor next changes.</summary>
public readonly ref struct ItemView
{
    public ReadOnlySpan<byte> Name { get; init; }
    public Component Component { get; init; }
    public Currency Currency { get; init; }

    /// <summary>As issued, in minor units.</summary>
    public long AmountMinor { get; init; }
    public long OpenMinor { get; init; }
    public Day Issued { get; init; }
    public Day Due { get; init; }

    /// <summary>When payments closed it; none while it is open, or closed in another way.</summary>
    public Day SettledOn { get; init; }
    public bool Cancelled { get; init; }

    /// <summary>Days past due; negative before the due date.</summary>
    public int Dpd { get; init; }
}

/// <summary>One promise to pay as it stands; the name is valid until the debtor next changes.</summary>
public readonly ref struct PromiseView
{
    public ReadOnlySpan<byte> Name { get; init; }
    public Currency Currency { get; init; }
    public long AmountMinor { get; init; }

    /// <summary>Payments that count for it, in minor units.</summary>
    public long PaidMinor { get; init; }
    public Day Made { get; init; }
    public Day Due { get; init; }
    public PromiseState State { get; init; }
}

/// <summary>The items that are effective, one after another. Nothing may change the debtor meanwhile.</summary>
public ref struct ItemViews
{
    private readonly HotState state;
    private readonly AsOf asOf;
    private int index = -1;

    internal ItemViews(HotState state, AsOf asOf)
    {
        this.state = state;
        this.asOf = asOf;
    }

    public readonly ItemView Current
    {
        get
        {
            ref readonly ItemEntry item = ref state.Item(index);
            return new ItemView
            {
                Name = state.Text(item.Text),
                Component = item.Component,
                Currency = state.Currencies[item.Currency],
                AmountMinor = item.Amount,
                OpenMinor = item.Open,
                Issued = item.IssuedOn,
                Due = item.Due,
                SettledOn = item.SettledOn,
                Cancelled = item.Has(ItemEntry.Cancelled),
                Dpd = asOf.Day - item.Due,
            };
        }
    }

    public bool MoveNext()
    {
        while (++index < state.ItemCount)
        {
            if (state.Item(index).Has(ItemEntry.Issued))
                return true;
        }
        return false;
    }

    public readonly ItemViews GetEnumerator() => this;
}

/// <summary>The promises made so far, one after another. Nothing may change the debtor meanwhile.</summary>
public ref struct PromiseViews
{
    private readonly HotState state;
    private readonly AsOf asOf;
    private int index = -1;

    internal PromiseViews(HotState state, AsOf asOf)
    {
        this.state = state;
        this.asOf = asOf;
    }

    public readonly PromiseView Current
    {
        get
        {
            ref readonly PromiseEntry promise = ref state.Promises[index];
            return new PromiseView
            {
                Name = state.Text(promise.Text),
                Currency = state.Currencies[promise.Currency],
                AmountMinor = promise.Amount,
                PaidMinor = promise.Paid,
                Made = promise.Made,
                Due = promise.Due,
                State = promise.StateOn(asOf.Day),
            };
        }
    }

    public bool MoveNext()
    {
        while (++index < state.Promises.Length)
        {
            if (state.Promises[index].Made <= asOf.Day)
                return true;
        }
        return false;
    }

    public readonly PromiseViews GetEnumerator() => this;
}

/// <summary>A debtor's facts as a strategy reads them: a frozen value. Amounts are minor units of the debtor's base currency.</summary>
public readonly record struct DebtorFacts
{
    public long OpenMinor { get; init; }
    public long OverdueMinor { get; init; }
    public long UnappliedMinor { get; init; }
    public Currency Currency { get; init; }
    public int OpenItems { get; init; }
    public int OverdueItems { get; init; }

    /// <summary>Largest days past due over the open items; may be 0 or less. <see cref="int.MinValue"/> without an open item.</summary>
    public int OldestDpd { get; init; }
    public int DisputesOpen { get; init; }
    public bool OnHold { get; init; }

    /// <summary>Promises neither kept nor broken nor cancelled.</summary>
    public int OpenPromises { get; init; }
    public Channel PreferredChannel { get; init; }

    /// <summary>Latest attempt of any channel, in Unix milliseconds; 0: none.</summary>
    public long LastAttemptMs { get; init; }

    /// <summary>Latest right-party contact, in Unix milliseconds; 0: none.</summary>
    public long LastRightPartyMs { get; init; }

    /// <summary>Value date of the latest payment that stands; none: no payment.</summary>
    public Day LastPaymentOn { get; init; }
    public bool Registered { get; init; }
    public ushort PortfolioId { get; init; }
    public ushort TimeZoneId { get; init; }
    public ushort LanguageId { get; init; }
}
