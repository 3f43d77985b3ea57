using System.Globalization;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Stores;

/// <summary>
/// The leases of all partitions, in a file of their own, so that granting never waits behind a checkpoint. It keeps each partition's epoch
/// too, because a lease must be refused as a checkpoint is. Any thread; its lock admits one at a time.
/// </summary>
internal sealed class LeaseStore : IDisposable
{
    private const string Schema = """
        CREATE TABLE owner(partition INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT NOT NULL);
        CREATE TABLE lease(partition INTEGER NOT NULL, sequence INTEGER NOT NULL, tenant TEXT NOT NULL, debtor TEXT NOT NULL, queue TEXT NOT NULL,
            channel INTEGER NOT NULL, caller TEXT NOT NULL, request TEXT NOT NULL, granted_ms INTEGER NOT NULL, value REAL,
            propensity REAL, model INTEGER NOT NULL, invoices INTEGER NOT NULL, payments INTEGER NOT NULL, activity INTEGER NOT NULL,
            checksum INTEGER NOT NULL, expires_ms INTEGER NOT NULL, state INTEGER NOT NULL, life_checksum INTEGER NOT NULL, reasons BLOB,
            PRIMARY KEY(partition, sequence)) WITHOUT ROWID
        """;

    /// <summary>From format 1, whose leases have no reasons, to 2.</summary>
    private const string AddReasons = "ALTER TABLE lease ADD COLUMN reasons BLOB";

    private readonly Lock gate = new();
    private readonly Action<StoreStep, int>? fault;
    private readonly StoreFile file;
    private readonly Statement readEpoch;
    private readonly Statement putOwner;
    private readonly Statement readOwners;
    private readonly Statement grant;
    private readonly Statement change;
    private readonly Statement close;
    private readonly Statement readState;
    private readonly Statement read;

    public LeaseStore(string path, Action<StoreStep, int>? fault)
    {
        this.fault = fault;
        file = new StoreFile(path, Schema, $"Stop, and restore {path} from a copy: without it, debtors whose leases are open could be handed out a second time.", AddReasons);
        readEpoch = file.Prepare("SELECT epoch FROM owner WHERE partition = ?");
        putOwner = file.Prepare("REPLACE INTO owner VALUES(?, ?, ?)");
        readOwners = file.Prepare("SELECT partition, epoch, owner FROM owner WHERE owner <> '' ORDER BY partition");
        grant = file.Prepare("INSERT INTO lease VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        change = file.Prepare("UPDATE lease SET expires_ms = ?3, state = ?4, life_checksum = ?5 WHERE partition = ?1 AND sequence = ?2");
        close = file.Prepare("DELETE FROM lease WHERE partition = ? AND sequence = ?");
        readState = file.Prepare("SELECT state FROM lease WHERE partition = ? AND sequence = ?");
        read = file.Prepare("""
            SELECT sequence, tenant, debtor, queue, channel, caller, request, granted_ms, value, propensity, model, invoices, payments, activity,
                checksum, expires_ms, state, life_checksum, reasons FROM lease WHERE partition = ? ORDER BY sequence
            """);
    }

    /// <summary>The epoch that may write the partition's leases; 0 if none may.</summary>
    public long EpochOf(int partition)
    {
        lock (gate)
            return file.Read(() => ReadEpoch(partition));
    }

    public void SetOwner(int partition, long epoch, string owner)
    {
        lock (gate)
        {
            file.Write(() =>
            {
                fault?.Invoke(StoreStep.OwnLeases, partition);
                putOwner.Bind(1, partition).Bind(2, epoch).Bind(3, owner).Run();
            });
        }
    }

    public IReadOnlyList<PartitionOwner> LoadOwners()
    {
        lock (gate)
        {
            return file.Read(() =>
            {
                var found = new List<PartitionOwner>();
                while (readOwners.Step())
                    found.Add(new PartitionOwner((int)readOwners.Int64(0), readOwners.Int64(1), readOwners.Text(2)));
                return found;
            });
        }
    }

    public void Commit(IReadOnlyList<LeaseChange> changes)
    {
        lock (gate)
        {
            file.Write(() =>
            {
                // Changes of a partition come together, so its epoch is asked for once a group of them.
                (int Partition, long Epoch) owned = (-1, 0);
                for (int i = 0; i < changes.Count; i++)
                {
                    LeaseChange next = changes[i];
                    if (next.Partition != owned.Partition)
                        owned = (next.Partition, ReadEpoch(next.Partition));
                    if (next.Epoch != owned.Epoch)
                        throw new StoreFencedException($"partition {next.Partition} is owned under epoch {owned.Epoch}, and a lease of epoch {next.Epoch} came: another owner has taken it, so stop it here", next.Partition);
                    fault?.Invoke(StoreStep.Leases, next.Partition);
                    Apply(next);
                }
                fault?.Invoke(StoreStep.CommitLeases, -1);
            });
        }
    }

    public IReadOnlyList<LeaseRow> Load(int partition)
    {
        lock (gate)
        {
            return file.Read(() =>
            {
                var found = new List<LeaseRow>();
                read.Bind(1, partition);
                while (read.Step())
                    found.Add(ReadRow(partition));
                return found;
            });
        }
    }

    public void Dispose()
    {
        lock (gate)
            file.Dispose();
    }

    private long ReadEpoch(int partition)
    {
        readEpoch.Bind(1, partition);
        long epoch = readEpoch.Step() ? readEpoch.Int64(0) : 0;
        readEpoch.Reset();
        return epoch;
    }

    /// <summary>A change of a lease that is closed already changes nothing: after a take-over an outcome may be applied a second time.</summary>
    private void Apply(in LeaseChange next)
    {
        switch (next.Kind)
        {
            case LeaseChangeKind.Grant:
                Grant(next);
                break;
            case LeaseChangeKind.Extend:
                // An extension moves the end and not the state: what was voided stays so.
                Change(next, ReadState(next));
                break;
            case LeaseChangeKind.Void:
                Change(next, LeaseState.Voided);
                break;
            case LeaseChangeKind.Close:
                close.Bind(1, next.Partition).Bind(2, next.Sequence).Run();
                break;
            default:
                Invariant.Require(false, Text($"a lease change has a known kind, but {(int)next.Kind} came"));
                break;
        }
    }

    private void Grant(in LeaseChange next)
    {
        LeaseRow? row = next.Row;
        if (row == null || row.Partition != next.Partition || row.Sequence != next.Sequence)
            throw new InvariantBrokenException(Text($"a grant carries its own row, but lease {next.Partition}-{next.Sequence} came with {row?.Id ?? "none"}"));
        if (ReadState(next) != default)
            throw new InvariantBrokenException($"a lease is granted once, but {row.Id} is there already");
        grant.Bind(1, row.Partition).Bind(2, row.Sequence).Bind(3, row.Tenant).Bind(4, row.Debtor).Bind(5, row.Queue).Bind(6, (long)row.Channel)
            .Bind(7, row.Caller).Bind(8, row.RequestId).Bind(9, row.GrantedMs).Bind(10, row.Value).Bind(11, row.Propensity).Bind(12, row.ModelVersion)
            .Bind(13, row.DecidedAt.Invoices).Bind(14, row.DecidedAt.Payments).Bind(15, row.DecidedAt.Activity).Bind(16, RowChecksums.OfLease(row))
            .Bind(17, row.ExpiresMs).Bind(18, (long)row.State).Bind(19, RowChecksums.OfLife(row.Partition, row.Sequence, row.ExpiresMs, row.State))
            .Bind(20, ReasonsForm.Write(row.Reasons)).Run();
    }

    private void Change(in LeaseChange next, LeaseState state) =>
        change.Bind(1, next.Partition).Bind(2, next.Sequence).Bind(3, next.ExpiresMs).Bind(4, (long)state)
            .Bind(5, RowChecksums.OfLife(next.Partition, next.Sequence, next.ExpiresMs, state)).Run();

    private LeaseState ReadState(in LeaseChange next)
    {
        readState.Bind(1, next.Partition).Bind(2, next.Sequence);
        LeaseState state = readState.Step() ? (LeaseState)readState.Int64(0) : default;
        readState.Reset();
        return state;
    }

    private LeaseRow ReadRow(int partition)
    {
        var row = new LeaseRow(
            Partition: partition,
            Sequence: (uint)read.Int64(0),
            Tenant: read.Text(1),
            Debtor: read.Text(2),
            Queue: read.Text(3),
            Channel: (Channel)read.Int64(4),
            Caller: read.Text(5),
            RequestId: read.Text(6),
            GrantedMs: read.Int64(7),
            ExpiresMs: read.Int64(15),
            Value: read.Double(8),
            Propensity: read.Double(9),
            ModelVersion: (ushort)read.Int64(10),
            DecidedAt: new StreamPositions(read.Int64(11), read.Int64(12), read.Int64(13)),
            State: (LeaseState)read.Int64(16))
        { Reasons = ReasonsForm.Read(read.Blob(18)) };
        bool holds = ReasonsForm.Write(row.Reasons).AsSpan().SequenceEqual(read.Blob(18)) && read.Int64(14) == RowChecksums.OfLease(row) && read.Int64(17) == RowChecksums.OfLife(partition, row.Sequence, row.ExpiresMs, row.State);
        file.Trust(holds, holds ? "" : $"lease {row.Id} doesn't match its checksum");
        return row;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
