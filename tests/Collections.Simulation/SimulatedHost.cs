using System.Globalization;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Queues;
using Collections.Engine.Stores;
using Collections.Simulation.Fakes;

namespace Collections.Simulation;

/// <summary>The process has died: everything that is not in the log or in the store is gone.</summary>
internal sealed class SimulatedCrashException : Exception;

/// <summary>
/// Plays the host of real partitions on one thread, with a virtual clock: reads slices, does what the partitions decide, keeps
/// checkpoints, serves callers. It can be made to die at every step, and is put together again from log and store alone.
/// </summary>
internal sealed class SimulatedHost : IDisposable
{
    private readonly MemoryLog log;
    private readonly MemoryStore store;
    private readonly DebtorOptions options;
    private readonly Random slices;
    private readonly Partition?[] partitions;
    private readonly Refold?[] refolds;
    private readonly Queue<(int Partition, HistoryRequest Request)> histories = [];
    private readonly RecordBatch records = new();
    private readonly Checkpoint checkpoint = new();
    private readonly int sliceMax;

    public SimulatedHost(MemoryLog log, MemoryStore store, DebtorOptions options, int seed, int sliceMax, long nowMs)
    {
        this.log = log;
        this.store = store;
        this.options = options;
        this.sliceMax = sliceMax;
        NowMs = nowMs;
        slices = new Random(seed);
        partitions = new Partition?[log.PartitionCount];
        refolds = new Refold?[log.PartitionCount];
        store.At = moment => Step(moment.ToString());
    }

    public long NowMs { get; set; }

    /// <summary>Steps that were passed; each is a place to die.</summary>
    public int Steps { get; private set; }

    /// <summary>The step at which it dies, once; -1: never.</summary>
    public int CrashAt { get; set; } = -1;

    public string CrashedAt { get; private set; } = "";

    /// <summary>Chances that a checkpoint is taken between two slices, in percent.</summary>
    public int CheckpointPercent { get; init; } = 30;

    /// <summary>Chances that a waiting history is answered between two slices, in percent.</summary>
    public int AnswerPercent { get; init; } = 50;

    public IEnumerable<Partition> Partitions => partitions.Select(partition => partition!);

    public int PartitionCount => partitions.Length;

    /// <summary>Leases whose holders were told that they are void, in order.</summary>
    public List<string> ToldVoid { get; } = [];

    public int Restarts { get; private set; }

    public int HistoriesWaiting => histories.Count;

    /// <summary>Whether imports end in this run: the record that ends one is counted nowhere.</summary>
    public bool CountsImports { get; init; }

    public void Dispose()
    {
        for (int i = 0; i < partitions.Length; i++)
            Drop(i);
    }

    /// <summary>Everything in memory is gone; then every partition is recovered and reads the log to its end.</summary>
    public void Restart()
    {
        Restarts += partitions[0] is null ? 0 : 1;
        histories.Clear();
        for (int number = 0; number < partitions.Length; number++)
        {
            Drop(number);
            partitions[number] = Recover(number);
        }
        Settle();
    }

    public void Append(AppendBatch events)
    {
        Step("append");
        log.AppendAsync(events, CancellationToken.None).GetAwaiter().GetResult();
        Step("appended");
    }

    /// <summary>Turns until everything is applied; answers histories too, when asked for, at chance moments in between.</summary>
    public void Settle(bool answer = true)
    {
        for (bool worked = true; worked;)
        {
            worked = false;
            for (int number = 0; number < partitions.Length; number++)
            {
                worked |= Turn(number);
                if (slices.Next(100) < CheckpointPercent)
                    Keep(number);
                if (answer && histories.Count > 0 && slices.Next(100) < AnswerPercent)
                    AnswerHistory();
            }
            worked |= answer && histories.Count > 0;
        }
    }

    public void AnswerHistory()
    {
        if (!histories.TryDequeue(out (int Partition, HistoryRequest Request) next))
            return;
        (int number, HistoryRequest request) = next;
        var history = new RecordBatch();
        log.ReadHistory(number, request.DebtorHash, request.Until, history);
        Step("resume");
        partitions[number]!.Resume(request, history);
        partitions[number]!.RunOnce(new Slice { Records = new RecordBatch(), CaughtUp = false, NowMs = NowMs, SweepMax = Engine.Limits.SweepPerSlice });
        Do(partitions[number]!);
    }

    public void Keep(int number)
    {
        Partition partition = partitions[number]!;
        if (!partition.Checkpoints.IsDue || refolds[number] is not null)
            return;
        Step("before fill");
        partition.Checkpoints.Fill(checkpoint);
        Step("filled");
        store.Commit(checkpoint);
        partition.Checkpoints.OnCommitted(checkpoint.Header);
        Do(partition);
    }

    public List<LeaseRow> Pull(PullOrder order)
    {
        List<LeaseRow> before = [.. Enumerable.Range(0, partitions.Length).SelectMany(store.LoadLeases)
            .Where(row => row.RequestId == order.RequestId && row.State == LeaseState.Open)];
        // A retry of what was committed before the caller could be answered.
        if (before.Count > 0)
            return Ordered(before);
        var heads = new QueueHeads();
        foreach (Partition partition in Partitions)
            partition.Desk.Look(order, heads);
        heads.Sort();
        var reserved = new List<LeaseRow>();
        for (int i = 0; i < Math.Min(order.Count, heads.Count); i++)
        {
            if (partitions[heads[i].Partition]!.Desk.Reserve(order, heads[i].Slot, NowMs) is { } row)
                reserved.Add(row);
        }
        Step("reserved");
        if (reserved.Count > 0)
            store.CommitLeases([.. reserved.Select(row => new LeaseChange(LeaseChangeKind.Grant, row.Partition, partitions[row.Partition]!.Checkpoints.Epoch, row.Sequence, row.ExpiresMs, row))]);
        // A checkpoint may come while the store is being asked.
        foreach (int number in reserved.Select(row => row.Partition).Distinct().Where(_ => slices.Next(100) < CheckpointPercent))
            Keep(number);
        foreach (LeaseRow row in reserved)
            Assert.True(partitions[row.Partition]!.Desk.Confirm(row.Sequence));
        Step("confirmed");
        return Ordered(reserved);
    }

    public LeaseAnswer Report(LeaseRow row, AttemptOutcome outcome)
    {
        Partition partition = partitions[row.Partition]!;
        LeaseAnswer answer = partition.Desk.BeginReport(row.Sequence);
        Step("report begun");
        if (answer.Status is not (LeaseStatus.Open or LeaseStatus.Voided))
            return answer;
        byte[] tenant = Utf8(row.Tenant), debtor = Utf8(row.Debtor);
        var batch = new AppendBatch();
        batch.Add(
            row.Partition, EventStream.Activity, DebtorKey.HashOf(tenant, debtor), NowMs, history: false,
            new EventWriter().AttemptReported(
                new EventAddress { Tenant = tenant, Debtor = debtor, Id = LeaseDesk.ReportId(row.Id), EffectiveMs = row.GrantedMs + 1 }, row.Channel, outcome, Utf8(row.Id)));
        Append(batch);
        return answer;
    }

    public LeaseAnswer Extend(LeaseRow row, long leaseMs)
    {
        Partition partition = partitions[row.Partition]!;
        LeaseAnswer answer = partition.Desk.CheckHeld(row.Sequence);
        if (answer.Status != LeaseStatus.Open)
            return answer;
        long expiresMs = Math.Max(NowMs + leaseMs, answer.Row!.ExpiresMs);
        store.CommitLeases([new LeaseChange(LeaseChangeKind.Extend, row.Partition, partition.Checkpoints.Epoch, row.Sequence, expiresMs, null)]);
        return partition.Desk.Extend(row.Sequence, expiresMs);
    }

    public LeaseAnswer Release(LeaseRow row)
    {
        Partition partition = partitions[row.Partition]!;
        LeaseAnswer answer = partition.Desk.CheckHeld(row.Sequence);
        if (answer.Status != LeaseStatus.Open)
            return answer;
        store.CommitLeases([new LeaseChange(LeaseChangeKind.Void, row.Partition, partition.Checkpoints.Epoch, row.Sequence, answer.Row!.ExpiresMs, null)]);
        answer = partition.Desk.Release(row.Sequence);
        Do(partition);
        return answer;
    }

    private bool Turn(int number)
    {
        Partition partition = partitions[number]!;
        records.Clear();
        StreamPositions next = partition.Positions;
        int wanted = 1 + slices.Next(sliceMax);
        int count = partition.CanRead ? log.Read(number, ref next, wanted, records) : 0;
        bool caughtUp = count < wanted && partition.CanRead;
        Step("before the slice");
        refolds[number]?.Count(records);
        partition.RunOnce(new Slice { Records = records, CaughtUp = caughtUp, NowMs = NowMs, SweepMax = Engine.Limits.SweepPerSlice });
        if (refolds[number] is { } refold && refold.IsOver(number, partition.Positions))
        {
            // Not one more and not one less than the checkpoint before had counted.
            Assert.Equal(0, refold.Missing);
            refolds[number] = null;
        }
        Do(partition);
        return !caughtUp || partition.HasWork || !partition.Positions.Covers(log.End(number));
    }

    private void Do(Partition partition)
    {
        Step("before the effects");
        foreach (AppendBatch? batch in (AppendBatch?[])[partition.Effects.TakeEvents(), partition.Effects.TakeMisplaced()])
        {
            if (batch is not null)
                Append(batch);
        }
        if (partition.Effects.LeaseChanges.Count > 0)
        {
            store.CommitLeases([.. partition.Effects.LeaseChanges]);
            partition.Effects.LeaseChanges.Clear();
        }
        foreach (LeaseVoidedNotice notice in partition.Effects.Voided)
            ToldVoid.Add(notice.Row.Id);
        partition.Effects.Voided.Clear();
        partition.Effects.Ended.Clear();
        foreach (HistoryRequest request in partition.Effects.HistoryRequests)
            histories.Enqueue((partition.Number, request));
        partition.Effects.HistoryRequests.Clear();
    }

    private Partition Recover(int number)
    {
        long epoch = store.TakeOwnership(number, "simulation");
        var partition = new Partition(number, partitions.Length, null, options, publishes: true);
        bool found = store.Load(number, partition.Checkpoints);
        bool refold = partition.Checkpoints.RefoldReason.Length > 0;
        uint next = partition.Checkpoints.StoredLeaseSequence;
        refolds[number] = refold ? new Refold(partition.Checkpoints) : null;
        if (refold)
        {
            partition.Dispose();
            partition = new Partition(number, partitions.Length, null, options, publishes: true);
        }
        partition.Checkpoints.Own(epoch, startAnew: refold || !found, next);
        partition.Checkpoints.Finish(store.LoadLeases(number));
        return partition;
    }

    private void Drop(int number)
    {
        partitions[number]?.Dispose();
        partitions[number] = null;
    }

    private void Step(string name)
    {
        if (Steps++ != CrashAt)
            return;
        CrashAt = -1;
        CrashedAt = string.Create(CultureInfo.InvariantCulture, $"step {Steps - 1}, {name}");
        throw new SimulatedCrashException();
    }

    private static List<LeaseRow> Ordered(List<LeaseRow> rows)
    {
        rows.Sort((a, b) => (a.Partition, a.Sequence).CompareTo((b.Partition, b.Sequence)));
        return rows;
    }

    private static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
