using Collections.Domain.Events;

namespace Collections.Kafka.Bridge;

/// <summary>Which topics are passed on to the log's, and how.</summary>
/// <param name="Sources">Topics whose records are events, keyed by anything.</param>
public sealed record RepartitionPlan(IReadOnlyList<string> Sources)
{
    public const string GroupDefault = "collections-repartition";

    /// <summary>The consumer group: several bridges of one group share the work, and one that starts again goes on where it was.</summary>
    public string Group { get; init; } = GroupDefault;

    /// <summary>A field of JSON records that names the debtor, and is no field of an event; empty: events name their debtors.</summary>
    public string KeyField { get; init; } = "";

    /// <summary>End when everything has been passed on, instead of waiting for more.</summary>
    public bool UntilEnd { get; init; }

    /// <exception cref="KafkaRefusedException">It can't be done: the message says why.</exception>
    internal void Check(KafkaLogOptions options)
    {
        if (Sources.Count == 0 || Sources.Any(static source => source.Length == 0))
            throw new KafkaRefusedException("--from names no topic; name those that the events are in, such as --from billing.events");
        if (Sources.FirstOrDefault(source => options.Topics.Concat(options.Outgoing).Contains(source, StringComparer.Ordinal)) is { } own)
            throw new KafkaRefusedException($"--from names {own}, which is a topic of the engine's own under the prefix '{options.Prefix}'; records there are re-routed by the nodes themselves");
        if (Group.Length == 0 || Group == options.Group)
            throw new KafkaRefusedException($"--group '{Group}' can't be used: it must be a name, and another than the nodes' own group '{options.Group}'");
    }
}

/// <summary>What was done with the records of the sources.</summary>
public sealed class RepartitionTally
{
    private readonly long[] forwarded = new long[EventKinds.StreamCount];
    private long read;
    private long deadLetters;

    public long Read => Interlocked.Read(ref read);

    /// <summary>Records that are no events, or can't be passed on.</summary>
    public long DeadLetters => Interlocked.Read(ref deadLetters);

    public long Forwarded(EventStream stream) => Interlocked.Read(ref forwarded[(int)stream]);

    public override string ToString() => FormattableString.Invariant(
        $"{Read} read: {Forwarded(EventStream.Invoices)} to invoices, {Forwarded(EventStream.Payments)} to payments, {Forwarded(EventStream.Activity)} to activity, {DeadLetters} dead letters");

    internal void Add(int recordsRead, ReadOnlySpan<long> recordsForwarded, int letters)
    {
        Interlocked.Add(ref read, recordsRead);
        for (int i = 0; i < forwarded.Length; i++)
            Interlocked.Add(ref forwarded[i], recordsForwarded[i]);
        Interlocked.Add(ref deadLetters, letters);
    }
}
