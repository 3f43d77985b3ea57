namespace Grpc.Core;

/// <summary>How a message is to be written.</summary>
[Flags]
public enum WriteFlags
{
    /// <summary>Send at once.</summary>
    None = 0,

    /// <summary>More follows: the message may wait to be sent together with the next.</summary>
    BufferHint = 1,

    /// <summary>Do not compress. Nothing here is compressed when sent, so this changes nothing.</summary>
    NoCompress = 2,
}

/// <summary>Options of a write.</summary>
public class WriteOptions(WriteFlags flags = WriteFlags.None)
{
    /// <summary>Sends at once.</summary>
    public static readonly WriteOptions Default = new();

    /// <summary>The flags.</summary>
    public WriteFlags Flags { get; } = flags;
}

/// <summary>Options of a client's call.</summary>
#pragma warning disable CA1068 // The official order of parameters, which generated code relies on.
public readonly struct CallOptions(
    Metadata? headers = null,
    DateTime? deadline = null,
    CancellationToken cancellationToken = default,
    WriteOptions? writeOptions = null)
#pragma warning restore CA1068
{
    /// <summary>Metadata to send.</summary>
    public Metadata? Headers { get; } = headers;

    /// <summary>The instant (UTC) after which the call is given up.</summary>
    public DateTime? Deadline { get; } = deadline;

    /// <summary>Gives the call up when cancelled.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>How messages are written, unless the stream says otherwise.</summary>
    public WriteOptions? WriteOptions { get; } = writeOptions;

    /// <summary>The same options with other metadata.</summary>
    public CallOptions WithHeaders(Metadata headers) => new(headers, Deadline, CancellationToken, WriteOptions);

    /// <summary>The same options with another deadline.</summary>
    public CallOptions WithDeadline(DateTime deadline) => new(Headers, deadline, CancellationToken, WriteOptions);

    /// <summary>The same options with another token.</summary>
    public CallOptions WithCancellationToken(CancellationToken cancellationToken) =>
        new(Headers, Deadline, cancellationToken, WriteOptions);

    /// <summary>The same options with other write options.</summary>
    public CallOptions WithWriteOptions(WriteOptions writeOptions) =>
        new(Headers, Deadline, CancellationToken, writeOptions);
}
