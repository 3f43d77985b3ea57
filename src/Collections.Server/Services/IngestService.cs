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
    private const string Damage = "\uFFFD";

    public override async Task<AppendResponse> Append(AppendRequest request, ServerCallContext context)
    {
        if (request.Events.Count > Engine.Limits.AppendEventsMax)
            throw Wire.Invalid("events", $"at most {Engine.Limits.AppendEventsMax} in one call", request.Events.Count);
        var events = new List<ReadOnlyMemory<byte>>(request.Events.Count);
        var damaged = new EventError?[request.Events.Count];
        for (int i = 0; i < request.Events.Count; i++)
        {
            V1.Event e = request.Events[i];
            AccessPoint.Tenant(context, e.Tenant);
            byte[] whole = e.ToByteArray();
            damaged[i] = FindDamage(e, whole);
            if (damaged[i] is null)
                events.Add(whole);
        }
        try
        {
            using CancellationTokenSource answerBy = Wire.AnswerBy(context);
            IntakeResult[] results = await node.Intake.AppendAsync(events, request.Wait == Wait.Applied, answerBy.Token);
            var response = new AppendResponse();
            int taken = 0;
            foreach (EventError? error in damaged)
                response.Results.Add(Describe(error is { } why ? new IntakeResult(IntakeStatus.Refused, why, -1, default, -1) : results[taken++]));
            return response;
        }
        catch (LogUnavailableException unavailable)
        {
            throw Wire.Unavailable(unavailable);
        }
    }

    /// <summary>
    /// Reading a message puts U+FFFD where bytes are no UTF-8. Two names that differ in such bytes alone would become one, so a name that holds
    /// it is refused; what people wrote is taken as it came.
    /// </summary>
    private static EventError? FindDamage(V1.Event e, ReadOnlySpan<byte> whole)
    {
        bool hasFreeText = e.BodyCase is V1.Event.BodyOneofCase.ContactReceived or V1.Event.BodyOneofCase.DisputeOpened or V1.Event.BodyOneofCase.HoldPlaced;
        (string field, string value) = e.Tenant.Contains(Damage, StringComparison.Ordinal) ? ("tenant", e.Tenant)
            : e.Debtor.Contains(Damage, StringComparison.Ordinal) ? ("debtor", e.Debtor)
            : e.Id.Contains(Damage, StringComparison.Ordinal) ? ("id", e.Id)
            : !hasFreeText && whole.IndexOf("\uFFFD"u8) >= 0 ? ("body", "") : ("", "");
        return field.Length == 0 ? null : new EventError(field, "holds bytes that are no UTF-8, or the character U+FFFD that stands for them", value);
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
