using Grpc.Core;

namespace Collections.Grpc;

internal delegate Task<TResponse> UnaryHandler<in TService, in TRequest, TResponse>(
    TService service, TRequest request, ServerCallContext context);

internal delegate Task<TResponse> ClientStreamingHandler<in TService, in TRequest, TResponse>(
    TService service, IAsyncStreamReader<TRequest> requests, ServerCallContext context);

internal delegate Task ServerStreamingHandler<in TService, in TRequest, out TResponse>(
    TService service, TRequest request, IServerStreamWriter<TResponse> responses, ServerCallContext context);

internal delegate Task DuplexStreamingHandler<in TService, in TRequest, out TResponse>(
    TService service, IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TResponse> responses, ServerCallContext context);

internal sealed class UnaryEndpoint<TService, TRequest, TResponse>(
    GrpcServer server,
    Method<TRequest, TResponse> method,
    ServiceActivator<TService> activator,
    UnaryHandler<TService, TRequest, TResponse> handler) : GrpcMethodEndpoint(server, method)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(ServerCall call)
    {
        var request = await call.ReadOnlyRequestAsync(method.RequestMarshaller);
        var service = activator.Activate(call.RequestServices);
        try
        {
            var response = await handler(service, request, call);
            await call.WriteOnlyResponseAsync(response, method.ResponseMarshaller);
        }
        finally
        {
            await activator.ReleaseAsync(service);
        }
    }
}

internal sealed class ClientStreamingEndpoint<TService, TRequest, TResponse>(
    GrpcServer server,
    Method<TRequest, TResponse> method,
    ServiceActivator<TService> activator,
    ClientStreamingHandler<TService, TRequest, TResponse> handler) : GrpcMethodEndpoint(server, method)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(ServerCall call)
    {
        var service = activator.Activate(call.RequestServices);
        try
        {
            var requests = new RequestStreamReader<TRequest>(call, method.RequestMarshaller);
            var response = await handler(service, requests, call);
            await call.WriteOnlyResponseAsync(response, method.ResponseMarshaller);
        }
        finally
        {
            await activator.ReleaseAsync(service);
        }
    }
}

internal sealed class ServerStreamingEndpoint<TService, TRequest, TResponse>(
    GrpcServer server,
    Method<TRequest, TResponse> method,
    ServiceActivator<TService> activator,
    ServerStreamingHandler<TService, TRequest, TResponse> handler) : GrpcMethodEndpoint(server, method)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(ServerCall call)
    {
        var request = await call.ReadOnlyRequestAsync(method.RequestMarshaller);
        var service = activator.Activate(call.RequestServices);
        var responses = new ResponseStreamWriter<TResponse>(call, method.ResponseMarshaller);
        try
        {
            await handler(service, request, responses, call);
        }
        finally
        {
            responses.Close();
            await activator.ReleaseAsync(service);
        }
    }
}

internal sealed class DuplexStreamingEndpoint<TService, TRequest, TResponse>(
    GrpcServer server,
    Method<TRequest, TResponse> method,
    ServiceActivator<TService> activator,
    DuplexStreamingHandler<TService, TRequest, TResponse> handler) : GrpcMethodEndpoint(server, method)
    where TService : class
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(ServerCall call)
    {
        var service = activator.Activate(call.RequestServices);
        var requests = new RequestStreamReader<TRequest>(call, method.RequestMarshaller);
        var responses = new ResponseStreamWriter<TResponse>(call, method.ResponseMarshaller);
        try
        {
            await handler(service, requests, responses, call);
        }
        finally
        {
            responses.Close();
            await activator.ReleaseAsync(service);
        }
    }
}
