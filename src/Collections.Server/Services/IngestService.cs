using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Server.Access;
using Collections.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Collections.Server.Services;

/// <summary>Events in over gRPC.</summary>
public sealed class IngestService(Node node) : Ingest.IngestBase
{
    public override async Task<AppendResponse> Append(AppendRequest request, ServerCallContext context)
    {
        if (request.Events.Count > Engine.Limits.AppendEventsMax)
            throw Wire.Invalid("events", $"at most {Engine.Limits.AppendEventsMax} in one call", request.Events.Count);
        var events = new List<ReadOnlyMemory<byte>>(request.Events.Count);
        foreach (V1.Event e in request.Events)
        {
            AccessPoint.Tenant(context, e.Tenant);
            events.Add(e.ToByteArray());
        }
        try
        {
            IntakeResult[] results = await node.Intake.AppendAsync(events, request.Wait == Wait.Applied, context.CancellationToken);
            var response = new AppendResponse();
            foreach (IntakeResult result in results)
                response.Results.Add(Describe(result));
            return response;
        }
        catch (LogUnavailableException unavailable)
        {
            throw Wire.Unavailable(unavailable);
        }
    }

    private static AppendResult Describe(in IntakeResult result) => result.Status == IntakeStatus.Refused
        ? new AppendResult { Status = AppendStatus.AppendRefused, Reason = result.Error.ToString(), Partition = -1, Offset = -1 }
        : new AppendResult
        {
            Status = result.Status == IntakeStatus.Applied ? AppendStatus.AppendApplied : AppendStatus.AppendDurable,
            Partition = result.Partition,
            Stream = NameOf(result.Stream),
            Offset = result.Offset,
        };

    internal static string NameOf(EventStream stream) => stream.ToString().ToLowerInvariant();
}
