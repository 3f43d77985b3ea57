using System.Buffers.Binary;

namespace Collections.Domain;

/// <summary>
/// Murmur2 as Kafka's Java clients use it to place a key: partition = (hash with the sign bit cleared) mod partitions. The engine must
/// agree with every producer that uses the default partitioner, so this is a fact about Kafka, not a choice.
/// </summary>
public static class Murmur2
{
    private const uint M = 0x5bd1e995;
    private const uint KafkaSeed = 0x9747b28c;

    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => (int)((Of(key) & 0x7fffffff) % (uint)partitions);

    public static uint Of(ReadOnlySpan<byte> key)
    {
        uint h = KafkaSeed ^ (uint)key.Length;
        while (key.Length >= 4)
        {
            uint k = BinaryPrimitives.ReadUInt32LittleEndian(key) * M;
            k = (k ^ k >> 24) * M;
            h = h * M ^ k;
            key = key[4..];
        }
        if (key.Length == 3)
            h ^= (uint)key[2] << 16;
        if (key.Length >= 2)
            h ^= (uint)key[1] << 8;
        if (key.Length >= 1)
            h = (h ^ key[0]) * M;
        h = (h ^ h >> 13) * M;
        return h ^ h >> 15;
    }
}
