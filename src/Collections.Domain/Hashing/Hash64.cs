using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Collections.Domain;

/// <summary>
/// A fast 64-bit hash of bytes by folded 64 × 64 → 128-bit multiplication (the construction of wyhash and of Rust's FxHash successor).
/// It indexes debtors and recognises ids again; its values are persisted, so it may never change (a golden test holds it).
/// It is no defence against an adversary who chooses keys.
/// </summary>
public static class Hash64
{
    private const ulong K0 = 0x9E3779B97F4A7C15;
    private const ulong K1 = 0xD6E8FEB86659FD93;
    private const ulong K2 = 0xA0761D6478BD642F;

    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed = 0)
    {
        ulong h = seed ^ K0;
        int length = bytes.Length;
        while (bytes.Length > 16)
        {
            h = Fold(BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ K1 ^ h, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) ^ K2);
            bytes = bytes[16..];
        }
        ulong a, b;
        if (bytes.Length >= 8)
        {
            a = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            b = BinaryPrimitives.ReadUInt64LittleEndian(bytes[^8..]);
        }
        else if (bytes.Length >= 4)
        {
            a = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            b = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]);
        }
        else
        {
            a = bytes.Length > 0 ? (ulong)bytes[0] << 16 | (ulong)bytes[bytes.Length >> 1] << 8 | bytes[^1] : 0;
            b = 0;
        }
        return Fold(Fold(a ^ K1 ^ h, b ^ K2) ^ K0, (ulong)length ^ K1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }
}
