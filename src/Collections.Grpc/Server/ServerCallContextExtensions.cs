using Collections.Grpc;
using Microsoft.AspNetCore.Http;

namespace Grpc.Core;

/// <summary>The way from a call to the HTTP request that carries it.</summary>
public static class ServerCallContextExtensions
{
    /// <summary>The HTTP request of a call: its user, its client certificate and its services.</summary>
    public static HttpContext GetHttpContext(this ServerCallContext context) =>
        context is ServerCall call
            ? call.HttpContext
            : throw new InvalidOperationException("This call was not made over HTTP.");
}
