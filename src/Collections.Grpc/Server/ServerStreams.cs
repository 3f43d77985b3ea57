using Grpc.Core;

namespace Collections.Grpc;

/// <summary>The requests of a call, as its handler reads them.</summary>
internal sealed class RequestStreamReader<T>(ServerCall call, Marshaller<T> marshaller) : IAsyncStreamReader<T>
    where T : class
{
    private T? current;

    public T Current => current ?? throw new InvalidOperationException("No request has been received; call MoveNext first.");

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        current = await call.ReadRequestAsync(marshaller, cancellationToken);
        return current is not null;
    }
}

/// <summary>The responses of a call, as its handler writes them.</summary>
internal sealed class ResponseStreamWriter<T>(ServerCall call, Marshaller<T> marshaller) : IServerStreamWriter<T>
    where T : class
{
    private const int Idle = 0;
    private const int Writing = 1;
    private const int Closed = 2;

    // Written by the handler's writes and, once, when the handler has returned. Two writes at once would interleave
    // their frames, and a write after the end would go into the next use of a pooled response.
    private int state;

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        switch (Interlocked.CompareExchange(ref state, Writing, Idle))
        {
            case Writing: throw new InvalidOperationException("The previous write has not ended; await it before the next.");
            case Closed: throw new InvalidOperationException("The call has ended; nothing can be written to it any more.");
            default: break;
        }

        try
        {
            var flags = (WriteOptions ?? call.WriteOptions)?.Flags ?? WriteFlags.None;
            await call.WriteResponseAsync(message, marshaller, flush: !flags.HasFlag(WriteFlags.BufferHint), cancellationToken);
        }
        finally
        {
            Interlocked.CompareExchange(ref state, Idle, Writing);
        }
    }

    public void Close() => Interlocked.Exchange(ref state, Closed);
}
