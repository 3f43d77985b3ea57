using Grpc.Health.V1;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Collections.Grpc;

/// <summary>
/// What the host tells of the health of its services, by their full names; the empty name is the server as a whole. The
/// server begins as not serving, so that nothing is sent to it before the host has said that it is ready. Any thread may
/// set and read.
/// </summary>
public sealed class HealthStatusBoard
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, ServingStatus> statuses = new(StringComparer.Ordinal) { [""] = ServingStatus.NotServing };

    // Completed and replaced at every change. Statuses change a few times in a server's life, so waking every watcher
    // is cheaper than keeping a list of them by service.
    private TaskCompletionSource changed = NewSignal();

    /// <summary>Tells whether a service takes calls.</summary>
    public void Set(string service, bool serving)
    {
        ArgumentNullException.ThrowIfNull(service);
        var status = serving ? ServingStatus.Serving : ServingStatus.NotServing;
        lock (gate)
        {
            if (statuses.TryGetValue(service, out var before) && before == status)
                return;
            statuses[service] = status;
            Signal();
        }
    }

    /// <summary>Tells that nothing takes calls any more, as at shutdown.</summary>
    public void SetAllNotServing()
    {
        lock (gate)
        {
            foreach (var service in statuses.Keys.ToArray())
                statuses[service] = ServingStatus.NotServing;
            Signal();
        }
    }

    /// <summary>What was last told of a service, or null if nothing was.</summary>
    public bool? IsServing(string service) => Read(service).Status is { } status ? status == ServingStatus.Serving : null;

    // The status and the signal of the next change are read together, so that no change falls between them.
    internal (ServingStatus? Status, Task Changed) Read(string service)
    {
        lock (gate)
            return (statuses.TryGetValue(service, out var status) ? status : null, changed.Task);
    }

    private void Signal()
    {
        var signalled = changed;
        changed = NewSignal();
        signalled.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
