using System.Collections.Concurrent;
using Collections.Grpc.Tests.Protocol;
using Grpc.Core;

namespace Collections.Grpc.Tests;

public sealed class GateTests
{
    [Fact]
    public async Task Gate_sees_every_call_and_its_metadata_before_the_handler()
    {
        var seen = new ConcurrentQueue<string>();
        await using var server = await GrpcTestServer.StartAsync(new GrpcServerOptions
        {
            Gate = (context, method) =>
            {
                seen.Enqueue(method);
                return context.RequestHeaders.GetValue("authorization") == "Bearer good"
                    ? default
                    : throw new RpcException(new Status(StatusCode.Unauthenticated, "Who are you?"));
            },
        });
        using var channel = server.NewChannel();
        var client = new Echo.EchoClient(channel);

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new EchoRequest()));
        Assert.Equal((StatusCode.Unauthenticated, "Who are you?"), (refused.StatusCode, refused.Status.Detail));
        using var refusedStream = client.ServerStream(new EchoRequest { Count = 1 });
        await Assert.ThrowsAsync<RpcException>(() => refusedStream.ResponseStream.MoveNext());
        Assert.Equal("", server.Service.LastPeer);

        var headers = new Metadata { { "authorization", "Bearer good" } };
        Assert.Equal("a", (await client.UnaryAsync(new EchoRequest { Text = "a" }, headers)).Text);
        Assert.Equal(
            ["/collections.grpc.tests.Echo/Unary", "/collections.grpc.tests.Echo/ServerStream", "/collections.grpc.tests.Echo/Unary"],
            seen);
    }

    [Fact]
    public async Task Gate_that_breaks_lets_nothing_through()
    {
        await using var server = await GrpcTestServer.StartAsync(new GrpcServerOptions
        {
            Gate = (_, _) => throw new InvalidOperationException("the directory is down"),
        });
        using var channel = server.NewChannel();
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
        Assert.DoesNotContain("directory", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("", server.Service.LastPeer);
    }

    [Fact]
    public async Task Options_that_make_no_sense_stop_the_server_by_name()
    {
        var failure = await Assert.ThrowsAsync<ArgumentException>(() =>
            GrpcTestServer.StartAsync(new GrpcServerOptions { ReceiveMessageBytesMax = 0 }));
        Assert.Contains("ReceiveMessageBytesMax", failure.Message, StringComparison.Ordinal);
    }
}
