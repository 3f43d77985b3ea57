namespace Grpc.Core;

/// <summary>How a call ended. The numbers are the protocol's.</summary>
public enum StatusCode
{
    /// <summary>The call succeeded.</summary>
    OK = 0,

    /// <summary>The caller gave the call up.</summary>
    Cancelled = 1,

    /// <summary>The cause is not known to the caller, as when a handler threw.</summary>
    Unknown = 2,

    /// <summary>The request is wrong whatever the state of the system.</summary>
    InvalidArgument = 3,

    /// <summary>The deadline passed first.</summary>
    DeadlineExceeded = 4,

    /// <summary>What was asked for does not exist.</summary>
    NotFound = 5,

    /// <summary>What was to be created exists.</summary>
    AlreadyExists = 6,

    /// <summary>The caller is known and may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>A limit or quota is used up.</summary>
    ResourceExhausted = 8,

    /// <summary>The system is in a state in which this can't be done.</summary>
    FailedPrecondition = 9,

    /// <summary>A concurrent change got in the way; the caller may start over.</summary>
    Aborted = 10,

    /// <summary>The request reaches past the valid range.</summary>
    OutOfRange = 11,

    /// <summary>The server has no such service, method or feature.</summary>
    Unimplemented = 12,

    /// <summary>An invariant of the protocol or the server is broken.</summary>
    Internal = 13,

    /// <summary>The server can't be reached or can't serve now; the caller may retry.</summary>
    Unavailable = 14,

    /// <summary>Data is lost or corrupt.</summary>
    DataLoss = 15,

    /// <summary>The caller is not known.</summary>
    Unauthenticated = 16,
}

/// <summary>A status code with its detail.</summary>
public readonly record struct Status(StatusCode StatusCode, string Detail, Exception? DebugException = null)
{
    /// <summary>Success.</summary>
    public static readonly Status DefaultSuccess = new(StatusCode.OK, "");

    /// <summary>Cancelled, without detail.</summary>
    public static readonly Status DefaultCancelled = new(StatusCode.Cancelled, "");

    /// <inheritdoc/>
    public override string ToString() => $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\")";
}

/// <summary>A call that ended with another status than OK.</summary>
#pragma warning disable CA1032 // An RpcException without a status has no meaning; the constructors are the official ones.
public class RpcException : Exception
#pragma warning restore CA1032
{
    /// <summary>Creates the exception for a status.</summary>
    public RpcException(Status status) : this(status, Metadata.Empty)
    {
    }

    /// <summary>Creates the exception for a status with a message other than the status itself.</summary>
    public RpcException(Status status, string message) : this(status, Metadata.Empty, message)
    {
    }

    /// <summary>Creates the exception for a status and the metadata that goes with it.</summary>
    public RpcException(Status status, Metadata trailers) : this(status, trailers, status.ToString())
    {
    }

    /// <summary>Creates the exception for a status, its metadata and a message.</summary>
    public RpcException(Status status, Metadata trailers, string message) : base(message, status.DebugException)
    {
        ArgumentNullException.ThrowIfNull(trailers);
        Status = status;
        Trailers = trailers;
    }

    /// <summary>How the call ended.</summary>
    public Status Status { get; }

    /// <summary>The code of <see cref="Status"/>.</summary>
    public StatusCode StatusCode => Status.StatusCode;

    /// <summary>The metadata sent after the last message.</summary>
    public Metadata Trailers { get; }
}
