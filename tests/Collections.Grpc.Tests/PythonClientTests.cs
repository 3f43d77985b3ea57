using System.Diagnostics;
using Xunit.Abstractions;

namespace Collections.Grpc.Tests;

/// <summary>Runs only where Debian's Python has grpcio, and says so where it has not.</summary>
public sealed class GrpcioTheoryAttribute : TheoryAttribute
{
    private static readonly string? Reason = PythonClient.WhyUnavailable();

    /// <summary>Skips with the reason.</summary>
    public GrpcioTheoryAttribute() => Skip = Reason;
}

/// <summary>Runs only where Debian's Python has grpcio, and says so where it has not.</summary>
public sealed class GrpcioFactAttribute : FactAttribute
{
    private static readonly string? Reason = PythonClient.WhyUnavailable();

    /// <summary>Skips with the reason.</summary>
    public GrpcioFactAttribute() => Skip = Reason;
}

/// <summary>The server against a client that others wrote: what both sides of this project misunderstand alike shows here.</summary>
public sealed class PythonClientTests(ITestOutputHelper output)
{
    [GrpcioTheory]
    [InlineData("unary")]
    [InlineData("server_stream")]
    [InlineData("client_stream")]
    [InlineData("duplex")]
    [InlineData("deadline_of_a_stream")]
    [InlineData("metadata")]
    [InlineData("status_and_details")]
    [InlineData("status_after_messages")]
    [InlineData("long_detail")]
    [InlineData("unhandled_exception")]
    [InlineData("oversized_request")]
    [InlineData("oversized_response")]
    [InlineData("unknown_service_and_method")]
    [InlineData("malformed_protobuf")]
    [InlineData("gzip_request")]
    [InlineData("deflate_request")]
    [InlineData("thousand_at_once")]
    [InlineData("many_streams_at_once")]
    [InlineData("large_messages")]
    public async Task Grpcio_sees_the_behaviour_of_the_protocol(string scenario)
    {
        await using var server = await GrpcTestServer.StartAsync();
        await using var client = PythonClient.Start(server.Address, scenario);
        await client.RequireSuccessAsync(output);
    }

    [GrpcioFact]
    public async Task Cancellation_by_grpcio_reaches_the_handler()
    {
        await using var server = await GrpcTestServer.StartAsync();
        await using var client = PythonClient.Start(server.Address, "cancellation");
        await client.RequireSuccessAsync(output);
        await server.Service.Cancelled.WaitAsync(PythonClient.Patience);
    }

    [GrpcioFact]
    public async Task Deadline_of_grpcio_reaches_the_handler()
    {
        await using var server = await GrpcTestServer.StartAsync();
        await using var client = PythonClient.Start(server.Address, "deadline");
        await client.RequireSuccessAsync(output);
        await server.Service.Cancelled.WaitAsync(PythonClient.Patience);
        Assert.NotEqual(DateTime.MaxValue, server.Service.LastDeadline);
    }

    [GrpcioFact]
    public async Task Grpcio_checks_and_watches_health()
    {
        await using var server = await GrpcTestServer.StartAsync();
        server.Health.Set("ready", serving: true);
        server.Health.Set("broken", serving: false);
        await using var client = PythonClient.Start(server.Address, "health");
        await client.RequireLineAsync("WATCHING", output);
        server.Health.Set("watched", serving: true);
        await client.RequireSuccessAsync(output);
    }

    [GrpcioFact]
    public async Task Grpcio_calls_over_tls()
    {
        await using var server = await GrpcTestServer.StartAsync();
        var certificate = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await File.WriteAllTextAsync(certificate, server.CertificatePem);
        try
        {
            await using var client = PythonClient.Start(server.TlsAddress, "unary", certificate);
            await client.RequireSuccessAsync(output);
        }
        finally
        {
            File.Delete(certificate);
        }
    }
}

/// <summary>One run of the script that calls with grpcio.</summary>
internal sealed class PythonClient : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private const string Python = "/usr/bin/python3";
    private readonly Process process;
    private readonly Task<string> errors;

    private PythonClient(Process process)
    {
        this.process = process;
        errors = process.StandardError.ReadToEndAsync();
    }

    public static string? WhyUnavailable()
    {
        if (!File.Exists(Python))
            return Report($"there is no {Python}");
        using var probe = Process.Start(new ProcessStartInfo(Python, ["-c", "import grpc"]) { RedirectStandardError = true, UseShellExecute = false })!;
        var errors = probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0 ? null : Report($"{Python} can't import grpc: {errors.Trim().Split('\n')[^1]}");

        static string Report(string reason)
        {
            Console.WriteLine($"The tests against grpcio are skipped: {reason}.");
            return $"grpcio is not available: {reason}; Debian has it as python3-grpcio";
        }
    }

    public static PythonClient Start(Uri address, string scenario, params string[] more)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "Python", "grpcio_client.py");
        var start = new ProcessStartInfo(Python, [script, address.Authority, scenario, .. more])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };

        // A proxy that the environment names does not lead to a server of this process.
        foreach (var name in new[] { "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "grpc_proxy" })
            start.Environment.Remove(name);
        return new PythonClient(Process.Start(start)!);
    }

    public async Task RequireLineAsync(string expected, ITestOutputHelper output)
    {
        var line = await process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        if (line is null)
            output.WriteLine(await errors);
        Assert.Equal(expected, line);
    }

    public async Task RequireSuccessAsync(ITestOutputHelper output)
    {
        await process.WaitForExitAsync().WaitAsync(Patience);
        output.WriteLine(await errors);
        Assert.True(process.ExitCode == 0, $"The script ended with {process.ExitCode}: {await errors}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }
}
