using Collections.Domain.Events;

namespace Collections.Engine.Logs;

/// <summary>The next offset to read of each stream of one partition. Offsets rise from 0, a stream's own; there may be gaps.</summary>
public readonly record struct StreamPositions(long Invoices, long Payments, long Activity)
{
    public static readonly StreamPositions Start;

    public long this[EventStream stream] => stream switch
    {
        EventStream.Invoices => Invoices,
        EventStream.Payments => Payments,
        _ => Activity,
    };

    /// <summary>Offsets before these positions, all streams together: without gaps as many as records.</summary>
    public long Total => Invoices + Payments + Activity;

    public StreamPositions With(EventStream stream, long offset) => stream switch
    {
        EventStream.Invoices => this with { Invoices = offset },
        EventStream.Payments => this with { Payments = offset },
        _ => this with { Activity = offset },
    };

    /// <summary>Stream by stream, the earlier one.</summary>
    public StreamPositions Min(StreamPositions other) => new(Math.Min(Invoices, other.Invoices), Math.Min(Payments, other.Payments), Math.Min(Activity, other.Activity));

    /// <summary>Stream by stream, the later one.</summary>
    public StreamPositions Max(StreamPositions other) => new(Math.Max(Invoices, other.Invoices), Math.Max(Payments, other.Payments), Math.Max(Activity, other.Activity));

    /// <summary>Whether everything before <paramref name="other"/> is also before these positions.</summary>
    public bool Covers(StreamPositions other) => Invoices >= other.Invoices && Payments >= other.Payments && Activity >= other.Activity;
}
