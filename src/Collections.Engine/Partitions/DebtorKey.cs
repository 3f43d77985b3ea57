using Collections.Domain;

namespace Collections.Engine.Partitions;

/// <summary>
/// A debtor's key is "tenant/debtor". Its partition is Kafka's: murmur2(key) mod P. Its hash, by which tables and logs find it, is the
/// engine's own. Both are persisted facts.
/// </summary>
public static class DebtorKey
{
    public static ulong HashOf(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor) => Hash64.Of(debtor, Hash64.Of(tenant));

    public static byte[] Of(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor) => [.. tenant, (byte)'/', .. debtor];

    public static int PartitionOf(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor, int partitions)
    {
        Span<byte> key = stackalloc byte[tenant.Length + 1 + debtor.Length];
        tenant.CopyTo(key);
        key[tenant.Length] = (byte)'/';
        debtor.CopyTo(key[(tenant.Length + 1)..]);
        return Murmur2.PartitionOf(key, partitions);
    }
}
