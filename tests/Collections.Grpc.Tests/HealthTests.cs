using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Collections.Grpc.Tests;

public sealed class HealthTests : IAsyncLifetime
{
    private GrpcTestServer server = null!;
    private GrpcChannel channel = null!;
    private Health.HealthClient client = null!;

    public async Task InitializeAsync()
    {
        server = await GrpcTestServer.StartAsync();
        channel = server.NewChannel();
        client = new Health.HealthClient(channel);
    }

    public async Task DisposeAsync()
    {
        channel.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Server_is_not_serving_until_the_host_says_so()
    {
        Assert.Equal(ServingStatus.NotServing, (await client.CheckAsync(new HealthCheckRequest())).Status);
        server.Health.Set("", serving: true);
        Assert.Equal(ServingStatus.Serving, (await client.CheckAsync(new HealthCheckRequest())).Status);
    }

    [Fact]
    public async Task Check_of_an_unknown_service_is_not_found()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.CheckAsync(new HealthCheckRequest { Service = "nobody" }));
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
    }

    [Fact]
    public async Task Watch_tells_every_change_of_its_service()
    {
        using var watch = client.Watch(new HealthCheckRequest { Service = "s" });
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync(watch));
        server.Health.Set("other", serving: true);
        server.Health.Set("s", serving: true);
        Assert.Equal(ServingStatus.Serving, await NextAsync(watch));
        server.Health.SetAllNotServing();
        Assert.Equal(ServingStatus.NotServing, await NextAsync(watch));
        Assert.False(server.Health.IsServing("other"));
    }

    [Fact]
    public async Task Watch_does_not_hold_up_the_shutdown()
    {
        using var watch = client.Watch(new HealthCheckRequest());
        Assert.Equal(ServingStatus.NotServing, await NextAsync(watch));
        await server.StopAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(() => watch.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    private static async Task<ServingStatus> NextAsync(AsyncServerStreamingCall<HealthCheckResponse> watch)
    {
        Assert.True(await watch.ResponseStream.MoveNext());
        return watch.ResponseStream.Current.Status;
    }
}
