using System.Globalization;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Stores;

/// <summary>The checkpoints of one partition, with its audit trail and dead letters. Any thread; its lock admits one at a time.</summary>
internal sealed class PartitionStore : IDisposable
{
    private readonly Lock gate = new();
    private readonly int partition;
    private readonly Action<StoreStep, int>? fault;
    private readonly StoreFile file;
    private readonly CheckpointStatements sql;
    private ulong[] order = [];

    public PartitionStore(string path, int partition, Action<StoreStep, int>? fault)
    {
        this.partition = partition;
        this.fault = fault;
        string remedy = $"Stop, and restore {path} from a copy; or move it away (with its -wal), and partition {partition} is folded anew from the log, without its audit trail and dead letters, and what it publishes counts from 1 again.";
        file = new StoreFile(path, CheckpointStatements.Schema, remedy, CheckpointStatements.AddOutcomes, CheckpointStatements.AddSettlement, CheckpointStatements.AddOutbox);
        sql = new CheckpointStatements(file);
    }

    /// <summary>The epoch that was given last; 0 if none was.</summary>
    public long Epoch
    {
        get
        {
            lock (gate)
                return file.Read(ReadEpoch);
        }
    }

    public void SetOwner(long epoch, string owner)
    {
        lock (gate)
        {
            file.Write(() =>
            {
                fault?.Invoke(StoreStep.OwnCheckpoint, partition);
                sql.PutOwner.Bind(1, epoch).Bind(2, owner).Run();
            });
        }
    }

    public void Commit(Checkpoint checkpoint)
    {
        lock (gate)
        {
            OutboxNumbers last = default;
            file.Write(() =>
            {
                fault?.Invoke(StoreStep.Begin, partition);
                RequireEpoch(checkpoint.Epoch, "this checkpoint");
                fault?.Invoke(StoreStep.States, partition);
                WriteStates(checkpoint);
                fault?.Invoke(StoreStep.Header, partition);
                WriteHeader(checkpoint);
                fault?.Invoke(StoreStep.Held, partition);
                WriteHeld(checkpoint.Held);
                fault?.Invoke(StoreStep.Audit, partition);
                WriteAudit(checkpoint.Audit);
                fault?.Invoke(StoreStep.DeadLetters, partition);
                WriteDeadLetters(checkpoint.DeadLetters);
                fault?.Invoke(StoreStep.Outbox, partition);
                last = WriteOutbox(checkpoint.Outbox);
                fault?.Invoke(StoreStep.Commit, partition);
            });
            checkpoint.OutboxLast = last;
        }
    }

    public bool Load(ICheckpointSink into)
    {
        lock (gate)
        {
            return file.Read(() =>
            {
                if (!LoadHeader(into))
                    return false;
                LoadNames(into);
                LoadOutcomes(into);
                LoadStates(into);
                LoadHeld(into);
                return true;
            });
        }
    }

    public IReadOnlyList<StoredDeadLetter> LoadDeadLetters(long after, int maxCount)
    {
        lock (gate)
        {
            return file.Read(() =>
            {
                var found = new List<StoredDeadLetter>();
                Statement read = sql.ReadDeadLetters.Bind(1, after).Bind(2, maxCount);
                while (read.Step())
                {
                    var letter = new DeadLetter(read.Int64(1), (byte)read.Int64(2), read.Int64(3), read.Text(4), read.Blob(5).ToArray());
                    found.Add(new StoredDeadLetter(read.Int64(0), letter, read.Int64(6), read.Text(7)));
                }
                return found;
            });
        }
    }

    public bool SettleDeadLetter(long number, long atMs, string how)
    {
        lock (gate)
        {
            bool isOpen = false;
            file.Write(() =>
            {
                isOpen = sql.ReadOpenDeadLetter.Bind(1, number).Step();
                sql.ReadOpenDeadLetter.Reset();
                if (isOpen)
                    sql.SettleDeadLetter.Bind(1, atMs).Bind(2, how).Bind(3, number).Run();
            });
            return isOpen;
        }
    }

    public OutboxPage LoadOutbox(OutboxKind kind, long after, int maxCount, long maxBytes)
    {
        lock (gate)
        {
            return file.Read(() =>
            {
                var rows = new List<OutboxRow>();
                Statement read = sql.ReadOutbox.Bind(1, (long)kind).Bind(2, after).Bind(3, maxCount);
                for (long bytes = 0; bytes < maxBytes && read.Step();)
                {
                    (long sequence, byte[] content) = (read.Int64(0), read.Blob(1).ToArray());
                    if (read.Int64(2) != RowChecksums.OfOutbox(kind, sequence, content))
                        file.Trust(false, Text($"row {sequence} of the outbox doesn't match its checksum"));
                    rows.Add(new OutboxRow(sequence, kind, content));
                    bytes += content.Length;
                }
                return new OutboxPage(rows, ReadOutboxLast()[kind]);
            });
        }
    }

    public void RemoveOutbox(long epoch, OutboxKind kind, long through)
    {
        lock (gate)
        {
            file.Write(() =>
            {
                RequireEpoch(epoch, "the removal of what has left");
                fault?.Invoke(StoreStep.RemoveOutbox, partition);
                sql.RemoveOutbox.Bind(1, (long)kind).Bind(2, through).Run();
            });
        }
    }

    public void Dispose()
    {
        lock (gate)
            file.Dispose();
    }

    private void RequireEpoch(long came, string what)
    {
        long epoch = ReadEpoch();
        if (epoch != came)
            throw new StoreFencedException($"partition {partition} is owned under epoch {epoch}, and {what} is of epoch {came}: another owner has taken it, so stop it here", partition);
    }

    private long ReadEpoch()
    {
        long epoch = sql.ReadEpoch.Step() ? sql.ReadEpoch.Int64(0) : 0;
        sql.ReadEpoch.Reset();
        return epoch;
    }

    private void WriteStates(Checkpoint checkpoint)
    {
        if (checkpoint.Replace)
        {
            sql.DropStates.Run();
            sql.DropNames.Run();
            sql.DropOutcomes.Run();
        }
        // In the order of the slots each page of the table is touched once. The index beside the slot keeps a slot's last image last.
        if (order.Length < checkpoint.StateCount)
            order = new ulong[checkpoint.StateCount];
        Span<ulong> sorted = order.AsSpan(0, checkpoint.StateCount);
        for (int i = 0; i < sorted.Length; i++)
            sorted[i] = (ulong)(uint)checkpoint.SlotOf(i) << 32 | (uint)i;
        sorted.Sort();
        foreach (ulong entry in sorted)
        {
            ReadOnlySpan<byte> image = checkpoint.ImageOf((int)(entry & uint.MaxValue));
            long slot = (long)(entry >> 32);
            sql.PutState.Bind(1, slot).Bind(2, image).Bind(3, RowChecksums.OfState(slot, image)).Run();
        }
    }

    private void WriteHeader(Checkpoint checkpoint)
    {
        Span<byte> header = stackalloc byte[CheckpointHeaderForm.Bytes];
        CheckpointHeaderForm.Write(header, checkpoint.Header);
        sql.PutHeader.Bind(1, header).Run();
        if (checkpoint.Names.Length > 0)
            sql.PutNames.Bind(1, checkpoint.Names).Bind(2, Checksum.Of(checkpoint.Names)).Run();
        if (checkpoint.Outcomes.Length > 0)
            sql.PutOutcomes.Bind(1, checkpoint.Outcomes).Bind(2, Checksum.Of(checkpoint.Outcomes)).Run();
    }

    private void WriteHeld(RecordBatch held)
    {
        sql.DropHeld.Run();
        for (int i = 0; i < held.Count; i++)
        {
            LogRecord record = held[i];
            sql.PutHeld.Bind(1, i).Bind(2, (long)record.Stream).Bind(3, record.Offset).Bind(4, record.KnownMs).Bind(5, record.History ? 1 : 0)
                .Bind(6, record.Content).Bind(7, RowChecksums.OfHeld(i, record)).Run();
        }
    }

    private void WriteAudit(List<AuditRow> rows)
    {
        if (rows.Count == 0)
            return;
        long last = sql.ReadLastAudit.Step() ? sql.ReadLastAudit.Int64(0) : 0;
        sql.ReadLastAudit.Reset();
        foreach (AuditRow row in rows)
        {
            // A row without a number gets the next one; a number that leaves a gap or comes twice means that acts were lost or repeated.
            long sequence = row.Sequence == 0 ? last + 1 : row.Sequence;
            if (sequence != last + 1)
                Invariant.Require(false, Text($"audit rows of partition {partition} count without gaps, but {last} would be followed by {sequence}"));
            sql.PutAudit.Bind(1, sequence).Bind(2, row.AtMs).Bind(3, (long)row.Kind).Bind(4, row.Tenant).Bind(5, row.Debtor).Bind(6, row.Detail).Run();
            last = sequence;
        }
    }

    private void WriteDeadLetters(List<DeadLetter> letters)
    {
        foreach (DeadLetter letter in letters)
            sql.PutDeadLetter.Bind(1, letter.AtMs).Bind(2, letter.Stream).Bind(3, letter.Offset).Bind(4, letter.Reason).Bind(5, letter.Content).Run();
    }

    private OutboxNumbers WriteOutbox(List<OutboxRow> rows)
    {
        OutboxNumbers last = ReadOutboxLast();
        foreach (OutboxRow row in rows)
        {
            last = last.Following(partition, row);
            long sequence = last[row.Kind];
            sql.PutOutbox.Bind(1, (long)row.Kind).Bind(2, sequence).Bind(3, row.Content).Bind(4, RowChecksums.OfOutbox(row.Kind, sequence, row.Content)).Run();
        }
        foreach (OutboxKind kind in OutboxRow.Kinds.Where(kind => rows.Exists(row => row.Kind == kind)))
            sql.PutOutboxLast.Bind(1, (long)kind).Bind(2, last[kind]).Run();
        return last;
    }

    private OutboxNumbers ReadOutboxLast()
    {
        OutboxNumbers last = default;
        while (sql.ReadOutboxLast.Step())
            last = last.With((OutboxKind)sql.ReadOutboxLast.Int64(0), sql.ReadOutboxLast.Int64(1));
        sql.ReadOutboxLast.Reset();
        return last;
    }

    private bool LoadHeader(ICheckpointSink into)
    {
        if (!sql.ReadHeader.Step())
            return false;
        string? wrong = CheckpointHeaderForm.TryRead(sql.ReadHeader.Blob(0), out CheckpointHeader header);
        file.Trust(wrong == null, wrong ?? "");
        into.Header(header);
        return true;
    }

    private void LoadNames(ICheckpointSink into)
    {
        if (!sql.ReadNames.Step())
        {
            into.Names([]);
            return;
        }
        file.Trust(sql.ReadNames.Int64(1) == Checksum.Of(sql.ReadNames.Blob(0)), "the names don't match their checksum");
        into.Names(sql.ReadNames.Blob(0));
    }

    private void LoadOutcomes(ICheckpointSink into)
    {
        if (!sql.ReadOutcomes.Step())
            return;
        file.Trust(sql.ReadOutcomes.Int64(1) == Checksum.Of(sql.ReadOutcomes.Blob(0)), "the outcomes of predictions don't match their checksum");
        into.Outcomes(sql.ReadOutcomes.Blob(0));
    }

    private void LoadStates(ICheckpointSink into)
    {
        Statement row = sql.ReadStates;
        while (row.Step())
        {
            long slot = row.Int64(0);
            ReadOnlySpan<byte> image = row.Blob(1);
            if (row.Int64(2) != RowChecksums.OfState(slot, image))
                file.Trust(false, Text($"the state of slot {slot} doesn't match its checksum"));
            into.State(checked((int)slot), image);
        }
    }

    private void LoadHeld(ICheckpointSink into)
    {
        Statement row = sql.ReadHeld;
        for (int i = 0; row.Step(); i++)
        {
            var record = new LogRecord((EventStream)row.Int64(1), row.Int64(2), row.Int64(3), row.Int64(4) != 0, row.Blob(5));
            if (row.Int64(0) != i || row.Int64(6) != RowChecksums.OfHeld(i, record))
                file.Trust(false, Text($"held event {i} is missing or doesn't match its checksum"));
            into.Held(record);
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
