using System.Collections.Concurrent;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Simulation.Fakes;

namespace Collections.Engine.Tests.Hosting;

/// <summary>Nodes of one process that share a log and a store in memory. Who runs what, the test says; who is not told goes on as a zombie does.</summary>
internal sealed class SharedScene : IAsyncDisposable
{
    private static readonly Currency Eur = Currency.Parse("EUR");
    private readonly MemoryLog log;
    private readonly List<(Node Node, Group Group)> nodes = [];
    private int ids;

    /// <param name="partitions">Of the log.</param>
    /// <param name="nodes">How many nodes; they run nothing yet.</param>
    public SharedScene(int partitions, int nodes)
    {
        log = new MemoryLog(partitions);
        for (int i = 0; i < nodes; i++)
        {
            var group = new Group();
            Node node = Node.Start(log.Reopen(group), Store, new EngineOptions { Workers = 2, CheckpointSeconds = 30 }, Time, Warnings.Enqueue);
            node.Join($"node-{i}:7700");
            int self = i;
            node.Actions.Others = () => [.. this.nodes.Where((_, other) => other != self).Select(static other => other.Node.Actions.Local)];
            this.nodes.Add((node, group));
        }
    }

    public MemoryStore Store { get; } = new();

    public NodeScene.Clock Time { get; } = new();

    public ConcurrentQueue<string> Warnings { get; } = [];

    public Node this[int node] => nodes[node].Node;

    /// <summary>The group gives partitions to a node, which runs them when this returns.</summary>
    public async Task AssignAsync(int node, params int[] partitions)
    {
        await Task.Run(() => nodes[node].Group.Member.OnAssigned(partitions));
        await UntilAsync(() => partitions.All(partition => this[node].StateOf(partition) == PartitionState.Serving));
    }

    /// <summary>The group takes partitions back; the node has given them up when this returns.</summary>
    public Task RevokeAsync(int node, params int[] partitions) => Task.Run(() => nodes[node].Group.Member.OnRevoked(partitions)).WaitAsync(NodeScene.Patience);

    /// <summary>The group has given them to others a while ago, and the node learns of it now.</summary>
    public Task LoseAsync(int node, params int[] partitions) => Task.Run(() => nodes[node].Group.Member.OnLost(partitions)).WaitAsync(NodeScene.Patience);

    public async Task OweAsync(int node, params (string Debtor, long AmountMinor)[] debts)
    {
        var writer = new EventWriter();
        ReadOnlyMemory<byte>[] events = [.. debts.Select(debt => (ReadOnlyMemory<byte>)writer.ItemIssued(
            new EventAddress { Tenant = "bank"u8, Debtor = NodeScene.Utf8(debt.Debtor), Id = NodeScene.Utf8($"event {++ids}"), Effective = Day.OfMs(Time.NowMs).Plus(-1) },
            NodeScene.Utf8($"item {ids}"), Component.Principal, debt.AmountMinor, Eur, Day.OfMs(Time.NowMs).Plus(-10)).ToArray())];
        await this[node].Intake.AppendAsync(events, waitApplied: false, CancellationToken.None);
        foreach ((Node each, _) in nodes)
            await each.SettleAsync().WaitAsync(NodeScene.Patience);
    }

    public Task<PullResult> PullAsync(int node, int count, string request = "") =>
        this[node].Actions.PullAsync(new PullOrder("bank", NodeScene.Queue, count, "dialer", request, 3_600_000)).WaitAsync(NodeScene.Patience);

    public static async Task UntilAsync(Func<bool> done)
    {
        using var patience = new CancellationTokenSource(NodeScene.Patience);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!done())
            await look.WaitForNextTickAsync(patience.Token);
    }

    public int PartitionOf(string debtor) => DebtorKey.PartitionOf("bank"u8, NodeScene.Utf8(debtor), log.PartitionCount);

    public async ValueTask DisposeAsync()
    {
        Store.At = null;
        Store.Wait = null;
        foreach ((Node node, _) in nodes)
            await node.DisposeAsync();
    }

    private sealed class Group : IPartitionGroup
    {
        private readonly HashSet<int> given = [];

        public IGroupMember Member { get; private set; } = null!;

        public void Join(IGroupMember member) => Member = member;

        public void Leave() => Member.OnRevoked(given);
    }
}
