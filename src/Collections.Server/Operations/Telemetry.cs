using Collections.Engine.Hosting;
using Collections.Kafka;
using Collections.Server.Services;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Collections.Server.Operations;

/// <summary>A variable of the environment that says where telemetry goes can't be used.</summary>
public sealed class TelemetrySettingException(string message) : Exception(message);

/// <summary>
/// Sends metrics and traces by OTLP when OpenTelemetry's standard environment variables name a collector; otherwise nothing is made and
/// nothing listens. How and how often is the variables' business too (OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_METRIC_EXPORT_INTERVAL, OTEL_TRACES_SAMPLER …).
/// </summary>
internal sealed class Telemetry : IDisposable
{
    /// <summary>Spans of calls, from the web server.</summary>
    private const string CallSpans = "Microsoft.AspNetCore";

    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>How long what has not been sent is waited for when the node stops, in milliseconds.</summary>
    private const int FlushMs = 5_000;

    private readonly MeterProvider? metrics;
    private readonly TracerProvider? traces;

    private Telemetry(MeterProvider? metrics, TracerProvider? traces)
    {
        this.metrics = metrics;
        this.traces = traces;
    }

    public bool SendsMetrics => metrics is not null;

    public bool SendsTraces => traces is not null;

    /// <param name="variable">The environment: the value of a variable, or null.</param>
    /// <exception cref="TelemetrySettingException">A variable can't be used: the message names it, its value and what to do.</exception>
    public static Telemetry Start(Func<string, string?> variable)
    {
        bool isDisabled = string.Equals(variable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);
        bool sendsMetrics = !isDisabled && IsWanted(variable, "METRICS"), sendsTraces = !isDisabled && IsWanted(variable, "TRACES");
        return new Telemetry(
            sendsMetrics
                ? Sdk.CreateMeterProviderBuilder().SetResourceBuilder(Resource()).AddMeter(NodeMeters.Name, KafkaEventLog.MeterName, MetricsPage.RuntimeMeter, MetricsPage.CallsMeter, MetricsPage.PostgresMeter).AddOtlpExporter().Build()
                : null,
            sendsTraces
                ? Sdk.CreateTracerProviderBuilder().SetResourceBuilder(Resource()).AddSource(NodeMeters.Name, CallSpans).AddOtlpExporter().Build()
                : null);
    }

    public void Dispose()
    {
        metrics?.ForceFlush(FlushMs);
        traces?.ForceFlush(FlushMs);
        metrics?.Dispose();
        traces?.Dispose();
    }

    /// <param name="signal">As the names of variables have it.</param>
    private static bool IsWanted(Func<string, string?> variable, string signal)
    {
        string own = $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT";
        string name = string.IsNullOrWhiteSpace(variable(own)) ? Endpoint : own;
        string? address = variable(name);
        if (string.IsNullOrWhiteSpace(address) || string.Equals(variable($"OTEL_{signal}_EXPORTER"), "none", StringComparison.OrdinalIgnoreCase))
            return false;
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
            throw new TelemetrySettingException($"{name}: '{address}' is no address of a collector, such as http://127.0.0.1:4317; correct it or unset it");
        return true;
    }

    /// <summary>What the variables say of the service (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) stands above what the program says.</summary>
    private static ResourceBuilder Resource() =>
        ResourceBuilder.CreateEmpty().AddTelemetrySdk().AddService("collections", serviceVersion: DebtorsService.VersionText).AddEnvironmentVariableDetector();
}
