using System.Buffers.Binary;
using Collections.Scoring.Reasons;

namespace Collections.Storage.Stores;

/// <summary>The stored form of a lease's reasons, little-endian: for each a code of 2 bytes and its contribution, a double. Empty: none.</summary>
internal static class ReasonsForm
{
    private const int Bytes = sizeof(ushort) + sizeof(double);

    public static byte[] Write(in TopReasons reasons)
    {
        var bytes = new byte[reasons.Count * Bytes];
        for (int i = 0; i < reasons.Count; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * Bytes), (ushort)reasons[i].Code);
            BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(i * Bytes + sizeof(ushort)), reasons[i].Contribution);
        }
        return bytes;
    }

    /// <summary>What is no such form is read as far as it is one; the row's checksum, which covers it, then doesn't hold.</summary>
    public static TopReasons Read(ReadOnlySpan<byte> bytes)
    {
        int count = Math.Min(bytes.Length / Bytes, TopReasons.CountMax);
        Span<ReasonWeight> reasons = stackalloc ReasonWeight[TopReasons.CountMax];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> one = bytes[(i * Bytes)..];
            reasons[i] = new ReasonWeight(BinaryPrimitives.ReadUInt16LittleEndian(one), BinaryPrimitives.ReadDoubleLittleEndian(one[sizeof(ushort)..]));
            if (reasons[i].Code == 0)
                return default;
        }
        return new TopReasons(reasons[..count]);
    }
}
