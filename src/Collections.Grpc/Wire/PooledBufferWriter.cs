using System.Buffers;

namespace Collections.Grpc;

/// <summary>Collects bytes in one array of the shared pool, for as long as it is not disposed.</summary>
internal sealed class PooledBufferWriter(int capacity = 256) : IBufferWriter<byte>, IDisposable
{
    private byte[] buffer = ArrayPool<byte>.Shared.Rent(capacity);
    private int written;

    public ReadOnlyMemory<byte> Written => buffer.AsMemory(0, written);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, buffer.Length - written);
        written += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return buffer.AsMemory(written);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Dispose()
    {
        var returned = buffer;
        buffer = [];
        written = 0;
        if (returned.Length > 0)
            ArrayPool<byte>.Shared.Return(returned);
    }

    private void Reserve(int size)
    {
        if (buffer.Length - written >= size)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(checked(Math.Max(written + size, (int)Math.Min(2L * buffer.Length, Array.MaxLength))));
        buffer.AsSpan(0, written).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
