using System.Diagnostics;
using Collections.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Xunit.Abstractions;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>Runs only where Debian's Python has grpcio and protobuf, and says so where it has not.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GrpcioTheoryAttribute : TheoryAttribute
{
    public const string Python = "/usr/bin/python3";

    private static readonly string? Reason = WhyUnavailable();

    public GrpcioTheoryAttribute() => Skip = Reason;

    private static string? WhyUnavailable()
    {
        string? reason = null;
        if (!File.Exists(Python))
        {
            reason = $"there is no {Python}";
        }
        else
        {
            using Process probe = CollectionsProcess.Start(Python, ["-c", "import grpc, google.protobuf"]);
            string errors = probe.StandardError.ReadToEnd();
            probe.WaitForExit();
            if (probe.ExitCode != 0)
                reason = $"{Python} can't import grpc and google.protobuf: {errors.Trim().Split('\n')[^1]}";
        }
        if (reason is null)
            return null;
        Console.WriteLine($"The tests of the node by grpcio are skipped: {reason}.");
        return $"grpcio is not available: {reason}; Debian has it as python3-grpcio and python3-protobuf";
    }
}

/// <summary>One served node for the scenarios; each takes a tenant of its own.</summary>
public sealed class ServedNode : IAsyncLifetime, IDisposable
{
    private readonly TestFolder folder = new();
    private ServeProcess? node;

    internal ServeProcess Node => node!;

    /// <summary>The contract as descriptors, taken from the compiled program.</summary>
    internal string Descriptors => folder["contract.bin"];

    public async Task InitializeAsync()
    {
        using (FileStream file = File.Create(Descriptors))
        {
            var set = new FileDescriptorSet();
            foreach (FileDescriptor descriptor in new[] { TimestampReflection.Descriptor, EventsReflection.Descriptor, ServicesReflection.Descriptor })
                set.File.Add(FileDescriptorProto.Parser.ParseFrom(descriptor.SerializedData));
            set.WriteTo(file);
        }
        node = await ServeProcess.StartAsync(folder["data"], "--partitions", "5");
        await node.WaitServingAsync();
    }

    public async Task DisposeAsync()
    {
        if (node is not null)
            await node.DisposeAsync();
    }

    public void Dispose() => folder.Dispose();
}

/// <summary>The node against a client that others wrote: grpcio and protobuf of Python, and messages written byte by byte.</summary>
public sealed class ThirdPartyTests(ServedNode served, ITestOutputHelper output) : IClassFixture<ServedNode>
{
    [GrpcioTheory]
    [InlineData("append")]
    [InlineData("append_refused")]
    [InlineData("pull")]
    [InlineData("leases")]
    [InlineData("subscribe")]
    [InlineData("debtor")]
    [InlineData("status_and_health")]
    [InlineData("invalid_arguments")]
    [InlineData("broken_calls")]
    public async Task Grpcio_sees_the_behaviour_that_the_contract_promises(string scenario)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "EndToEnd", "Python", "third_party.py");
        using Process python = CollectionsProcess.Start(GrpcioTheoryAttribute.Python, [script, served.Node.Authority, served.Descriptors, scenario]);
        Task<string> said = python.StandardOutput.ReadToEndAsync(), errors = python.StandardError.ReadToEndAsync();
        try
        {
            await python.WaitForExitAsync().WaitAsync(CollectionsProcess.Patience);
        }
        finally
        {
            if (!python.HasExited)
                python.Kill();
        }
        output.WriteLine(await said);
        Assert.True(python.ExitCode == 0, $"the script ended with {python.ExitCode}: {await errors}");
    }
}
