using System.Diagnostics;
using Collections.Server.Tests.EndToEnd;

namespace Collections.Server.Tests.Operations;

/// <summary>Runs only where Prometheus' own judge of pages and rules is, and says so where it is not.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PromtoolFactAttribute : FactAttribute
{
    private static readonly string? Reason = Promtool.IsThere ? null : "promtool is not available: nothing of that name is on the path; Debian has it in prometheus";

    public PromtoolFactAttribute() => Skip = Reason;
}

/// <summary>Prometheus' own judge.</summary>
internal static class Promtool
{
    public static bool IsThere { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "promtool")));

    /// <summary>What it has to say against it; empty: nothing.</summary>
    public static async Task<string> JudgeAsync(string input, string folder, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("promtool", arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(CollectionsProcess.Patience);
        return process.ExitCode == 0 ? "" : $"exit code {process.ExitCode}: {await output}{await errors}";
    }
}
