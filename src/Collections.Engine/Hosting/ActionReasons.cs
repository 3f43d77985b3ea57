using Collections.Engine.Scoring;
using Collections.Engine.Stores;
using Collections.Scoring.Reasons;

namespace Collections.Engine.Hosting;

/// <summary>A lease that is about to be granted, and the row whose score it rests on; null where reasons are not wanted or there is no score.</summary>
internal readonly record struct Reservation(PartitionHost Host, LeaseRow Lease, ScoredRow? Scored);

/// <summary>Finds the reasons of leases before they are committed, on threads of the host and not of the partitions.</summary>
internal static class ActionReasons
{
    /// <summary>A thread is worth while for as many rows: 16 × 40 µs are 0.6 ms.</summary>
    private const int RowsPerThreadMin = 16;

    /// <summary>Rows go side by side in the walk over a tree, so that a share that is no multiple leaves lanes idle.</summary>
    private const int RowsSideBySide = 8;

    /// <returns>The reservations with the reasons of their leases, in the same order.</returns>
    public static async Task<List<Reservation>> AddAsync(List<Reservation> reservations)
    {
        var leases = new LeaseRow[reservations.Count];
        var explained = new List<int>(reservations.Count);
        for (int i = 0; i < leases.Length; i++)
        {
            leases[i] = reservations[i].Lease;
            if (reservations[i].Scored is not null)
                explained.Add(i);
        }
        await Task.WhenAll(explained
            .GroupBy(i => reservations[i].Scored!.Model)
            .SelectMany(group => group.Chunk(ShareOf(group.Count())), (group, share) => Task.Run(() => Add(group.Key, reservations, share, leases))));
        return [.. reservations.Select((reservation, i) => reservation with { Lease = leases[i] })];
    }

    private static int ShareOf(int rows)
    {
        int share = Math.Max(RowsPerThreadMin, (rows + Environment.ProcessorCount - 1) / Environment.ProcessorCount);
        return (share + RowsSideBySide - 1) / RowsSideBySide * RowsSideBySide;
    }

    private static void Add(ScoringModel model, List<Reservation> reservations, int[] share, LeaseRow[] leases)
    {
        ScoredRow[] rows = [.. share.Select(i => reservations[i].Scored!)];
        var reasons = new TopReasons[rows.Length];
        model.Explainer.Top(rows, reasons);
        for (int i = 0; i < share.Length; i++)
            leases[share[i]] = leases[share[i]] with { Reasons = reasons[i] };
    }
}
