using System.Net;
using Grpc.Core;

namespace Collections.Grpc;

/// <summary>What a failure below gRPC means to the caller, by the tables of the protocol.</summary>
internal static class TransportFailures
{
    /// <summary>The status of an answer by something that is not a gRPC server, such as a gateway.</summary>
    public static Status StatusOfHttp(HttpStatusCode code) => new(
        code switch
        {
            HttpStatusCode.BadRequest => StatusCode.Internal,
            HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
            HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
            HttpStatusCode.NotFound => StatusCode.Unimplemented,
            HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
                or HttpStatusCode.GatewayTimeout => StatusCode.Unavailable,
            _ => StatusCode.Unknown,
        },
        $"The server answered with the HTTP status {(int)code}.");

    /// <summary>The status of a connection or a stream that broke.</summary>
    public static Status StatusOf(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is HttpProtocolException protocol)
                return new Status(StatusOfReset(protocol.ErrorCode), $"The server reset the stream with the code {protocol.ErrorCode}.", exception);
        }

        return exception is HttpRequestException or IOException
            ? new Status(StatusCode.Unavailable, "The server can't be reached, or the connection to it broke.", exception)
            : new Status(StatusCode.Internal, $"The call failed: {exception.GetType().Name}.", exception);
    }

    private static StatusCode StatusOfReset(long errorCode) => errorCode switch
    {
        7 => StatusCode.Unavailable, // REFUSED_STREAM: the server has not begun to work on it.
        8 => StatusCode.Cancelled, // CANCEL
        11 => StatusCode.ResourceExhausted, // ENHANCE_YOUR_CALM
        12 => StatusCode.PermissionDenied, // INADEQUATE_SECURITY
        _ => StatusCode.Internal,
    };
}
