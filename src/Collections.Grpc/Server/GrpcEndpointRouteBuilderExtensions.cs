using System.Reflection;
using Collections.Grpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps gRPC services to endpoints, in the namespace and under the name that the official package has for it.</summary>
public static class GrpcEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the methods of a service, which derives from the base class that was generated for it. An instance comes
    /// from the service provider if the type is registered there, and is otherwise created for each call and disposed
    /// after it.
    /// </summary>
    public static IEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder endpoints)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var server = endpoints.ServiceProvider.GetService<GrpcServer>()
            ?? throw new InvalidOperationException("gRPC services can't be mapped before services.AddCollectionsGrpc() was called.");

        var binder = new EndpointBinder<TService>(server, endpoints.ServiceProvider);
        FindBindMethod(typeof(TService)).Invoke(null, BindingFlags.DoNotWrapExceptions, binder: null, [binder, null], culture: null);
        var mapped = new List<IEndpointConventionBuilder>();
        foreach (var method in binder.Endpoints)
        {
            var route = endpoints.Map(RoutePatternFactory.Parse(method.Method.FullName), method.HandleAsync);
            route.WithDisplayName($"gRPC - {method.Method.FullName}").WithMetadata(method.Method);
            mapped.Add(route);
        }

        MapUnimplemented(endpoints, server);
        return new GrpcServiceConventions(mapped);
    }

    private static MethodInfo FindBindMethod(Type service)
    {
        var attribute = service.GetCustomAttribute<BindServiceMethodAttribute>(inherit: true)
            ?? throw new InvalidOperationException(
                $"{service} does not derive from the base class that is generated for a gRPC service.");
        return Array.Find(
                attribute.BindType.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static),
                method => method.Name == attribute.BindMethodName
                    && method.GetParameters() is { Length: 2 } parameters
                    && parameters[0].ParameterType == typeof(ServiceBinderBase)
                    && parameters[1].ParameterType.IsAssignableFrom(service))
            ?? throw new InvalidOperationException(
                $"{attribute.BindType} has no method {attribute.BindMethodName}(ServiceBinderBase, …) for {service}.");
    }

    // The protocol answers what it does not know with a status, not with HTTP's 404. Only requests that are gRPC match
    // the route, so that it takes no path of two segments away from the rest of the site.
    private static void MapUnimplemented(IEndpointRouteBuilder endpoints, GrpcServer server)
    {
        if (server.UnimplementedMapped)
            return;
        server.UnimplementedMapped = true;
        var pattern = RoutePatternFactory.Parse(
            "{service}/{method}",
            defaults: null,
            parameterPolicies: new RouteValueDictionary { ["service"] = new GrpcRequestConstraint() });
        var endpoint = new UnimplementedEndpoint(server);
        var route = endpoints.Map(pattern, endpoint.HandleAsync);
        route.WithDisplayName("gRPC - unknown service or method");
        route.Add(builder => ((RouteEndpointBuilder)builder).Order = int.MaxValue - 1);
    }

    private sealed class GrpcRequestConstraint : IRouteConstraint
    {
        public bool Match(
            HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
            WireNames.IsGrpcContentType(httpContext?.Request.ContentType);
    }

    private sealed class GrpcServiceConventions(List<IEndpointConventionBuilder> methods) : IEndpointConventionBuilder
    {
        public void Add(Action<EndpointBuilder> convention)
        {
            foreach (var method in methods)
                method.Add(convention);
        }

        public void Finally(Action<EndpointBuilder> finallyConvention)
        {
            foreach (var method in methods)
                method.Finally(finallyConvention);
        }
    }
}
