using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Net.Client;

namespace Collections.Grpc;

/// <summary>One call of a client, from its headers to the server's trailers.</summary>
internal sealed class ClientCall<TRequest, TResponse> : IDisposable
    where TRequest : class
    where TResponse : class
{
    private readonly HttpCallInvoker invoker;
    private readonly Method<TRequest, TResponse> method;
    private readonly CancellationTokenSource cancellation;
    private readonly CancellationTokenSource? deadlineTimer;
    private readonly CancellationToken cancelled;
    private readonly bool deadlinePassedAtStart;
    private readonly TaskCompletionSource<Metadata> responseHeaders = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Set once, when the call has ended; whoever asks for the status or the trailers reads it.
    private readonly TaskCompletionSource<(Status Status, Metadata Trailers)> outcome =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private StreamingRequestContent? requestStream;
    private Task<MessageFrameReader>? opened;
    private HttpResponseMessage? response;

    public ClientCall(HttpCallInvoker invoker, Method<TRequest, TResponse> method, CallOptions options)
    {
        this.invoker = invoker;
        this.method = method;
        CallOptions = options;
        if (RemainingTime() is { } remaining && remaining < GrpcLimits.DeadlineTimerMax)
        {
            deadlinePassedAtStart = remaining <= TimeSpan.Zero;
            if (!deadlinePassedAtStart)
                deadlineTimer = new CancellationTokenSource(remaining, invoker.Options.TimeProvider);
        }

        cancellation = CancellationTokenSource.CreateLinkedTokenSource(
            options.CancellationToken, deadlineTimer?.Token ?? CancellationToken.None);
        cancelled = cancellation.Token;
    }

    public CallOptions CallOptions { get; }

    public Task<Metadata> ResponseHeadersAsync => responseHeaders.Task;

    private bool DeadlinePassed => deadlinePassedAtStart || deadlineTimer is { IsCancellationRequested: true };

    /// <summary>Sends the headers and the one request.</summary>
    public void Start(TRequest request)
    {
        PooledBufferWriter frame;
        try
        {
            frame = Frame(request);
        }
        catch (RpcException e)
        {
            opened = Task.FromException<MessageFrameReader>(Fail(e));
            return;
        }

        opened = OpenAsync(new SingleRequestContent(frame));
    }

    /// <summary>Sends the headers; the requests follow through what this returns.</summary>
    public ClientRequestWriter<TRequest, TResponse> StartStreaming()
    {
        requestStream = new StreamingRequestContent();
        opened = OpenAsync(requestStream);
        return new ClientRequestWriter<TRequest, TResponse>(this, requestStream);
    }

    /// <summary>Frames a request in a buffer that the receiver disposes.</summary>
    public PooledBufferWriter Frame(TRequest request)
    {
        var frame = new PooledBufferWriter();
        try
        {
            new MessageFrameWriter(frame, invoker.Options.MaxSendMessageSize).Write(request, method.RequestMarshaller);
            return frame;
        }
        catch
        {
            frame.Dispose();
            throw;
        }
    }

    /// <summary>Reads the response of a method that gives exactly one.</summary>
    public async Task<TResponse> ReadOnlyResponseAsync()
    {
        try
        {
            var reader = await opened!;
            var message = await reader.ReadAsync(method.ResponseMarshaller, cancelled);
            if (message is not null)
                await reader.RequireEndAsync(cancelled);
            EndWithTrailers();
            return message
                ?? throw new RpcException(new Status(StatusCode.Unimplemented, "The server ended the call without the response that the method gives."));
        }
        catch (Exception e)
        {
            throw Fail(e);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Reads the next response of a stream, or null at its end.</summary>
    public async Task<TResponse?> ReadResponseAsync(CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.CanBeCanceled
            ? cancellationToken.UnsafeRegister(static call => ((ClientCall<TRequest, TResponse>)call!).Cancel(), this)
            : default;
        try
        {
            var reader = await opened!;
            if (outcome.Task.IsCompletedSuccessfully)
            {
                var (status, trailers) = await outcome.Task;
                return status.StatusCode == StatusCode.OK ? null : throw new RpcException(status, trailers);
            }

            var message = await reader.ReadAsync(method.ResponseMarshaller, cancelled);
            if (message is null)
            {
                EndWithTrailers();
                Release();
            }

            return message;
        }
        catch (Exception e)
        {
            var failure = Fail(e);
            Release();
            throw failure;
        }
    }

    /// <summary>Finds the better answer to why a request could not be sent: how the call ended.</summary>
    public async Task<RpcException> WhyWriteFailedAsync(Exception exception)
    {
        // A call that the server ended has an outcome as soon as somebody reads the response; nobody may be reading, so
        // it is not waited for beyond what has been received.
        try
        {
            await opened!;
        }
        catch (Exception e)
        {
            return Fail(e);
        }

        if (outcome.Task.IsCompletedSuccessfully)
        {
            var (status, trailers) = await outcome.Task;
            return new RpcException(status, trailers);
        }

        return Translate(exception);
    }

    public Status GetStatus() => Outcome().Status;

    public Metadata GetTrailers() => Outcome().Trailers;

    public void Dispose()
    {
        Cancel();
        outcome.TrySetResult((Status.DefaultCancelled, Metadata.Empty));
        Release();
    }

    private void Cancel()
    {
        try
        {
            cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call ended while it was being cancelled.
        }
    }

    private async Task<MessageFrameReader> OpenAsync(HttpContent content)
    {
        try
        {
            cancelled.ThrowIfCancellationRequested();
            if (deadlinePassedAtStart)
                throw new OperationCanceledException();
            using var request = NewRequest(content);
            var received = await invoker.Http.SendAsync(request, cancelled);
            response = received;
            if (cancelled.IsCancellationRequested)
                received.Dispose();
            RequireGrpc(received);
            if (WireNames.ParseEncoding(First(received.Headers, WireNames.Encoding)) is not { } encoding)
                throw new RpcException(new Status(StatusCode.Internal, "The server compresses messages in a way that was not offered."));
            responseHeaders.TrySetResult(received.Headers.Contains(WireNames.Status) ? [] : ReadMetadata(received.Headers));
            var stream = await received.Content.ReadAsStreamAsync(cancelled);
            return new MessageFrameReader(PipeReader.Create(stream), invoker.Options.MaxReceiveMessageSize, encoding);
        }
        catch (Exception e)
        {
            requestStream?.Abandon();
            throw Fail(e);
        }
    }

    private HttpRequestMessage NewRequest(HttpContent content)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(invoker.Address, method.FullName))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.TryAddWithoutValidation("user-agent", "grpc-dotnet-collections/1");
        request.Headers.TryAddWithoutValidation(WireNames.AcceptEncoding, WireNames.AcceptedEncodings);
        if (RemainingTime() is { } remaining)
        {
            request.Headers.TryAddWithoutValidation(
                WireNames.Timeout, GrpcTimeout.Format(remaining > TimeSpan.Zero ? remaining : TimeSpan.FromMicroseconds(1)));
        }

        foreach (var entry in CallOptions.Headers ?? Metadata.Empty)
        {
            WireNames.RequireApplicationKey(entry.Key);
            request.Headers.TryAddWithoutValidation(entry.Key, WireNames.HeaderValue(entry));
        }

        return request;
    }

    private TimeSpan? RemainingTime() =>
        CallOptions.Deadline is { } deadline && deadline != DateTime.MaxValue
            ? deadline.ToUniversalTime() - invoker.Options.TimeProvider.GetUtcNow().UtcDateTime
            : null;

    private static void RequireGrpc(HttpResponseMessage received)
    {
        if (received.StatusCode != HttpStatusCode.OK)
            throw new RpcException(TransportFailures.StatusOfHttp(received.StatusCode));
        var contentType = received.Content.Headers.ContentType?.ToString();
        if (!WireNames.IsGrpcContentType(contentType))
            throw new RpcException(new Status(StatusCode.Unknown, $"The server answered with the content type \"{contentType}\", which is not gRPC."));
    }

    // Throws unless the server says that the call succeeded.
    private void EndWithTrailers()
    {
        HttpHeaders trailers = response!.Headers.Contains(WireNames.Status) ? response.Headers : response.TrailingHeaders;
        var text = First(trailers, WireNames.Status);
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            throw new RpcException(new Status(StatusCode.Unknown, "The server ended the call without a status."));
        var status = new Status(
            Enum.IsDefined((StatusCode)code) ? (StatusCode)code : StatusCode.Unknown,
            StatusMessage.Decode(First(trailers, WireNames.Message) ?? ""));
        var metadata = ReadMetadata(trailers);
        outcome.TrySetResult((status, metadata));
        if (status.StatusCode != StatusCode.OK)
            throw new RpcException(status, metadata);
    }

    // The first failure is the call's outcome; later ones are its consequences.
    private RpcException Fail(Exception exception)
    {
        var failure = Translate(exception);
        outcome.TrySetResult((failure.Status, failure.Trailers));
        responseHeaders.TrySetException(failure);
        _ = responseHeaders.Task.Exception;
        return failure;
    }

    private RpcException Translate(Exception exception) => exception switch
    {
        RpcException rpc => rpc,
        _ when DeadlinePassed => new RpcException(new Status(StatusCode.DeadlineExceeded, "The deadline passed.", exception)),
        _ when cancelled.IsCancellationRequested => new RpcException(new Status(StatusCode.Cancelled, "The call was cancelled.", exception)),
        _ => new RpcException(TransportFailures.StatusOf(exception)),
    };

    private (Status Status, Metadata Trailers) Outcome() =>
        outcome.Task.IsCompletedSuccessfully
            ? outcome.Task.GetAwaiter().GetResult()
            : throw new InvalidOperationException("The call has not ended; its status and trailers are not known.");

    // A response that has not ended is given up, which tells the server to stop.
    private void Release()
    {
        requestStream?.Abandon();
        response?.Dispose();
        deadlineTimer?.Dispose();
        cancellation.Dispose();
    }

    private static Metadata ReadMetadata(HttpHeaders headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values)
                WireNames.AddReceived(metadata, name, value);
        }

        return metadata;
    }

    private static string? First(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) && values.Count > 0 ? values.First() : null;
}

/// <summary>The responses of a call, as the caller reads them.</summary>
internal sealed class ClientResponseReader<TRequest, TResponse>(ClientCall<TRequest, TResponse> call) : IAsyncStreamReader<TResponse>
    where TRequest : class
    where TResponse : class
{
    private TResponse? current;

    public TResponse Current => current ?? throw new InvalidOperationException("No response has been received; call MoveNext first.");

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        current = await call.ReadResponseAsync(cancellationToken);
        return current is not null;
    }
}
