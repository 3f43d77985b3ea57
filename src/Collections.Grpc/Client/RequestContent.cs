using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;

namespace Collections.Grpc;

/// <summary>The one request of a call, already framed in a pooled buffer.</summary>
internal sealed class SingleRequestContent : HttpContent
{
    private readonly PooledBufferWriter frame;

    // The call is one user of the buffer and each transport that reads it another. A server may answer before it has
    // taken the request, so that the call lets go of the buffer first; and a connection that is being closed may refuse
    // the request, so that a second one reads the buffer again. It goes back to the pool when the last has let go.
    private int users = 1;
    private int disposed;

    public SingleRequestContent(PooledBufferWriter frame)
    {
        this.frame = frame;
        Headers.ContentType = new MediaTypeHeaderValue(WireNames.ContentType);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Interlocked.Increment(ref users) == 1, this);
        try
        {
            await stream.WriteAsync(frame.Written, cancellationToken);
        }
        finally
        {
            LetGo();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
            LetGo();
        base.Dispose(disposing);
    }

    private void LetGo()
    {
        if (Interlocked.Decrement(ref users) == 0)
            frame.Dispose();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>The requests of a call, written one by one while the response may already be coming.</summary>
internal sealed class StreamingRequestContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StreamingRequestContent() => Headers.ContentType = new MediaTypeHeaderValue(WireNames.ContentType);

    /// <summary>The stream to write to, once the transport has opened it.</summary>
    public Task<Stream> Opened => opened.Task;

    /// <summary>Ends the requests.</summary>
    public void End() => ended.TrySetResult();

    /// <summary>Lets writers that wait for the stream know that it will not open.</summary>
    public void Abandon()
    {
        opened.TrySetCanceled();
        ended.TrySetCanceled();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // The headers leave at once; the server may have something to say before the first request.
        await stream.FlushAsync(cancellationToken);
        if (!opened.TrySetResult(stream))
            throw new IOException("The connection refused the call, and requests that stream can't be sent a second time.");
        await ended.Task.WaitAsync(cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>Sends the requests of a call.</summary>
internal sealed class ClientRequestWriter<TRequest, TResponse>(
    ClientCall<TRequest, TResponse> call, StreamingRequestContent content) : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    // Written by the caller's writes only; it catches a write that does not wait for the one before.
    private int writing;
    private bool completed;

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (completed)
            throw new InvalidOperationException("The requests were completed; nothing can be sent after that.");
        if (Interlocked.Exchange(ref writing, 1) == 1)
            throw new InvalidOperationException("The previous write has not ended; await it before the next.");
        try
        {
            using var frame = call.Frame(message);
            var stream = await content.Opened.WaitAsync(cancellationToken);
            await stream.WriteAsync(frame.Written, cancellationToken);
            var flags = (WriteOptions ?? call.CallOptions.WriteOptions)?.Flags ?? WriteFlags.None;
            if (!flags.HasFlag(WriteFlags.BufferHint))
                await stream.FlushAsync(cancellationToken);
        }
        catch (Exception e) when (e is not RpcException && !cancellationToken.IsCancellationRequested)
        {
            // The stream is only closed because the call has ended or is about to; how it ended is the better answer.
            throw await call.WhyWriteFailedAsync(e);
        }
        finally
        {
            Volatile.Write(ref writing, 0);
        }
    }

    public Task CompleteAsync()
    {
        completed = true;
        content.End();
        return Task.CompletedTask;
    }
}
