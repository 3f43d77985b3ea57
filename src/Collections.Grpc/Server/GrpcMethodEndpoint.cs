using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Collections.Grpc;

/// <summary>One method of the server: the way of a call from the HTTP request to the trailers.</summary>
internal abstract class GrpcMethodEndpoint(GrpcServer server, IMethod method)
{
    public IMethod Method => method;

    public async Task HandleAsync(HttpContext http)
    {
        if (!RequireGrpc(http))
            return;
        LiftBodyLimits(http);
        using var call = new ServerCall(http, server, method.FullName);
        try
        {
            call.Begin();
            if (server.Options.Gate is { } gate)
                await gate(call, method.FullName);
            await InvokeAsync(call);
        }
        catch (Exception e)
        {
            call.FailWith(e);
        }

        call.Finish();
    }

    /// <summary>Reads the request, runs the handler and writes the response.</summary>
    protected abstract Task InvokeAsync(ServerCall call);

    /// <summary>Answers what is not gRPC the way that HTTP has for it, for the caller would not understand a status.</summary>
    public static bool RequireGrpc(HttpContext http)
    {
        if (http.Request.Method != HttpMethods.Post)
        {
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            http.Response.Headers.Allow = HttpMethods.Post;
            return false;
        }

        if (!WireNames.IsGrpcContentType(http.Request.ContentType))
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return false;
        }

        if (HttpProtocol.IsHttp2(http.Request.Protocol) || HttpProtocol.IsHttp3(http.Request.Protocol))
            return true;
        http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
        http.Response.Headers.Upgrade = "HTTP/2";
        return false;
    }

    // The server limits messages; a limit on the sum of a stream's messages, or on how long it may be silent, would end
    // streams that are meant to live.
    private void LiftBodyLimits(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bodySize)
            bodySize.MaxRequestBodySize = null;
        if (method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming
            && http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } dataRate)
            dataRate.MinDataRate = null;
    }
}

/// <summary>Answers gRPC calls to methods that are not here.</summary>
internal sealed class UnimplementedEndpoint(GrpcServer server)
{
    public Task HandleAsync(HttpContext http)
    {
        if (!GrpcMethodEndpoint.RequireGrpc(http))
            return Task.CompletedTask;
        var method = http.Request.Path.Value ?? "";
        server.Logger.LogDebug("A call to {Method} found no such method", method);
        using var call = new ServerCall(http, server, method);
        call.FailWith(new RpcException(new Status(StatusCode.Unimplemented, $"The server has no method {method}.")));
        call.Finish();
        return Task.CompletedTask;
    }
}
