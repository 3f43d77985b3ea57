using Microsoft.Extensions.Logging;

namespace Collections.Grpc;

/// <summary>What all methods of one server share.</summary>
internal sealed class GrpcServer(GrpcServerOptions options, TimeProvider time, ILogger<GrpcServer> logger)
{
    public GrpcServerOptions Options { get; } = options;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;

    /// <summary>Written while endpoints are mapped, which is before the server takes calls.</summary>
    public bool UnimplementedMapped { get; set; }
}
