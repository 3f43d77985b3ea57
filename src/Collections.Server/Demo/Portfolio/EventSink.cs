using Collections.Domain.Events;

namespace Collections.Server.Demo.Portfolio;

/// <summary>One event of the simulated portfolio; its spans are valid until the sink returns.</summary>
public readonly ref struct SimulatedEvent
{
    public required EventStream Stream { get; init; }
    public required EventKind Kind { get; init; }

    /// <summary>The debtor's index, from 0.</summary>
    public required int Debtor { get; init; }
    public required ReadOnlySpan<byte> DebtorName { get; init; }

    /// <summary>Unix milliseconds, never earlier than that of the event before it.</summary>
    public required long KnownMs { get; init; }

    /// <summary>The event in wire form, of the default tenant, without delivery fields.</summary>
    public required ReadOnlySpan<byte> Content { get; init; }
}

/// <summary>Takes the events of a <see cref="SimulatedPortfolio"/>, one after another, in the order in which they become known.</summary>
public delegate void EventSink(in SimulatedEvent e);
