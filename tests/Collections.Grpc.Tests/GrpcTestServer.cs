using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Collections.Grpc.Tests.Protocol;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Collections.Grpc.Tests;

/// <summary>A server of its own for each test: HTTP/2 in the clear, HTTP/2 over TLS, and HTTP/1.1, on ports of the system's choice.</summary>
public sealed class GrpcTestServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly X509Certificate2 certificate;

    private GrpcTestServer(WebApplication app, X509Certificate2 certificate)
    {
        this.app = app;
        this.certificate = certificate;
        var ports = app.Urls.Select(url => new Uri(url)).ToArray();
        Address = ports[0];
        TlsAddress = ports[1];
        Http1Address = ports[2];
    }

    /// <summary>HTTP/2 in the clear.</summary>
    public Uri Address { get; }

    /// <summary>HTTP/2 over TLS, with a certificate of its own.</summary>
    public Uri TlsAddress { get; }

    /// <summary>HTTP/1.1 in the clear.</summary>
    public Uri Http1Address { get; }

    /// <summary>The service, which tells what happened to its calls.</summary>
    public EchoService Service => app.Services.GetRequiredService<EchoService>();

    /// <summary>The health that the server tells of itself.</summary>
    public HealthStatusBoard Health => app.Services.GetRequiredService<HealthStatusBoard>();

    /// <summary>The certificate in the form that other programs read.</summary>
    public string CertificatePem => certificate.ExportCertificatePem();

    /// <summary>Starts a server with the echo service, or with what the test maps instead.</summary>
    public static async Task<GrpcTestServer> StartAsync(
        GrpcServerOptions? options = null, Action<IServiceCollection>? services = null, Action<WebApplication>? map = null)
    {
        var certificate = NewCertificate();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.UseHttps(certificate);
            });
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddCollectionsGrpc(options);
        builder.Services.AddSingleton<EchoService>();
        services?.Invoke(builder.Services);
        var app = builder.Build();
        (map ?? (site => site.MapGrpcService<EchoService>()))(app);
        app.MapGrpcService<HealthService>();
        app.MapGet("/site/page", () => Results.Text("a page"));
        await app.StartAsync();
        return new GrpcTestServer(app, certificate);
    }

    /// <summary>A channel to the server, in the clear.</summary>
    public GrpcChannel NewChannel(GrpcChannelOptions? options = null) => GrpcChannel.ForAddress(Address, options);

    /// <summary>Asks the server to stop, as the host does at shutdown.</summary>
    public Task StopAsync() => app.StopAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        certificate.Dispose();
    }

    private static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
