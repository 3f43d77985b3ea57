using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Collections.Server.Tests.Operations;

/// <summary>A span as it was received; ids in hexadecimal, the parent's empty at the root.</summary>
internal sealed record ReceivedSpan(string Trace, string Id, string Parent, string Name);

/// <summary>
/// A collector of OpenTelemetry's protocol over HTTP, as small as it gets: it reads names from the protobuf messages by their field numbers
/// (opentelemetry-proto, collector/metrics/v1 and collector/trace/v1), and answers that it has taken everything.
/// </summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly Lock gate = new();
    private readonly HashSet<string> metrics = [];
    private readonly List<ReceivedSpan> spans = [];
    private readonly HashSet<string> services = [];
    private TaskCompletionSource news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private OtlpCollector(WebApplication app) => this.app = app;

    public string Address => app.Urls.First();

    public static async Task<OtlpCollector> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        var collector = new OtlpCollector(app);
        app.MapPost("/v1/metrics", http => collector.TakeAsync(http, collector.TakeMetrics));
        app.MapPost("/v1/traces", http => collector.TakeAsync(http, collector.TakeSpans));
        await app.StartAsync();
        return collector;
    }

    /// <summary>Waits until what has been received is as wanted.</summary>
    public async Task WaitAsync(Func<IReadOnlySet<string>, IReadOnlyList<ReceivedSpan>, IReadOnlySet<string>, bool> isWanted, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (isWanted(metrics, spans, services))
                    return;
                next = news.Task;
            }
            await next.WaitAsync(limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext http, Action<byte[]> take)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        lock (gate)
        {
            take(body.ToArray());
            news.TrySetResult();
            news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        http.Response.ContentType = "application/x-protobuf";
    }

    private void TakeMetrics(byte[] request)
    {
        TakeServices(request);
        metrics.UnionWith(Find(request, 1, 2, 2, 1).Select(Encoding.UTF8.GetString));
    }

    private void TakeSpans(byte[] request)
    {
        TakeServices(request);
        spans.AddRange(Find(request, 1, 2, 2).Select(span => new ReceivedSpan(Hex(span, 1), Hex(span, 2), Hex(span, 4), Encoding.UTF8.GetString(Find(span, 5).First()))));
    }

    private void TakeServices(byte[] request)
    {
        foreach (byte[] attribute in Find(request, 1, 1, 1))
        {
            if (Find(attribute, 1).Any(key => Encoding.UTF8.GetString(key) == "service.name"))
                services.Add(Encoding.UTF8.GetString(Find(attribute, 2, 1).First()));
        }
    }

    private static string Hex(byte[] message, int field) => Convert.ToHexString(Find(message, field).FirstOrDefault() ?? []);

    /// <summary>What lies at a path of field numbers, each time that it is there.</summary>
    private static IEnumerable<byte[]> Find(byte[] message, params int[] path)
    {
        var input = new CodedInputStream(message);
        while (input.ReadTag() is > 0 and var tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) != path[0] || WireFormat.GetTagWireType(tag) != WireFormat.WireType.LengthDelimited)
            {
                input.SkipLastField();
                continue;
            }
            byte[] inner = input.ReadBytes().ToByteArray();
            foreach (byte[] found in path.Length == 1 ? [inner] : Find(inner, path[1..]))
                yield return found;
        }
    }
}
