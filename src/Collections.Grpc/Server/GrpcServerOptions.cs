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

    /// <summary>The longest response message.</summary>
    public int SendMessageBytesMax { get; init; } = GrpcLimits.SendMessageBytesMax;

    /// <summary>What decides whether a call is let through; every call is when there is none.</summary>
    public GrpcCallGate? Gate { get; init; }

    internal GrpcServerOptions Validated()
    {
        if (ReceiveMessageBytesMax <= 0)
            throw new ArgumentException($"{nameof(ReceiveMessageBytesMax)} is {ReceiveMessageBytesMax}; it must be positive.");
        if (SendMessageBytesMax <= 0)
            throw new ArgumentException($"{nameof(SendMessageBytesMax)} is {SendMessageBytesMax}; it must be positive.");
        return this;
    }
}
