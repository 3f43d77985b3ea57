using Collections.Grpc.Tests.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Collections.Grpc.Tests;

public sealed class ClientAgainstServerTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private GrpcTestServer server = null!;
    private GrpcChannel channel = null!;
    private Echo.EchoClient client = null!;

    public async Task InitializeAsync()
    {
        server = await GrpcTestServer.StartAsync();
        channel = server.NewChannel();
        client = new Echo.EchoClient(channel);
    }

    public async Task DisposeAsync()
    {
        channel.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Unary_call_returns_the_response_and_ok()
    {
        using var call = client.UnaryAsync(new EchoRequest { Text = "grüezi" });
        var reply = await call;
        Assert.Equal("grüezi", reply.Text);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.StartsWith("ipv4:127.0.0.1:", server.Service.LastPeer, StringComparison.Ordinal);
        Assert.Equal(DateTime.MaxValue, server.Service.LastDeadline);
    }

    [Fact]
    public void Blocking_unary_call_returns_the_response() =>
        Assert.Equal("a", client.Unary(new EchoRequest { Text = "a" }).Text);

    [Fact]
    public async Task Empty_messages_are_messages()
    {
        var reply = await client.UnaryAsync(new EchoRequest());
        Assert.Equal(new EchoReply(), reply);
    }

    [Fact]
    public async Task Server_stream_arrives_whole_and_in_order()
    {
        using var call = client.ServerStream(new EchoRequest { Text = "s", Count = 500 });
        var indexes = new List<int>();
        await foreach (var reply in call.ResponseStream.ReadAllAsync())
            indexes.Add(reply.Index);
        Assert.Equal(Enumerable.Range(0, 500), indexes);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Server_stream_may_be_empty()
    {
        using var call = client.ServerStream(new EchoRequest());
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Server_stream_that_fails_delivers_what_came_before()
    {
        using var call = client.ServerStream(new EchoRequest { Count = 2, Behaviour = Behaviour.Fail, StatusCode = 9, Text = "no" });
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.True(await call.ResponseStream.MoveNext());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
        var again = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.FailedPrecondition, again.StatusCode);
    }

    [Fact]
    public async Task Client_stream_is_summed_up()
    {
        using var call = client.ClientStream();
        foreach (var text in new[] { "a", "b", "c" })
            await call.RequestStream.WriteAsync(new EchoRequest { Text = text, Payload = ByteString.CopyFrom(1, 2) });
        await call.RequestStream.CompleteAsync();
        var reply = await call;
        Assert.Equal(("abc", 3, 6), (reply.Text, reply.Index, reply.RequestPayloadBytes));
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new EchoRequest()));
    }

    [Fact]
    public async Task Duplex_stream_answers_each_request_before_the_next()
    {
        using var call = client.Duplex();
        for (var i = 0; i < 20; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"{i}" });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(($"{i}", i), (call.ResponseStream.Current.Text, call.ResponseStream.Current.Index));
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Writer_of_a_call_that_the_server_has_ended_learns_how_it_ended()
    {
        using var call = client.ClientStream();
        var failing = new EchoRequest { Behaviour = Behaviour.Fail, StatusCode = 10, Text = "enough" };
        var write = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await call.RequestStream.WriteAsync(failing);
            await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
            await call.RequestStream.WriteAsync(failing);
        });
        Assert.Equal((StatusCode.Aborted, "enough"), (write.StatusCode, write.Status.Detail));
    }

    [Fact]
    public async Task Duplex_call_that_the_server_ends_early_tells_its_status()
    {
        using var call = client.Duplex();
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "a" });
        Assert.True(await call.ResponseStream.MoveNext());
        await call.RequestStream.WriteAsync(new EchoRequest { Behaviour = Behaviour.Fail, StatusCode = 8, Text = "full" });
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal((StatusCode.ResourceExhausted, "full"), (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public async Task Caller_that_leaves_a_stream_blocked_by_flow_control_can_go_on_calling()
    {
        // Nobody reads the replies, so that the stream's share of the connection's window is used up when it ends.
        var call = client.ServerStream(new EchoRequest { Count = 1000, ReplyBytes = 1_000_000 });
        Assert.True(await call.ResponseStream.MoveNext());
        call.Dispose();
        Assert.Equal("after", (await client.UnaryAsync(new EchoRequest { Text = "after" })).Text);
    }

    [Fact]
    public async Task Status_detail_and_trailers_reach_the_client()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(
            new EchoRequest { Behaviour = Behaviour.Fail, StatusCode = 5, Text = "100 % missing: Zürich €\n✓" }));
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
        Assert.Equal("100 % missing: Zürich €\n✓", failure.Status.Detail);
        Assert.Equal("asked to", failure.Trailers.GetValue("x-reason"));
        Assert.Equal([1, 2, 255], failure.Trailers.GetValueBytes("x-detail-bin"));
    }

    [Fact]
    public async Task Long_detail_is_cut_off_rather_than_losing_the_status()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(
            new EchoRequest { Behaviour = Behaviour.Fail, StatusCode = 5, Text = new string('é', 50_000) }));
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
        Assert.Equal(new string('é', GrpcLimits.StatusMessageBytesMax / 6), failure.Status.Detail);
    }

    [Fact]
    public async Task Unhandled_exception_becomes_unknown_without_its_message()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.UnaryAsync(new EchoRequest { Behaviour = Behaviour.Throw }));
        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
        Assert.DoesNotContain("secret", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metadata_goes_both_ways_binary_and_repeated_included()
    {
        var headers = new Metadata
        {
            { "x-text", "plain, with a comma" },
            { "x-many", "1" },
            { "x-many", "2" },
            { "x-bytes-bin", new byte[] { 0, 255, 7, 8 } },
            { "x-bytes-bin", new byte[] { 9 } },
        };
        using var call = client.UnaryAsync(new EchoRequest { Behaviour = Behaviour.Metadata }, headers);
        var received = await call.ResponseHeadersAsync;
        await call;
        Assert.Equal("plain, with a comma", received.GetValue("x-text"));
        // HTTP lets anything on the way join the values of a repeated header, and HttpClient does.
        Assert.Equal("1, 2", string.Join(", ", received.GetAll("x-many").Select(entry => entry.Value)));
        Assert.Equal([[0, 255, 7, 8], [9]], received.GetAll("x-bytes-bin").Select(entry => entry.ValueBytes));
        Assert.Equal("plain, with a comma", call.GetTrailers().GetValue("trailing-x-text"));
        Assert.Equal([9], call.GetTrailers().GetValueBytes("trailing-x-bytes-bin"));
    }

    [Fact]
    public async Task Metadata_can_not_forge_what_belongs_to_the_protocol()
    {
        await Assert.ThrowsAsync<RpcException>(async () =>
            await client.UnaryAsync(new EchoRequest(), new Metadata { { "grpc-status", "0" } }));
    }

    [Fact]
    public async Task Deadline_ends_the_call_and_cancels_the_handler()
    {
        // The first call connects, so that the second call's deadline passes at the server and not on the way.
        await client.UnaryAsync(new EchoRequest());
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(
            new EchoRequest { Behaviour = Behaviour.WaitForCancellation }, deadline: DateTime.UtcNow.AddSeconds(1)));
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        await server.Service.Cancelled.WaitAsync(Patience);
        Assert.NotEqual(DateTime.MaxValue, server.Service.LastDeadline);
    }

    [Fact]
    public async Task Deadline_that_has_passed_is_not_even_sent()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.UnaryAsync(new EchoRequest(), deadline: DateTime.UtcNow.AddSeconds(-1)));
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.Equal("", server.Service.LastPeer);
    }

    [Fact]
    public async Task Far_deadline_is_as_good_as_none()
    {
        var reply = await client.UnaryAsync(new EchoRequest { Text = "a" }, deadline: DateTime.UtcNow.AddYears(500));
        Assert.Equal("a", reply.Text);
    }

    [Fact]
    public async Task Cancellation_reaches_the_handler()
    {
        using var source = new CancellationTokenSource();
        using var call = client.ServerStream(
            new EchoRequest { Count = 1, Behaviour = Behaviour.WaitForCancellation }, cancellationToken: source.Token);
        Assert.True(await call.ResponseStream.MoveNext());
        await source.CancelAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
        await server.Service.Cancelled.WaitAsync(Patience);
    }

    [Fact]
    public async Task Disposing_a_call_reaches_the_handler()
    {
        var call = client.ServerStream(new EchoRequest { Count = 1, Behaviour = Behaviour.WaitForCancellation });
        Assert.True(await call.ResponseStream.MoveNext());
        call.Dispose();
        await server.Service.Cancelled.WaitAsync(Patience);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Request_over_the_server_limit_is_resource_exhausted()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(
            new EchoRequest { Payload = ByteString.CopyFrom(new byte[GrpcLimits.ReceiveMessageBytesMax + 1]) }));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Response_over_the_client_limit_is_resource_exhausted()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.UnaryAsync(new EchoRequest { ReplyBytes = GrpcLimits.ReceiveMessageBytesMax + 1 }));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Request_over_the_client_limit_is_not_sent()
    {
        using var small = server.NewChannel(new GrpcChannelOptions { MaxSendMessageSize = 100 });
        using var call = new Echo.EchoClient(small).UnaryAsync(new EchoRequest { Payload = ByteString.CopyFrom(new byte[101]) });
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        await Assert.ThrowsAsync<RpcException>(() => call.ResponseHeadersAsync);
        Assert.Equal("", server.Service.LastPeer);
    }

    [Fact]
    public async Task Response_over_the_server_limit_is_resource_exhausted()
    {
        await using var limited = await GrpcTestServer.StartAsync(new GrpcServerOptions { SendMessageBytesMax = 1000 });
        using var limitedChannel = limited.NewChannel();
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await new Echo.EchoClient(limitedChannel).UnaryAsync(new EchoRequest { ReplyBytes = 1001 }));
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Large_messages_pass_flow_control_both_ways()
    {
        const int bytes = 3 * 1024 * 1024;
        var request = new EchoRequest { Payload = ByteString.CopyFrom(new byte[bytes]), ReplyBytes = bytes };
        var replies = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => client.UnaryAsync(request).ResponseAsync));
        Assert.All(replies, reply => Assert.Equal((bytes, bytes), (reply.RequestPayloadBytes, reply.Payload.Length)));
    }

    [Fact]
    public async Task Thousand_calls_at_once_all_get_their_own_answer()
    {
        var replies = await Task.WhenAll(Enumerable.Range(0, 1000).Select(async i =>
            await client.UnaryAsync(new EchoRequest { Text = $"{i}" })));
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i}"), replies.Select(reply => reply.Text));
    }

    [Fact]
    public async Task Server_that_is_not_there_is_unavailable()
    {
        await server.StopAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public async Task Method_that_the_service_does_not_override_is_unimplemented()
    {
        var method = new Method<EchoRequest, EchoReply>(
            MethodType.Unary,
            "collections.grpc.tests.Echo",
            "Missing",
            Marshallers.Create(request => request.ToByteArray(), EchoRequest.Parser.ParseFrom),
            Marshallers.Create(reply => reply.ToByteArray(), EchoReply.Parser.ParseFrom));
        using var call = channel.CreateCallInvoker().AsyncUnaryCall(method, null, default, new EchoRequest());
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Fact]
    public async Task Calls_work_over_tls()
    {
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback =
            (_, presented, _, _) => presented?.Issuer == "CN=localhost";
        using var secure = GrpcChannel.ForAddress(server.TlsAddress, new GrpcChannelOptions { HttpHandler = handler });
        var reply = await new Echo.EchoClient(secure).UnaryAsync(new EchoRequest { Text = "tls" });
        Assert.Equal("tls", reply.Text);
    }
}
