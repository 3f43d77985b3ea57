using System.Globalization;
using Collections.Domain;
using Collections.Engine.Stores;
using Collections.Storage.Stores;

namespace Collections.Storage.Postgres;

/// <summary>
/// What a batch of lease changes comes to: for each lease one row to insert, to change or to delete, so that the batch is three statements however
/// long it is. Changes of one lease take effect in their order; whatever follows its close changes nothing.
/// </summary>
internal sealed class LeaseBatch
{
    private readonly Dictionary<(int Partition, uint Sequence), Outcome> outcomes = [];

    /// <summary>The epoch under which each partition's leases are changed.</summary>
    public SortedDictionary<int, long> Epochs { get; } = [];

    public IEnumerable<LeaseRow> Granted => outcomes.Values.Where(static o => o is { Granted: not null, IsClosed: false }).Select(static o => o.Granted!);

    public IEnumerable<(int Partition, uint Sequence)> Closed => outcomes.Where(static o => o.Value is { IsClosed: true, Granted: null }).Select(static o => o.Key);

    /// <summary>Leases that are there already, if they still are, with their new end; voided ones or, otherwise, in the state that they are in.</summary>
    public IEnumerable<(int Partition, uint Sequence, long ExpiresMs, bool IsVoided)> Changed =>
        outcomes.Where(static o => o.Value is { IsClosed: false, Granted: null }).Select(static o => (o.Key.Partition, o.Key.Sequence, o.Value.ExpiresMs, o.Value.IsVoided));

    /// <exception cref="StoreFencedException">Changes of one partition come under two epochs: one of them is an old owner's.</exception>
    public static LeaseBatch Of(IReadOnlyList<LeaseChange> changes)
    {
        var batch = new LeaseBatch();
        for (int i = 0; i < changes.Count; i++)
        {
            LeaseChange next = changes[i];
            if (!batch.Epochs.TryAdd(next.Partition, next.Epoch) && batch.Epochs[next.Partition] != next.Epoch)
                throw new StoreFencedException(Text($"leases of partition {next.Partition} came under epochs {batch.Epochs[next.Partition]} and {next.Epoch}: one of them is over, so stop the partition here"), next.Partition);
            batch.Add(next);
        }
        return batch;
    }

    /// <summary>A lease that may have been committed by mistake: it goes, unless this batch is about it.</summary>
    public void CloseUnlessNamed(int partition, uint sequence) => outcomes.TryAdd((partition, sequence), new Outcome { IsClosed = true });

    private void Add(in LeaseChange next)
    {
        (int, uint) key = (next.Partition, next.Sequence);
        bool isKnown = outcomes.TryGetValue(key, out Outcome outcome);
        switch (next.Kind)
        {
            case LeaseChangeKind.Grant:
                LeaseRow? row = next.Row;
                if (row is null || row.Partition != next.Partition || row.Sequence != next.Sequence)
                    throw new InvariantBrokenException(Text($"a grant carries its own row, but lease {next.Partition}-{next.Sequence} came with {row?.Id ?? "none"}"));
                if (isKnown && (outcome.Granted is not null || outcome.IsClosed))
                    throw new InvariantBrokenException($"a lease is granted once and before it ends, but {row.Id} was changed before in the same batch");
                // What became void while its grant was on its way was told first: it is granted as void.
                outcomes[key] = isKnown ? (outcome with { Granted = row }).Moved(outcome.ExpiresMs, outcome.IsVoided) : new Outcome { Granted = row };
                break;
            case LeaseChangeKind.Extend or LeaseChangeKind.Void:
                outcomes[key] = outcome.Moved(next.ExpiresMs, next.Kind == LeaseChangeKind.Void);
                break;
            case LeaseChangeKind.Close:
                outcomes[key] = outcome with { IsClosed = true };
                break;
            default:
                throw new InvariantBrokenException(Text($"a lease change has a known kind, but {(int)next.Kind} came"));
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private readonly record struct Outcome(LeaseRow? Granted, long ExpiresMs, bool IsVoided, bool IsClosed)
    {
        public Outcome Moved(long expiresMs, bool isVoided) => IsClosed
            ? this
            : this with
            {
                ExpiresMs = expiresMs,
                IsVoided = IsVoided || isVoided,
                Granted = Granted is null ? null : Granted with { ExpiresMs = expiresMs, State = IsVoided || isVoided ? LeaseState.Voided : Granted.State },
            };
    }
}
