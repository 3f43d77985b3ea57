using System.Diagnostics;
using System.Net;
using Collections.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Collections.Server.Operations;

/// <summary>
/// What machines that watch a node ask it, over HTTP/1.1 on a port of its own: <c>/metrics</c> in Prometheus' text format, <c>/healthz</c> whether the
/// process lives, <c>/readyz</c> whether the node serves, and if not, why. It is there before the node, so that a node that is still loading
/// its checkpoints is seen to live.
/// </summary>
public sealed class OperationsServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly MetricsPage page = new();

    /// <summary>Set once, when the node has loaded; read by any thread.</summary>
    private volatile NodeServer? node;

    private OperationsServer(WebApplication app) => this.app = app;

    /// <summary>Where it listens.</summary>
    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <param name="listen">A loopback address, unless the network is trusted; port 0 takes a free one.</param>
    /// <exception cref="IOException">The address can't be listened on; the message says what to do.</exception>
    public static async Task<OperationsServer> StartAsync(IPEndPoint listen)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(listen, endpoint => endpoint.Protocols = HttpProtocols.Http1);
            kestrel.AddServerHeader = false;
        });
        // Its own calls are no calls of the node: they get no spans and no series.
        builder.Services.AddSingleton(new ActivitySource("Collections.Operations"));
        WebApplication app = builder.Build();
        var server = new OperationsServer(app);
        app.MapGet("/metrics", server.WriteMetricsAsync).DisableHttpMetrics();
        app.MapGet("/healthz", () => Results.Text("live\n")).DisableHttpMetrics();
        app.MapGet("/readyz", server.Ready).DisableHttpMetrics();
        try
        {
            await app.StartAsync();
        }
        catch (IOException failure)
        {
            server.page.Dispose();
            await app.DisposeAsync();
            throw new IOException($"can't listen on {listen}: {failure.Message.TrimEnd('.')}; choose another --metrics", failure);
        }
        return server;
    }

    /// <summary>The node has loaded: from now on it is what the answers are about.</summary>
    public void Observe(NodeServer loaded)
    {
        page.Add(loaded.Node);
        page.Add(loaded.Node.Log);
        page.Add(loaded.Meters);
        node = loaded;
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        page.Dispose();
    }

    private async Task WriteMetricsAsync(HttpContext http)
    {
        if (node is { } loaded)
            await loaded.Node.Meters.RefreshAsync();
        http.Response.ContentType = PrometheusText.ContentType;
        await http.Response.WriteAsync(page.Write(), http.RequestAborted);
    }

    private IResult Ready()
    {
        IReadOnlyList<string> reasons = node is { } loaded ? loaded.WhyNotReady() : ["the node is loading its checkpoints"];
        return reasons.Count == 0
            ? Results.Text("ready\n")
            : Results.Text(string.Concat(reasons.Select(reason => reason + "\n")), statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}
