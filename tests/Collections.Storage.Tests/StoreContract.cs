using Collections.Domain;
using Collections.Engine.Stores;

namespace Collections.Storage.Tests;

/// <summary>What every implementation of <see cref="IStore"/> must do; a class for each implementation says how one is opened.</summary>
public abstract class StoreContract : IDisposable
{
    /// <summary>Opens the store of this test; again after a close, the same one.</summary>
    protected abstract IStore Open();

    [StoreFact]
    public void A_new_store_is_empty()
    {
        using IStore store = Open();
        Assert.Null(LoadedCheckpoint.Of(store, 5));
        Assert.Empty(store.LoadLeases(5));
        Assert.Empty(store.LoadDeadLetters(5, 0, 10));
    }

    [StoreFact]
    public void Epochs_rise_by_one_from_one_for_each_partition_and_over_reopening()
    {
        for (int round = 0; round < 3; round++)
        {
            using IStore store = Open();
            Assert.Equal(2 * round + 1, store.TakeOwnership(0, "a"));
            Assert.Equal(2 * round + 2, store.TakeOwnership(0, "b"));
            Assert.Equal(round + 1, store.TakeOwnership(7, "c"));
        }
    }

    [StoreFact]
    public void Who_owns_what_is_told_until_it_is_released_or_taken()
    {
        using IStore store = Open();
        long first = store.TakeOwnership(3, "node-a:7700");
        store.TakeOwnership(1, "node-b:7700");
        Assert.Equal([new PartitionOwner(1, 1, "node-b:7700"), new PartitionOwner(3, 1, "node-a:7700")], store.LoadOwners());
        long second = store.TakeOwnership(3, "node-b:7700");
        store.ReleaseOwnership(3, first);
        Assert.Equal(new PartitionOwner(3, second, "node-b:7700"), store.LoadOwners()[1]);
        store.ReleaseOwnership(3, second);
        Assert.Equal([new PartitionOwner(1, 1, "node-b:7700")], store.LoadOwners());
        Assert.Equal(second + 1, store.TakeOwnership(3, "node-c:7700"));
    }

    [StoreFact]
    public void A_checkpoint_is_loaded_as_it_was_committed()
    {
        Checkpoint checkpoint = StoreSamples.Full(2, epoch: 1, number: 9);
        using (IStore store = Open())
        {
            Assert.Equal(1, store.TakeOwnership(2, "me"));
            store.Commit(checkpoint);
        }
        using IStore again = Open();
        LoadedCheckpoint loaded = LoadedCheckpoint.Of(again, 2)!;
        Assert.Equal(checkpoint.Header, loaded.Head);
        Assert.Equal(checkpoint.Names, loaded.NameBytes);
        Assert.Equal(40, loaded.States.Count);
        for (int i = 0; i < checkpoint.StateCount; i++)
            Assert.True(checkpoint.ImageOf(i).SequenceEqual(loaded.States[checkpoint.SlotOf(i)]));
        Assert.Equal(loaded.States.Keys.Order(), loaded.States.Keys);
        Assert.Equal(3, loaded.HeldRecords.Count);
        for (int i = 0; i < 3; i++)
        {
            Engine.Logs.LogRecord held = checkpoint.Held[i];
            Assert.Equal(new SampleRecord(held.Stream, held.Offset, held.KnownMs, held.History, Convert.ToHexString(held.Content)), loaded.HeldRecords[i]);
        }
        Assert.Null(LoadedCheckpoint.Of(again, 1));
    }

    [StoreFact]
    public void Outcomes_stay_as_they_were_written_last_until_the_partition_starts_anew()
    {
        using IStore store = Open();
        long epoch = store.TakeOwnership(0, "me");
        var checkpoint = new Checkpoint { Partition = 0, Epoch = epoch, Outcomes = [1, 2] };
        store.Commit(checkpoint);
        Assert.Contains("outcomes 0102", LoadedCheckpoint.Of(store, 0)!.Text);
        checkpoint.Clear();
        store.Commit(checkpoint);
        Assert.Contains("outcomes 0102", LoadedCheckpoint.Of(store, 0)!.Text);
        checkpoint.Outcomes = [3];
        store.Commit(checkpoint);
        Assert.Contains("outcomes 03", LoadedCheckpoint.Of(store, 0)!.Text);
        checkpoint.Clear();
        checkpoint.Replace = true;
        store.Commit(checkpoint);
        Assert.DoesNotContain("outcomes", LoadedCheckpoint.Of(store, 0)!.Text);
    }

    [StoreFact]
    public void Versions_documents_and_acts_of_the_configuration_are_kept_and_never_change()
    {
        var first = new ConfigurationVersion(1, ConfigurationKind.Model, "propensity", "1");
        var second = new ConfigurationVersion(2, ConfigurationKind.Model, "propensity", "2");
        ConfigurationAct[] acts =
        [
            new(1, 5, "ann", ConfigurationKind.Model, ConfigurationActKind.Added, "propensity", 1),
            new(2, 6, "bob", ConfigurationKind.Model, ConfigurationActKind.Added, "propensity", 2),
            new(3, 7, "eve", ConfigurationKind.Model, ConfigurationActKind.Activated, "propensity", 2),
        ];
        byte[] large = [.. Enumerable.Range(0, 3_000_000).Select(i => (byte)(i * 7))];
        using (IStore store = Open())
        {
            Assert.Empty(store.LoadVersions());
            Assert.Empty(store.LoadActs());
            Assert.Null(store.LoadDocument(1, "model"));
            store.CommitConfiguration(acts[0], first, [new ConfigurationDocument("model", large), new ConfigurationDocument("card", [9])]);
            store.CommitConfiguration(acts[1], second, [new ConfigurationDocument("model", [8])]);
            store.CommitConfiguration(acts[2], null, []);
            // Numbers that don't follow mean that somebody else was faster: nothing is changed.
            Assert.Throws<StoreFencedException>(() => store.CommitConfiguration(acts[2], null, []));
            Assert.Throws<StoreFencedException>(() => store.CommitConfiguration(acts[2] with { Sequence = 4 }, second, []));
            Assert.Throws<StoreFencedException>(() => store.CommitConfiguration(acts[2] with { Sequence = 5 }, null, []));
        }
        using IStore again = Open();
        Assert.Equal([first, second], again.LoadVersions());
        Assert.Equal(acts, again.LoadActs());
        Assert.Equal(large, again.LoadDocument(1, "model"));
        Assert.Equal([9], again.LoadDocument(1, "card"));
        Assert.Equal([8], again.LoadDocument(2, "model"));
        Assert.Null(again.LoadDocument(2, "card"));
    }

    [StoreFact]
    public void A_checkpoint_changes_the_states_that_it_names_and_keeps_the_others()
    {
        using IStore store = Open();
        long epoch = store.TakeOwnership(0, "me");
        var checkpoint = new Checkpoint { Partition = 0, Epoch = epoch, Names = [1] };
        checkpoint.AddState(900, 3).Fill(1);
        checkpoint.AddState(2, 5).Fill(2);
        checkpoint.AddState(0, 0);
        store.Commit(checkpoint);
        checkpoint.Clear();
        checkpoint.Header = StoreSamples.Header(1);
        checkpoint.AddState(2, 900).Fill(3);
        checkpoint.AddState(2, 4).Fill(4);
        checkpoint.AddState(int.MaxValue, 1).Fill(5);
        store.Commit(checkpoint);
        LoadedCheckpoint loaded = LoadedCheckpoint.Of(store, 0)!;
        Assert.Equal(StoreSamples.Header(1), loaded.Head);
        Assert.Equal([0, 2, 900, int.MaxValue], loaded.States.Keys);
        Assert.Equal([1, 1, 1], loaded.States[900]);
        Assert.Equal([4, 4, 4, 4], loaded.States[2]);
        Assert.Empty(loaded.States[0]);
    }

    [StoreFact]
    public void Names_stay_when_none_came_and_are_replaced_when_some_did()
    {
        using IStore store = Open();
        var checkpoint = new Checkpoint { Partition = 0, Epoch = store.TakeOwnership(0, "me"), Names = new byte[300_000] };
        store.Commit(checkpoint);
        checkpoint.Clear();
        store.Commit(checkpoint);
        Assert.Equal(300_000, LoadedCheckpoint.Of(store, 0)!.NameBytes!.Length);
        checkpoint.Names = [7];
        store.Commit(checkpoint);
        Assert.Equal([7], LoadedCheckpoint.Of(store, 0)!.NameBytes);
    }

    [StoreFact]
    public void Held_events_replace_the_ones_before_in_their_order()
    {
        using IStore store = Open();
        var checkpoint = new Checkpoint { Partition = 0, Epoch = store.TakeOwnership(0, "me") };
        foreach (int[] offsets in (int[][])[[5, 3, 9], [9, 1], [], [2, 2]])
        {
            checkpoint.Clear();
            foreach (int offset in offsets)
                checkpoint.Held.Add(Domain.Events.EventStream.Payments, offset, 1, history: false, "x"u8);
            store.Commit(checkpoint);
            Assert.Equal(offsets.Select(offset => (long)offset), LoadedCheckpoint.Of(store, 0)!.HeldRecords.Select(held => held.Offset));
        }
    }

    [StoreFact]
    public void Replace_drops_the_states_and_names_before_it_but_not_the_trail()
    {
        using IStore store = Open();
        long epoch = store.TakeOwnership(0, "me");
        store.Commit(StoreSamples.Full(0, epoch, 1));
        var checkpoint = new Checkpoint { Partition = 0, Epoch = epoch, Replace = true };
        checkpoint.AddState(3, 2).Fill(8);
        store.Commit(checkpoint);
        LoadedCheckpoint loaded = LoadedCheckpoint.Of(store, 0)!;
        Assert.Equal([3], loaded.States.Keys);
        Assert.Empty(loaded.NameBytes!);
        Assert.Empty(loaded.HeldRecords);
        Assert.Single(store.LoadDeadLetters(0, 0, 10));
    }

    [StoreFact]
    public void Audit_rows_count_without_gaps()
    {
        using IStore store = Open();
        var checkpoint = new Checkpoint { Partition = 0, Epoch = store.TakeOwnership(0, "me") };
        Refused(2);
        Refused(1, 3);
        Accepted(1, 2);
        Refused(2);
        Refused(4);
        Accepted(0, 0, 5);
        Refused(5);
        Accepted(6);

        void Accepted(params long[] sequences)
        {
            checkpoint.Clear();
            checkpoint.Audit.AddRange(sequences.Select(StoreSamples.Audit));
            store.Commit(checkpoint);
        }

        void Refused(params long[] sequences) => Assert.Throws<InvariantBrokenException>(() => Accepted(sequences));
    }

    [StoreFact]
    public void Dead_letters_come_back_oldest_first_and_no_more_than_asked_for()
    {
        using IStore store = Open();
        long epoch = store.TakeOwnership(0, "me");
        for (int i = 0; i < 5; i++)
            store.Commit(StoreSamples.Full(0, epoch, i));
        IReadOnlyList<StoredDeadLetter> stored = store.LoadDeadLetters(0, 0, 3);
        List<DeadLetter> letters = [.. stored.Select(letter => letter.Letter)];
        Assert.Equal(["reason 0", "reason 1", "reason 2"], letters.Select(letter => letter.Reason));
        Assert.Equal(1, letters[1].AtMs);
        Assert.Equal(2, letters[1].Stream);
        Assert.Equal(1, letters[1].Offset);
        Assert.Equal(LogSamples.ContentOf(1), letters[1].Content);
        Assert.Equal(["reason 3", "reason 4"], store.LoadDeadLetters(0, stored[^1].Number, 100).Select(letter => letter.Letter.Reason));
    }

    [StoreFact]
    public void A_dead_letter_is_settled_once_and_stays()
    {
        long number;
        using (IStore store = Open())
        {
            long epoch = store.TakeOwnership(0, "me");
            for (int i = 0; i < 2; i++)
                store.Commit(StoreSamples.Full(0, epoch, i));
            number = store.LoadDeadLetters(0, 0, 10)[1].Number;
            Assert.True(store.SettleDeadLetter(0, number, 77, "put back by ann"));
            Assert.False(store.SettleDeadLetter(0, number, 78, "given up by bob"));
            Assert.False(store.SettleDeadLetter(0, number + 10, 78, "given up by bob"));
            Assert.False(store.SettleDeadLetter(1, number, 78, "given up by bob"));
        }
        using IStore again = Open();
        Assert.Equal([(0, ""), (77, "put back by ann")], again.LoadDeadLetters(0, 0, 10).Select(letter => (letter.SettledMs, letter.Settled)));
    }

    [StoreFact]
    public void The_outbox_numbers_each_kind_without_gaps_over_restarts_removal_and_new_beginnings()
    {
        using (IStore store = Open())
        {
            long epoch = store.TakeOwnership(4, "me");
            Checkpoint checkpoint = StoreSamples.Outgoing(4, epoch, "d1", "L1", "d2");
            store.Commit(checkpoint);
            Assert.Equal(new OutboxNumbers(2, 1), checkpoint.OutboxLast);
            Assert.Equal([(1, "d1"), (2, "d2")], StoreSamples.Outbox(store, 4, OutboxKind.Decision));
            Assert.Equal([(1, "L1")], StoreSamples.Outbox(store, 4, OutboxKind.DeadLetter));
            store.RemoveOutbox(4, epoch, OutboxKind.Decision, 2);
            Assert.Equal([(1, "L1")], StoreSamples.Outbox(store, 4, OutboxKind.DeadLetter));
        }
        using IStore again = Open();
        long next = again.TakeOwnership(4, "me");
        Assert.Equal(2, again.LoadOutbox(4, OutboxKind.Decision, 0, 10, 1).Last);
        Checkpoint anew = StoreSamples.Outgoing(4, next, "d3");
        anew.Replace = true;
        again.Commit(anew);
        Assert.Equal(new OutboxNumbers(3, 1), anew.OutboxLast);
        Checkpoint without = StoreSamples.Outgoing(4, next);
        again.Commit(without);
        Assert.Equal(new OutboxNumbers(3, 1), without.OutboxLast);
        Assert.Equal([(3, "d3")], StoreSamples.Outbox(again, 4, OutboxKind.Decision));
        Assert.Equal(0, again.LoadOutbox(5, OutboxKind.Decision, 0, 10, 1).Last);
    }

    [StoreFact]
    public void The_outbox_gives_no_more_than_asked_for_and_at_least_one()
    {
        using IStore store = Open();
        store.Commit(StoreSamples.Outgoing(0, store.TakeOwnership(0, "me"), "d-1", "d-2", "d-3", "d-4"));
        Assert.Equal([2, 3], Numbers(after: 1, maxCount: 2, maxBytes: 100));
        Assert.Equal([1], Numbers(after: 0, maxCount: 9, maxBytes: 1));
        Assert.Equal([1, 2], Numbers(after: 0, maxCount: 9, maxBytes: 4));
        Assert.Equal([4], Numbers(after: 3, maxCount: 9, maxBytes: 100));
        Assert.Empty(Numbers(after: 4, maxCount: 9, maxBytes: 100));

        IEnumerable<long> Numbers(long after, int maxCount, long maxBytes) => store.LoadOutbox(0, OutboxKind.Decision, after, maxCount, maxBytes).Rows.Select(row => row.Sequence);
    }

    [StoreFact]
    public void An_outbox_row_that_brings_a_number_brings_the_next_one()
    {
        using IStore store = Open();
        var checkpoint = new Checkpoint { Partition = 0, Epoch = store.TakeOwnership(0, "me") };
        Refused(2);
        Refused(1, 3);
        Accepted(1, 2);
        Refused(2);
        Accepted(0, 4);
        Assert.Equal([1, 2, 3, 4], StoreSamples.Outbox(store, 0, OutboxKind.Decision).Select(row => row.Sequence));

        void Accepted(params long[] sequences)
        {
            checkpoint.Clear();
            checkpoint.Outbox.AddRange(sequences.Select(sequence => new OutboxRow(sequence, OutboxKind.Decision, [1])));
            store.Commit(checkpoint);
        }

        void Refused(params long[] sequences) => Assert.Throws<InvariantBrokenException>(() => Accepted(sequences));
    }

    [StoreFact]
    public void An_old_owner_neither_fills_nor_empties_the_outbox()
    {
        using IStore store = Open();
        long old = store.TakeOwnership(0, "old");
        store.Commit(StoreSamples.Outgoing(0, old, "d1", "d2"));
        long current = store.TakeOwnership(0, "new");
        Assert.Throws<StoreFencedException>(() => store.Commit(StoreSamples.Outgoing(0, old, "late")));
        Assert.Throws<StoreFencedException>(() => store.RemoveOutbox(0, old, OutboxKind.Decision, 2));
        Assert.Equal([(1, "d1"), (2, "d2")], StoreSamples.Outbox(store, 0, OutboxKind.Decision));
        store.Commit(StoreSamples.Outgoing(0, current, "d3"));
        store.RemoveOutbox(0, current, OutboxKind.Decision, 2);
        store.RemoveOutbox(0, current, OutboxKind.Decision, 2);
        Assert.Equal([(3, "d3")], StoreSamples.Outbox(store, 0, OutboxKind.Decision));
    }

    [StoreFact]
    public void An_old_owner_changes_nothing()
    {
        using IStore store = Open();
        long old = store.TakeOwnership(0, "old");
        store.Commit(StoreSamples.Full(0, old, 1));
        store.CommitLeases([StoreSamples.Grant(old, StoreSamples.Lease(0, 1))]);
        string before = LoadedCheckpoint.Of(store, 0)!.Text;
        long current = store.TakeOwnership(0, "new");
        long other = store.TakeOwnership(1, "new");
        Assert.Throws<StoreFencedException>(() => store.Commit(StoreSamples.Full(0, old, 2)));
        Assert.Throws<StoreFencedException>(() => store.Commit(StoreSamples.Full(0, current + 1, 2)));
        Assert.Throws<StoreFencedException>(() => store.CommitLeases([StoreSamples.Change(LeaseChangeKind.Close, 0, old, 1)]));
        // One fenced change among good ones of two partitions: none is made.
        Assert.Throws<StoreFencedException>(() => store.CommitLeases(
        [
            StoreSamples.Grant(other, StoreSamples.Lease(1, 1)),
            StoreSamples.Change(LeaseChangeKind.Close, 0, current, 1),
            StoreSamples.Change(LeaseChangeKind.Void, 0, old, 1),
        ]));
        Assert.Equal(before, LoadedCheckpoint.Of(store, 0)!.Text);
        Assert.Equal([StoreSamples.Lease(0, 1)], store.LoadLeases(0));
        Assert.Empty(store.LoadLeases(1));
        store.Commit(StoreSamples.Full(0, current, 2));
        store.CommitLeases([StoreSamples.Change(LeaseChangeKind.Close, 0, current, 1)]);
        Assert.Empty(store.LoadLeases(0));
    }

    [StoreFact]
    public void Nobody_writes_before_taking_the_partition()
    {
        using IStore store = Open();
        Assert.Throws<StoreFencedException>(() => store.Commit(StoreSamples.Full(0, 1, 1)));
        Assert.Throws<StoreFencedException>(() => store.CommitLeases([StoreSamples.Grant(1, StoreSamples.Lease(0, 1))]));
    }

    [StoreFact]
    public void Leases_live_as_their_changes_say()
    {
        using (IStore store = Open())
        {
            long epoch = store.TakeOwnership(3, "me");
            store.CommitLeases([]);
            store.CommitLeases([.. ((uint[])[4, 1, uint.MaxValue, 3, 2]).Select(sequence => StoreSamples.Grant(epoch, StoreSamples.Lease(3, sequence)))]);
            store.CommitLeases(
            [
                StoreSamples.Change(LeaseChangeKind.Extend, 3, epoch, 1, expiresMs: 500),
                StoreSamples.Change(LeaseChangeKind.Void, 3, epoch, 2, expiresMs: 600),
                StoreSamples.Change(LeaseChangeKind.Close, 3, epoch, 3),
                StoreSamples.Change(LeaseChangeKind.Void, 3, epoch, 4, expiresMs: 700),
                StoreSamples.Change(LeaseChangeKind.Close, 3, epoch, 4),
                StoreSamples.Change(LeaseChangeKind.Extend, 3, epoch, 2, expiresMs: 650),
            ]);
        }
        using IStore again = Open();
        Assert.Equal(
        [
            StoreSamples.Lease(3, 1) with { ExpiresMs = 500 },
            StoreSamples.Lease(3, 2) with { ExpiresMs = 650, State = LeaseState.Voided },
            StoreSamples.Lease(3, uint.MaxValue),
        ], again.LoadLeases(3));
        Assert.Empty(again.LoadLeases(2));
    }

    [StoreFact]
    public void A_change_of_a_closed_lease_changes_nothing()
    {
        using IStore store = Open();
        long epoch = store.TakeOwnership(0, "me");
        foreach (LeaseChangeKind kind in (LeaseChangeKind[])[LeaseChangeKind.Extend, LeaseChangeKind.Void, LeaseChangeKind.Close])
            store.CommitLeases([StoreSamples.Change(kind, 0, epoch, 9, expiresMs: 1)]);
        Assert.Empty(store.LoadLeases(0));
    }

    [StoreFact]
    public void A_lease_may_have_no_propensity()
    {
        using IStore store = Open();
        LeaseRow lease = StoreSamples.Lease(0, 1, propensity: double.NaN);
        store.CommitLeases([StoreSamples.Grant(store.TakeOwnership(0, "me"), lease)]);
        Assert.Equal(lease, store.LoadLeases(0)[0]);
    }

    [StoreFact]
    public void A_lease_is_granted_once_and_with_its_own_row()
    {
        using IStore store = Open();
        long epoch = store.TakeOwnership(0, "me");
        LeaseChange grant = StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1));
        Assert.Throws<InvariantBrokenException>(() => store.CommitLeases([grant, grant]));
        Assert.Throws<InvariantBrokenException>(() => store.CommitLeases([grant with { Row = null }]));
        Assert.Throws<InvariantBrokenException>(() => store.CommitLeases([grant with { Sequence = 2 }]));
        Assert.Empty(store.LoadLeases(0));
    }

    [StoreFact]
    public void Partitions_commit_at_the_same_time()
    {
        using IStore store = Open();
        Parallel.For(0, 6, partition =>
        {
            long epoch = store.TakeOwnership(partition, "me");
            for (int i = 0; i < 5; i++)
            {
                store.Commit(StoreSamples.Full(partition, epoch, i));
                store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(partition, (uint)i))]);
            }
        });
        for (int partition = 0; partition < 6; partition++)
        {
            Assert.Equal(StoreSamples.Header(4), LoadedCheckpoint.Of(store, partition)!.Head);
            Assert.Equal(5, store.LoadLeases(partition).Count);
        }
    }

    public virtual void Dispose() => GC.SuppressFinalize(this);
}
