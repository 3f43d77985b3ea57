using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Leases;
using Collections.Engine.Logs;
using Collections.Engine.Queues;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;

namespace Collections.Engine.Partitions;

/// <summary>
/// One partition: its debtors, its ranked queues, its leases, its timers and its clock. One thread at a time runs it, without locks,
/// I/O, clock reads or random numbers: given the same slices and commands it does exactly the same. What it decides for the
/// outside lies in <see cref="Effects"/>.
/// </summary>
public sealed class Partition : IDisposable
{
    private readonly DebtorTable table;
    private readonly QueueBook queues;
    private readonly TimerHeap timers = new();
    private readonly LeaseBook leases = new();
    private readonly ParkedDebtors parked = new();
    private readonly DirtySlots dirty;
    private readonly BookSweep sweep;
    private readonly Evaluator evaluator;
    private readonly int partitionCount;
    private PartitionCounters counters;
    private bool quiet;

    /// <summary>Set while what was held is applied without its history: why what can't do without it is refused.</summary>
    private string? lostHistory;

    /// <param name="models">What it scores with; null: nothing.</param>
    /// <param name="publishes">Whether its acts and dead letters go into the outbox too.</param>
    public Partition(int number, int partitionCount, ModelSet? models, DebtorOptions options, bool publishes = false)
    {
        Number = number;
        this.partitionCount = partitionCount;
        table = new DebtorTable(options);
        queues = new QueueBook(table);
        dirty = new DirtySlots(table);
        sweep = new BookSweep(table);
        Desk = new LeaseDesk(this, table, queues, leases, dirty);
        evaluator = new Evaluator(table, queues, leases, Desk, dirty, models ?? ModelSet.None);
        Trail = new ActTrail(publishes);
        Checkpoints = new PartitionCheckpoints(this, table, timers, leases, parked, dirty, sweep, evaluator);
        View = new PartitionView(this, table, queues, leases, evaluator, sweep);
        Survey = new BookSurvey(this, table, queues, evaluator);
    }

    public int Number { get; }

    /// <summary>The next record to apply of each stream.</summary>
    public StreamPositions Positions { get; internal set; }

    /// <summary>The partition's clock: min(wall clock, log time of the oldest unread record), in Unix milliseconds; it never goes back.</summary>
    public long ClockMs { get; internal set; }

    /// <summary>How far the clock was behind the wall clock after the last slice.</summary>
    public long BehindMs { get; private set; }

    public PartitionCounters Counters
    {
        get => counters;
        internal set => counters = value;
    }

    /// <summary>Imported history is being applied: its debtors take no part until ImportEnded.</summary>
    public bool Quiet
    {
        get => quiet;
        internal set => quiet = value;
    }

    public PartitionEffects Effects { get; } = new();

    /// <summary>Pulling, reporting and giving back.</summary>
    public LeaseDesk Desk { get; }

    /// <summary>What others may see.</summary>
    public PartitionView View { get; }

    /// <summary>Looks through the whole book for others.</summary>
    public BookSurvey Survey { get; }

    public PartitionCheckpoints Checkpoints { get; }

    internal ActTrail Trail { get; }

    /// <summary>Whether there is work although no record is waiting.</summary>
    public bool HasWork => sweep.IsRunning || evaluator.HasWork;

    /// <summary>Whether the only work at hand is to look at the book again after a change of models.</summary>
    public bool OnlyRescores => sweep.IsRescoring && !evaluator.HasWork;

    /// <summary>Whether the book is being looked at again after a change of models.</summary>
    public bool IsRescoring => sweep.IsRescoring;

    public long NextTimerMs => timers.NextMs;

    public int ParkedCount => parked.Count;

    /// <summary>Whether it can take more records: a flood on a parked debtor waits until the debtor is back.</summary>
    public bool CanRead => parked.HeldCount < Limits.HeldEventsMax;

    /// <summary>The whole flow: records and timers in the order of time, and the evaluation of everything that they touched.</summary>
    public void RunOnce(in Slice slice)
    {
        Span<ulong> hashes = stackalloc ulong[Limits.PrefetchWindow];
        for (int start = 0; start < slice.Records.Count; start += Limits.PrefetchWindow)
        {
            int end = Math.Min(start + Limits.PrefetchWindow, slice.Records.Count);
            Prefetch(slice.Records, start, end, hashes);
            for (int i = start; i < end; i++)
            {
                LogRecord record = slice.Records[i];
                AdvanceClock(Math.Min(record.KnownMs, slice.NowMs));
                Apply(record);
                Positions = Positions.With(record.Stream, record.Offset + 1);
            }
        }
        Positions = Positions.Max(slice.ReadTo);
        if (slice.CaughtUp)
        {
            AdvanceClock(slice.NowMs);
            // Who waits is to be evaluated as of an earlier moment, maybe of yesterday; today is looked at besides.
            if (leases.AwaitsReplay || sweep.IsDue(ClockMs))
                EvaluateAll();
            Desk.EndReplay();
            sweep.Run(ClockMs, slice.SweepMax, evaluator, Quiet);
        }
        BehindMs = slice.CaughtUp ? 0 : Math.Max(0, slice.NowMs - ClockMs);
        EvaluateAll();
        Desk.ForgetVoided(ClockMs);
    }

    /// <summary>
    /// Scores with these models from now on. Everybody who waits is evaluated with the ones before; then the whole book is looked at again, some
    /// debtors each slice, and each keeps its score, with the version that made it, until its turn.
    /// </summary>
    public void Install(ModelSet models)
    {
        EvaluateAll();
        evaluator.Install(models);
        Trail.Rows.Add(new AuditRow(0, ClockMs, AuditKind.ModelsInstalled, "", "", models.ToString()));
        sweep.Rescore();
    }

    /// <summary>The answer to a <see cref="HistoryRequest"/>: rebuilds the debtor and applies what was held meanwhile.</summary>
    public void Resume(in HistoryRequest request, RecordBatch history)
    {
        int slot = request.Slot;
        RecordBatch held = parked.Release(slot);
        table.Standing(slot).Flags &= ~StandingFlags.Parked;
        Debtor debtor = table.Debtor(slot);
        var own = new OwnHistory(history, debtor);
        debtor.Rebuild(own.Batch, AsOf.At(ClockMs), out RebuildReport report);
        Touch(slot);
        for (int i = 0; i < held.Count; i++)
        {
            LogRecord record = held[i];
            if (record.Offset >= request.Until[record.Stream])
                Apply(record);
            else
                Settle(record, report, own, slot);
        }
    }

    /// <summary>
    /// The other answer to a <see cref="HistoryRequest"/>: there is no whole history any more. A debtor that was built anew from what is left would lose
    /// what it owes, so it stays as it is; what was held is applied as far as it can be without, and the rest becomes dead letters.
    /// </summary>
    /// <param name="why">What is lost, and what to do.</param>
    public void ResumeWithout(in HistoryRequest request, string why)
    {
        RecordBatch held = parked.Release(request.Slot);
        table.Standing(request.Slot).Flags &= ~StandingFlags.Parked;
        Touch(request.Slot);
        lostHistory = why;
        try
        {
            for (int i = 0; i < held.Count; i++)
                Apply(held[i]);
        }
        finally
        {
            lostHistory = null;
        }
    }

    /// <summary>Asks again for the history of every parked debtor, as after a restart or a failed read.</summary>
    public void RequestHistories()
    {
        foreach (KeyValuePair<int, RecordBatch> debtor in parked.All)
            Effects.HistoryRequests.Add(RequestFor(debtor.Key, Positions));
    }

    public void Dispose()
    {
        queues.Dispose();
        table.Dispose();
    }

    /// <summary>The debtor's slot, or -1.</summary>
    internal int Find(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> debtor) => table.Find(DebtorKey.HashOf(tenant, debtor), tenant, debtor);

    internal bool IsParked(int slot) => (table.Standing(slot).Flags & StandingFlags.Parked) != 0;

    /// <summary>Parks a debtor, as after a restart from a checkpoint in which it was parked.</summary>
    internal void RestoreHeld(in LogRecord record)
    {
        if (!EventReader.TryRead(record.Content, record.KnownMs, record.History, out Event e, out EventError error))
            throw new StoreCorruptException($"partition {Number}: a held event at {record.Stream} {record.Offset} can't be read: {error}");
        int slot = Find(e.Head.Tenant, e.Head.Debtor);
        Invariant.Require(slot >= 0, $"partition {Number}: an event is held for a debtor that the checkpoint does not have");
        if (!IsParked(slot))
        {
            table.Standing(slot).Flags |= StandingFlags.Parked;
            parked.Park(slot);
        }
        parked.Hold(slot, record);
    }

    /// <summary>Marks a debtor to be evaluated and kept.</summary>
    internal void Touch(int slot) => Touch(slot, ClockMs);

    private void Touch(int slot, long atMs)
    {
        dirty.Add(slot);
        evaluator.Add(slot, atMs);
        Reschedule(slot);
    }

    /// <summary>Puts a debtor back into the queue where its record says that it stood.</summary>
    internal void Requeue(int slot)
    {
        if (!IsParked(slot))
            evaluator.Requeue(slot);
        Reschedule(slot);
    }

    /// <summary>Sets the debtor's next timer: the earliest of its own, the end of its rest and its lease's expiry.</summary>
    internal void Reschedule(int slot)
    {
        ref Standing standing = ref table.Standing(slot);
        Debtor debtor = table.Debtor(slot);
        long due = debtor.NextTimerMs;
        ref ActedState acted = ref table.Record(slot).Acted;
        if (acted.RestUntilMs != 0)
            due = Math.Min(due, acted.RestUntilMs);
        if (acted.LeaseSequence != 0 && leases.Find(acted.LeaseSequence) is { Stage: LeaseStage.Held, AwaitsReplay: false } lease)
            due = Math.Min(due, lease.Row.ExpiresMs);
        if (due == standing.TimerMs)
            return;
        standing.TimerMs = due;
        if (due != long.MaxValue)
            timers.Add(due, DebtorKey.HashOf(debtor.Tenant, debtor.Name), slot);
    }

    private void AdvanceClock(long toMs)
    {
        while (timers.NextMs <= toMs)
        {
            (long dueMs, int slot) = timers.Take();
            if (evaluator.IsWaiting(slot))
                evaluator.Run(Reschedule);
            if (table.Standing(slot).TimerMs != dueMs)
                continue;
            table.Standing(slot).TimerMs = long.MaxValue;
            ClockMs = Math.Max(ClockMs, dueMs);
            if (!IsParked(slot))
                Fire(slot, dueMs);
        }
        ClockMs = Math.Max(ClockMs, toMs);
    }

    private void Fire(int slot, long dueMs)
    {
        ref ActedState acted = ref table.Record(slot).Acted;
        if (acted.RestUntilMs <= dueMs)
            acted.RestUntilMs = 0;
        Desk.ExpireIfDue(slot, dueMs);
        // A timer that came to light late counts as of its due time, but a debtor's time does not go back.
        long atMs = Math.Max(dueMs, acted.ScoredAtMs);
        table.Debtor(slot).Advance(AsOf.At(atMs));
        Touch(slot, atMs);
    }

    private void Apply(in LogRecord record)
    {
        if (!EventReader.TryRead(record.Content, record.KnownMs, record.History, out Event e, out EventError error))
        {
            Refuse(record, error.ToString());
            return;
        }
        if (e.Head.Kind == EventKind.ImportEnded)
        {
            Quiet = false;
            sweep.Restart();
            return;
        }
        if (DebtorKey.PartitionOf(e.Head.Tenant, e.Head.Debtor, partitionCount) != Number)
        {
            counters.Misplaced++;
            Effects.Misplaced.Add(
                DebtorKey.PartitionOf(e.Head.Tenant, e.Head.Debtor, partitionCount), e.Head.Stream,
                DebtorKey.HashOf(e.Head.Tenant, e.Head.Debtor), record.KnownMs, record.History, record.Content);
            return;
        }
        int slot = FindOrCreate(e, out error);
        if (slot < 0)
            Refuse(record, error.ToString());
        else if (IsParked(slot))
            parked.Hold(slot, record);
        else
        {
            EvaluateFirst(slot);
            Apply(record, e, slot);
        }
    }

    /// <summary>
    /// Every event has its own evaluation: what touched the debtor before is evaluated before the next is applied. An evaluation may find a
    /// rest that has ended since; its timer fires first too, as it would have if the slice had ended in between.
    /// </summary>
    private void EvaluateFirst(int slot)
    {
        while (evaluator.IsWaiting(slot))
        {
            evaluator.Run(Reschedule);
            AdvanceClock(ClockMs);
        }
    }

    private void EvaluateAll()
    {
        evaluator.Run(Reschedule);
        while (timers.NextMs <= ClockMs)
        {
            AdvanceClock(ClockMs);
            evaluator.Run(Reschedule);
        }
    }

    private void Apply(in LogRecord record, in Event e, int slot)
    {
        Debtor debtor = table.Debtor(slot);
        if (record.History)
        {
            // Before it is applied: a quiet debtor prunes nothing, so that a history with old dates does not ask for itself.
            debtor.IsQuiet = true;
            Quiet = true;
        }
        switch (debtor.Apply(e, AsOf.At(ClockMs), out EventError error))
        {
            case ApplyOutcome.Applied:
                counters.Applied++;
                if (e.Head.Kind == EventKind.AttemptReported)
                    Desk.CloseReported(e, slot, ClockMs);
                Touch(slot);
                break;
            case ApplyOutcome.Duplicate:
                counters.Duplicates++;
                break;
            case ApplyOutcome.NeedsHistory when lostHistory is not null:
                Refuse(record, $"the event needs the debtor's whole history: {lostHistory}");
                break;
            case ApplyOutcome.NeedsHistory:
                Park(slot, record);
                break;
            default:
                Refuse(record, error.ToString());
                break;
        }
    }

    private int FindOrCreate(in Event e, out EventError error)
    {
        error = default;
        ulong hash = DebtorKey.HashOf(e.Head.Tenant, e.Head.Debtor);
        int slot = table.Find(hash, e.Head.Tenant, e.Head.Debtor);
        // A debtor comes into being with its first valid event, not with a broken one.
        if (slot < 0 && BodyReader.Check(e, out error) && CanName(e, out error))
        {
            slot = table.Create(hash, e.Head.Tenant, e.Head.Debtor);
            Checkpoints.Adopt(slot);
        }
        return slot;
    }

    private bool CanName(in Event e, out EventError error)
    {
        bool can = table.Names.CanTake(e.Head.Tenant);
        error = can ? default : new EventError("tenant", NameTable.Full, System.Text.Encoding.UTF8.GetString(e.Head.Tenant));
        return can;
    }

    private void Park(int slot, in LogRecord record)
    {
        counters.Parked++;
        Desk.LeaveForParking(slot, ClockMs);
        table.Standing(slot).Flags |= StandingFlags.Parked;
        parked.Park(slot);
        parked.Hold(slot, record);
        dirty.Add(slot);
        Effects.HistoryRequests.Add(RequestFor(slot, Positions.With(record.Stream, record.Offset + 1)));
    }

    private HistoryRequest RequestFor(int slot, StreamPositions until)
    {
        Debtor debtor = table.Debtor(slot);
        return new HistoryRequest(slot, DebtorKey.HashOf(debtor.Tenant, debtor.Name), until);
    }

    /// <summary>What became of a held record that the rebuild has taken in.</summary>
    private void Settle(in LogRecord record, in RebuildReport report, OwnHistory own, int slot)
    {
        if (!EventReader.TryRead(record.Content, record.KnownMs, record.History, out Event e, out EventError error))
        {
            Refuse(record, error.ToString());
        }
        else if (report.IsConflict(e.Head))
        {
            Refuse(record, "id: an earlier event of this stream has the same id and other content; give each event its own id");
        }
        else if (!own.IsFirst(record, e.Head))
        {
            counters.Duplicates++;
        }
        else
        {
            counters.Applied++;
            if (e.Head.Kind == EventKind.AttemptReported)
                Desk.CloseReported(e, slot, ClockMs);
        }
    }

    private void Refuse(in LogRecord record, string reason)
    {
        counters.DeadLetters++;
        bool isUndecoded = UndecodedRecord.TryRead(record.Content, out _, out ReadOnlySpan<byte> payload);
        byte[] key = EventReader.TryRead(record.Content, record.KnownMs, record.History, out Event e, out _) ? DebtorKey.Of(e.Head.Tenant, e.Head.Debtor) : [];
        var letter = new DeadLetter(ClockMs, (byte)record.Stream, record.Offset, reason, (isUndecoded ? payload : record.Content).ToArray());
        Trail.Refuse(letter, key, isEvent: !isUndecoded);
    }

    /// <summary>Starts the loads that the next records will need, so that their cache misses overlap.</summary>
    private void Prefetch(RecordBatch records, int start, int end, Span<ulong> hashes)
    {
        for (int i = start; i < end; i++)
        {
            ulong hash = 0;
            if (EventReader.TryRead(records[i].Content, records[i].KnownMs, records[i].History, out Event e, out _))
                hash = DebtorKey.HashOf(e.Head.Tenant, e.Head.Debtor);
            hashes[i - start] = hash;
            table.PrefetchIndex(hash);
        }
        for (int i = 0; i < end - start; i++)
            table.PrefetchRecord(hashes[i]);
    }
}
