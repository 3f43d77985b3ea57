using System.Threading.Channels;
using Collections.Engine.Stores;

namespace Collections.Engine.Hosting;

/// <summary>Commits changes of leases in the order in which they come, those that wait together in one transaction.</summary>
internal sealed class LeaseWriter : IDisposable
{
    /// <summary>Changes in one transaction: 4,096 rows of some 200 bytes are written in about 10 ms.</summary>
    private const int GroupMax = 4_096;

    private readonly Channel<Request> waiting = Channel.CreateUnbounded<Request>(new UnboundedChannelOptions { SingleReader = true });
    private readonly IStore store;
    private readonly NodeMeters meters;
    private readonly Action<string> warn;
    private readonly Action<int, long> fenced;
    private readonly Thread thread;

    /// <param name="fenced">Called with a partition that another owner has taken, and with the epoch that is over.</param>
    public LeaseWriter(IStore store, NodeMeters meters, Action<string> warn, Action<int, long> fenced)
    {
        this.fenced = fenced;
        this.store = store;
        this.meters = meters;
        this.warn = warn;
        thread = new Thread(Run) { IsBackground = true, Name = "lease writer" };
        thread.Start();
    }

    /// <summary>Commits without anybody waiting: if it fails, recovery finds out from the record of the debtor.</summary>
    public void Post(LeaseChange[] changes) => waiting.Writer.TryWrite(new Request(changes, null));

    /// <summary>Completes when the changes are durable.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was committed.</exception>
    /// <exception cref="StoreFencedException">The partition is another node's.</exception>
    public Task CommitAsync(LeaseChange[] changes)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!waiting.Writer.TryWrite(new Request(changes, done)))
            done.SetException(new InvalidOperationException("the node is shutting down"));
        return done.Task;
    }

    public void Dispose()
    {
        waiting.Writer.Complete();
        thread.Join();
    }

    private void Run()
    {
        var group = new List<Request>();
        var changes = new List<LeaseChange>();
        while (WaitForMore())
        {
            group.Clear();
            changes.Clear();
            while (changes.Count < GroupMax && waiting.Reader.TryRead(out Request request))
            {
                group.Add(request);
                changes.AddRange(request.Changes);
            }
            Exception? failure = Commit(changes);
            if (failure is StoreFencedException && group.Count > 1)
                CommitEach(group);
            else
                Complete(group, failure);
        }
    }

    /// <summary>One partition is another node's: only those who asked for a change of it are refused.</summary>
    private void CommitEach(List<Request> group)
    {
        foreach (Request request in group)
            Complete([request], Commit([.. request.Changes]));
    }

    private bool WaitForMore() => waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult();

    private Exception? Commit(List<LeaseChange> changes)
    {
        try
        {
            store.CommitLeases(changes);
            return null;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            meters.OnFailure(FailedOperation.Leases);
            return failure;
        }
    }

    private void Complete(List<Request> group, Exception? failure)
    {
        // Of several requests it is not known which one is of an old owner; each is then made alone.
        if (failure is StoreFencedException { Partition: >= 0 } of && group.Count == 1)
            fenced(of.Partition, group[0].Changes.First(change => change.Partition == of.Partition).Epoch);
        foreach (Request request in group)
        {
            if (failure is null)
                request.Done?.SetResult();
            else if (request.Done is not null)
                request.Done.SetException(failure);
            else
                warn($"changes of {request.Changes.Length} leases not committed: {failure.Message}");
        }
    }

    private readonly record struct Request(LeaseChange[] Changes, TaskCompletionSource? Done);
}
