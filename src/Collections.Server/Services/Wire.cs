using Collections.Engine.Leases;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LeaseAnswer = Collections.V1.LeaseAnswer;
using LeaseStatus = Collections.V1.LeaseStatus;

namespace Collections.Server.Services;

/// <summary>Values of the engine in the form of the contract.</summary>
internal static class Wire
{
    public static Timestamp Instant(long unixMs) => Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(unixMs));

    public static LeaseAnswer Answer(in Engine.Leases.LeaseAnswer answer)
    {
        var reply = new LeaseAnswer
        {
            Status = answer.Status switch
            {
                Engine.Leases.LeaseStatus.Open => LeaseStatus.LeaseOpen,
                Engine.Leases.LeaseStatus.Closed => LeaseStatus.LeaseClosed,
                Engine.Leases.LeaseStatus.Voided => LeaseStatus.LeaseVoided,
                Engine.Leases.LeaseStatus.Expired => LeaseStatus.LeaseExpired,
                _ => LeaseStatus.LeaseUnknown,
            },
            Reason = answer.Reason,
        };
        if (answer.Row is { } row)
            reply.Expires = Instant(row.ExpiresMs);
        return reply;
    }

    public static RpcException Invalid(string field, string problem, object value) =>
        new(new Status(StatusCode.InvalidArgument, $"{field}: {problem}, but is '{value}'"));

    public static RpcException Unavailable(Exception cause) => new(new Status(StatusCode.Unavailable, cause.Message));
}
