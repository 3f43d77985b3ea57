using System.Text;
using Collections.Engine.Stores;

namespace Collections.Engine.Publishing;

/// <summary>Something that is said of a message beside its value.</summary>
public readonly record struct OutboxHeader(string Name, byte[] Value)
{
    public static OutboxHeader Of(string name, string value) => new(name, Encoding.UTF8.GetBytes(value));
}

/// <summary>A row of the outbox as it leaves: what consumers see.</summary>
/// <param name="Key">The debtor's, "tenant/debtor"; null: not known.</param>
public sealed record OutboxMessage(byte[]? Key, byte[] Value, IReadOnlyList<OutboxHeader> Headers)
{
    public const string Protobuf = "application/x-protobuf";
    public const string AnyBytes = "application/octet-stream";

    public static OutboxMessage Of(int partition, in OutboxRow row) => row.Kind switch
    {
        OutboxKind.Decision => new OutboxMessage(
            DecisionWriter.KeyOf(row.Content), DecisionWriter.WithSequence(row.Content, row.Sequence),
            [OutboxHeader.Of("id", IdOf(partition, row.Sequence)), OutboxHeader.Of("content-type", Protobuf)]),
        _ => DeadLetterForm.Read(partition, row),
    };

    /// <summary>A message's public name, such as "3-1041": unique among those of its kind, and never another's.</summary>
    public static string IdOf(int partition, long sequence) => FormattableString.Invariant($"{partition}-{sequence}");
}
