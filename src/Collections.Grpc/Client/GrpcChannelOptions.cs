using Collections.Grpc;

namespace Grpc.Net.Client;

/// <summary>How a channel makes calls; the names are those of the official client.</summary>
public sealed record GrpcChannelOptions
{
    /// <summary>The longest message that is received, after decompression.</summary>
    public int MaxReceiveMessageSize { get; init; } = GrpcLimits.ReceiveMessageBytesMax;

    /// <summary>The longest message that is sent.</summary>
    public int MaxSendMessageSize { get; init; } = GrpcLimits.SendMessageBytesMax;

    /// <summary>What sends the requests, as for trusting a certificate or presenting one. The channel does not dispose it.</summary>
    public HttpMessageHandler? HttpHandler { get; init; }

    /// <summary>The clock that deadlines are measured with.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal GrpcChannelOptions Validated()
    {
        if (MaxReceiveMessageSize <= 0)
            throw new ArgumentException($"{nameof(MaxReceiveMessageSize)} is {MaxReceiveMessageSize}; it must be positive.");
        if (MaxSendMessageSize <= 0)
            throw new ArgumentException($"{nameof(MaxSendMessageSize)} is {MaxSendMessageSize}; it must be positive.");
        return this;
    }
}
