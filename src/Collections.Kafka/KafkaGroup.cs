using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Kafka;

/// <summary>
/// Membership in the consumer group that says which node runs which partition. It subscribes to one topic, <c>PREFIX.activity</c>, and reads nothing of
/// it: the same partition numbers of all three topics are read by assignment, from the store's positions. Members take turns cooperatively: who keeps a
/// partition over a rebalance does not notice it.
/// </summary>
internal sealed unsafe class KafkaGroup : IPartitionGroup
{
    private const long OffsetEnd = -1;

    private readonly KafkaLogOptions options;
    private readonly int partitionCount;
    private readonly TimeProvider time;
    private readonly Warnings warnings;
    private readonly IntPtr client;
    private readonly Thread thread;
    private GCHandle self;
    private IGroupMember? member;
    private volatile bool leaving;
    private bool hasSaidMembership;

    /// <param name="partitionCount">Of the log; a topic that has grown since is given out whole, and what is beyond is nobody's.</param>
    /// <exception cref="KafkaRefusedException">A setting is not taken.</exception>
    public KafkaGroup(KafkaLogOptions options, int partitionCount, TimeProvider time, Warnings warnings)
    {
        this.options = options;
        this.partitionCount = partitionCount;
        this.time = time;
        this.warnings = warnings;
        self = GCHandle.Alloc(this);
        try
        {
            client = GroupMember.New(options.ForMember(), configuration =>
            {
                GroupNative.rd_kafka_conf_set_opaque(configuration, GCHandle.ToIntPtr(self));
                GroupNative.rd_kafka_conf_set_rebalance_cb(configuration, &OnRebalance);
            });
        }
        catch
        {
            self.Free();
            throw;
        }
        thread = new Thread(Run) { IsBackground = true, Name = "kafka group" };
    }

    public void Join(IGroupMember member)
    {
        this.member = member;
        string problem = GroupMember.Subscribe(client, [options.TopicOf(EventStream.Activity)]);
        if (problem.Length > 0)
            throw new KafkaRefusedException($"the group '{options.Group}' can't be joined: {problem}");
        thread.Start();
    }

    /// <summary>Whether the node leaves on its own account, as when it stops.</summary>
    public bool IsLeaving => leaving;

    public void Leave()
    {
        leaving = true;
        if (thread.IsAlive)
            thread.Join();
    }

    /// <summary>Shows lag tools how far the store is; nobody waits for the answer, and the next one mends a lost one.</summary>
    public void Mirror(IEnumerable<(int Partition, StreamPositions Next)> kept)
    {
        Native.PartitionList* list = Native.rd_kafka_topic_partition_list_new(EventKinds.StreamCount);
        foreach ((int partition, StreamPositions next) in kept)
        {
            foreach (EventStream stream in Enum.GetValues<EventStream>())
                Native.rd_kafka_topic_partition_list_add(list, options.TopicOf(stream), partition)->Offset = next[stream];
        }
        _ = Native.rd_kafka_commit(client, list, async: 1);
        Native.rd_kafka_topic_partition_list_destroy(list);
    }

    /// <summary>Leaves, if that has not been done; then nothing of it may be used.</summary>
    public void Close()
    {
        Leave();
        GroupNative.rd_kafka_destroy(client);
        self.Free();
    }

    private void Run()
    {
        long startedAt = time.GetTimestamp();
        while (!leaving)
        {
            Native.Message* message = GroupNative.rd_kafka_consumer_poll(client, Limits.GroupPollMs);
            if (message is not null)
            {
                if (message->Error != Native.NoError)
                    warnings.Say($"group {message->Error}", $"Kafka, group '{options.Group}': {Native.Text(Native.rd_kafka_err2str(message->Error))}");
                Native.rd_kafka_message_destroy(message);
            }
            // A member beyond the number of partitions is given none, and not told so.
            if (!hasSaidMembership && time.GetElapsedTime(startedAt).TotalMilliseconds > Limits.MembershipMs && IsMember())
            {
                hasSaidMembership = true;
                member!.OnAssigned([]);
            }
        }
        _ = GroupNative.rd_kafka_consumer_close(client);
    }

    private bool IsMember()
    {
        byte* id = GroupNative.rd_kafka_memberid(client);
        if (id is null)
            return false;
        bool isMember = *id != 0;
        GroupNative.rd_kafka_mem_free(client, id);
        return isMember;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnRebalance(IntPtr client, int what, Native.PartitionList* partitions, IntPtr opaque)
    {
        var group = (KafkaGroup)GCHandle.FromIntPtr(opaque).Target!;
        try
        {
            group.Rebalance(what, partitions);
        }
#pragma warning disable CA1031 // Nothing may be thrown through librdkafka; the group goes on, and an operator learns of it.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            group.warnings.Say("rebalance", $"Kafka, group '{group.options.Group}': {failure}");
        }
    }

    private void Rebalance(int what, Native.PartitionList* partitions)
    {
        var numbers = new List<int>(partitions->Count);
        for (int i = 0; i < partitions->Count; i++)
        {
            if (partitions->Entries[i].Partition < partitionCount)
                numbers.Add(partitions->Entries[i].Partition);
        }
        if (what == GroupNative.AssignPartitions)
        {
            // Nothing is read: from the end on, and paused.
            for (int i = 0; i < partitions->Count; i++)
                partitions->Entries[i].Offset = OffsetEnd;
            Check(GroupNative.rd_kafka_incremental_assign(client, partitions));
            _ = GroupNative.rd_kafka_pause_partitions(client, partitions);
            hasSaidMembership = true;
            member!.OnAssigned(numbers);
            return;
        }
        try
        {
            if (GroupNative.rd_kafka_assignment_lost(client) != 0)
                member!.OnLost(numbers);
            else
                member!.OnRevoked(numbers);
        }
        finally
        {
            Check(GroupNative.rd_kafka_incremental_unassign(client, partitions));
        }
    }

    private void Check(IntPtr error)
    {
        if (error == IntPtr.Zero)
            return;
        warnings.Say("rebalance", $"Kafka, group '{options.Group}': {Native.Text(GroupNative.rd_kafka_error_string(error))}");
        GroupNative.rd_kafka_error_destroy(error);
    }
}
