using Collections.Engine.Stores;
using Collections.Storage.Stores;

namespace Collections.Storage.Tests;

/// <summary>What the embedded store does beyond the contract: failing disks, killed processes, damaged files.</summary>
public sealed class SqliteStoreTests : IDisposable
{
    private readonly Scratch scratch = new();
    private StoreStep? failing;

    public static TheoryData<int> CheckpointSteps => [.. Enum.GetValues<StoreStep>().Where(step => step <= StoreStep.Commit).Select(step => (int)step)];

    [Theory]
    [MemberData(nameof(CheckpointSteps))]
    public void A_checkpoint_that_fails_at_any_step_leaves_the_one_before(int step)
    {
        string before, after;
        using (SqliteStore store = Open())
        {
            long epoch = store.TakeOwnership(0, "me");
            store.Commit(StoreSamples.Full(0, epoch, 1));
            before = LoadedCheckpoint.Of(store, 0)!.Text;
            Checkpoint next = StoreSamples.Full(0, epoch, 2);
            next.Replace = true;
            failing = (StoreStep)step;
            Assert.Throws<IOException>(() => store.Commit(next));
            failing = null;
            Assert.Equal(before, LoadedCheckpoint.Of(store, 0)!.Text);
            Assert.Single(store.LoadDeadLetters(0, 0, 10));
            Assert.Single(store.LoadOutbox(0, OutboxKind.Decision, 0, 10, 1_000).Rows);
            store.Commit(next);
            Assert.Equal(new OutboxNumbers(2, 0), next.OutboxLast);
            after = LoadedCheckpoint.Of(store, 0)!.Text;
            Assert.NotEqual(before, after);
        }
        using SqliteStore again = Open();
        Assert.Equal(after, LoadedCheckpoint.Of(again, 0)!.Text);
        Assert.Equal(2, again.LoadDeadLetters(0, 0, 10).Count);
    }

    [Theory]
    [MemberData(nameof(CheckpointSteps))]
    public void A_process_killed_at_any_step_of_a_checkpoint_leaves_the_one_before(int step)
    {
        string copy = Path.Combine(scratch.Directory, "copy");
        string live = Path.Combine(scratch.Directory, "live");
        string before = "";
        using (var store = new SqliteStore(live, (at, _) =>
        {
            if (at != (StoreStep)step || failing != at)
                return;
            failing = null;
            Scratch.CopyAsKilled(live, copy);
        }))
        {
            long epoch = store.TakeOwnership(0, "me");
            store.Commit(StoreSamples.Full(0, epoch, 1));
            before = LoadedCheckpoint.Of(store, 0)!.Text;
            failing = (StoreStep)step;
            store.Commit(StoreSamples.Full(0, epoch, 3));
            Assert.Null(failing);
        }
        using var recovered = new SqliteStore(copy);
        Assert.Equal(before, LoadedCheckpoint.Of(recovered, 0)!.Text);
        Assert.Equal(2, recovered.TakeOwnership(0, "successor"));
    }

    [Fact]
    public void A_checkpoints_WAL_cut_anywhere_leaves_one_whole_checkpoint()
    {
        string live = Path.Combine(scratch.Directory, "live");
        var texts = new List<string>();
        byte[] wal;
        using (var store = new SqliteStore(live))
        {
            long epoch = store.TakeOwnership(0, "me");
            for (int i = 0; i < 3; i++)
            {
                store.Commit(StoreSamples.Full(0, epoch, i));
                texts.Add(LoadedCheckpoint.Of(store, 0)!.Text);
            }
            Scratch.CopyAsKilled(live, Path.Combine(scratch.Directory, "killed"));
            wal = Scratch.ReadShared(Path.Combine(live, "store", "p0000.db-wal"));
        }
        int seen = -1;
        var random = new Random(8);
        for (int cut = 0; cut <= wal.Length; cut += random.Next(3000))
        {
            string copy = Path.Combine(scratch.Directory, "cut");
            Scratch.CopyAsKilled(Path.Combine(scratch.Directory, "killed"), copy);
            File.WriteAllBytes(Path.Combine(copy, "store", "p0000.db-wal"), wal[..cut]);
            using (var recovered = new SqliteStore(copy))
            {
                int found = LoadedCheckpoint.Of(recovered, 0) is { } loaded ? texts.IndexOf(loaded.Text) : -1;
                Assert.True(found >= seen, $"cut at {cut} shows checkpoint {found}, and an earlier cut {seen}");
                seen = found;
            }
            Directory.Delete(copy, recursive: true);
        }
        Assert.True(seen >= 1);
    }

    [Theory]
    [InlineData((int)StoreStep.Leases)]
    [InlineData((int)StoreStep.CommitLeases)]
    public void Lease_changes_that_fail_at_any_step_are_not_made(int step)
    {
        using SqliteStore store = Open();
        long epoch = store.TakeOwnership(0, "me");
        store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1))]);
        LeaseChange[] changes = [StoreSamples.Change(LeaseChangeKind.Close, 0, epoch, 1), StoreSamples.Grant(epoch, StoreSamples.Lease(0, 2))];
        failing = (StoreStep)step;
        Assert.Throws<IOException>(() => store.CommitLeases(changes));
        failing = null;
        Assert.Equal([1u], store.LoadLeases(0).Select(lease => lease.Sequence));
        store.CommitLeases(changes);
        Assert.Equal([2u], store.LoadLeases(0).Select(lease => lease.Sequence));
    }

    [Fact]
    public void A_take_over_that_stopped_half_way_fences_the_old_owner_and_gives_its_epoch_again()
    {
        using SqliteStore store = Open();
        long old = store.TakeOwnership(0, "old");
        failing = StoreStep.OwnCheckpoint;
        Assert.Throws<IOException>(() => store.TakeOwnership(0, "new"));
        failing = null;
        Assert.Throws<StoreFencedException>(() => store.CommitLeases([StoreSamples.Grant(old, StoreSamples.Lease(0, 1))]));
        Assert.Equal(old + 1, store.TakeOwnership(0, "new"));
        store.Commit(StoreSamples.Full(0, old + 1, 1));
        store.CommitLeases([StoreSamples.Grant(old + 1, StoreSamples.Lease(0, 1))]);
    }

    [Fact]
    public void A_checkpoint_file_that_was_moved_away_never_gives_an_epoch_twice()
    {
        using (SqliteStore store = Open())
        {
            for (int i = 1; i <= 3; i++)
                Assert.Equal(i, store.TakeOwnership(0, "me"));
        }
        File.Delete(PathOf("p0000.db"));
        using SqliteStore again = Open();
        Assert.Equal(4, again.TakeOwnership(0, "me"));
        Assert.Null(LoadedCheckpoint.Of(again, 0));
    }

    [Fact]
    public void Leases_are_granted_while_a_checkpoint_is_being_written()
    {
        SqliteStore? store = null;
        bool granted = false;
        using (store = new SqliteStore(scratch.Directory, (step, _) =>
        {
            if (step != StoreStep.Commit)
                return;
            Task.Run(() => store!.CommitLeases([StoreSamples.Grant(1, StoreSamples.Lease(0, 1))])).Wait();
            granted = true;
        }))
        {
            store.Commit(StoreSamples.Full(0, store.TakeOwnership(0, "me"), 1));
            Assert.True(granted);
            Assert.Single(store.LoadLeases(0));
        }
    }

    [Theory]
    [InlineData("header", "1", 20)]
    [InlineData("names", "1", 1)]
    [InlineData("state", "length(image) > 100", 99)]
    [InlineData("held", "sequence = 1", 0)]
    public void A_flipped_byte_is_noticed_and_the_message_says_where_and_what_to_do(string table, string where, int at)
    {
        CommitOne();
        SegmentFiles.FlipByte(PathOf("p0000.db"), table, where, at);
        using SqliteStore store = Open();
        StoreCorruptException e = Assert.Throws<StoreCorruptException>(() => LoadedCheckpoint.Of(store, 0));
        Assert.Contains(PathOf("p0000.db"), e.Message, StringComparison.Ordinal);
        Assert.Contains("checksum", e.Message, StringComparison.Ordinal);
        Assert.Contains("restore", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE state SET slot = slot + 1000 WHERE slot = (SELECT max(slot) FROM state)")]
    [InlineData("UPDATE held SET log_offset = log_offset + 1")]
    [InlineData("DELETE FROM held WHERE sequence = 1")]
    [InlineData("UPDATE header SET data = zeroblob(96)")]
    [InlineData("UPDATE header SET data = x'00'")]
    public void Rows_changed_behind_its_back_are_noticed(string damage)
    {
        CommitOne();
        SegmentFiles.Execute(PathOf("p0000.db"), damage);
        using SqliteStore store = Open();
        Assert.Throws<StoreCorruptException>(() => LoadedCheckpoint.Of(store, 0));
    }

    [Theory]
    [InlineData("UPDATE lease SET expires_ms = expires_ms + 1")]
    [InlineData("UPDATE lease SET state = 2")]
    [InlineData("UPDATE lease SET debtor = 'another'")]
    [InlineData("UPDATE lease SET sequence = 2")]
    [InlineData("UPDATE lease SET value = 1e9")]
    [InlineData("UPDATE lease SET reasons = NULL")]
    [InlineData("UPDATE lease SET reasons = zeroblob(30)")]
    [InlineData("UPDATE lease SET reasons = CAST(reasons || x'01' AS BLOB)")]
    public void A_lease_changed_behind_its_back_is_noticed(string damage)
    {
        CommitOne();
        SegmentFiles.Execute(PathOf("leases.db"), damage);
        using SqliteStore store = Open();
        Assert.Contains("leases.db", Assert.Throws<StoreCorruptException>(() => store.LoadLeases(0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Leases_of_a_file_from_before_there_were_reasons_are_open_and_new_ones_have_reasons()
    {
        LeaseRow old = StoreSamples.Lease(0, 2), added = StoreSamples.Lease(0, 3);
        using (SqliteStore store = Open())
            store.CommitLeases([StoreSamples.Grant(store.TakeOwnership(0, "me"), old)]);
        SegmentFiles.Execute(PathOf("leases.db"), "ALTER TABLE lease DROP COLUMN reasons; PRAGMA user_version=1");
        using (SqliteStore store = Open())
        {
            Assert.Equal([old], store.LoadLeases(0));
            store.CommitLeases([StoreSamples.Grant(store.TakeOwnership(0, "me"), added)]);
        }
        using (SqliteStore store = Open())
            Assert.Equal([old, added], store.LoadLeases(0));
        SegmentFiles.Execute(PathOf("leases.db"), "PRAGMA user_version=3");
        Assert.Contains("format version 3", Assert.Throws<StorageRefusedException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_of_a_file_from_before_there_were_outcomes_is_read_and_followed()
    {
        CommitOne();
        SegmentFiles.Execute(PathOf("p0000.db"), "DROP TABLE outbox; DROP TABLE outbox_last; DROP TABLE outcomes; ALTER TABLE dead_letter DROP COLUMN settled; ALTER TABLE dead_letter DROP COLUMN settled_ms; PRAGMA user_version=1");
        using SqliteStore store = Open();
        long epoch = store.TakeOwnership(0, "me");
        LoadedCheckpoint old = LoadedCheckpoint.Of(store, 0)!;
        Assert.NotEmpty(old.States);
        Assert.DoesNotContain("outcomes", old.Text, StringComparison.Ordinal);
        Checkpoint next = StoreSamples.Full(0, epoch, 2);
        next.Outcomes = [1, 2];
        store.Commit(next);
        Assert.Contains("outcomes 0102", LoadedCheckpoint.Of(store, 0)!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_database_or_of_another_version_is_refused()
    {
        CommitOne();
        SegmentFiles.Execute(PathOf("p0000.db"), "PRAGMA user_version=9");
        using (SqliteStore store = Open())
            Assert.Contains("format version 9", Assert.Throws<StorageRefusedException>(() => store.TakeOwnership(0, "me")).Message, StringComparison.Ordinal);
        File.WriteAllText(PathOf("p0000.db"), new string('x', 5000));
        using (SqliteStore store = Open())
            Assert.Contains("p0000.db", Assert.Throws<StoreCorruptException>(() => store.TakeOwnership(0, "me")).Message, StringComparison.Ordinal);
        File.WriteAllText(PathOf("leases.db"), new string('x', 5000));
        Assert.Throws<StoreCorruptException>(() => Open());
    }

    [Fact]
    public void A_store_in_use_is_refused_and_names_the_process()
    {
        using SqliteStore store = Open();
        Assert.Contains($"process {Environment.ProcessId}", Assert.Throws<StorageRefusedException>(() => Open()).Message, StringComparison.Ordinal);
    }

    public void Dispose() => scratch.Dispose();

    private void CommitOne()
    {
        using SqliteStore store = Open();
        long epoch = store.TakeOwnership(0, "me");
        store.Commit(StoreSamples.Full(0, epoch, 1));
        store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1))]);
    }

    private SqliteStore Open() => new(scratch.Directory, (step, _) =>
    {
        if (step == failing)
            throw new IOException("no space left on device");
    });

    private string PathOf(string name) => Path.Combine(scratch.Directory, "store", name);
}
