using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Collections.Grpc.Tests.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Collections.Grpc.Tests;

/// <summary>The server's answers to requests that no proper client sends, byte by byte.</summary>
public sealed class WireProtocolTests : IAsyncLifetime
{
    private const string UnaryPath = "/collections.grpc.tests.Echo/Unary";
    private static readonly HttpClient Http = new();

    private GrpcTestServer server = null!;

    public async Task InitializeAsync() =>
        server = await GrpcTestServer.StartAsync(new GrpcServerOptions { ReceiveMessageBytesMax = 10_000 });

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task Wrong_content_type_is_415()
    {
        foreach (var contentType in new[] { "application/json", "application/grpc-web", "application/grpc+json", "text/plain" })
        {
            using var response = await PostAsync(UnaryPath, Frame(new EchoRequest()), contentType);
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        }
    }

    [Fact]
    public async Task Content_type_may_name_protobuf_and_have_parameters()
    {
        foreach (var contentType in new[] { "application/grpc", "application/grpc+proto", "application/grpc; a=b" })
            Assert.Equal((StatusCode.OK, ""), await StatusOfAsync(Frame(new EchoRequest()), contentType));
    }

    [Fact]
    public async Task Wrong_http_method_is_405()
    {
        using var request = NewRequest(HttpMethod.Get, UnaryPath);
        using var response = await Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["POST"], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task Http1_is_asked_to_upgrade()
    {
        using var content = new ByteArrayContent(Frame(new EchoRequest()));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var response = await Http.PostAsync(new Uri(server.Http1Address, UnaryPath), content);
        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
    }

    [Theory]
    [InlineData("/collections.grpc.tests.Echo/Nothing")]
    [InlineData("/nobody.Nothing/Unary")]
    public async Task Unknown_service_or_method_is_unimplemented_in_the_headers(string path)
    {
        using var response = await PostAsync(path, Frame(new EchoRequest()), "application/grpc");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("12", Assert.Single(response.Headers.GetValues("grpc-status")));
        Assert.Equal("application/grpc", response.Content.Headers.ContentType?.ToString());
    }

    [Fact]
    public async Task Other_pages_of_the_site_are_left_alone()
    {
        using var page = await Http.SendAsync(NewRequest(HttpMethod.Get, "/site/page"));
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        using var missing = await Http.SendAsync(NewRequest(HttpMethod.Get, "/site/missing"));
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task Unknown_compression_is_unimplemented_and_names_what_is_accepted()
    {
        using var response = await PostAsync(UnaryPath, Frame(new EchoRequest()), "application/grpc", ("grpc-encoding", "snappy"));
        Assert.Equal("12", Assert.Single(response.Headers.GetValues("grpc-status")));
        Assert.Equal("identity,gzip", Assert.Single(response.Headers.GetValues("grpc-accept-encoding")));
    }

    [Fact]
    public async Task Compressed_request_is_read()
    {
        var request = new EchoRequest { Payload = ByteString.CopyFrom(new byte[9_000]) };
        var body = FrameBytes(1, Gzip(request.ToByteArray()));
        using var response = await PostAsync(UnaryPath, body, "application/grpc", ("grpc-encoding", "gzip"));
        var reply = EchoReply.Parser.ParseFrom((await response.Content.ReadAsByteArrayAsync()).AsSpan(5));
        Assert.Equal(9_000, reply.RequestPayloadBytes);
    }

    [Fact]
    public async Task Compression_does_not_get_around_the_limit()
    {
        var request = new EchoRequest { Payload = ByteString.CopyFrom(new byte[1_000_000]) };
        Assert.Equal(
            StatusCode.ResourceExhausted,
            (await StatusOfAsync(FrameBytes(1, Gzip(request.ToByteArray())), headers: ("grpc-encoding", "gzip"))).Code);
    }

    // One row is: what is sent, the status that the protocol has for it, a word of its detail.
    public static TheoryData<string, byte[], StatusCode, string> BrokenBodies => new()
    {
        { "no message", [], StatusCode.Unimplemented, "without the message" },
        { "two messages", [.. Frame(new EchoRequest()), .. Frame(new EchoRequest())], StatusCode.Unimplemented, "more than" },
        { "half a header", [0, 0], StatusCode.Internal, "within a message" },
        { "half a payload", [0, 0, 0, 0, 9, 1], StatusCode.Internal, "within a message" },
        { "an unknown flag", [7, 0, 0, 0, 0], StatusCode.Internal, "byte 7" },
        { "compressed without an encoding", [1, 0, 0, 0, 1, 0], StatusCode.Internal, "compress" },
        { "a length over the limit", [0, 0, 0, 0x27, 0x11], StatusCode.ResourceExhausted, "10001 bytes" },
        { "the greatest length", [0, 255, 255, 255, 255], StatusCode.ResourceExhausted, "4294967295" },
        { "no protobuf", FrameBytes(0, [0xff, 0xff, 0xff]), StatusCode.Internal, "parsed" },
    };

    [Theory]
    [MemberData(nameof(BrokenBodies))]
    public async Task Broken_body_has_the_status_of_the_protocol(string what, byte[] body, StatusCode code, string detail)
    {
        var status = await StatusOfAsync(body);
        Assert.True(code == status.Code, $"{what}: {status}");
        Assert.Contains(detail, status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broken_gzip_is_internal() =>
        Assert.Equal(StatusCode.Internal, (await StatusOfAsync(FrameBytes(1, [1, 2, 3]), headers: ("grpc-encoding", "gzip"))).Code);

    [Theory]
    [InlineData("1")]
    [InlineData("m")]
    [InlineData("-1m")]
    [InlineData("1x")]
    [InlineData("123456789m")]
    public async Task Malformed_timeout_is_internal(string timeout) =>
        Assert.Equal(StatusCode.Internal, (await StatusOfAsync(Frame(new EchoRequest()), headers: ("grpc-timeout", timeout))).Code);

    [Fact]
    public async Task Server_ends_a_call_at_its_deadline_whatever_the_client_does()
    {
        var waiting = Frame(new EchoRequest { Behaviour = Behaviour.WaitForCancellation });
        Assert.Equal((StatusCode.DeadlineExceeded, "The deadline passed."), await StatusOfAsync(waiting, headers: ("grpc-timeout", "50m")));
        Assert.Equal(StatusCode.DeadlineExceeded, (await StatusOfAsync(Frame(new EchoRequest()), headers: ("grpc-timeout", "0n"))).Code);
    }

    [Fact]
    public async Task Server_ends_a_call_at_its_deadline_while_the_request_is_missing()
    {
        var content = new NeverEndingContent();
        using var request = NewRequest(HttpMethod.Post, UnaryPath);
        request.Content = content;
        request.Headers.TryAddWithoutValidation("grpc-timeout", "50m");
        using var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("4", Assert.Single(response.Headers.GetValues("grpc-status")));
        content.End();
    }

    [Fact]
    public async Task Binary_metadata_that_is_no_base64_is_an_invalid_argument()
    {
        var request = Frame(new EchoRequest { Behaviour = Behaviour.Metadata });
        Assert.Equal(StatusCode.InvalidArgument, (await StatusOfAsync(request, headers: ("x-a-bin", "!"))).Code);
        Assert.Equal(StatusCode.OK, (await StatusOfAsync(request, headers: ("x-a-bin", "AQI="))).Code);
        Assert.Equal(StatusCode.OK, (await StatusOfAsync(request, headers: ("x-a-bin", "AQI"))).Code);
    }

    private static byte[] Frame(EchoRequest request) => FrameBytes(0, request.ToByteArray());

    private static byte[] FrameBytes(byte flag, byte[] payload)
    {
        var frame = new byte[5 + payload.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionMode.Compress))
            gzip.Write(bytes);
        return compressed.ToArray();
    }

    private async Task<(StatusCode Code, string Message)> StatusOfAsync(
        byte[] body, string contentType = "application/grpc", params (string Name, string Value)[] headers)
    {
        using var response = await PostAsync(UnaryPath, body, contentType, headers);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        HttpHeaders trailers = response.Headers.Contains("grpc-status") ? response.Headers : response.TrailingHeaders;
        var code = (StatusCode)int.Parse(Assert.Single(trailers.GetValues("grpc-status")));
        return (code, trailers.TryGetValues("grpc-message", out var message) ? message.Single() : "");
    }

    private async Task<HttpResponseMessage> PostAsync(
        string path, byte[] body, string contentType, params (string Name, string Value)[] headers)
    {
        using var request = NewRequest(HttpMethod.Post, path);
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.TryAddWithoutValidation("content-type", contentType);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Http.SendAsync(request);
    }

    private HttpRequestMessage NewRequest(HttpMethod method, string path) => new(method, new Uri(server.Address, path))
    {
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private sealed class NeverEndingContent : HttpContent
    {
        private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public NeverEndingContent() => Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        public void End() => ended.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            await ended.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
