using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Import;

/// <summary>Where a debtor's events belong: the partition of the key <c>tenant/debtor</c>, and the hash by which the log finds them again.</summary>
internal readonly record struct DebtorPlace(int Partition, ulong DebtorHash)
{
    public static DebtorPlace Of(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor, int partitionCount)
    {
        Span<byte> key = stackalloc byte[EventReader.TenantMaxBytes + 1 + EventReader.NameMaxBytes];
        tenant.CopyTo(key);
        key[tenant.Length] = (byte)'/';
        debtor.CopyTo(key[(tenant.Length + 1)..]);
        return new DebtorPlace(Murmur2.PartitionOf(key[..(tenant.Length + 1 + debtor.Length)], partitionCount), HashOf(tenant, debtor));
    }

    /// <summary>A partition's own events, which belong to no debtor.</summary>
    public static DebtorPlace OfPartition(ReadOnlySpan<byte> tenant, int partition) => new(partition, HashOf(tenant, []));

    private static ulong HashOf(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor) => Hash64.Of(debtor, Hash64.Of(tenant));
}
