using System.Reflection;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Collections.Grpc;

/// <summary>
/// Turns the methods of a generated service into endpoints. The service is described without an instance; each handler
/// becomes a delegate that takes the instance as its first argument, so that calls need neither reflection nor a
/// binding of their own.
/// </summary>
internal sealed class EndpointBinder<TService>(GrpcServer server, IServiceProvider services) : ServiceBinderBase
    where TService : class
{
    private readonly ServiceActivator<TService> activator =
        new(services.GetRequiredService<IServiceProviderIsService>().IsService(typeof(TService)));

    public List<GrpcMethodEndpoint> Endpoints { get; } = [];

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        Endpoints.Add(new UnaryEndpoint<TService, TRequest, TResponse>(
            server, method, activator, OpenHandler<UnaryHandler<TService, TRequest, TResponse>>(method)));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        Endpoints.Add(new ClientStreamingEndpoint<TService, TRequest, TResponse>(
            server, method, activator, OpenHandler<ClientStreamingHandler<TService, TRequest, TResponse>>(method)));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        Endpoints.Add(new ServerStreamingEndpoint<TService, TRequest, TResponse>(
            server, method, activator, OpenHandler<ServerStreamingHandler<TService, TRequest, TResponse>>(method)));

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        Endpoints.Add(new DuplexStreamingEndpoint<TService, TRequest, TResponse>(
            server, method, activator, OpenHandler<DuplexStreamingHandler<TService, TRequest, TResponse>>(method)));

    private static THandler OpenHandler<THandler>(IMethod method)
        where THandler : Delegate
    {
        var parameters = typeof(THandler).GetMethod("Invoke")!.GetParameters()[1..];
        var handler = typeof(TService).GetMethod(
                method.Name,
                BindingFlags.Public | BindingFlags.Instance,
                Array.ConvertAll(parameters, parameter => parameter.ParameterType))
            ?? throw new InvalidOperationException($"{typeof(TService)} has no handler for {method.FullName}.");
        return handler.CreateDelegate<THandler>();
    }
}

/// <summary>Gets the service instance of a call.</summary>
internal sealed class ServiceActivator<TService>(bool registered)
    where TService : class
{
    private readonly ObjectFactory<TService>? factory = registered ? null : ActivatorUtilities.CreateFactory<TService>([]);

    public TService Activate(IServiceProvider services) =>
        factory is null ? services.GetRequiredService<TService>() : factory(services, null);

    // An instance that the service provider handed out is the provider's to dispose.
    public ValueTask ReleaseAsync(TService service)
    {
        if (factory is null)
            return default;
        if (service is IAsyncDisposable asyncDisposable)
            return asyncDisposable.DisposeAsync();
        (service as IDisposable)?.Dispose();
        return default;
    }
}
