using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.History;

namespace Collections.Engine.Training;

/// <summary>What came in about one debtor in the horizon after an as-of date, by all that the log knows today.</summary>
internal readonly record struct Aftermath
{
    /// <summary>Received and not reversed by the horizon's end, in one currency, in minor units.</summary>
    public Int128 ReceivedMinor { get; private init; }

    /// <summary>Whether anything was received and not reversed, in any currency.</summary>
    public bool AnyPayment { get; private init; }

    public bool Disputed { get; private init; }

    public bool Held { get; private init; }

    /// <summary>Whether an attempt was made, on any channel and with any outcome.</summary>
    public bool Attempted { get; private init; }

    /// <param name="debtor">A place of the history.</param>
    /// <param name="end">The end of the horizon.</param>
    /// <param name="currency">Of <see cref="ReceivedMinor"/>.</param>
    public static Aftermath Of(PartitionHistory history, int debtor, AsOf asOf, AsOf end, Currency currency)
    {
        ReadOnlySpan<EventMoment> moments = history.MomentsOf(debtor);
        var found = new Aftermath();
        for (int i = 0; i < moments.Length; i++)
        {
            ref readonly EventMoment moment = ref moments[i];
            if (!CameIn(moment, asOf, end))
                continue;
            switch (moment.Kind)
            {
                case EventKind.AttemptReported when moment.EffectiveMs > asOf.LastMs:
                    found = found with { Attempted = true };
                    break;
                case EventKind.DisputeOpened when IsFirst(history, moments, i):
                    found = found with { Disputed = true };
                    break;
                case EventKind.HoldPlaced when IsFirst(history, moments, i):
                    found = found with { Held = true };
                    break;
                case EventKind.PaymentReceived when IsFirst(history, moments, i):
                    found = found.Receive(history, moments, history.EventOf(moment), end, currency);
                    break;
            }
        }
        return found;
    }

    private Aftermath Receive(PartitionHistory history, ReadOnlySpan<EventMoment> moments, scoped Event e, AsOf end, Currency currency)
    {
        EventError error = default;
        if (!BodyReader.TryRead(e.Body, out PaymentReceived received, ref error) || IsReversed(history, moments, e.Head.Id, end))
            return this;
        return this with { AnyPayment = true, ReceivedMinor = ReceivedMinor + (received.Currency == currency ? received.AmountMinor : 0) };
    }

    /// <summary>True in the horizon, or true before it and heard of in it.</summary>
    private static bool CameIn(in EventMoment moment, AsOf asOf, AsOf end) =>
        moment.EffectiveMs <= end.LastMs && (moment.EffectiveMs > asOf.LastMs || (moment.KnownMs > asOf.LastMs && moment.KnownMs <= end.LastMs));

    /// <summary>Whether no earlier delivery of its stream had its id: a later one adds nothing.</summary>
    private static bool IsFirst(PartitionHistory history, ReadOnlySpan<EventMoment> moments, int index)
    {
        EventMoment moment = moments[index];
        EventStream stream = EventKinds.StreamOf(moment.Kind);
        foreach (ref readonly EventMoment earlier in moments[..index])
        {
            if (earlier.IdHash == moment.IdHash && EventKinds.StreamOf(earlier.Kind) == stream
                && history.EventOf(earlier).Head.Id.SequenceEqual(history.EventOf(moment).Head.Id))
                return false;
        }
        return true;
    }

    private static bool IsReversed(PartitionHistory history, ReadOnlySpan<EventMoment> moments, scoped ReadOnlySpan<byte> payment, AsOf end)
    {
        foreach (ref readonly EventMoment moment in moments)
        {
            EventError error = default;
            if (moment.Kind == EventKind.PaymentReversed && moment.EffectiveMs <= end.LastMs
                && BodyReader.TryRead(history.EventOf(moment).Body, out PaymentReversed reversed, ref error) && reversed.Payment.SequenceEqual(payment))
                return true;
        }
        return false;
    }
}
