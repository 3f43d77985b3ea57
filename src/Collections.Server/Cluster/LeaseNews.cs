using Collections.Engine.Hosting;
using Collections.Engine.Partitions;
using Collections.Engine.Stores;
using Collections.V1;
using Grpc.Core;

namespace Collections.Server.Cluster;

/// <summary>A lease that has ended.</summary>
/// <param name="Voided">Its holder must not carry it out, for the reason; otherwise it ended as leases do.</param>
public readonly record struct LeaseEnd(string Lease, bool Voided, string Debtor, string Reason);

/// <summary>Leases that end, on this node and on the others. The others are watched as long as somebody here listens.</summary>
public sealed class LeaseNews : IDisposable
{
    private readonly Node node;
    private readonly PeerDirectory directory;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly List<Action<LeaseEnd>> listeners = [];
    private CancellationTokenSource? watching;

    public LeaseNews(Node node, PeerDirectory directory, TimeProvider time)
    {
        this.node = node;
        this.directory = directory;
        this.time = time;
        node.Voided += OnVoided;
        node.LeasesEnded += OnEnded;
    }

    /// <summary>Calls the listener, on any thread, until what is returned is disposed; it must be quick.</summary>
    public IDisposable Listen(Action<LeaseEnd> listener)
    {
        lock (gate)
        {
            listeners.Add(listener);
            if (listeners.Count == 1 && directory.IsShared)
            {
                watching = new CancellationTokenSource();
                _ = WatchAllAsync(watching.Token);
            }
        }
        return new Listening(this, listener);
    }

    public void Dispose()
    {
        node.Voided -= OnVoided;
        node.LeasesEnded -= OnEnded;
        lock (gate)
            watching?.Cancel();
    }

    private void OnVoided(IReadOnlyList<LeaseVoidedNotice> notices)
    {
        foreach (LeaseVoidedNotice notice in notices)
            Tell(new LeaseEnd(notice.Row.Id, true, notice.Row.Debtor, notice.Reason));
    }

    private void OnEnded(IReadOnlyList<LeaseChange> changes)
    {
        foreach (LeaseChange change in changes)
        {
            if (change.Kind == LeaseChangeKind.Close)
                Tell(new LeaseEnd(LeaseRow.Ids.Format(change.Partition, change.Sequence), false, "", ""));
        }
    }

    private void Tell(LeaseEnd end)
    {
        lock (gate)
            listeners.ForEach(listener => listener(end));
    }

    /// <summary>Has one watch on each of the others, whoever they are at the time.</summary>
    private async Task WatchAllAsync(CancellationToken cancellation)
    {
        var watches = new Dictionary<Peer, Task>();
        try
        {
            while (true)
            {
                foreach (Peer peer in directory.Others)
                {
                    if (!watches.TryGetValue(peer, out Task? watch) || watch.IsCompleted)
                        watches[peer] = WatchAsync(peer, cancellation);
                }
                await Task.Delay(ClusterLimits.WatchAgain, time, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody listens any more.
        }
    }

    private async Task WatchAsync(Peer peer, CancellationToken cancellation)
    {
        try
        {
            using AsyncServerStreamingCall<PeerNews> watch = peer.Watch(cancellation);
            while (await watch.ResponseStream.MoveNext(cancellation))
            {
                PeerNews news = watch.ResponseStream.Current;
                Tell(new LeaseEnd(news.Lease, news.Voided, news.Debtor, news.Reason));
            }
        }
        catch (Exception over) when (over is RpcException or OperationCanceledException)
        {
            // It is asked again as long as it runs anything; what was missed is told to the holder when he reports.
        }
    }

    private void Forget(Action<LeaseEnd> listener)
    {
        lock (gate)
        {
            listeners.Remove(listener);
            if (listeners.Count > 0)
                return;
            watching?.Cancel();
            watching = null;
        }
    }

    private sealed class Listening(LeaseNews news, Action<LeaseEnd> listener) : IDisposable
    {
        public void Dispose() => news.Forget(listener);
    }
}
