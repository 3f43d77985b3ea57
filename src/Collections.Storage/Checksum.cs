using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Collections.Storage;

/// <summary>CRC-32C: every change of up to 32 neighbouring bits is seen, and the processor computes it at several bytes a cycle.</summary>
internal static class Checksum
{
    public const uint Start = uint.MaxValue;

    public static uint Of(ReadOnlySpan<byte> bytes, uint start = Start)
    {
        ref byte at = ref MemoryMarshal.GetReference(bytes);
        uint sum = start;
        int i = 0;
        for (; i <= bytes.Length - sizeof(ulong); i += sizeof(ulong))
            sum = BitOperations.Crc32C(sum, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, i)));
        for (; i < bytes.Length; i++)
            sum = BitOperations.Crc32C(sum, Unsafe.Add(ref at, i));
        return sum;
    }

    public static uint Of(long value, uint start) => BitOperations.Crc32C(start, (ulong)value);
}
