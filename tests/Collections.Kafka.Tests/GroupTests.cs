using Collections.Engine.Logs;

namespace Collections.Kafka.Tests;

/// <summary>Who runs which partition, as the group says: on a broker's protocol, with members that come, go and hang.</summary>
public sealed class GroupTests : IDisposable
{
    private const int Partitions = 6;

    private readonly MockCluster cluster = new(brokers: 1);
    private readonly List<string> warnings = [];

    public GroupTests() => cluster.CreateTopics("group", Partitions);

    [KafkaFact]
    public void One_member_runs_all_a_second_one_takes_its_share_and_leaves_it_again()
    {
        using KafkaEventLog first = Open(), second = Open();
        var a = new Member();
        first.Group.Join(a);
        Patience.Until(() => a.Owned.Length == Partitions);
        var b = new Member();
        second.Group.Join(b);
        Patience.Until(() => a.Owned.Length + b.Owned.Length == Partitions && b.Owned.Length == Partitions / 2);
        Assert.Equal(Enumerable.Range(0, Partitions), a.Owned.Concat(b.Owned).Order());
        // What stays does not notice.
        Assert.Equal(Partitions / 2, a.Revoked);
        second.Group.Leave();
        Assert.Empty(b.Owned);
        Assert.Equal(Partitions / 2, b.Revoked);
        Patience.Until(() => a.Owned.Length == Partitions);
        Assert.Equal(0, a.Lost + b.Lost);
    }

    [KafkaFact]
    public void A_member_for_whom_nothing_is_left_is_told_so()
    {
        cluster.CreateTopics("few", 1);
        using KafkaEventLog first = Open("few", 1), second = Open("few", 1);
        var (a, b) = (new Member(), new Member());
        first.Group.Join(a);
        second.Group.Join(b);
        Patience.Until(() => a.Joined && b.Joined && a.Owned.Length + b.Owned.Length == 1);
    }

    public void Dispose() => cluster.Dispose();

    private KafkaEventLog Open(string prefix = "group", int partitions = Partitions) => new(Samples.Options(cluster, prefix), new MemoryArchive(partitions), Samples.NoJson, TimeProvider.System, warnings.Add);

    private sealed class Member : IGroupMember
    {
        private readonly Lock gate = new();
        private readonly SortedSet<int> owned = [];

        public int[] Owned
        {
            get
            {
                lock (gate)
                    return [.. owned];
            }
        }

        public bool Joined { get; private set; }

        public int Revoked { get; private set; }

        public int Lost { get; private set; }

        public void OnAssigned(IReadOnlyCollection<int> partitions)
        {
            lock (gate)
            {
                Joined = true;
                owned.UnionWith(partitions);
            }
        }

        public void OnRevoked(IReadOnlyCollection<int> partitions)
        {
            lock (gate)
            {
                Revoked += partitions.Count;
                owned.ExceptWith(partitions);
            }
        }

        public void OnLost(IReadOnlyCollection<int> partitions)
        {
            lock (gate)
            {
                Lost += partitions.Count;
                owned.ExceptWith(partitions);
            }
        }
    }
}
