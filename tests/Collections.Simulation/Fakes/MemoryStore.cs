using Collections.Engine.Logs;
using Collections.Engine.Stores;

namespace Collections.Simulation.Fakes;

/// <summary>Where a store can be interrupted.</summary>
internal enum StoreMoment
{
    BeforeCheckpoint,
    AfterCheckpoint,
    BeforeLeases,
    AfterLeases,
    BeforeOwnership,
    BeforeRemoval,
    AfterRemoval,

    /// <summary>Acts of the configuration have been read, and versions have not.</summary>
    ActsRead,
}

/// <summary>
/// A store in memory that keeps the contract. <see cref="At"/> is called around every commit and may throw: before it, nothing is
/// kept; after it, everything is, and the caller does not know. Disposing closes nothing, so that a restart finds what was committed.
/// </summary>
internal sealed class MemoryStore : IStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<int, Part> parts = [];
    private readonly List<ConfigurationVersion> versions = [];
    private readonly List<ConfigurationAct> acts = [];
    private readonly Dictionary<(int Number, string Name), byte[]> documents = [];

    public Action<StoreMoment>? At { get; set; }

    /// <summary>Commits wait here, before anything is kept; for a test that wants to be in between.</summary>
    public Func<StoreMoment, Task>? Wait { get; set; }

    public int CheckpointCount { get; private set; }

    public long TakeOwnership(int partition, string owner)
    {
        At?.Invoke(StoreMoment.BeforeOwnership);
        lock (gate)
        {
            Part part = Of(partition);
            part.Owner = owner;
            return ++part.Epoch;
        }
    }

    public void ReleaseOwnership(int partition, long epoch)
    {
        lock (gate)
        {
            if (Of(partition).Epoch == epoch)
                Of(partition).Owner = "";
        }
    }

    public IReadOnlyList<PartitionOwner> LoadOwners()
    {
        lock (gate)
            return [.. parts.Where(static part => part.Value.Owner.Length > 0).OrderBy(static part => part.Key).Select(static part => new PartitionOwner(part.Key, part.Value.Epoch, part.Value.Owner))];
    }

    public bool Load(int partition, ICheckpointSink into)
    {
        lock (gate)
        {
            Part part = Of(partition);
            if (part.Header is not { } header)
                return false;
            into.Header(header);
            into.Names(part.Names);
            if (part.Outcomes.Length > 0)
                into.Outcomes(part.Outcomes);
            foreach ((int slot, byte[] image) in part.States)
                into.State(slot, image);
            for (int i = 0; i < part.Held.Count; i++)
                into.Held(part.Held[i]);
            return true;
        }
    }

    public void Commit(Checkpoint checkpoint)
    {
        Enter(StoreMoment.BeforeCheckpoint);
        lock (gate)
        {
            Part part = Owned(checkpoint.Partition, checkpoint.Epoch);
            List<AuditRow> audit = Numbered(checkpoint, part.Audit.Count);
            (List<OutboxRow> outbox, OutboxNumbers last) = NumberedOutbox(checkpoint, part.OutboxLast);
            if (checkpoint.Replace)
            {
                part.States.Clear();
                part.Names = [];
                part.Outcomes = [];
            }
            part.Header = checkpoint.Header;
            if (checkpoint.Names.Length > 0)
                part.Names = checkpoint.Names;
            if (checkpoint.Outcomes.Length > 0)
                part.Outcomes = checkpoint.Outcomes;
            for (int i = 0; i < checkpoint.StateCount; i++)
                part.States[checkpoint.SlotOf(i)] = checkpoint.ImageOf(i).ToArray();
            part.Held.Clear();
            for (int i = 0; i < checkpoint.Held.Count; i++)
                part.Held.Add(checkpoint.Held[i]);
            part.Audit.AddRange(audit);
            foreach (DeadLetter letter in checkpoint.DeadLetters)
                part.DeadLetters.Add(new StoredDeadLetter(part.DeadLetters.Count + 1, letter, 0, ""));
            part.Outbox.AddRange(outbox);
            checkpoint.OutboxLast = part.OutboxLast = last;
            CheckpointCount++;
        }
        Enter(StoreMoment.AfterCheckpoint);
    }

    public void CommitLeases(IReadOnlyList<LeaseChange> changes)
    {
        Enter(StoreMoment.BeforeLeases);
        lock (gate)
        {
            foreach (LeaseChange change in changes)
                Owned(change.Partition, change.Epoch);
            // On copies: one change that is refused leaves the others unmade.
            Dictionary<int, SortedDictionary<uint, LeaseRow>> changed = changes.Select(change => change.Partition).Distinct()
                .ToDictionary(partition => partition, partition => new SortedDictionary<uint, LeaseRow>(Of(partition).Leases));
            foreach (LeaseChange change in changes)
                Apply(change, changed[change.Partition]);
            foreach ((int partition, SortedDictionary<uint, LeaseRow> leases) in changed)
                Of(partition).Leases = leases;
        }
        Enter(StoreMoment.AfterLeases);
    }

    public IReadOnlyList<LeaseRow> LoadLeases(int partition)
    {
        lock (gate)
            return [.. Of(partition).Leases.Values];
    }

    public IReadOnlyList<StoredDeadLetter> LoadDeadLetters(int partition, long after, int maxCount)
    {
        lock (gate)
            return [.. Of(partition).DeadLetters.Where(letter => letter.Number > after).Take(maxCount)];
    }

    public bool SettleDeadLetter(int partition, long number, long atMs, string how)
    {
        lock (gate)
        {
            List<StoredDeadLetter> letters = Of(partition).DeadLetters;
            int place = letters.FindIndex(letter => letter.Number == number && letter.SettledMs == 0);
            if (place >= 0)
                letters[place] = letters[place] with { SettledMs = atMs, Settled = how };
            return place >= 0;
        }
    }

    public OutboxPage LoadOutbox(int partition, OutboxKind kind, long after, int maxCount, long maxBytes)
    {
        lock (gate)
        {
            var rows = new List<OutboxRow>();
            long bytes = 0;
            foreach (OutboxRow row in Of(partition).Outbox.Where(row => row.Kind == kind && row.Sequence > after))
            {
                if (rows.Count == maxCount || bytes >= maxBytes)
                    break;
                rows.Add(row);
                bytes += row.Content.Length;
            }
            return new OutboxPage(rows, Of(partition).OutboxLast[kind]);
        }
    }

    public void RemoveOutbox(int partition, long epoch, OutboxKind kind, long through)
    {
        Enter(StoreMoment.BeforeRemoval);
        lock (gate)
            Owned(partition, epoch).Outbox.RemoveAll(row => row.Kind == kind && row.Sequence <= through);
        Enter(StoreMoment.AfterRemoval);
    }

    public IReadOnlyList<ConfigurationVersion> LoadVersions()
    {
        lock (gate)
            return [.. versions];
    }

    public IReadOnlyList<ConfigurationAct> LoadActs()
    {
        ConfigurationAct[] read;
        lock (gate)
            read = [.. acts];
        At?.Invoke(StoreMoment.ActsRead);
        return read;
    }

    public byte[]? LoadDocument(int number, string name)
    {
        lock (gate)
            return documents.GetValueOrDefault((number, name));
    }

    public void CommitConfiguration(ConfigurationAct act, ConfigurationVersion? added, IReadOnlyList<ConfigurationDocument> documents)
    {
        lock (gate)
        {
            if (act.Sequence != acts.Count + 1 || (added is not null && added.Number != versions.Count + 1))
                throw new StoreFencedException("somebody else has changed the configuration meanwhile");
            acts.Add(act);
            if (added is null)
                return;
            versions.Add(added);
            foreach (ConfigurationDocument document in documents)
                this.documents[(added.Number, document.Name)] = document.Content;
        }
    }

    public IReadOnlyList<AuditRow> LoadAudit(int partition)
    {
        lock (gate)
            return [.. Of(partition).Audit];
    }

    /// <summary>Flips a bit in the middle of a debtor's stored state.</summary>
    public void Damage(int partition)
    {
        lock (gate)
        {
            if (Of(partition).States.Values.FirstOrDefault() is { } image)
                image[image.Length / 2] ^= 1;
        }
    }

    /// <summary>Makes the stored checkpoint look as if a program of another layout had written it.</summary>
    public void ChangeLayout(int partition)
    {
        lock (gate)
        {
            Part part = Of(partition);
            if (part.Header is { } header)
                part.Header = header with { LayoutVersion = header.LayoutVersion + 1 };
        }
    }

    public void Dispose()
    {
    }

    private void Enter(StoreMoment moment)
    {
        Wait?.Invoke(moment).GetAwaiter().GetResult();
        At?.Invoke(moment);
    }

    private Part Of(int partition)
    {
        if (!parts.TryGetValue(partition, out Part? part))
            parts.Add(partition, part = new Part());
        return part;
    }

    private Part Owned(int partition, long epoch)
    {
        Part part = Of(partition);
        return part.Epoch == epoch && epoch > 0 ? part : throw new StoreFencedException($"partition {partition} is owned under epoch {part.Epoch}, and {epoch} came", partition);
    }

    /// <summary>The checkpoint's acts with their numbers: they count on without a gap.</summary>
    private static List<AuditRow> Numbered(Checkpoint checkpoint, int last)
    {
        var rows = new List<AuditRow>();
        foreach (AuditRow row in checkpoint.Audit)
        {
            Domain.Invariant.Require(
                row.Sequence == 0 || row.Sequence == last + 1, $"audit rows of partition {checkpoint.Partition} count without gaps, but {last} would be followed by {row.Sequence}");
            rows.Add(row with { Sequence = ++last });
        }
        return rows;
    }

    private static (List<OutboxRow> Rows, OutboxNumbers Last) NumberedOutbox(Checkpoint checkpoint, OutboxNumbers last)
    {
        var rows = new List<OutboxRow>();
        foreach (OutboxRow row in checkpoint.Outbox)
        {
            last = last.Following(checkpoint.Partition, row);
            rows.Add(row with { Sequence = last[row.Kind] });
        }
        return (rows, last);
    }

    private static void Apply(in LeaseChange change, SortedDictionary<uint, LeaseRow> leases)
    {
        if (change.Kind == LeaseChangeKind.Grant)
        {
            if (change.Row is not { } granted || granted.Partition != change.Partition || granted.Sequence != change.Sequence)
                throw new Domain.InvariantBrokenException($"a grant carries its own row, but lease {change.Partition}-{change.Sequence} came with {change.Row?.Id ?? "none"}");
            Domain.Invariant.Require(leases.TryAdd(change.Sequence, granted), $"a lease is granted once, but {granted.Id} is there already");
            return;
        }
        if (!leases.TryGetValue(change.Sequence, out LeaseRow? row))
            return;
        if (change.Kind == LeaseChangeKind.Close)
            leases.Remove(change.Sequence);
        else
            leases[change.Sequence] = row with { ExpiresMs = change.ExpiresMs, State = change.Kind == LeaseChangeKind.Void ? LeaseState.Voided : row.State };
    }

    private sealed class Part
    {
        public long Epoch { get; set; }

        public string Owner { get; set; } = "";

        public CheckpointHeader? Header { get; set; }

        public byte[] Names { get; set; } = [];

        public byte[] Outcomes { get; set; } = [];

        public SortedDictionary<int, byte[]> States { get; } = [];

        public RecordBatch Held { get; } = new();

        public List<AuditRow> Audit { get; } = [];

        public List<StoredDeadLetter> DeadLetters { get; } = [];

        public List<OutboxRow> Outbox { get; } = [];

        public OutboxNumbers OutboxLast { get; set; }

        public SortedDictionary<uint, LeaseRow> Leases { get; set; } = [];
    }
}
