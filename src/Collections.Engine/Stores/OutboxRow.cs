namespace Collections.Engine.Stores;

/// <summary>What leaves the engine; each kind has a topic and a count of its own in each partition. The numbers are persisted.</summary>
public enum OutboxKind : byte
{
    /// <summary>An act on an action that was handed out (<see cref="Publishing.DecisionWriter"/>).</summary>
    Decision = 1,

    /// <summary>A record that could not be applied (<see cref="Publishing.DeadLetterForm"/>).</summary>
    DeadLetter = 2,
}

/// <summary>Something that is to leave the engine.</summary>
/// <param name="Sequence">Counts without gaps in its partition and kind, from 1; 0 lets the store give the next one.</param>
/// <param name="Content">In the form of its kind, without the number.</param>
public readonly record struct OutboxRow(long Sequence, OutboxKind Kind, byte[] Content)
{
    /// <summary>The kinds, for those who go through all of them.</summary>
    public static readonly OutboxKind[] Kinds = [OutboxKind.Decision, OutboxKind.DeadLetter];
}

/// <summary>The numbers that a partition gave last, by kind; 0: none yet.</summary>
public readonly record struct OutboxNumbers(long Decisions, long DeadLetters)
{
    public long this[OutboxKind kind] => kind == OutboxKind.Decision ? Decisions : DeadLetters;

    public OutboxNumbers With(OutboxKind kind, long number) => kind == OutboxKind.Decision ? this with { Decisions = number } : this with { DeadLetters = number };

    /// <summary>The number of the row that follows; a row that brings its own must bring that one.</summary>
    /// <exception cref="Domain.InvariantBrokenException">It brings another: messages were lost or repeated.</exception>
    public OutboxNumbers Following(int partition, in OutboxRow row)
    {
        long last = this[row.Kind];
        if (row.Sequence != 0 && row.Sequence != last + 1)
            throw new Domain.InvariantBrokenException(FormattableString.Invariant($"the outbox of partition {partition} counts each kind without gaps, but {row.Kind} {last} would be followed by {row.Sequence}"));
        return With(row.Kind, last + 1);
    }
}

/// <summary>Rows of an outbox in their order, and how far they go.</summary>
/// <param name="Last">The number given last in that partition and kind, whether its row is among these or not.</param>
public sealed record OutboxPage(IReadOnlyList<OutboxRow> Rows, long Last);
