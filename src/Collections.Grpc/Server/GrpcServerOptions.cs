using Grpc.Core;

namespace Collections.Grpc;

/// <summary>
/// Called before the handler of every call, with the method's full name ("/package.Service/Method"). It lets the call
/// through by returning, and ends it by throwing an <see cref="RpcException"/>. The request has not been read by then.
/// </summary>
public delegate ValueTask GrpcCallGate(ServerCallContext context, string method);

/// <summary>How the server takes calls.</summary>
public sealed record GrpcServerOptions
{
    /// <summary>The longest request message, after decompression.</summary>
    public int ReceiveMessageBytesMax { get; init; } = GrpcLimits.ReceiveMessageBytesMax;

    /// <summary>The longest request message of a service that takes longer ones, by its full name ("package.Service").</summary>
    public IReadOnlyDictionary<string, int> ReceiveMessageBytesMaxOf { get; init; } = new Dictionary<string, int>();

    /// <summary>The longest response message.</summary>
    public int SendMessageBytesMax { get; init; } = GrpcLimits.SendMessageBytesMax;

    /// <summary>What decides whether a call is let through; every call is when there is none.</summary>
    public GrpcCallGate? Gate { get; init; }

    /// <param name="method">"/package.Service/Method".</param>
    internal int ReceiveLimitOf(string method) =>
        ReceiveMessageBytesMaxOf.Count > 0 && method.LastIndexOf('/') is > 0 and int end && ReceiveMessageBytesMaxOf.TryGetValue(method[1..end], out int most)
            ? most
            : ReceiveMessageBytesMax;

    internal GrpcServerOptions Validated()
    {
        if (ReceiveMessageBytesMax <= 0)
            throw new ArgumentException($"{nameof(ReceiveMessageBytesMax)} is {ReceiveMessageBytesMax}; it must be positive.");
        foreach ((string service, int most) in ReceiveMessageBytesMaxOf)
        {
            if (most <= 0)
                throw new ArgumentException($"{nameof(ReceiveMessageBytesMaxOf)} of {service} is {most}; it must be positive.");
        }
        if (SendMessageBytesMax <= 0)
            throw new ArgumentException($"{nameof(SendMessageBytesMax)} is {SendMessageBytesMax}; it must be positive.");
        return this;
    }
}
