using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Collections.Grpc;

/// <summary>
/// Says of a call how it ended, where the web server measures and traces it: HTTP knows a gRPC call that failed as one with status 200. Costs nothing
/// when nobody measures or traces. The names are OpenTelemetry's for remote calls.
/// </summary>
internal static class CallObservation
{
    private const string StatusTag = "rpc.grpc.status_code";

    /// <summary>Codes that speak of a fault of the server, as against one of the caller.</summary>
    private static readonly StatusCode[] Faults = [StatusCode.Unknown, StatusCode.DeadlineExceeded, StatusCode.Unimplemented, StatusCode.Internal, StatusCode.Unavailable, StatusCode.DataLoss];

    /// <param name="method">"/package.Service/Method".</param>
    public static void Ended(HttpContext http, string method, Status status)
    {
        if (http.Features.Get<IHttpMetricsTagsFeature>() is { } measured)
            measured.Tags.Add(new KeyValuePair<string, object?>(StatusTag, ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture)));
        if (http.Features.Get<IHttpActivityFeature>()?.Activity is not { } span)
            return;
        int slash = method.LastIndexOf('/');
        span.DisplayName = method.TrimStart('/');
        span.SetTag("rpc.system", "grpc").SetTag("rpc.service", slash > 0 ? method[1..slash] : "").SetTag("rpc.method", method[(slash + 1)..]).SetTag(StatusTag, (int)status.StatusCode);
        if (Faults.Contains(status.StatusCode))
            span.SetStatus(ActivityStatusCode.Error, status.Detail);
    }
}
