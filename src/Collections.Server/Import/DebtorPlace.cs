using Collections.Engine.Partitions;

namespace Collections.Server.Import;

/// <summary>Where a debtor's events belong: the partition of the key <c>tenant/debtor</c>, and the hash by which the log finds them again.</summary>
internal readonly record struct DebtorPlace(int Partition, ulong DebtorHash)
{
    public static DebtorPlace Of(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor, int partitionCount) =>
        new(DebtorKey.PartitionOf(tenant, debtor, partitionCount), DebtorKey.HashOf(tenant, debtor));

    /// <summary>A partition's own events, which belong to no debtor.</summary>
    public static DebtorPlace OfPartition(ReadOnlySpan<byte> tenant, int partition) => new(partition, DebtorKey.HashOf(tenant, []));
}
