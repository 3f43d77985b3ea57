using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>What a command said, and with which code it ended.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Errors)
{
    /// <summary>The output, once it is certain that the command went well.</summary>
    public string RequireSuccess()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Errors}{Output}");
        return Output;
    }
}

/// <summary>The built program as a process of its own.</summary>
internal static class CollectionsProcess
{
    /// <summary>How long a test waits for a process or a call before it calls that a failure; on a good day everything takes seconds.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly string[] Proxies = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "grpc_proxy"];

    public static Task<CommandResult> RunAsync(params string[] arguments) => RunAsync(input: null, arguments);

    /// <summary>Runs a command to its end.</summary>
    /// <param name="input">What it reads from standard input; null: nothing.</param>
    public static async Task<CommandResult> RunAsync(string? input, string[] arguments)
    {
        using Process process = Start(arguments);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
            if (input is not null)
                await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync().WaitAsync(Patience);
            return new CommandResult(process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    public static Process Start(params string[] arguments) => Start(new Dictionary<string, string>(), arguments);

    /// <param name="environment">Variables that it has besides ours.</param>
    public static Process Start(IReadOnlyDictionary<string, string> environment, string[] arguments)
    {
        string host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        return Start(host, [Path.Combine(AppContext.BaseDirectory, "collections.dll"), .. arguments], environment);
    }

    /// <summary>Starts any program with its streams in our hands; a proxy that the environment names does not lead to a node of this machine.</summary>
    public static Process Start(string program, string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string name in Proxies)
            start.Environment.Remove(name);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}

/// <summary>A <c>collections serve</c> that has said where it listens.</summary>
internal sealed class ServeProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly Task<string> errors;
    private readonly Task<string> output;

    private ServeProcess(Process process, string address, Task<string> errors)
    {
        this.process = process;
        this.errors = errors;
        Address = address;
        output = process.StandardOutput.ReadToEndAsync();
        Channel = GrpcChannel.ForAddress(address);
    }

    public string Address { get; }

    public string Authority => new Uri(Address).Authority;

    public GrpcChannel Channel { get; }

    /// <summary>Starts a node on a free port and reads the address from what it prints.</summary>
    public static Task<ServeProcess> StartAsync(string data, params string[] more) => StartAsync(data, new Dictionary<string, string>(), more);

    /// <param name="environment">Variables that it has besides ours.</param>
    public static async Task<ServeProcess> StartAsync(string data, IReadOnlyDictionary<string, string> environment, string[] more)
    {
        Process process = CollectionsProcess.Start(environment, ["serve", "--data", data, "--listen", "127.0.0.1:0", .. more]);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(CollectionsProcess.Patience) is { } line)
        {
            int at = line.IndexOf("http://", StringComparison.Ordinal);
            if (line.StartsWith("gRPC on ", StringComparison.Ordinal) && at > 0)
                return new ServeProcess(process, line[at..line.IndexOf(';', at)], errors);
        }
        throw new InvalidOperationException($"serve ended before it listened: {await errors}");
    }

    /// <summary>Waits until the standard health service says that the node serves: every partition has read the log to its end.</summary>
    public async Task WaitServingAsync()
    {
        using var patience = new CancellationTokenSource(CollectionsProcess.Patience);
        using AsyncServerStreamingCall<HealthCheckResponse> watch = new Health.HealthClient(Channel).Watch(new HealthCheckRequest(), cancellationToken: patience.Token);
        while (await watch.ResponseStream.MoveNext(patience.Token))
        {
            if (watch.ResponseStream.Current.Status == HealthCheckResponse.Types.ServingStatus.Serving)
                return;
        }
    }

    /// <summary>As a power cut does: nothing is told, nothing is kept.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(CollectionsProcess.Patience);
        Channel.Dispose();
    }

    /// <summary>Sends it a signal, such as STOP or CONT.</summary>
    public async Task SignalAsync(string signal)
    {
        using Process kill = CollectionsProcess.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Asks it to stop, as a service manager does, and waits for its end.</summary>
    public async Task<CommandResult> StopAsync()
    {
        await SignalAsync("TERM");
        await process.WaitForExitAsync().WaitAsync(CollectionsProcess.Patience);
        Channel.Dispose();
        return new CommandResult(process.ExitCode, await output, await errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            await KillAsync();
        Channel.Dispose();
        process.Dispose();
    }
}

/// <summary>A folder for one test.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("collections-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
