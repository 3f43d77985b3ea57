using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Collections.Grpc;

/// <summary>Registers what serving gRPC needs.</summary>
public static class GrpcServiceCollectionExtensions
{
    /// <summary>Registers the gRPC server with fixed options.</summary>
    public static IServiceCollection AddCollectionsGrpc(this IServiceCollection services, GrpcServerOptions? options = null) =>
        services.AddCollectionsGrpc(_ => options ?? new GrpcServerOptions());

    /// <summary>Registers the gRPC server with options that need other services, as a gate does.</summary>
    public static IServiceCollection AddCollectionsGrpc(
        this IServiceCollection services, Func<IServiceProvider, GrpcServerOptions> createOptions)
    {
        ArgumentNullException.ThrowIfNull(createOptions);
        services.AddRouting();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<HealthStatusBoard>();
        services.TryAddSingleton<HealthService>();
        services.AddSingleton(provider => createOptions(provider).Validated());
        services.AddSingleton<GrpcServer>();
        return services;
    }
}
