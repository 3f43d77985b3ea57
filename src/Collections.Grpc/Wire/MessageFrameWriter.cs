using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace Collections.Grpc;

/// <summary>
/// Writes messages as the protocol frames them: a byte that tells compression, four bytes of length, the payload. A
/// message whose length is told first, as generated code does, goes into the target without a copy.
/// </summary>
internal sealed class MessageFrameWriter(IBufferWriter<byte> target, int messageBytesMax) : SerializationContext
{
    public const int HeaderBytes = 5;

    private int? declaredBytes;
    private bool headerWritten;
    private bool complete = true;
    private ArrayBufferWriter<byte>? undeclared;

    /// <summary>
    /// Whether a frame was begun and its payload never ended, because the serializer failed. What follows on the stream
    /// can't be understood any more, so the stream has to be torn down.
    /// </summary>
    public bool IsBroken => headerWritten && !complete;

    /// <summary>Writes one message.</summary>
    public void Write<T>(T message, Marshaller<T> marshaller)
    {
        declaredBytes = null;
        headerWritten = false;
        complete = false;
        undeclared = null;
        marshaller.ContextualSerializer(message, this);
        if (!complete)
            throw new InvalidOperationException($"The serializer of {typeof(T)} returned without completing the message.");
    }

    public override void SetPayloadLength(int payloadLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadLength);
        RequireWithinLimit(payloadLength);
        declaredBytes = payloadLength;
    }

    public override IBufferWriter<byte> GetBufferWriter()
    {
        if (declaredBytes is not { } bytes)
            return undeclared ??= new ArrayBufferWriter<byte>();
        WriteHeader(bytes);
        return target;
    }

    public override void Complete()
    {
        if (undeclared is not null)
        {
            Complete(undeclared.WrittenSpan);
            return;
        }

        WriteHeader(declaredBytes ?? 0);
        complete = true;
    }

    public override void Complete(byte[] payload) => Complete(payload.AsSpan());

    private void Complete(ReadOnlySpan<byte> payload)
    {
        RequireWithinLimit(payload.Length);
        WriteHeader(payload.Length);
        target.Write(payload);
        complete = true;
    }

    private void WriteHeader(int payloadBytes)
    {
        if (headerWritten)
            return;
        var header = target.GetSpan(HeaderBytes);
        header[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(header[1..], payloadBytes);
        target.Advance(HeaderBytes);
        headerWritten = true;
    }

    private void RequireWithinLimit(int payloadBytes)
    {
        if (payloadBytes > messageBytesMax)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"A message of {payloadBytes} bytes is larger than the {messageBytesMax} that may be sent."));
        }
    }
}
