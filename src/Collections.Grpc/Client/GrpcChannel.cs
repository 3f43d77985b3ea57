using System.Net;
using Collections.Grpc;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>A server that calls are made to over HTTP/2: with TLS under https, in the clear under http.</summary>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly HttpMessageInvoker http;
    private readonly HttpCallInvoker invoker;

    private GrpcChannel(Uri address, GrpcChannelOptions options) : base(address.Authority)
    {
        http = new HttpMessageInvoker(options.HttpHandler ?? NewHandler(), disposeHandler: options.HttpHandler is null);
        invoker = new HttpCallInvoker(http, address, options);
    }

    /// <summary>Creates a channel; it connects at the first call.</summary>
    public static GrpcChannel ForAddress(string address, GrpcChannelOptions? options = null) =>
        ForAddress(new Uri(address), options);

    /// <summary>Creates a channel; it connects at the first call.</summary>
    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
            throw new ArgumentException($"The address \"{address}\" must be an absolute http or https address.", nameof(address));
        return new GrpcChannel(address, (options ?? new GrpcChannelOptions()).Validated());
    }

    /// <inheritdoc/>
    public override CallInvoker CreateCallInvoker() => invoker;

    /// <summary>Closes the connections. Calls that have not ended fail.</summary>
    public void Dispose() => http.Dispose();

    /// <inheritdoc/>
    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }

    // A server allows some 100 streams a connection; further calls get a connection of their own instead of waiting. The
    // peers are servers of the same network, which no proxy leads to.
    private static SocketsHttpHandler NewHandler() => new()
    {
        EnableMultipleHttp2Connections = true,
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
    };
}
