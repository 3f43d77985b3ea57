using Grpc.Core;
using Grpc.Net.Client;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>The way from callers to nodes that fail under them.</summary>
internal interface ICallLink
{
    /// <summary>Makes a call until it is answered.</summary>
    Task<T> CallAsync<T>(Func<GrpcChannel, Task<T>> call);
}

/// <summary>The way from callers to the node that runs now. A caller whose call fails waits for the next node and tries again.</summary>
/// <param name="store">Where the node has its store; null: in its data.</param>
/// <param name="whileDown">What happens while no node runs.</param>
internal sealed class CrashLink(string data, string? store = null, Action? whileDown = null) : ICallLink, IAsyncDisposable
{
    private readonly Lock gate = new();
    private ServeProcess? node;
    private TaskCompletionSource<(int Generation, GrpcChannel Channel)> next = New();

    /// <summary>Calls that failed because the node was killed, and were made again.</summary>
    public int Retries { get; private set; }

    public int Generation { get; private set; }

    public ServeProcess Node => node!;

    public async Task StartAsync()
    {
        ServeProcess started = await ServeProcess.StartAsync(data, ["--partitions", "4", .. store is null ? Array.Empty<string>() : ["--store", store]]);
        await started.WaitServingAsync();
        lock (gate)
        {
            node = started;
            Generation++;
            next.SetResult((Generation, started.Channel));
        }
    }

    /// <summary>Kills the node and starts another on the same data. From here on callers wait for that one.</summary>
    public async Task KillAndRestartAsync()
    {
        ServeProcess old = Node;
        lock (gate)
            next = New();
        await old.KillAsync();
        await old.DisposeAsync();
        whileDown?.Invoke();
        await StartAsync();
    }

    /// <summary>Makes a call until it is answered, each time on the node that runs then.</summary>
    public async Task<T> CallAsync<T>(Func<GrpcChannel, Task<T>> call)
    {
        while (true)
        {
            Task<(int Generation, GrpcChannel Channel)> current;
            lock (gate)
                current = next.Task;
            (int generation, GrpcChannel channel) = await current.WaitAsync(CollectionsProcess.Patience);
            try
            {
                return await call(channel).WaitAsync(CollectionsProcess.Patience);
            }
            catch (Exception failure) when (failure is RpcException or ObjectDisposedException)
            {
                lock (gate)
                {
                    // Only the death of its node excuses a call that fails.
                    bool killed = generation < Generation || !next.Task.IsCompleted;
                    if (!killed)
                        throw;
                    Retries++;
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (node is not null)
            await node.DisposeAsync();
    }

    private static TaskCompletionSource<(int Generation, GrpcChannel Channel)> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
