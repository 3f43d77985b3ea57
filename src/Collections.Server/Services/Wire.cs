using Collections.Engine.Leases;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LeaseAnswer = Collections.V1.LeaseAnswer;
using LeaseStatus = Collections.V1.LeaseStatus;

namespace Collections.Server.Services;

/// <summary>Values of the engine in the form of the contract.</summary>
internal static class Wire
{
    /// <summary>The way back of an answer takes a fifth of the time at most, and no more than this.</summary>
    private static readonly TimeSpan AnswerMarginMax = TimeSpan.FromSeconds(1);

    /// <summary>Nothing waits this long; a deadline beyond it is none.</summary>
    private static readonly TimeSpan AnswerByMax = TimeSpan.FromDays(1);

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

    /// <summary>
    /// Ends a little before the caller's deadline: what is durable by then is answered as such, and the answer still arrives. At the
    /// deadline itself there is nobody to answer any more.
    /// </summary>
    public static CancellationTokenSource AnswerBy(ServerCallContext context)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        if (TimeToAnswer(context) is var left && left < AnswerByMax)
            source.CancelAfter(left);
        return source;
    }

    /// <summary>How long <see cref="AnswerBy"/> gives.</summary>
    public static TimeSpan TimeToAnswer(ServerCallContext context)
    {
        if (context.Deadline == DateTime.MaxValue)
            return TimeSpan.MaxValue;
        TimeSpan left = context.Deadline - TimeProvider.System.GetUtcNow().UtcDateTime;
        return left <= TimeSpan.Zero ? TimeSpan.Zero : left - Min(left / 5, AnswerMarginMax);
    }

    public static RpcException Invalid(string field, string problem, object value) =>
        new(new Status(StatusCode.InvalidArgument, $"{field}: {problem}, but is '{value}'"));

    public static RpcException Unavailable(Exception cause) => new(new Status(StatusCode.Unavailable, cause.Message));

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
