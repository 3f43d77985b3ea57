using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Collections.Grpc;

/// <summary>One call on the server, from its headers to its trailers.</summary>
internal sealed class ServerCall(HttpContext http, GrpcServer server, string method) : ServerCallContext, IDisposable
{
    private readonly CancellationToken aborted = http.RequestAborted;
    private CancellationTokenSource? deadlineTimer;
    private CancellationTokenSource? deadlineOrAbort;
    private DateTime deadline = DateTime.MaxValue;
    private bool deadlinePassedAtStart;
    private MessageFrameReader? reader;
    private MessageFrameWriter? writer;
    private Metadata? requestHeaders;
    private Metadata? responseTrailers;
    private Status status = Status.DefaultSuccess;

    public HttpContext HttpContext => http;

    public IServiceProvider RequestServices => http.RequestServices;

    protected override string MethodCore => method;

    protected override string HostCore => http.Request.Host.Value ?? "";

    protected override string PeerCore => FormatPeer(http.Connection.RemoteIpAddress, http.Connection.RemotePort);

    protected override DateTime DeadlineCore => deadline;

    protected override CancellationToken CancellationTokenCore => deadlineOrAbort?.Token ?? aborted;

    protected override Metadata RequestHeadersCore => requestHeaders ??= ReadRequestHeaders();

    protected override Metadata ResponseTrailersCore => responseTrailers ??= [];

    protected override Status StatusCore
    {
        get => status;
        set => status = value;
    }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    private bool DeadlinePassed => deadlinePassedAtStart || deadlineTimer is { IsCancellationRequested: true };

    /// <summary>Takes the protocol's headers: the deadline and how the requests are compressed.</summary>
    public void Begin()
    {
        http.Response.ContentType = WireNames.ContentType;
        BeginDeadline();
        var encodingName = http.Request.Headers[WireNames.Encoding].ToString();
        if (WireNames.ParseEncoding(encodingName) is not { } encoding)
        {
            http.Response.Headers[WireNames.AcceptEncoding] = WireNames.AcceptedEncodings;
            throw Failure(StatusCode.Unimplemented, $"Messages compressed with \"{encodingName}\" can't be read.");
        }

        reader = new MessageFrameReader(http.Request.BodyReader, server.Options.ReceiveLimitOf(method), encoding);
    }

    /// <summary>Reads the request of a method that takes exactly one.</summary>
    public async ValueTask<T> ReadOnlyRequestAsync<T>(Marshaller<T> marshaller)
        where T : class
    {
        var request = await reader!.ReadAsync(marshaller, CancellationToken)
            ?? throw Failure(StatusCode.Unimplemented, "The call ended without the message that the method takes.");
        await reader.RequireEndAsync(CancellationToken);
        return request;
    }

    /// <summary>Reads the next request of a stream, or null at its end.</summary>
    public async ValueTask<T?> ReadRequestAsync<T>(Marshaller<T> marshaller, CancellationToken cancellationToken)
        where T : class
    {
        if (!cancellationToken.CanBeCanceled)
            return await reader!.ReadAsync(marshaller, CancellationToken);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken, cancellationToken);
        return await reader!.ReadAsync(marshaller, either.Token);
    }

    /// <summary>Writes the response of a method that gives exactly one. It leaves together with the trailers.</summary>
    public Task WriteOnlyResponseAsync<T>(T response, Marshaller<T> marshaller)
    {
        // A handler may also end a call by setting the status; then the response means nothing.
        if (status.StatusCode != StatusCode.OK || DeadlinePassed)
            return Task.CompletedTask;
        if (response is null)
            throw new InvalidOperationException($"The handler of {method} returned no response.");
        return WriteResponseAsync(response, marshaller, flush: false, CancellationToken.None);
    }

    /// <summary>Writes a response, waiting for the caller to take it if the transport's buffers are full.</summary>
    public async Task WriteResponseAsync<T>(T response, Marshaller<T> marshaller, bool flush, CancellationToken cancellationToken)
    {
        CancellationToken.ThrowIfCancellationRequested();
        cancellationToken.ThrowIfCancellationRequested();
        if (!http.Response.HasStarted)
            await http.Response.StartAsync(CancellationToken);
        writer ??= new MessageFrameWriter(http.Response.BodyWriter, server.Options.SendMessageBytesMax);
        writer.Write(response, marshaller);
        if (flush)
            await http.Response.BodyWriter.FlushAsync(cancellationToken.CanBeCanceled ? cancellationToken : CancellationToken);
    }

    /// <summary>Turns what ended the handler into the status of the call. Only an <see cref="RpcException"/> tells the caller more than that it failed.</summary>
    public void FailWith(Exception exception)
    {
        http.Response.ContentType ??= WireNames.ContentType;
        switch (exception)
        {
            case RpcException rpc:
                status = rpc.StatusCode == StatusCode.OK ? new Status(StatusCode.Unknown, rpc.Status.Detail) : rpc.Status;
                foreach (var entry in rpc.Trailers)
                    ResponseTrailers.Add(entry);
                server.Logger.LogDebug(rpc.Status.DebugException, "{Method} ended with {StatusCode}", method, rpc.StatusCode);
                break;
            case OperationCanceledException or IOException when CancellationToken.IsCancellationRequested:
                status = Status.DefaultCancelled;
                break;
            case BadHttpRequestException bad:
                status = new Status(StatusCode.Internal, "The request's stream is malformed.");
                server.Logger.LogDebug(bad, "{Method} received a malformed stream", method);
                break;
            default:
                status = new Status(StatusCode.Unknown, "The handler failed.");
                server.Logger.LogError(exception, "The handler of {Method} failed", method);
                break;
        }
    }

    /// <summary>Sends the status and the trailing metadata, as the headers if nothing was sent before them.</summary>
    public void Finish()
    {
        if (aborted.IsCancellationRequested)
        {
            CallObservation.Ended(http, method, Status.DefaultCancelled);
            return;
        }

        if (writer is { IsBroken: true })
        {
            CallObservation.Ended(http, method, status);
            http.Abort();
            return;
        }

        if (DeadlinePassed)
            status = new Status(StatusCode.DeadlineExceeded, "The deadline passed.");
        if (responseTrailers?.FirstOrDefault(entry => WireNames.IsReserved(entry.Key)) is { } forged)
        {
            server.Logger.LogError("{Method} set the trailer {Key}, which belongs to the protocol", method, forged.Key);
            status = new Status(StatusCode.Unknown, "The handler failed.");
            responseTrailers = null;
        }

        CallObservation.Ended(http, method, status);
        var trailers = http.Response.HasStarted
            ? http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers
            : http.Response.Headers;
        trailers[WireNames.Status] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (!string.IsNullOrEmpty(status.Detail))
            trailers[WireNames.Message] = StatusMessage.Encode(status.Detail);
        foreach (var entry in responseTrailers ?? Metadata.Empty)
            trailers.Append(entry.Key, WireNames.HeaderValue(entry));
    }

    public void Dispose()
    {
        deadlineOrAbort?.Dispose();
        deadlineTimer?.Dispose();
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        if (http.Response.HasStarted)
            throw new InvalidOperationException("The response headers have been sent; they can be sent once, before the first message.");
        foreach (var entry in responseHeaders)
        {
            WireNames.RequireApplicationKey(entry.Key);
            http.Response.Headers.Append(entry.Key, WireNames.HeaderValue(entry));
        }

        await http.Response.StartAsync(CancellationToken);
        await http.Response.BodyWriter.FlushAsync(CancellationToken);
    }

    private void BeginDeadline()
    {
        if (!http.Request.Headers.TryGetValue(WireNames.Timeout, out var values))
            return;
        if (!GrpcTimeout.TryParse(values.ToString(), out var timeout))
            throw Failure(StatusCode.Internal, $"The header {WireNames.Timeout} is malformed: \"{values}\".");
        var now = server.Time.GetUtcNow().UtcDateTime;
        deadline = timeout < DateTime.MaxValue - now ? now + timeout : DateTime.MaxValue;
        if (timeout <= TimeSpan.Zero)
        {
            deadlinePassedAtStart = true;
            throw Failure(StatusCode.DeadlineExceeded, "The deadline passed.");
        }

        if (timeout > GrpcLimits.DeadlineTimerMax)
            return;
        deadlineTimer = new CancellationTokenSource(timeout, server.Time);
        deadlineOrAbort = CancellationTokenSource.CreateLinkedTokenSource(deadlineTimer.Token, aborted);
    }

    private Metadata ReadRequestHeaders()
    {
        var metadata = new Metadata();
        foreach (var (name, values) in http.Request.Headers)
        {
            foreach (var value in values)
                WireNames.AddReceived(metadata, name, value ?? "");
        }

        return metadata;
    }

    private static string FormatPeer(IPAddress? address, int port) => address switch
    {
        null => "unknown",
        { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false } =>
            string.Create(CultureInfo.InvariantCulture, $"ipv6:[{address}]:{port}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"ipv4:{address.MapToIPv4()}:{port}"),
    };

    private static RpcException Failure(StatusCode code, string detail) => new(new Status(code, detail));
}
