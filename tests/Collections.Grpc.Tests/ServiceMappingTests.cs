using Collections.Grpc.Tests.Protocol;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Collections.Grpc.Tests;

public sealed class ServiceMappingTests
{
    [Fact]
    public async Task Service_that_is_not_registered_is_created_and_disposed_for_each_call()
    {
        var log = new LifetimeLog();
        await using var server = await GrpcTestServer.StartAsync(
            services: services => services.AddSingleton(log),
            map: site => site.MapGrpcService<ShortLivedEcho>());
        using var channel = server.NewChannel();
        var client = new Echo.EchoClient(channel);
        for (var i = 0; i < 3; i++)
            await client.UnaryAsync(new EchoRequest());
        await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new EchoRequest { Behaviour = Behaviour.Fail }));

        // The last instance is disposed before its call's trailers are sent, so that the log is complete here.
        Assert.Equal((4, 4), (log.Created, log.Disposed));
    }

    [Fact]
    public async Task Method_that_is_not_overridden_is_unimplemented()
    {
        await using var server = await GrpcTestServer.StartAsync(
            services: services => services.AddSingleton(new LifetimeLog()),
            map: site => site.MapGrpcService<ShortLivedEcho>());
        using var channel = server.NewChannel();
        using var call = new Echo.EchoClient(channel).ServerStream(new EchoRequest());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Fact]
    public async Task Type_that_is_no_service_is_refused_by_name()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            GrpcTestServer.StartAsync(map: site => site.MapGrpcService<LifetimeLog>()));
        Assert.Contains("LifetimeLog", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Generated_definition_takes_a_service_instance() =>
        Assert.NotNull(Echo.BindService(new EchoService()));

    private sealed class LifetimeLog
    {
        public int Created;
        public int Disposed;
    }

    private sealed class ShortLivedEcho : Echo.EchoBase, IAsyncDisposable
    {
        private readonly LifetimeLog log;

        public ShortLivedEcho(LifetimeLog log)
        {
            this.log = log;
            Interlocked.Increment(ref log.Created);
        }

        public override Task<EchoReply> Unary(EchoRequest request, ServerCallContext context) =>
            request.Behaviour == Behaviour.Fail
                ? throw new RpcException(new Status(StatusCode.Aborted, ""))
                : Task.FromResult(new EchoReply());

        public ValueTask DisposeAsync()
        {
            Interlocked.Increment(ref log.Disposed);
            return default;
        }
    }
}
