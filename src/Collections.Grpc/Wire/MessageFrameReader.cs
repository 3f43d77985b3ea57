using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;
using Grpc.Core;

namespace Collections.Grpc;

/// <summary>
/// Reads the messages of one side of a call, parsing each where the transport received it. What breaks the framing, the
/// limit or the message's own format ends in an <see cref="RpcException"/> with the status that the protocol has for it.
/// </summary>
internal sealed class MessageFrameReader(PipeReader input, int messageBytesMax, MessageEncoding encoding) : DeserializationContext
{
    private ReadOnlySequence<byte> payload;

    public override int PayloadLength => (int)payload.Length;

    public override byte[] PayloadAsNewBuffer() => payload.ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => payload;

    /// <summary>Reads the next message, or null at the end of the stream.</summary>
    public async ValueTask<T?> ReadAsync<T>(Marshaller<T> marshaller, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            if (result.IsCanceled)
                throw new OperationCanceledException("The read was cancelled.");
            var buffer = result.Buffer;
            var consumed = buffer.Start;
            try
            {
                if (TryTakePayload(buffer, out var compressed))
                {
                    consumed = payload.End;
                    return compressed ? ParseCompressed(marshaller) : Parse(marshaller);
                }

                if (result.IsCompleted)
                    return buffer.IsEmpty ? null : throw Failure(StatusCode.Internal, "The stream ended within a message.");
            }
            finally
            {
                payload = default;
                input.AdvanceTo(consumed, consumed.Equals(buffer.Start) ? buffer.End : consumed);
            }
        }
    }

    /// <summary>Fails unless the stream ends where it stands; a side that does not stream sends exactly one message.</summary>
    public async ValueTask RequireEndAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var empty = result.Buffer.IsEmpty;
            input.AdvanceTo(result.Buffer.End);
            if (!empty)
                throw Failure(StatusCode.Unimplemented, "There was more than the one message that the method has.");
            if (result.IsCompleted)
                return;
        }
    }

    private bool TryTakePayload(ReadOnlySequence<byte> buffer, out bool compressed)
    {
        compressed = false;
        if (buffer.Length < MessageFrameWriter.HeaderBytes)
            return false;
        Span<byte> header = stackalloc byte[MessageFrameWriter.HeaderBytes];
        buffer.Slice(0, MessageFrameWriter.HeaderBytes).CopyTo(header);
        if (header[0] > 1)
            throw Failure(StatusCode.Internal, $"The frame begins with the byte {header[0]}, where only 0 and 1 have a meaning.");
        compressed = header[0] == 1;
        if (compressed && encoding == MessageEncoding.Identity)
            throw Failure(StatusCode.Internal, $"A message is compressed, but {WireNames.Encoding} names no compression.");
        var bytes = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (bytes > messageBytesMax)
            throw TooLarge($"A message of {bytes} bytes");
        if (buffer.Length < MessageFrameWriter.HeaderBytes + (long)bytes)
            return false;
        payload = buffer.Slice(MessageFrameWriter.HeaderBytes, bytes);
        return true;
    }

    private T Parse<T>(Marshaller<T> marshaller)
    {
        try
        {
            return marshaller.ContextualDeserializer(this);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, "A message could not be parsed.", e));
        }
    }

    private T ParseCompressed<T>(Marshaller<T> marshaller)
    {
        var compressed = ArrayPool<byte>.Shared.Rent(Math.Max(1, PayloadLength));
        using var decompressed = new PooledBufferWriter();
        try
        {
            payload.CopyTo(compressed);
            using var gzip = new GZipStream(new MemoryStream(compressed, 0, PayloadLength, writable: false), CompressionMode.Decompress);
            int read;
            while ((read = gzip.Read(decompressed.GetSpan(4096))) > 0)
            {
                decompressed.Advance(read);
                if (decompressed.Written.Length > messageBytesMax)
                    throw TooLarge("A message that decompresses further");
            }
        }
        catch (InvalidDataException e)
        {
            throw new RpcException(new Status(StatusCode.Internal, "A message could not be decompressed.", e));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(compressed);
        }

        payload = new ReadOnlySequence<byte>(decompressed.Written);
        return Parse(marshaller);
    }

    private RpcException TooLarge(string what) =>
        Failure(StatusCode.ResourceExhausted, $"{what} is larger than the {messageBytesMax} bytes that may be received.");

    private static RpcException Failure(StatusCode code, string detail) => new(new Status(code, detail));
}
