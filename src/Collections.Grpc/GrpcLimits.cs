namespace Collections.Grpc;

/// <summary>Every limit that this project has, with its arithmetic. Those that a host may change are defaults.</summary>
public static class GrpcLimits
{
    /// <summary>The longest message that is received unless configured: 4 MiB, the default of every gRPC implementation.</summary>
    public const int ReceiveMessageBytesMax = 4 * 1024 * 1024;

    /// <summary>
    /// The longest message that is sent unless configured: 64 MiB, 16 times what a peer takes by default, so that it
    /// only stops a response that grew without bound.
    /// </summary>
    public const int SendMessageBytesMax = 64 * 1024 * 1024;

    /// <summary>
    /// The longest encoded grpc-message: 4 KiB, half of the 8 KiB at which clients begin to reject headers, which leaves
    /// the other half to the trailing metadata.
    /// </summary>
    public const int StatusMessageBytesMax = 4 * 1024;

    /// <summary>The longest deadline that gets a timer: 24 days, what fits an int of milliseconds. Later ones are as good as none.</summary>
    public static readonly TimeSpan DeadlineTimerMax = TimeSpan.FromMilliseconds(int.MaxValue);
}
