using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Collections.Server.Tests.Documents;

/// <summary>
/// Runs every command of the README in its order, from the root of the repository, in a scratch directory and on a free port. The demo runs small;
/// <c>eng/test</c> is what runs this.
/// </summary>
public sealed partial class ReadmeTests : IDisposable
{
    private static readonly string Root = FindRoot();
    private readonly string scratch = Directory.CreateTempSubdirectory("collections-readme-").FullName;
    private Process? server;
    private string address = "";

    public void Dispose()
    {
        StopServer();
        Directory.Delete(scratch, recursive: true);
    }

    [Fact]
    public async Task Every_command_of_the_readme_runs_and_the_import_says_what_is_printed_there()
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(Root, "README.md"));
        string lastOutput = "", importOutput = "";
        int ran = 0;
        foreach (Match block in FencedBlock().Matches(readme))
        {
            string language = block.Groups["language"].Value, text = block.Groups["text"].Value;
            if (language == "text" && lastOutput.Length > 0 && importOutput.Length == 0)
            {
                importOutput = text;
                Assert.Equal(text.Trim(), lastOutput.Trim());
            }
            if (language is not ("sh" or "sh serve") || text.Trim() == "eng/test")
                continue;
            if (language == "sh serve")
                await StartServerAsync(Adapt(text));
            else
                lastOutput = await RunAsync(Adapt(text));
            ran++;
        }
        Assert.True(ran >= 6, $"only {ran} blocks of commands were found in the README");
        Assert.NotEqual("", importOutput);
    }

    private string Adapt(string commands)
    {
        if (commands.Contains("features --data", StringComparison.Ordinal))
            StopServer();
        string adapted = commands
            .Replace("tour-data", Path.Combine(scratch, "data"), StringComparison.Ordinal)
            .Replace("tour-training", Path.Combine(scratch, "training"), StringComparison.Ordinal)
            .Replace("features.csv", Path.Combine(scratch, "features.csv"), StringComparison.Ordinal)
            .Replace("dotnet run -c Release", "dotnet run --no-build -c Release", StringComparison.Ordinal);
        var lines = adapted.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
            line.EndsWith("-- demo", StringComparison.Ordinal) ? line + " --debtors 500"
            : line.Contains("collections serve", StringComparison.Ordinal) ? line + " --listen 127.0.0.1:0"
            : ClientCommand().IsMatch(line) ? $"{line} --address {address}"
            : line);
        return string.Join('\n', lines);
    }

    private static async Task<string> RunAsync(string commands)
    {
        using Process bash = Start(commands);
        Task<string> errors = bash.StandardError.ReadToEndAsync();
        string output = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        Assert.True(bash.ExitCode == 0, $"exit code {bash.ExitCode} of\n{commands}\n{output}\n{await errors}");
        return output;
    }

    private async Task StartServerAsync(string command)
    {
        server = Start("exec " + command.Trim());
        var seen = new StringBuilder();
        while (await server.StandardOutput.ReadLineAsync() is { } line)
        {
            seen.AppendLine(line);
            if (Address().Match(line) is { Success: true } match)
            {
                address = match.Groups["address"].Value;
                return;
            }
        }
        Assert.Fail($"the server did not say where it listens:\n{seen}{await server.StandardError.ReadToEndAsync()}");
    }

    private void StopServer()
    {
        if (server is null)
            return;
        server.Kill(entireProcessTree: true);
        server.WaitForExit();
        server.Dispose();
        server = null;
    }

    private static Process Start(string commands) => Process.Start(new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", commands])
    {
        WorkingDirectory = Root,
        UseShellExecute = false,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Collections.Engine.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("no folder above the tests holds Collections.Engine.sln");
    }

    [GeneratedRegex(@"^```(?<language>[a-z ]*)\n(?<text>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex FencedBlock();

    [GeneratedRegex(@"collections (pull|debtor|status|model \w+)\b", RegexOptions.ExplicitCapture)]
    private static partial Regex ClientCommand();

    [GeneratedRegex(@"gRPC on (?<address>http://\S+?)/?;", RegexOptions.ExplicitCapture)]
    private static partial Regex Address();
}
